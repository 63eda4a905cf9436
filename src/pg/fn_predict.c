/*
 * fn_predict.c: the SQL functions that score one row.
 *
 *     grove.predict(model bytea, VARIADIC features "any")
 *
 * and its relatives share everything but the last step.  The model of a call
 * comes from begin_call(), which is the only place that knows whether
 * the first argument is the bytes themselves or a name; the rest sees a GroveModelUse.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "../core/predict.h"
#include "arguments.h"
#include "predict_call.h"
#include "registry.h"
#include "rowtype.h"

/* What a call site keeps in fn_extra. */
typedef struct PredictSite
{
	GroveModelSite *models;
	GroveNameSite *names;		/* NULL: the first argument is the model itself */
	GroveArguments *arguments;
	double	   *margins;		/* [room] */
	uint32		room;
} PredictSite;

static PredictSite *
make_site(FunctionCallInfo fcinfo, int first)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	PredictSite *site = MemoryContextAllocZero(context, sizeof(PredictSite));

	site->arguments = grovepg_bind_arguments(fcinfo, first);
	site->models = grovepg_model_site(context);
	if (grovepg_registry_is_name(fcinfo, 0))
		site->names = grovepg_registry_site(context);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

/* first: number of the first feature argument. */
static inline bool
begin_call(FunctionCallInfo fcinfo, int first, GrovePredictCall *call)
{
	PredictSite *site = fcinfo->flinfo->fn_extra;
	GroveModelUse *use;

	if (PG_ARGISNULL(0))
		return false;
	if (unlikely(!site))
		site = make_site(fcinfo, first);
	use = grovepg_model_use(site->models, site->names == NULL ? PG_GETARG_DATUM(0) :
							grovepg_registry_lookup(site->names, PG_GETARG_DATUM(0)));
	call->use = use;
	call->model = use->model;
	call->row = grovepg_bind_row(site->arguments, fcinfo, use);
	if (unlikely(site->room < call->model->n_outputs))
	{
		site->room = 0;
		site->margins = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(double) * call->model->n_outputs);
		site->room = call->model->n_outputs;
	}
	call->margins = site->margins;
	return true;
}

bool
grovepg_predict_begin(FunctionCallInfo fcinfo, GrovePredictCall *call)
{
	return begin_call(fcinfo, 1, call);
}

bool
grovepg_predict_margins(FunctionCallInfo fcinfo, GrovePredictCall *call)
{
	if (!grovepg_predict_begin(fcinfo, call))
		return false;
	grove_predict_margins(call->model, call->row, call->margins);
	return true;
}

uint32
grovepg_predict_output(const GrovePredictCall *call)
{
	return call->model->n_outputs == 1 ? 0 : grove_predict_best(call->model, call->margins);
}

static void
require_classes(const GroveModel *model)
{
	if (model->n_classes == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no classes"),
				 errhint("This is a %s model; use grove.predict().",
						 model->task == GROVE_TASK_RANKING ? "ranking" : "regression")));
}

PG_FUNCTION_INFO_V1(grove_predict);

Datum
grove_predict(PG_FUNCTION_ARGS)
{
	GrovePredictCall call;

	if (!grovepg_predict_margins(fcinfo, &call))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(grove_predict_value(call.model, call.margins));
}

PG_FUNCTION_INFO_V1(grove_predict_raw);

/* Of several margins the one that grove.predict() would report. */
Datum
grove_predict_raw(PG_FUNCTION_ARGS)
{
	GrovePredictCall call;

	if (!grovepg_predict_margins(fcinfo, &call))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(call.margins[grovepg_predict_output(&call)]);
}

PG_FUNCTION_INFO_V1(grove_predict_class);

Datum
grove_predict_class(PG_FUNCTION_ARGS)
{
	GrovePredictCall call;
	GroveText	label;

	if (!grovepg_predict_margins(fcinfo, &call))
		PG_RETURN_NULL();
	require_classes(call.model);
	label = call.model->classes[grove_predict_best(call.model, call.margins)];
	PG_RETURN_TEXT_P(cstring_to_text(grovepg_model_text(label)));
}

PG_FUNCTION_INFO_V1(grove_predict_proba);

Datum
grove_predict_proba(PG_FUNCTION_ARGS)
{
	GrovePredictCall call;
	Datum	   *elements;
	double	   *probabilities;
	uint32		n_classes;

	if (!grovepg_predict_margins(fcinfo, &call))
		PG_RETURN_NULL();
	require_classes(call.model);
	n_classes = call.model->n_classes;
	probabilities = palloc(sizeof(double) * n_classes);
	elements = palloc(sizeof(Datum) * n_classes);
	grove_predict_probabilities(call.model, call.margins, probabilities);
	for (uint32 i = 0; i < n_classes; i++)
		elements[i] = Float8GetDatum(probabilities[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, (int) n_classes, FLOAT8OID,
										  sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(grove_predict_leaf);

Datum
grove_predict_leaf(PG_FUNCTION_ARGS)
{
	GrovePredictCall call;
	Datum	   *elements;
	uint32	   *leaves;
	uint32		n_trees;

	if (!grovepg_predict_begin(fcinfo, &call))
		PG_RETURN_NULL();
	n_trees = call.model->n_trees;
	leaves = palloc(sizeof(uint32) * Max(n_trees, 1));
	elements = palloc(sizeof(Datum) * Max(n_trees, 1));
	grove_predict_leaves(call.model, call.row, leaves);
	for (uint32 i = 0; i < n_trees; i++)
		elements[i] = Int32GetDatum((int32) leaves[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, (int) n_trees, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(grove_predict_top);

/* predict_top(model bytea or name text, n integer, features...) returns table (class text, probability float8), likeliest first */
Datum
grove_predict_top(PG_FUNCTION_ARGS)
{
	Tuplestorestate *store;
	TupleDesc	desc;
	GrovePredictCall call;
	double	   *probabilities;
	uint32		n_classes;
	int32		n;

	if (PG_ARGISNULL(1))
		grovepg_argument_reject_null("n");
	n = PG_GETARG_INT32(1);
	if (n < 1)
		grovepg_argument_reject("n", n, "at least 1");
	store = grovepg_rowtype_store(fcinfo, &desc);
	if (!begin_call(fcinfo, 2, &call))
		return (Datum) 0;
	require_classes(call.model);
	grove_predict_margins(call.model, call.row, call.margins);
	n_classes = call.model->n_classes;
	probabilities = palloc(sizeof(double) * n_classes);
	grove_predict_probabilities(call.model, call.margins, probabilities);
	for (int32 i = 0; i < n && i < (int32) n_classes; i++)
	{
		uint32		best = 0;
		Datum		values[2];
		bool		nulls[2] = {false, false};

		CHECK_FOR_INTERRUPTS();
		for (uint32 class = 1; class < n_classes; class++)
		{
			if (probabilities[class] > probabilities[best])
				best = class;
		}
		values[0] = CStringGetTextDatum(grovepg_model_text(call.model->classes[best]));
		values[1] = Float8GetDatum(probabilities[best]);
		tuplestore_putvalues(store, desc, values, nulls);
		probabilities[best] = -1;	/* taken */
	}
	return (Datum) 0;
}
