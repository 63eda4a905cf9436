/*
 * agg_plan.c: aggregates that plan a sample: block_design_effect,
 * pps_threshold, hash_quantile, hash_threshold.
 *
 * Each needs one pass and gives the same result for any order of rows and any
 * division of them between processes.  What they return is a number for the
 * WHERE of the pass that draws.
 */
#include "pg_grove.h"

#include <math.h>

#include "../core/design_effect.h"
#include "../core/pps.h"
#include "arguments.h"
#include "tally_state.h"

PG_FUNCTION_INFO_V1(grove_block_design_trans);
PG_FUNCTION_INFO_V1(grove_block_design_final);
PG_FUNCTION_INFO_V1(grove_pps_threshold_trans);
PG_FUNCTION_INFO_V1(grove_pps_threshold_final);
PG_FUNCTION_INFO_V1(grove_hash_quantile_trans);
PG_FUNCTION_INFO_V1(grove_hash_quantile_final);
PG_FUNCTION_INFO_V1(grove_hash_threshold_trans);
PG_FUNCTION_INFO_V1(grove_hash_threshold_final);

/* Argument 0 as it is: the row is skipped. */
static Datum
unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* The bigint of a hash in the order of bigints: -2^63 is 0. */
static uint64
hash_of_bigint(int64 value)
{
	return (uint64) value ^ UINT64CONST(0x8000000000000000);
}

static int64
bigint_of_hash(uint64 hash)
{
	return (int64) (hash ^ UINT64CONST(0x8000000000000000));
}

/* block_design_trans(tally_state, value float8, block bigint) RETURNS tally_state */
Datum
grove_block_design_trans(PG_FUNCTION_ARGS)
{
	GroveTallyState *state;
	double		value;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return unchanged(fcinfo);
	value = PG_GETARG_FLOAT8(1);
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("value must be a finite number, not %g", value),
				 errhint("Leave such rows out, or make the value NULL.")));
	state = grovepg_tally_writable(fcinfo, GROVE_TALLY_BLOCKS, 0);
	grovepg_tally_add_value(state, PG_GETARG_INT64(2), value);
	return EOHPGetRWDatum(&state->header);
}

/*
 * Tells once in a plan, not for each group of a GROUP BY, what the number
 * means.  A window would tell it for each of its frames, and who calls the
 * final function by hand asks for the number alone.
 */
static void
warn_of_blocks(FunctionCallInfo fcinfo, double effect)
{
	if (AggCheckCallContext(fcinfo, NULL) != AGG_CONTEXT_AGGREGATE || fcinfo->flinfo->fn_extra != NULL)
		return;
	fcinfo->flinfo->fn_extra = fcinfo->flinfo;	/* anything but NULL: it has been told */
	ereport(NOTICE,
			(errmsg("a sample of whole blocks would mislead, its design effect is %.1f", effect),
			 errdetail("A sample of n rows in whole blocks is worth n / %.1f rows that are drawn one by one.", effect),
			 errhint("Draw rows by key, with grove.keep(), grove.sample() or grove.prune(), or store the table once in the order of grove.shuffle(). Take grove.block_shuffle for the order of all rows only, with grove.shuffle_stream() behind it.")));
}

/* block_design_final(tally_state) RETURNS double precision */
Datum
grove_block_design_final(PG_FUNCTION_ARGS)
{
	GroveTallyState *state = grovepg_tally_readable(fcinfo, GROVE_TALLY_BLOCKS);
	GroveTallyCell *cells = MemoryContextAllocHuge(CurrentMemoryContext,
												   Max(state->blocks->used, 1) * sizeof(GroveTallyCell));
	double		effect;

	grove_tally_sorted(state->blocks, cells);
	if (!grove_design_effect(cells, state->blocks->used, state->squares, &effect))
		PG_RETURN_NULL();
	if (effect > GROVE_DESIGN_HARM)
		warn_of_blocks(fcinfo, effect);
	PG_RETURN_FLOAT8(effect);
}

/* pps_threshold_trans(tally_state, weight float8, n bigint) RETURNS tally_state */
Datum
grove_pps_threshold_trans(PG_FUNCTION_ARGS)
{
	int64		n = grovepg_argument_int64(fcinfo, 2, "n", 1, PG_INT64_MAX);
	GroveTallyState *state;
	double		weight;

	if (PG_ARGISNULL(1))
		grovepg_argument_reject_null("weight");
	weight = PG_GETARG_FLOAT8(1);
	if (!(weight >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("weight must not be negative or NaN, but it is %g", weight),
				 errhint("Leave such rows out, or give them the weight 0.")));
	state = grovepg_tally_writable(fcinfo, GROVE_TALLY_WEIGHTS, (uint64) n);
	grovepg_tally_add_weight(state, weight);
	return EOHPGetRWDatum(&state->header);
}

/* The cells as terms of the sum that has to be n; infinite weights are certain. */
static GrovePpsShare *
make_shares(const GroveWeights *weights, const GroveTallyCell *cells)
{
	GrovePpsShare *shares = palloc((weights->tally->used + 1) * sizeof(GrovePpsShare));

	for (uint64 i = 0; i < weights->tally->used; i++)
	{
		shares[i].weight = grove_weights_mean(weights, &cells[i]);
		shares[i].units = (double) cells[i].count;
		shares[i].floor = 0;
	}
	shares[weights->tally->used].weight = HUGE_VAL;
	shares[weights->tally->used].units = (double) weights->infinite;
	shares[weights->tally->used].floor = 0;
	return shares;
}

/* The threshold whose inverse is this scale to a few bits: what is not certain shares what the certain units leave of n. */
static double
exact_threshold(const GrovePpsShare *shares, uint64 n_shares, double n, double scale)
{
	double		left = n;
	double		sum = 0;
	double		lost = 0;

	for (uint64 i = 0; i < n_shares; i++)
	{
		if (grove_pps_probability(scale, shares[i].weight, 0) >= 1)
			left -= shares[i].units;
		else
			grove_pps_add(&sum, &lost, shares[i].units * shares[i].weight);
	}
	return left > 0 ? (sum + lost) / left : 1 / scale;
}

/* pps_threshold_final(tally_state) RETURNS double precision */
Datum
grove_pps_threshold_final(PG_FUNCTION_ARGS)
{
	GroveTallyState *state = grovepg_tally_readable(fcinfo, GROVE_TALLY_WEIGHTS);
	const GroveWeights *weights = state->weights;
	uint64		used = weights->tally->used;
	GroveTallyCell *cells = palloc((used + 1) * sizeof(GroveTallyCell));
	GrovePpsShare *shares;
	double		scale;

	if (weights->infinite > state->argument)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("%llu weights are infinite, more than \"n\"", (unsigned long long) weights->infinite),
				 errdetail("A row of infinite weight is certain to be part of the sample."),
				 errhint("Raise \"n\", or make some of these weights finite.")));
	grove_tally_sorted(weights->tally, cells);
	if (used == 0 && weights->infinite == 0)
		PG_RETURN_NULL();
	/* nothing is left for the finite ones */
	if (used == 0 || weights->infinite == state->argument)
		PG_RETURN_FLOAT8(HUGE_VAL);
	shares = make_shares(weights, cells);
	if (grove_pps_scale(shares, used + 1, (double) state->argument, &scale) != GROVE_OK)
		PG_RETURN_NULL();
	/* with no more rows than n all are certain, and so they are with the smallest weight as threshold */
	if (isinf(scale))
		PG_RETURN_FLOAT8(grove_weights_floor(weights, &cells[0]));
	PG_RETURN_FLOAT8(exact_threshold(shares, used + 1, (double) state->argument, scale));
}

/* hash_quantile_trans(tally_state, hash bigint, fraction float8) RETURNS tally_state */
Datum
grove_hash_quantile_trans(PG_FUNCTION_ARGS)
{
	double		fraction = grovepg_argument_float(fcinfo, 2, "fraction", 0, 1);
	GroveTallyState *state;
	uint64		argument;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	/* one zero only */
	fraction += 0.0;
	memcpy(&argument, &fraction, sizeof(argument));
	state = grovepg_tally_writable(fcinfo, GROVE_TALLY_FRACTION, argument);
	grovepg_tally_add_hash(state, hash_of_bigint(PG_GETARG_INT64(1)));
	return EOHPGetRWDatum(&state->header);
}

/* The hash of this rank as a bigint; all hashes when there are no more than rank. */
static Datum
quantile_result(FunctionCallInfo fcinfo, const GroveTallyState *state, uint64 rank)
{
	uint64		hash;

	if (rank == 0)
		PG_RETURN_NULL();
	if (rank >= state->quantile->rows)
		PG_RETURN_INT64(PG_INT64_MAX);
	if (grove_quantile_rank(state->quantile, rank, &hash))
		PG_RETURN_INT64(bigint_of_hash(hash));
	if (state->kind == GROVE_TALLY_FRACTION)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("hashes are not spread evenly"),
				 errhint("Pass grove.hash64() of a key.")));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("\"k\" is too large: only the %llu smallest hashes are kept", (unsigned long long) GROVE_QUANTILE_KEEP),
			 errhint("Use grove.hash_quantile() with the fraction that k is of the number of rows.")));
}

/* hash_quantile_final(tally_state) RETURNS bigint */
Datum
grove_hash_quantile_final(PG_FUNCTION_ARGS)
{
	GroveTallyState *state = grovepg_tally_readable(fcinfo, GROVE_TALLY_FRACTION);
	double		fraction;

	memcpy(&fraction, &state->argument, sizeof(fraction));
	grove_quantile_compact(state->quantile);
	return quantile_result(fcinfo, state, (uint64) floor(fraction * (double) state->quantile->rows + 0.5));
}

/* hash_threshold_trans(tally_state, hash bigint, k bigint) RETURNS tally_state */
Datum
grove_hash_threshold_trans(PG_FUNCTION_ARGS)
{
	int64		k = grovepg_argument_int64(fcinfo, 2, "k", 1, PG_INT64_MAX);
	GroveTallyState *state;

	if (PG_ARGISNULL(1))
		return unchanged(fcinfo);
	state = grovepg_tally_writable(fcinfo, GROVE_TALLY_COUNT, (uint64) k);
	grovepg_tally_add_hash(state, hash_of_bigint(PG_GETARG_INT64(1)));
	return EOHPGetRWDatum(&state->header);
}

/* hash_threshold_final(tally_state) RETURNS bigint */
Datum
grove_hash_threshold_final(PG_FUNCTION_ARGS)
{
	GroveTallyState *state = grovepg_tally_readable(fcinfo, GROVE_TALLY_COUNT);

	grove_quantile_compact(state->quantile);
	return quantile_result(fcinfo, state, state->argument);
}
