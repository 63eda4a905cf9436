/*
 * agg_ranked.c: aggregates over the order of the scores: AUC, average
 * precision, DeLong's test.
 *
 * The state keeps the distinct rows (16 or 24 bytes each), so it is bounded by
 * the largest value that the server can hold; ERROR 54000 beyond.  auc and
 * average_precision over the same arguments share one state.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port.h"
#include "utils/memutils.h"

#include "agg_metric.h"

PG_FUNCTION_INFO_V1(grove_ranked_trans);
PG_FUNCTION_INFO_V1(grove_ranked_trans_bool);
PG_FUNCTION_INFO_V1(grove_auc_final);
PG_FUNCTION_INFO_V1(grove_average_precision_final);
PG_FUNCTION_INFO_V1(grove_auc_delong_trans);
PG_FUNCTION_INFO_V1(grove_auc_delong_trans_bool);
PG_FUNCTION_INFO_V1(grove_auc_delong_final);

static void
check_row(double truth, double score, double weight)
{
	GroveMetricFault fault = grove_metric_check(GROVE_METRIC_ACCURACY, truth, score);

	if (fault == GROVE_METRIC_FINE)
		fault = grove_metric_check_weight(weight);
	if (fault != GROVE_METRIC_FINE)
		grovepg_metric_report(fault, truth, score, weight);
}

void
grovepg_metric_add_single(GroveMetricState *state, double truth, double score, double weight)
{
	uint64		row[2];

	check_row(truth, score, weight);
	if (weight == 0)
		return;
	row[0] = grove_ranked_key(score);
	row[1] = grove_ranked_class(truth != 0, weight);
	grovepg_metric_state_append(state, row);
}

/* Argument 1, which is a boolean or a number. */
static double
get_truth(FunctionCallInfo fcinfo, bool boolean)
{
	return boolean ? PG_GETARG_BOOL(1) : PG_GETARG_FLOAT8(1);
}

static Datum
add_single(FunctionCallInfo fcinfo, bool boolean)
{
	GroveMetricState *state;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		return grovepg_metric_unchanged(fcinfo);
	state = grovepg_metric_writable(fcinfo, GROVE_RANKED_SINGLE);
	grovepg_metric_add_single(state, get_truth(fcinfo, boolean), PG_GETARG_FLOAT8(2),
							  PG_NARGS() > 3 ? PG_GETARG_FLOAT8(3) : 1);
	return EOHPGetRWDatum(&state->header);
}

/* ranked_trans(metric_state, truth float8, score float8 [, weight float8]) returns metric_state */
Datum
grove_ranked_trans(PG_FUNCTION_ARGS)
{
	return add_single(fcinfo, false);
}

/* ranked_trans_bool(metric_state, truth boolean, score float8 [, weight float8]) returns metric_state */
Datum
grove_ranked_trans_bool(PG_FUNCTION_ARGS)
{
	return add_single(fcinfo, true);
}

void
grovepg_metric_curve(const GroveMetricState *state, GroveRankedCurve *curve)
{
	Size		start;
	GroveRankedGroup group;

	memset(curve, 0, sizeof(*curve));
	for (start = 0; start < state->n_rows; start = group.end)
	{
		grove_ranked_group(state->rows, state->n_rows, start, &group);
		grove_ranked_curve_add(curve, group.weight);
		CHECK_FOR_INTERRUPTS();
	}
}

/* auc_final(metric_state) returns float8 */
Datum
grove_auc_final(PG_FUNCTION_ARGS)
{
	GroveRankedCurve curve;
	double		auc;

	grovepg_metric_curve(grovepg_metric_sorted(fcinfo, GROVE_RANKED_SINGLE), &curve);
	if (!grove_ranked_auc(&curve, &auc))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(grovepg_metric_checked(auc));
}

/* average_precision_final(metric_state) returns float8 */
Datum
grove_average_precision_final(PG_FUNCTION_ARGS)
{
	GroveRankedCurve curve;
	double		average;

	grovepg_metric_curve(grovepg_metric_sorted(fcinfo, GROVE_RANKED_SINGLE), &curve);
	if (!grove_ranked_average_precision(&curve, &average))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(grovepg_metric_checked(average));
}

static Datum
add_paired(FunctionCallInfo fcinfo, bool boolean)
{
	GroveMetricState *state;
	double		truth;
	uint64		row[3];
	int			i;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return grovepg_metric_unchanged(fcinfo);
	truth = get_truth(fcinfo, boolean);
	for (i = 0; i < 2; i++)
	{
		check_row(truth, PG_GETARG_FLOAT8(2 + i), 1);
		row[i] = grove_ranked_key(PG_GETARG_FLOAT8(2 + i));
	}
	row[2] = grove_ranked_class(truth != 0, 1);
	state = grovepg_metric_writable(fcinfo, GROVE_RANKED_PAIRED);
	grovepg_metric_state_append(state, row);
	return EOHPGetRWDatum(&state->header);
}

/* auc_delong_trans(metric_state, truth float8, score_a float8, score_b float8) returns metric_state */
Datum
grove_auc_delong_trans(PG_FUNCTION_ARGS)
{
	return add_paired(fcinfo, false);
}

/* auc_delong_trans_bool(metric_state, truth boolean, score_a float8, score_b float8) returns metric_state */
Datum
grove_auc_delong_trans_bool(PG_FUNCTION_ARGS)
{
	return add_paired(fcinfo, true);
}

/* Weights of the negatives and the positives of PAIRED rows. */
static void
sum_classes(const GroveMetricState *state, double total[2])
{
	Size		i;

	total[0] = total[1] = 0;
	for (i = 0; i < state->n_rows; i++)
	{
		uint64		class_word = state->rows[3 * i + 2];

		total[grove_ranked_positive(class_word)] += grove_ranked_weight(class_word);
		CHECK_FOR_INTERRUPTS();
	}
}

/* qsort_arg comparator of row numbers by the second score. */
static int
compare_second(const void *a, const void *b, void *rows)
{
	uint64		key_a = ((const uint64 *) rows)[3 * (Size) *(const uint32 *) a + 1];
	uint64		key_b = ((const uint64 *) rows)[3 * (Size) *(const uint32 *) b + 1];

	CHECK_FOR_INTERRUPTS();
	return key_a < key_b ? -1 : key_a > key_b;
}

/* Row numbers in the order of the second score. */
static uint32 *
order_by_second(const GroveMetricState *state)
{
	uint32	   *order = MemoryContextAllocHuge(CurrentMemoryContext, state->n_rows * sizeof(uint32));
	Size		i;

	for (i = 0; i < state->n_rows; i++)
		order[i] = (uint32) i;
	qsort_arg(order, state->n_rows, sizeof(uint32), compare_second, state->rows);
	return order;
}

/* Placement values of one score of all rows, and its AUC. */
static double *
place_rows(const GroveMetricState *state, const uint32 *order, int column, const double total[2], double *auc)
{
	double	   *placement = MemoryContextAllocHuge(CurrentMemoryContext, state->n_rows * sizeof(double));
	GroveRankedCurve curve;
	Size		start = 0;

	memset(&curve, 0, sizeof(curve));
	while (start < state->n_rows)
	{
		start = grove_ranked_place(state->rows, order, state->n_rows, start, column, total, &curve, placement);
		CHECK_FOR_INTERRUPTS();
	}
	grove_ranked_auc(&curve, auc);
	return placement;
}

/* auc_delong_final(metric_state) returns auc_delong_result; NULL unless there are both classes */
Datum
grove_auc_delong_final(PG_FUNCTION_ARGS)
{
	GroveMetricState *state = grovepg_metric_sorted(fcinfo, GROVE_RANKED_PAIRED);
	GroveRankedTest test;
	GroveRankedSum sum[2];
	double		total[2];
	double	   *placement[2];
	double		members[8];
	Datum		values[8];
	bool		nulls[8];
	TupleDesc	desc;
	Size		start;
	int			i;

	sum_classes(state, total);
	if (!(total[0] > 0 && total[1] > 0))
		PG_RETURN_NULL();
	placement[0] = place_rows(state, NULL, 0, total, &test.auc[0]);
	placement[1] = place_rows(state, order_by_second(state), 1, total, &test.auc[1]);
	memset(sum, 0, sizeof(sum));
	for (start = 0; start < state->n_rows; start += 1024)
	{
		grove_ranked_test_add(state->rows, start, Min(start + 1024, state->n_rows), placement[0], placement[1],
							  test.auc[0] - test.auc[1], sum);
		CHECK_FOR_INTERRUPTS();
	}
	grove_ranked_test_result(&test, total, sum);

	members[0] = test.auc[0];
	members[1] = test.auc[1];
	members[2] = test.difference;
	members[3] = test.error;
	members[4] = test.z;
	members[5] = test.p_value;
	members[6] = test.lower;
	members[7] = test.upper;
	for (i = 0; i < 8; i++)
	{
		values[i] = Float8GetDatum(members[i]);
		nulls[i] = isnan(members[i]);
	}
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 8)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function must return the type auc_delong_result")));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
