/*
 * fn_importance.c: permutation_importance(), how much worse a metric becomes
 * when the values of one feature are dealt out among the rows anew.
 *
 * The source is read once and its rows are kept.  They are put in an order of
 * their content before they are permuted by grove_shuffle_forward() under the
 * seed, the feature and the repeat, so that the result depends on the set of
 * rows and the seed only.  A feature that no split uses is not tried: its
 * importance is 0.
 *
 * L. Breiman, Random Forests (2001); A. Fisher, C. Rudin, F. Dominici, All
 * Models are Wrong, but Many are Useful (2019).
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../core/predict.h"
#include "../core/shuffle.h"
#include "arguments.h"
#include "feature_rows.h"
#include "model_cache.h"
#include "nearest.h"
#include "registry.h"
#include "rowtype.h"

#define MAX_REPEATS	1000

/* Metrics that can be asked for, of all tasks. */
static const struct
{
	const char *name;
	bool		higher;			/* a higher value is better */
} known_metrics[] = {
	{"auc", true}, {"log_loss", false}, {"brier", false}, {"accuracy", true}, {"average_precision", true},
	{"rmse", false}, {"mae", false}, {"r2", true}
};

typedef struct ImportanceJob
{
	const GroveModel *model;
	GroveFeatureRows *rows;
	const char *metric;
	bool		higher;
	bool		weighted;
	MemoryContext pass_context; /* reset after each pass over the rows */
	double	   *row;			/* [n_features] */
	double	   *margins;		/* [n_outputs] */
	GroveShuffle shuffle;
} ImportanceJob;

/* What happened to one feature. */
typedef struct Importance
{
	uint32		feature;
	double		mean;			/* NaN when the metric is not defined */
	double		std;			/* NaN for a single repeat */
	double		smallest;
	double		largest;
} Importance;

/* The metric on the rows, with the values of one feature permuted; n_features: as they are. */
static double
measure(ImportanceJob *job, uint32 feature)
{
	const GroveModel *model = job->model;
	GroveFeatureRows *rows = job->rows;
	MemoryContext previous = MemoryContextSwitchTo(job->pass_context);
	GroveEvaluator *evaluator = palloc(sizeof(GroveEvaluator));
	GroveEvaluated results[GROVE_EVALUATE_RESULTS];
	double		value = NAN;
	int			n;

	grovepg_evaluator_init(evaluator, model, job->weighted);
	for (Size i = 0; i < rows->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(job->row, grovepg_feature_row(rows, i), sizeof(double) * model->n_features);
		if (feature < model->n_features)
			job->row[feature] = grovepg_feature_row(rows, grove_shuffle_forward(&job->shuffle, i))[feature];
		grove_predict_margins(model, job->row, job->margins);
		grovepg_evaluator_add(evaluator, job->margins, grovepg_feature_row_truth(rows, i), grovepg_feature_row_weight(rows, i));
	}
	n = grovepg_evaluator_results(evaluator, results);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(results[i].metric, job->metric) == 0)
			value = results[i].value;
	}
	MemoryContextSwitchTo(previous);
	MemoryContextReset(job->pass_context);
	return value;
}

/* Fills in how the metric changed over the repeats. */
static void
try_feature(ImportanceJob *job, double baseline, int repeats, int64 seed, Importance *result)
{
	uint64		key = grove_rng_hash(grove_rng_key((uint64) seed, GROVE_PURPOSE_PERMUTE), result->feature);
	double		squares = 0;

	result->smallest = INFINITY;
	result->largest = -INFINITY;
	for (int i = 0; i < repeats; i++)
	{
		double		permuted;
		double		worse;
		double		step;

		(void) grove_shuffle_init(&job->shuffle, job->rows->n, grove_rng_hash(key, (uint64) i));
		permuted = measure(job, result->feature);
		worse = job->higher ? baseline - permuted : permuted - baseline;
		step = worse - result->mean;
		result->mean += step / (i + 1);
		squares += step * (worse - result->mean);
		result->smallest = fmin(result->smallest, worse);
		result->largest = fmax(result->largest, worse);
	}
	result->std = repeats > 1 ? sqrt(squares / (repeats - 1)) : NAN;
}

/* Most important first, those without a number last, then in the order of training. */
static int
compare_importance(const void *left, const void *right)
{
	const Importance *a = left;
	const Importance *b = right;

	if (isnan(a->mean) != isnan(b->mean))
		return isnan(a->mean) ? 1 : -1;
	if (a->mean != b->mean && !isnan(a->mean))
		return a->mean > b->mean ? -1 : 1;
	return a->feature < b->feature ? -1 : 1;
}

static Importance *
try_features(ImportanceJob *job, int repeats, int64 seed)
{
	const GroveModel *model = job->model;
	Importance *results = palloc0(sizeof(Importance) * model->n_features);
	bool	   *used = palloc0(model->n_features);
	double		baseline = measure(job, model->n_features);

	for (uint32 i = 0; i < model->n_nodes; i++)
		used[model->nodes[i].feature] |= model->nodes[i].left != 0;
	for (uint32 i = 0; i < model->n_features; i++)
	{
		results[i].feature = i;
		if (isnan(baseline) || job->rows->n == 0)
			results[i].mean = results[i].std = results[i].smallest = results[i].largest = NAN;
		else if (used[i])
			try_feature(job, baseline, repeats, seed, &results[i]);
		else if (repeats == 1)
			results[i].std = NAN;
	}
	qsort(results, model->n_features, sizeof(Importance), compare_importance);
	return results;
}

/* Whether evaluate() reports the metric for the model's task. */
static bool
fits_task(GroveTask task, const char *metric)
{
	GroveEvaluator evaluator = {0};
	GroveEvaluated results[GROVE_EVALUATE_RESULTS];
	GroveRankedCurve curve = {0};
	GroveRankedVariance variance = {0};
	int			n;

	grove_evaluate_init(&evaluator.evaluation, task, 0);
	n = grove_evaluate_results(&evaluator.evaluation, &curve, &variance, results);
	for (int i = 0; i < n; i++)
	{
		if (strcmp(results[i].metric, metric) == 0)
			return true;
	}
	return false;
}

/* The metric that was asked for, or that of the task. */
static void
choose_metric(ImportanceJob *job, const char *asked)
{
	const char *names[lengthof(known_metrics)];
	int			n = 0;

	job->metric = asked ? asked : job->model->task == GROVE_TASK_REGRESSION ? "rmse" : "log_loss";
	for (size_t i = 0; i < lengthof(known_metrics); i++)
	{
		if (!fits_task(job->model->task, known_metrics[i].name))
			continue;
		if (strcmp(known_metrics[i].name, job->metric) == 0)
		{
			job->higher = known_metrics[i].higher;
			return;
		}
		names[n++] = known_metrics[i].name;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown metric \"%s\" for this model", asked),
			 errhint("%s", grovepg_nearest_hint(asked, names, n, "metric"))));
}

static Datum
number_or_null(double number, bool *isnull)
{
	*isnull = isnan(number);
	return Float8GetDatum(number);
}

PG_FUNCTION_INFO_V1(grove_permutation_importance);

/*
 * permutation_importance(model bytea, source text, metric text, weight text, n_repeats int, seed bigint)
 * returns table (feature text, importance float8, std float8, smallest float8, largest float8)
 */
Datum
grove_permutation_importance(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext previous;
	ImportanceJob *job;
	Importance *results;
	Tuplestorestate *store;
	TupleDesc	desc;
	char	   *source;
	char	   *weight = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	int			repeats = grovepg_argument_int(fcinfo, 4, "n_repeats", 1, MAX_REPEATS);
	int64		seed = grovepg_argument_int64(fcinfo, 5, "seed", PG_INT64_MIN, PG_INT64_MAX);

	store = grovepg_rowtype_store(fcinfo, &desc);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	source = grovepg_argument_text(fcinfo, 1, "source");
	context = AllocSetContextCreate(CurrentMemoryContext, "grove permutation importance", ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(context);
	job = palloc0(sizeof(ImportanceJob));
	job->model = grovepg_model_get(grovepg_registry_argument(fcinfo, 0), context);
	job->weighted = weight != NULL;
	job->pass_context = AllocSetContextCreate(context, "grove pass", ALLOCSET_DEFAULT_SIZES);
	job->row = palloc(sizeof(double) * job->model->n_features);
	job->margins = palloc(sizeof(double) * job->model->n_outputs);
	grovepg_evaluator_require(job->model);
	choose_metric(job, PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)));
	job->rows = grovepg_feature_rows_read(job->model, source, true, weight);
	grovepg_feature_rows_sort(job->rows);
	results = try_features(job, repeats, seed);
	for (uint32 i = 0; i < job->model->n_features; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(grovepg_model_text(job->model->features[results[i].feature].name));
		values[1] = number_or_null(results[i].mean, &nulls[1]);
		values[2] = number_or_null(results[i].std, &nulls[2]);
		values[3] = number_or_null(results[i].smallest, &nulls[3]);
		values[4] = number_or_null(results[i].largest, &nulls[4]);
		tuplestore_putvalues(store, desc, values, nulls);
	}
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
	return (Datum) 0;
}
