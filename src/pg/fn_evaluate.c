/*
 * fn_evaluate.c: evaluate(), the metrics of a model on the rows of a source.
 *
 * The source runs once; each row is scored by column name and added to exact
 * sums.  Of a binary model the scores are kept, too (16 bytes for each
 * distinct one, or for each row when there is a weight), because AUC needs
 * their order.  Rows without a truth or a weight are skipped.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "../core/evaluate.h"
#include "../core/predict.h"
#include "agg_metric.h"
#include "arguments.h"
#include "evaluate_lists.h"
#include "judge_source.h"
#include "model_cache.h"
#include "rowtype.h"
#include "scorer.h"
#include "source.h"
#include "truth.h"

PG_FUNCTION_INFO_V1(grove_evaluate);

typedef struct EvaluateJob
{
	MemoryContext context;
	const GroveModel *model;
	const char *weight_name;	/* or NULL */
	GroveScorer *scorer;
	GroveTruth	target;
	GroveNumberColumn weight;
	GroveEvaluation evaluation;
	GroveMetricState *scores;	/* binary */
} EvaluateJob;

/* Receiver: the columns of the source are known. */
static void
start_rows(TupleDesc desc, void *arg)
{
	EvaluateJob *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->context);

	job->scorer = grovepg_scorer_make(job->model, desc);
	grovepg_truth_bind(&job->target, job->model, desc);
	if (job->weight_name != NULL)
		grovepg_judge_bind(desc, job->weight_name, "weight", false, &job->weight);
	MemoryContextSwitchTo(previous);
}

static GroveMetricFault
add_binary(EvaluateJob *job, Datum truth, double weight)
{
	double		probability = job->scorer->probabilities[1];
	int			class = grovepg_truth_class(&job->target, truth);
	GroveMetricFault fault;

	if (class < 0)
		grovepg_truth_unknown(&job->target, truth);
	fault = grove_evaluate_binary(&job->evaluation, class == 1, probability, weight);
	if (fault == GROVE_METRIC_FINE)
		grovepg_metric_add_single(job->scores, class, probability, weight);
	return fault;
}

/* A class that training did not see has the probability 0. */
static GroveMetricFault
add_multiclass(EvaluateJob *job, Datum truth, double weight)
{
	int			class = grovepg_truth_class(&job->target, truth);
	uint32		best = grove_predict_best(job->model, job->scorer->margins);

	return grove_evaluate_multiclass(&job->evaluation, class < 0 ? 0 : job->scorer->probabilities[class],
									 class == (int) best, weight);
}

/* Receiver: one row of the source. */
static void
add_row(GroveSlot *slot, void *arg)
{
	EvaluateJob *job = arg;
	Datum		truth;
	double		number = 0;
	double		score = 0;
	double		weight = 1;
	bool		isnull;
	GroveMetricFault fault;

	CHECK_FOR_INTERRUPTS();
	truth = slot_getattr(slot, job->target.column.attno, &isnull);
	if (isnull)
		return;
	if (job->weight_name != NULL && !grovepg_judge_number(&job->weight, slot, &weight))
		return;
	grovepg_scorer_run(job->scorer, slot);
	switch (job->model->task)
	{
		case GROVE_TASK_BINARY:
			fault = add_binary(job, truth, weight);
			break;
		case GROVE_TASK_MULTICLASS:
			fault = add_multiclass(job, truth, weight);
			break;
		default:
			grovepg_judge_number(&job->target.column, slot, &number);
			score = grove_predict_value(job->model, job->scorer->margins);
			fault = grove_evaluate_regression(&job->evaluation, number, score, weight);
			break;
	}
	if (fault != GROVE_METRIC_FINE)
		grovepg_metric_report(fault, number, score, weight);
}

/* DeLong's variance from the kept scores, after their curve. */
static void
walk_variance(const GroveMetricState *scores, const GroveRankedCurve *curve, GroveRankedVariance *variance)
{
	Size		start;
	GroveRankedGroup group;

	grove_ranked_variance_init(variance, curve);
	for (start = 0; start < scores->n_rows; start = group.end)
	{
		grove_ranked_group(scores->rows, scores->n_rows, start, &group);
		/* merged rows stand for so many rows of weight 1 */
		grove_ranked_variance_add(variance, group.weight, scores->separate ? group.square : group.weight);
		CHECK_FOR_INTERRUPTS();
	}
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
	GroveRankedCurve curve;
	GroveRankedVariance variance;
	int			n;

	if (job->scores != NULL)
	{
		grovepg_metric_state_sort(job->scores);
		grovepg_metric_curve(job->scores, &curve);
		walk_variance(job->scores, &curve, &variance);
	}
	n = grove_evaluate_results(&job->evaluation, &curve, &variance, results);
	put_metrics(results, n, store, desc);
}

/* With group_by: the lists that the model makes. */
static void
judge_lists(FunctionCallInfo fcinfo, const GroveModel *model, const char *source, Tuplestorestate *store, TupleDesc desc)
{
	GroveEvaluated results[GROVE_CATALOGUE_RESULTS];
	GroveListColumns columns;
	int64		k = grovepg_argument_int64(fcinfo, 6, "k", 1, PG_INT32_MAX);

	columns.group = text_to_cstring(PG_GETARG_TEXT_PP(3));
	columns.item = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
	columns.popularity = PG_ARGISNULL(5) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(5));
	if (!PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"weight\" and \"group_by\" do not go together"),
				 errdetail("Each group counts once.")));
	if (columns.popularity != NULL && columns.item == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"popularity\" needs \"item\""),
				 errhint("Name the column of the items, as in item => 'item_id'.")));
	put_metrics(results, grovepg_evaluate_lists(model, source, &columns, k, results), store, desc);
}

/* Without group_by: metrics of single rows. */
static void
check_single(FunctionCallInfo fcinfo, const GroveModel *model)
{
	const char *unused = !PG_ARGISNULL(4) ? "item" : !PG_ARGISNULL(5) ? "popularity" : NULL;

	if (unused != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" needs \"group_by\"", unused),
				 errhint("Name the column of the user or query whose rows make a list, as in group_by => 'user_id'.")));
	if (model->task == GROVE_TASK_RANKING)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a ranking model has no metrics of single rows"),
				 errhint("Name the column whose rows are ranked against each other, as in group_by => 'query_id'.")));
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
	job->model = grovepg_model_get(PG_GETARG_DATUM(0), context);
	if (!PG_ARGISNULL(3))
	{
		judge_lists(fcinfo, job->model, source, store, desc);
		MemoryContextSwitchTo(previous);
		MemoryContextDelete(context);
		return (Datum) 0;
	}
	check_single(fcinfo, job->model);
	if (!PG_ARGISNULL(2))
		job->weight_name = text_to_cstring(PG_GETARG_TEXT_PP(2));
	grove_evaluate_init(&job->evaluation, job->model->task, job->model->base[0]);
	if (job->model->task == GROVE_TASK_BINARY)
	{
		job->scores = grovepg_metric_state_make(GROVE_RANKED_SINGLE, context);
		job->scores->separate = job->weight_name != NULL;
	}
	grovepg_source_run(grovepg_source_query(source, NULL),
					   grovepg_source_receiver_lazy(start_rows, add_row, job));
	put_results(job, store, desc);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
	return (Datum) 0;
}
