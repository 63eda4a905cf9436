/*
 * fn_partial.c: partial_dependence(), the mean prediction of the rows of a
 * source when all of them are given one value of a feature.
 *
 * The source is read once and its rows are kept.  A numeric feature is tried
 * at values that cut its rows into parts of about equal size, the smallest and
 * the largest among them; a categorical one at its most frequent labels; each
 * at NULL as well.  Means are weighted and summed exactly, so that they do not
 * depend on the order of the rows.
 *
 * J. H. Friedman, Greedy Function Approximation (2001).
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../core/exactsum.h"
#include "../core/predict.h"
#include "arguments.h"
#include "feature_rows.h"
#include "model_cache.h"
#include "nearest.h"
#include "registry.h"
#include "rowtype.h"

#define MAX_GRID	10000

/* A value that is tried. */
typedef struct GridPoint
{
	double		value;			/* of the feature in a row */
	double		weight;			/* rows that have it; numeric: that lie above the point before, and up to it */
} GridPoint;

typedef struct PartialJob
{
	const GroveModel *model;
	GroveFeatureRows *rows;
	uint32		feature;
	uint32		n_results;		/* means of one point: classes of a multiclass model, else 1 */
	GridPoint  *points;
	int			n_points;
	double		total;			/* weight of all rows */
} PartialJob;

static uint32
find_feature(const GroveModel *model, const char *name)
{
	const char **names = palloc(sizeof(char *) * model->n_features);

	for (uint32 i = 0; i < model->n_features; i++)
	{
		names[i] = grovepg_model_text(model->features[i].name);
		if (strcmp(names[i], name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model has no feature \"%s\"", name),
			 errhint("%s", grovepg_nearest_hint(name, names, (int) model->n_features, "feature"))));
}

static int
compare_values(const void *left, const void *right)
{
	const GridPoint *a = left;
	const GridPoint *b = right;

	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	return 0;
}

/* Heavier first, then the more frequent in training. */
static int
compare_weights(const void *left, const void *right)
{
	const GridPoint *a = left;
	const GridPoint *b = right;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return compare_values(left, right);
}

/* The distinct values of the feature that are not missing, ascending, with their weights. */
static GridPoint *
distinct_values(PartialJob *job, Size *count)
{
	GroveFeatureRows *rows = job->rows;
	bool		categorical = job->model->features[job->feature].kind == GROVE_FEATURE_CATEGORICAL;
	GridPoint  *points = MemoryContextAllocHuge(CurrentMemoryContext, Max(rows->n, 1) * sizeof(GridPoint));
	GroveExactSum sum;
	Size		n = 0;
	Size		n_distinct = 0;

	for (Size i = 0; i < rows->n; i++)
	{
		double		value = grovepg_feature_row(rows, i)[job->feature];

		CHECK_FOR_INTERRUPTS();
		if (categorical ? value == GROVE_MISSING_BIN : isnan(value))
			continue;
		points[n].value = value;
		points[n++].weight = grovepg_feature_row_weight(rows, i);
	}
	qsort(points, n, sizeof(GridPoint), compare_values);
	for (Size i = 0; i < n;)
	{
		double		value = points[i].value;

		CHECK_FOR_INTERRUPTS();
		grove_exactsum_init(&sum);
		for (; i < n && points[i].value == value; i++)
			grove_exactsum_add(&sum, points[i].weight);
		points[n_distinct].value = value;
		points[n_distinct++].weight = grove_exactsum_round(&sum);
	}
	*count = n_distinct;
	return points;
}

/* Thins out the values of a numeric feature to so many, which keep the weight of those below them. */
static int
thin_out(GridPoint *points, Size n, int grid)
{
	double		total = 0;
	double		passed = 0;
	double		pending = 0;
	int			kept = 0;

	if (n <= (Size) grid)
		return (int) n;
	for (Size i = 0; i < n; i++)
		total += points[i].weight;
	for (Size i = 0; i < n; i++)
	{
		passed += points[i].weight;
		pending += points[i].weight;
		/* the first value, the last one, and each that reaches the next of grid - 1 equal parts */
		if (i == 0 || i == n - 1 || (kept < grid - 1 && passed >= total * kept / (grid - 1)))
		{
			points[kept].value = points[i].value;
			points[kept++].weight = pending;
			pending = 0;
		}
	}
	return kept;
}

/* Fills in points, NULL last. */
static void
make_points(PartialJob *job, int grid)
{
	GroveFeatureRows *rows = job->rows;
	bool		categorical = job->model->features[job->feature].kind == GROVE_FEATURE_CATEGORICAL;
	GroveExactSum all;
	GroveExactSum missing;
	Size		n;

	grove_exactsum_init(&all);
	grove_exactsum_init(&missing);
	for (Size i = 0; i < rows->n; i++)
	{
		double		value = grovepg_feature_row(rows, i)[job->feature];

		grove_exactsum_add(&all, grovepg_feature_row_weight(rows, i));
		if (categorical ? value == GROVE_MISSING_BIN : isnan(value))
			grove_exactsum_add(&missing, grovepg_feature_row_weight(rows, i));
	}
	job->total = grove_exactsum_round(&all);
	job->points = distinct_values(job, &n);
	if (categorical)
	{
		qsort(job->points, n, sizeof(GridPoint), compare_weights);
		job->n_points = (int) Min(n, (Size) grid);
	}
	else
		job->n_points = thin_out(job->points, n, grid);
	job->points = repalloc_huge(job->points, (job->n_points + 1) * sizeof(GridPoint));
	job->points[job->n_points].value = categorical ? GROVE_MISSING_BIN : get_float8_nan();
	job->points[job->n_points++].weight = grove_exactsum_round(&missing);
}

/* Adds the predictions of all rows with the feature at a value. */
static void
sum_predictions(PartialJob *job, double value, double *row, double *margins, double *results, GroveExactSum *sums)
{
	const GroveModel *model = job->model;

	for (uint32 k = 0; k < job->n_results; k++)
		grove_exactsum_init(&sums[k]);
	for (Size i = 0; i < job->rows->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(row, grovepg_feature_row(job->rows, i), sizeof(double) * model->n_features);
		row[job->feature] = value;
		grove_predict_margins(model, row, margins);
		if (model->task == GROVE_TASK_MULTICLASS)
			grove_predict_probabilities(model, margins, results);
		else
			results[0] = grove_predict_value(model, margins);
		for (uint32 k = 0; k < job->n_results; k++)
		{
			double		term = results[k] * grovepg_feature_row_weight(job->rows, i);

			if (!isfinite(term))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("sum of the predictions is out of range"),
						 errhint("Train on a target that is divided by a constant.")));
			grove_exactsum_add(&sums[k], term);
		}
	}
}

static void
put_points(PartialJob *job, Tuplestorestate *store, TupleDesc desc)
{
	const GroveModel *model = job->model;
	double	   *row = palloc(sizeof(double) * model->n_features);
	double	   *margins = palloc(sizeof(double) * model->n_outputs);
	double	   *results = palloc(sizeof(double) * job->n_results);
	GroveExactSum *sums = palloc(sizeof(GroveExactSum) * job->n_results);

	for (int i = 0; i < job->n_points && job->total > 0; i++)
	{
		char	   *value = grovepg_convert_text(&model->features[job->feature], job->points[i].value);

		sum_predictions(job, job->points[i].value, row, margins, results, sums);
		for (uint32 k = 0; k < job->n_results; k++)
		{
			Datum		values[4];
			bool		nulls[4] = {value == NULL, job->n_results == 1, false, false};

			values[0] = value ? CStringGetTextDatum(value) : (Datum) 0;
			values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(grovepg_model_text(model->classes[k]));
			values[2] = Float8GetDatum(grove_exactsum_round(&sums[k]) / job->total);
			values[3] = Float8GetDatum(job->points[i].weight / job->total);
			tuplestore_putvalues(store, desc, values, nulls);
		}
	}
}

PG_FUNCTION_INFO_V1(grove_partial_dependence);

/*
 * partial_dependence(model bytea, source text, feature text, grid int, weight text)
 * returns table (value text, class text, prediction float8, share float8)
 */
Datum
grove_partial_dependence(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext previous;
	PartialJob *job;
	Tuplestorestate *store;
	TupleDesc	desc;
	char	   *source;
	int			grid = grovepg_argument_int(fcinfo, 3, "grid", 2, MAX_GRID);
	char	   *weight = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));

	store = grovepg_rowtype_store(fcinfo, &desc);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	source = grovepg_argument_text(fcinfo, 1, "source");
	context = AllocSetContextCreate(CurrentMemoryContext, "grove partial dependence", ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(context);
	job = palloc0(sizeof(PartialJob));
	job->model = grovepg_model_get(grovepg_registry_argument(fcinfo, 0), context);
	job->feature = find_feature(job->model, grovepg_argument_text(fcinfo, 2, "feature"));
	job->n_results = job->model->task == GROVE_TASK_MULTICLASS ? job->model->n_classes : 1;
	job->rows = grovepg_feature_rows_read(job->model, source, false, weight);
	make_points(job, grid);
	put_points(job, store, desc);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
	return (Datum) 0;
}
