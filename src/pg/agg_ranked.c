/*
 * agg_ranked.c: aggregates over the order of the scores: AUC, average
 * precision, DeLong's test, NDCG.
 *
 * The state keeps the distinct rows (16 to 32 bytes each), so it is bounded by
 * the largest value that the server can hold; ERROR 54000 beyond.  auc and
 * average_precision over the same arguments share one state.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../core/bytes.h"
#include "../core/digest.h"
#include "agg_metric.h"

PG_FUNCTION_INFO_V1(grove_ranked_trans);
PG_FUNCTION_INFO_V1(grove_ranked_trans_bool);
PG_FUNCTION_INFO_V1(grove_auc_final);
PG_FUNCTION_INFO_V1(grove_average_precision_final);
PG_FUNCTION_INFO_V1(grove_auc_delong_trans);
PG_FUNCTION_INFO_V1(grove_auc_delong_trans_bool);
PG_FUNCTION_INFO_V1(grove_auc_delong_final);
PG_FUNCTION_INFO_V1(grove_ndcg_trans);
PG_FUNCTION_INFO_V1(grove_ndcg_trans_bool);
PG_FUNCTION_INFO_V1(grove_ndcg_trans_text);
PG_FUNCTION_INFO_V1(grove_ndcg_trans_text_bool);
PG_FUNCTION_INFO_V1(grove_ndcg_final);

/* The truth, argument 1, as 0 or 1, and the score of this argument, checked as AUC needs them. */
static bool
get_label(FunctionCallInfo fcinfo, bool boolean, int score_argument, double *score)
{
	double		truth = boolean ? PG_GETARG_BOOL(1) : PG_GETARG_FLOAT8(1);
	GroveMetricFault fault;

	*score = PG_GETARG_FLOAT8(score_argument);
	fault = grove_metric_check(GROVE_METRIC_ACCURACY, truth, *score);
	if (fault != GROVE_METRIC_FINE)
		grovepg_metric_report(fault, truth, *score, 1);
	return truth != 0;
}

static Datum
add_single(FunctionCallInfo fcinfo, bool boolean)
{
	GroveMetricState *state;
	double		score;
	double		weight = 1;
	bool		positive;
	uint64		row[2];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		return grovepg_metric_unchanged(fcinfo);
	positive = get_label(fcinfo, boolean, 2, &score);
	if (PG_NARGS() > 3)
		weight = PG_GETARG_FLOAT8(3);
	if (grove_metric_check_weight(weight) != GROVE_METRIC_FINE)
		grovepg_metric_report(GROVE_METRIC_BAD_WEIGHT, 0, 0, weight);
	if (weight == 0)
		return grovepg_metric_unchanged(fcinfo);
	state = grovepg_metric_writable(fcinfo, GROVE_RANKED_SINGLE);
	row[0] = grove_ranked_key(score);
	row[1] = grove_ranked_class(positive, weight);
	grovepg_metric_state_append(state, row);
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

/* The state, argument 0 of a final function, with its rows sorted. */
static GroveMetricState *
open_sorted(FunctionCallInfo fcinfo, GroveRankedShape shape)
{
	GroveMetricState *state = grovepg_metric_state_open(PG_GETARG_DATUM(0), false, CurrentMemoryContext);

	if (state->kind != (int) shape)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric state belongs to another metric")));
	grovepg_metric_state_sort(state);
	return state;
}

/* Walks all groups of equal scores of SINGLE rows. */
static void
walk_curve(const GroveMetricState *state, GroveRankedCurve *curve)
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

	walk_curve(open_sorted(fcinfo, GROVE_RANKED_SINGLE), &curve);
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

	walk_curve(open_sorted(fcinfo, GROVE_RANKED_SINGLE), &curve);
	if (!grove_ranked_average_precision(&curve, &average))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(grovepg_metric_checked(average));
}

static Datum
add_paired(FunctionCallInfo fcinfo, bool boolean)
{
	GroveMetricState *state;
	double		score[2];
	bool		positive;
	uint64		row[3];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return grovepg_metric_unchanged(fcinfo);
	positive = get_label(fcinfo, boolean, 2, &score[0]);
	get_label(fcinfo, boolean, 3, &score[1]);
	state = grovepg_metric_writable(fcinfo, GROVE_RANKED_PAIRED);
	row[0] = grove_ranked_key(score[0]);
	row[1] = grove_ranked_key(score[1]);
	row[2] = grove_ranked_class(positive, 1);
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
	GroveMetricState *state = open_sorted(fcinfo, GROVE_RANKED_PAIRED);
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

/* Adds a row of the query that the first two words name. */
static Datum
add_query_row(FunctionCallInfo fcinfo, uint64 query_high, uint64 query_low, bool boolean)
{
	GroveMetricState *state;
	double		truth = boolean ? PG_GETARG_BOOL(2) : PG_GETARG_FLOAT8(2);
	double		score = PG_GETARG_FLOAT8(3);
	int32		k = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4);
	bool		first = PG_ARGISNULL(0);
	uint64		row[4];

	if (!PG_ARGISNULL(4) && k < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"k\" must be at least 1, not %d", k),
				 errhint("NULL counts all rows of a query.")));
	if (!isfinite(truth))
		grovepg_metric_report(GROVE_METRIC_BAD_TRUTH, truth, score, 1);
	if (truth < 0)
		grovepg_metric_report(GROVE_METRIC_NEGATIVE_TRUTH, truth, score, 1);
	if (isnan(score))
		grovepg_metric_report(GROVE_METRIC_NAN_SCORE, truth, score, 1);
	state = grovepg_metric_writable(fcinfo, GROVE_RANKED_QUERY);
	if (first)
		state->k = k;
	else if (state->k != (uint64) k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"k\" must be the same in all rows")));
	row[0] = query_high;
	row[1] = query_low;
	row[2] = grove_ranked_key(score);
	row[3] = grove_ranked_key(truth);
	grovepg_metric_state_append(state, row);
	return EOHPGetRWDatum(&state->header);
}

static Datum
add_query_number(FunctionCallInfo fcinfo, bool boolean)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return grovepg_metric_unchanged(fcinfo);
	return add_query_row(fcinfo, 0, (uint64) PG_GETARG_INT64(1), boolean);
}

/* A text is known by its 128-bit digest. */
static Datum
add_query_text(FunctionCallInfo fcinfo, bool boolean)
{
	text	   *query;
	GroveDigest digest;
	uint8		bytes[GROVE_DIGEST_BYTES];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		return grovepg_metric_unchanged(fcinfo);
	query = PG_GETARG_TEXT_PP(1);
	grove_digest_init(&digest, VARSIZE_ANY_EXHDR(query));
	grove_digest_update(&digest, (const uint8 *) VARDATA_ANY(query), VARSIZE_ANY_EXHDR(query));
	grove_digest_final(&digest, bytes);
	return add_query_row(fcinfo, grove_bytes_get64(bytes), grove_bytes_get64(bytes + 8), boolean);
}

/* ndcg_trans(metric_state, query_id bigint, truth float8, score float8, k integer) returns metric_state */
Datum
grove_ndcg_trans(PG_FUNCTION_ARGS)
{
	return add_query_number(fcinfo, false);
}

/* ndcg_trans_bool(metric_state, query_id bigint, truth boolean, score float8, k integer) returns metric_state */
Datum
grove_ndcg_trans_bool(PG_FUNCTION_ARGS)
{
	return add_query_number(fcinfo, true);
}

/* ndcg_trans_text(metric_state, query_id text, truth float8, score float8, k integer) returns metric_state */
Datum
grove_ndcg_trans_text(PG_FUNCTION_ARGS)
{
	return add_query_text(fcinfo, false);
}

/* ndcg_trans_text_bool(metric_state, query_id text, truth boolean, score float8, k integer) returns metric_state */
Datum
grove_ndcg_trans_text_bool(PG_FUNCTION_ARGS)
{
	return add_query_text(fcinfo, true);
}

static int
compare_keys(const void *a, const void *b, void *unused)
{
	uint64		key_a = *(const uint64 *) a;
	uint64		key_b = *(const uint64 *) b;

	CHECK_FOR_INTERRUPTS();
	return key_a < key_b ? -1 : key_a > key_b;
}

/* Discounted gain of one query's rows, in groups of equal score. */
static double
query_gain(const uint64 *rows, Size n, uint64 k)
{
	GroveRankedGain gain;
	Size		start = 0;

	memset(&gain, 0, sizeof(gain));
	while (start < n && (k == 0 || gain.rank < k))
	{
		GroveRankedSum truths = {0, 0};
		Size		end;

		for (end = start; end < n && rows[4 * end + 2] == rows[4 * start + 2]; end++)
			grove_ranked_sum_add(&truths, grove_ranked_value(rows[4 * end + 3]));
		grove_ranked_gain_add(&gain, grove_ranked_sum_value(&truths), end - start, k);
		start = end;
		CHECK_FOR_INTERRUPTS();
	}
	return grove_ranked_sum_value(&gain.gain);
}

/* Discounted gain of the best order of one query's rows; keys has room for n. */
static double
best_gain(const uint64 *rows, Size n, uint64 k, uint64 *keys)
{
	GroveRankedGain gain;
	Size		i;

	for (i = 0; i < n; i++)
		keys[i] = rows[4 * i + 3];
	qsort_arg(keys, n, sizeof(uint64), compare_keys, NULL);
	memset(&gain, 0, sizeof(gain));
	for (i = 0; i < n && (k == 0 || gain.rank < k); i++)
	{
		grove_ranked_gain_add(&gain, grove_ranked_value(keys[i]), 1, k);
		CHECK_FOR_INTERRUPTS();
	}
	return grove_ranked_sum_value(&gain.gain);
}

/* ndcg_final(metric_state) returns float8: the mean over the queries, 0 for one without any gain */
Datum
grove_ndcg_final(PG_FUNCTION_ARGS)
{
	GroveMetricState *state = open_sorted(fcinfo, GROVE_RANKED_QUERY);
	GroveExactSum sum;
	uint64		queries = 0;
	uint64	   *keys;
	Size		start;
	Size		end;

	if (state->n_rows == 0)
		PG_RETURN_NULL();
	keys = MemoryContextAllocHuge(CurrentMemoryContext, state->n_rows * sizeof(uint64));
	grove_exactsum_init(&sum);
	for (start = 0; start < state->n_rows; start = end)
	{
		const uint64 *rows = state->rows + 4 * start;
		double		best;

		for (end = start; end < state->n_rows && memcmp(rows, state->rows + 4 * end, 2 * sizeof(uint64)) == 0; end++)
			CHECK_FOR_INTERRUPTS();
		best = grovepg_metric_checked(best_gain(rows, end - start, state->k, keys));
		if (best > 0)
			grove_exactsum_add(&sum, grovepg_metric_checked(query_gain(rows, end - start, state->k) / best));
		queries++;
	}
	PG_RETURN_FLOAT8(grove_exactsum_round(&sum) / (double) queries);
}
