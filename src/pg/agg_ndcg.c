/*
 * agg_ndcg.c: normalised discounted cumulative gain, the mean over queries.
 *
 * The gain of a row is its truth as it stands (pass 2^label - 1 for the
 * exponential form).  Rows of equal score share the discounts of the ranks
 * that they take together, so the result does not depend on their order.  The
 * state keeps every row, 32 bytes each; ERROR 54000 beyond the largest value
 * that the server can hold.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "port.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../core/bytes.h"
#include "../core/digest.h"
#include "agg_metric.h"

PG_FUNCTION_INFO_V1(grove_ndcg_trans);
PG_FUNCTION_INFO_V1(grove_ndcg_trans_bool);
PG_FUNCTION_INFO_V1(grove_ndcg_trans_text);
PG_FUNCTION_INFO_V1(grove_ndcg_trans_text_bool);
PG_FUNCTION_INFO_V1(grove_ndcg_final);

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
				 errmsg("\"k\" must be the same in all rows"),
				 errhint("Write it as a constant, or group the rows by it.")));
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
	GroveMetricState *state = grovepg_metric_sorted(fcinfo, GROVE_RANKED_QUERY);
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
