/*
 * fn_evaluate.c: evaluate(), the metrics of a model on the rows of a source.
 *
 * The source runs once; each row is scored by column name and added to the
 * sums of evaluator.h.  Rows without a truth or a weight are skipped.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "arguments.h"
#include "evaluate_lists.h"
#include "evaluator.h"
#include "model_cache.h"
#include "registry.h"
#include "rowtype.h"
#include "scorer.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_evaluate);

typedef struct EvaluateJob
{
	MemoryContext context;
	const GroveModel *model;
	const char *weight_name;	/* or NULL */
	GroveTile  *tile;
	double		truths[GROVE_BATCH_ROWS];	/* of the rows in the tile */
	double		weights[GROVE_BATCH_ROWS];
	GroveTruthColumn target;
	GroveNumberColumn weight;
	GroveEvaluator evaluator;
} EvaluateJob;

/* Receiver: the columns of the source are known. */
static void
start_rows(TupleDesc desc, void *arg)
{
	EvaluateJob *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->context);

	job->tile = grovepg_scorer_tile(grovepg_scorer_make(job->model, desc));
	grovepg_truth_bind(&job->target, job->model, desc);
	if (job->weight_name != NULL)
		grovepg_judge_bind(desc, job->weight_name, "weight", false, &job->weight);
	MemoryContextSwitchTo(previous);
}

static void
add_tile(EvaluateJob *job)
{
	uint32		n = grovepg_scorer_tile_run(job->tile);

	for (uint32 i = 0; i < n; i++)
		grovepg_evaluator_add(&job->evaluator, grovepg_scorer_tile_margins(job->tile, i), job->truths[i], job->weights[i]);
}

/* Receiver: one row of the source. */
static void
add_row(GroveSlot *slot, void *arg)
{
	EvaluateJob *job = arg;
	double		truth;
	double		weight = 1;

	CHECK_FOR_INTERRUPTS();
	if (!grovepg_truth_read(&job->target, slot, &truth) ||
		(job->weight_name != NULL && !grovepg_judge_number(&job->weight, slot, &weight)))
		return;
	job->truths[job->tile->n] = truth;
	job->weights[job->tile->n] = weight;
	if (grovepg_scorer_tile_add(job->tile, slot))
		add_tile(job);
}

static void
put_metrics(const GroveEvaluated *results, int n, Tuplestorestate *store, TupleDesc desc)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, isnan(results[i].value), isnan(results[i].lower), isnan(results[i].upper)};

		values[0] = CStringGetTextDatum(results[i].metric);
		values[1] = Float8GetDatum(results[i].value);
		values[2] = Float8GetDatum(results[i].lower);
		values[3] = Float8GetDatum(results[i].upper);
		tuplestore_putvalues(store, desc, values, nulls);
	}
}

static void
put_results(EvaluateJob *job, Tuplestorestate *store, TupleDesc desc)
{
	GroveEvaluated results[GROVE_EVALUATE_RESULTS];
	int			n;

	n = grovepg_evaluator_results(&job->evaluator, results);
	put_metrics(results, n, store, desc);
}

/* With group_by: the lists that the model makes. */
static void
judge_lists(FunctionCallInfo fcinfo, const GroveModel *model, const char *source, Tuplestorestate *store, TupleDesc desc)
{
	GroveEvaluated results[GROVE_CATALOGUE_RESULTS];
	GroveListColumns columns;
	int			n;
	int64		k = grovepg_argument_int64(fcinfo, 6, "k", 1, PG_INT32_MAX);

	columns.group = text_to_cstring(PG_GETARG_TEXT_PP(3));
	columns.item = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	columns.popularity = PG_ARGISNULL(5) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(5));
	if (!PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"weight\" and \"group_by\" do not go together"),
				 errdetail("Each group counts once."),
				 errhint("Leave out one of the two.")));
	if (columns.popularity != NULL && columns.item == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"popularity\" needs \"item\""),
				 errhint("Name the column of the items, as in item => 'item_id'.")));
	n = grovepg_evaluate_lists(model, source, &columns, k, results);
	put_metrics(results, n, store, desc);
}

/* Without group_by: metrics of single rows. */
static void
check_single(FunctionCallInfo fcinfo)
{
	const char *unused = !PG_ARGISNULL(4) ? "item" : !PG_ARGISNULL(5) ? "popularity" : NULL;

	if (unused != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" needs \"group_by\"", unused),
				 errhint("Name the column of the user or query whose rows make a list, as in group_by => 'user_id'.")));
}

/* evaluate(model bytea, source text, weight text, group_by text, item text, popularity text, k bigint) returns table (metric text, value float8, lower float8, upper float8) */
Datum
grove_evaluate(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext previous;
	EvaluateJob *job;
	char	   *source;
	Tuplestorestate *store;
	TupleDesc	desc;

	store = grovepg_rowtype_store(fcinfo, &desc);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	source = grovepg_argument_text(fcinfo, 1, "source");
	context = AllocSetContextCreate(CurrentMemoryContext, "grove evaluate", ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(context);
	job = palloc0(sizeof(EvaluateJob));
	job->context = context;
	job->model = grovepg_model_get(grovepg_registry_argument(fcinfo, 0), context);
	if (!PG_ARGISNULL(3))
		judge_lists(fcinfo, job->model, source, store, desc);
	else
	{
		check_single(fcinfo);
		if (!PG_ARGISNULL(2))
			job->weight_name = text_to_cstring(PG_GETARG_TEXT_PP(2));
		grovepg_evaluator_init(&job->evaluator, job->model, job->weight_name != NULL);
		grovepg_source_run(grovepg_source_query(source, NULL),
						   grovepg_source_receiver_lazy(start_rows, add_row, job));
		add_tile(job);
		put_results(job, store, desc);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
	return (Datum) 0;
}
