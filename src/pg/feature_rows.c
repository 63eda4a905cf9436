/*
 * feature_rows.c: see feature_rows.h.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "agg_metric.h"
#include "feature_rows.h"
#include "source.h"

/* Receiver: the columns of the source are known. */
static void
start_rows(TupleDesc desc, void *arg)
{
	GroveFeatureRows *rows = arg;
	MemoryContext previous = MemoryContextSwitchTo(rows->context);

	rows->scorer = grovepg_scorer_make(rows->model, desc);
	if (rows->truths)
		grovepg_truth_bind(&rows->target, rows->model, desc);
	if (rows->weight_name != NULL)
		grovepg_judge_bind(desc, rows->weight_name, "weight", false, &rows->weight);
	MemoryContextSwitchTo(previous);
}

/* Makes room for one more row; the old array counts until it has been copied. */
static void
reserve_row(GroveFeatureRows *rows)
{
	Size		row_bytes = rows->width * sizeof(double);
	Size		limit = Min(grovepg_max_memory(), MaxAllocHugeSize) / row_bytes;
	Size		capacity = rows->capacity == 0 ? 64 : rows->capacity * 2;

	if (rows->n < rows->capacity)
		return;
	if (rows->capacity + capacity > limit)
		capacity = limit > rows->capacity ? limit - rows->capacity : 0;
	if (capacity <= rows->n)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of the source need more than %zu kB of memory", grovepg_max_memory() / 1024),
				 errhint("Take fewer rows, with grove.keep() in the source for example, or raise \"grove.max_memory\".")));
	if (rows->values == NULL)
		rows->values = MemoryContextAllocHuge(rows->context, capacity * row_bytes);
	else
		rows->values = repalloc_huge(rows->values, capacity * row_bytes);
	rows->capacity = capacity;
}

/* Receiver: one row of the source. */
static void
add_row(GroveSlot *slot, void *arg)
{
	GroveFeatureRows *rows = arg;
	uint32		n_features = rows->model->n_features;
	double		truth = 0;
	double		weight = 1;
	double	   *values;

	CHECK_FOR_INTERRUPTS();
	if ((rows->truths && !grovepg_truth_read(&rows->target, slot, &truth)) ||
		(rows->weight_name != NULL && !grovepg_judge_number(&rows->weight, slot, &weight)))
		return;
	if (grove_metric_check_weight(weight) != GROVE_METRIC_FINE)
		grovepg_metric_report(GROVE_METRIC_BAD_WEIGHT, truth, 0, weight);
	grovepg_scorer_bind(rows->scorer, slot);
	reserve_row(rows);
	values = grovepg_feature_row(rows, rows->n++);
	for (uint32 i = 0; i < n_features; i++)
	{
		double		value = rows->scorer->row[i];

		values[i] = isnan(value) ? get_float8_nan() : value + 0.0;	/* -0 becomes 0 */
	}
	values[n_features] = truth;
	values[n_features + 1] = weight;
}

GroveFeatureRows *
grovepg_feature_rows_read(const GroveModel *model, const char *source, bool truths, const char *weight_name)
{
	GroveFeatureRows *rows = palloc0(sizeof(GroveFeatureRows));

	rows->model = model;
	rows->truths = truths;
	rows->weight_name = weight_name;
	rows->context = CurrentMemoryContext;
	rows->width = model->n_features + 2;
	grovepg_source_run(grovepg_source_query(source, NULL), grovepg_source_receiver_lazy(start_rows, add_row, rows));
	return rows;
}

/* By the bits, on every machine in the same order: rows that are equal here are the same. */
static int
compare_rows(const void *left, const void *right, void *arg)
{
	const GroveFeatureRows *rows = arg;

	CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < rows->width; i++)
	{
		uint64		a;
		uint64		b;

		memcpy(&a, (const double *) left + i, sizeof(a));
		memcpy(&b, (const double *) right + i, sizeof(b));
		if (a != b)
			return a < b ? -1 : 1;
	}
	return 0;
}

void
grovepg_feature_rows_sort(GroveFeatureRows *rows)
{
	qsort_arg(rows->values, rows->n, rows->width * sizeof(double), compare_rows, rows);
}
