/*
 * fn_explain.c: explain(), what each feature adds to the margin of one row.
 *
 * The first row is that of the base value and has no feature; the features
 * follow, the one that moves the margin most first.  Their sum is what
 * predict_raw() gives, of a model of several classes the margin of the
 * likeliest one.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../core/shap.h"
#include "convert.h"
#include "predict_call.h"
#include "rowtype.h"

/* What is made once for a model and a call site. */
typedef struct Explainer
{
	GroveShap  *shap;
	double	   *expected;		/* [n_outputs] NaN: not known yet */
	double	   *contributions;	/* [n_features] */
	uint32	   *order;			/* [n_features] */
} Explainer;

static Explainer *
make_explainer(GroveModelUse *use)
{
	const GroveModel *model = use->model;
	MemoryContext previous = MemoryContextSwitchTo(use->context);
	Explainer  *explainer = palloc(sizeof(Explainer));
	size_t		size;

	if (!grove_shap_size(model, &size) || size > MaxAllocHugeSize)
		grovepg_error_status(GROVE_ERR_SIZE, NULL, 0);
	explainer->shap = grove_shap_init(model, palloc_extended(size, MCXT_ALLOC_HUGE));
	explainer->expected = palloc(sizeof(double) * model->n_outputs);
	for (uint32 i = 0; i < model->n_outputs; i++)
		explainer->expected[i] = NAN;
	explainer->contributions = palloc(sizeof(double) * model->n_features);
	explainer->order = palloc(sizeof(uint32) * model->n_features);
	MemoryContextSwitchTo(previous);
	return explainer;
}

static void
explain_output(Explainer *explainer, const GrovePredictCall *call, uint32 output)
{
	const GroveModel *model = call->model;
	uint32		n_steps = grove_shap_steps(explainer->shap);

	if (isnan(explainer->expected[output]))
		explainer->expected[output] = grove_shap_expected(explainer->shap, output);
	memset(explainer->contributions, 0, sizeof(double) * model->n_features);
	for (uint32 tree = output; tree < model->n_trees; tree += model->n_outputs)
	{
		for (uint32 step = 0; step < n_steps; step++)
		{
			CHECK_FOR_INTERRUPTS();
			grove_shap_step(explainer->shap, tree, step, call->row, explainer->contributions);
		}
	}
}

/* Larger contributions first, of either sign, then in the order of training. */
static int
compare_contributions(const void *left, const void *right, void *arg)
{
	const double *contributions = arg;
	uint32		a = *(const uint32 *) left;
	uint32		b = *(const uint32 *) right;
	double		size_a = fabs(contributions[a]);
	double		size_b = fabs(contributions[b]);

	if (size_a != size_b)
		return size_a > size_b ? -1 : 1;
	return a < b ? -1 : 1;
}

static void
put_features(Explainer *explainer, const GrovePredictCall *call, Tuplestorestate *store, TupleDesc desc)
{
	const GroveModel *model = call->model;

	for (uint32 i = 0; i < model->n_features; i++)
		explainer->order[i] = i;
	qsort_arg(explainer->order, model->n_features, sizeof(uint32), compare_contributions, explainer->contributions);
	for (uint32 i = 0; i < model->n_features; i++)
	{
		uint32		feature = explainer->order[i];
		char	   *value = grovepg_convert_text(&model->features[feature], call->row[feature]);
		Datum		values[3];
		bool		nulls[3] = {false, value == NULL, false};

		values[0] = CStringGetTextDatum(grovepg_model_text(model->features[feature].name));
		values[1] = value != NULL ? CStringGetTextDatum(value) : (Datum) 0;
		values[2] = Float8GetDatum(explainer->contributions[feature]);
		tuplestore_putvalues(store, desc, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(grove_explain);

/* explain(model, VARIADIC features) returns table (feature text, value text, contribution float8) */
Datum
grove_explain(PG_FUNCTION_ARGS)
{
	GrovePredictCall call;
	Explainer  *explainer;
	Tuplestorestate *store;
	TupleDesc	desc;
	uint32		output;
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, false};

	store = grovepg_rowtype_store(fcinfo, &desc);
	if (!grovepg_predict_margins(fcinfo, &call))
		return (Datum) 0;
	if (call.use->explainer == NULL)
		call.use->explainer = make_explainer(call.use);
	explainer = call.use->explainer;
	output = grovepg_predict_output(&call);
	explain_output(explainer, &call, output);
	values[2] = Float8GetDatum(explainer->expected[output]);
	tuplestore_putvalues(store, desc, values, nulls);
	put_features(explainer, &call, store, desc);
	return (Datum) 0;
}
