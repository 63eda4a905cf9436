/*
 * tally_state.c: the type grove.tally_state: memory, growth, merging.
 *
 * A structure that has become too small moves into one of twice the size; a
 * tally of blocks ends with an error at its limit, weights become coarser,
 * hashes drop out.  Reading and writing of the bytes is in tally_bytes.c.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/design_effect.h"
#include "tally_bytes.h"
#include "tally_state.h"

#define FIRST_CAPACITY	64

PG_FUNCTION_INFO_V1(grove_tally_combine);

/* A capacity, a power of two, of which three quarters hold that many cells. */
static uint64
tally_capacity(uint64 cells)
{
	uint64		capacity = FIRST_CAPACITY;

	while (capacity / 4 * 3 < cells)
		capacity *= 2;
	return capacity;
}

static GroveTally *
make_tally(MemoryContext context, uint64 cells)
{
	uint64		capacity = tally_capacity(cells);
	GroveTally *tally;

	if (cells > GROVE_TALLY_MAX_CELLS || (capacity > FIRST_CAPACITY && grove_tally_size(capacity) > grovepg_max_memory()))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many blocks for one design effect: more than %llu", (unsigned long long) capacity / 8 * 3),
				 errdetail("A sum is kept for each block, within grove.max_memory and for %llu blocks at most.",
						   (unsigned long long) GROVE_TALLY_MAX_CELLS),
				 errhint("Raise grove.max_memory, or divide the block number to make larger blocks.")));
	tally = MemoryContextAllocHuge(context, grove_tally_size(capacity));
	grove_tally_init(tally, capacity);
	return tally;
}

void
grovepg_tally_reserve_blocks(GroveTallyState *state, uint64 cells)
{
	GroveTally *larger;

	if (grove_tally_room(state->blocks) >= cells)
		return;
	larger = make_tally(state->header.eoh_context, state->blocks->used + cells);
	grove_tally_merge(larger, state->blocks);
	pfree(state->blocks);
	state->blocks = larger;
}

static GroveTally *
make_weights(MemoryContext context, uint64 cells)
{
	uint64		capacity = tally_capacity(cells);
	GroveTally *tally = MemoryContextAllocHuge(context, grove_tally_size(capacity));

	grove_tally_init(tally, capacity);
	return tally;
}

void
grovepg_tally_reserve_weights(GroveTallyState *state, uint32 bits, uint64 cells)
{
	GroveWeights moved;

	grove_weights_init(&moved, bits, make_weights(state->header.eoh_context, cells));
	grove_weights_merge(&moved, state->weights);
	pfree(state->weights->tally);
	*state->weights = moved;
}

static void
coarsen_weights(GroveTallyState *state)
{
	while (state->weights->tally->used > GROVE_WEIGHTS_LIMIT)
	{
		CHECK_FOR_INTERRUPTS();
		grovepg_tally_reserve_weights(state, state->weights->bits - 1, state->weights->tally->used);
	}
}

/* The hash that the answer is expected near to. */
static uint64
target_hash(GroveTallyKind kind, uint64 argument)
{
	double		fraction;

	if (kind == GROVE_TALLY_COUNT)
		return 0;
	memcpy(&fraction, &argument, sizeof(fraction));
	return fraction >= 1 ? PG_UINT64_MAX : (uint64) (fraction * 18446744073709551616.0);
}

/* Drops what it can, then grows. */
void
grovepg_tally_reserve_hashes(GroveTallyState *state, uint64 entries)
{
	GroveQuantile *quantile = state->quantile;
	uint64		capacity = quantile->capacity;
	GroveQuantile *larger;

	if (capacity - quantile->used >= entries)
		return;
	grove_quantile_compact(quantile);
	/* at least half of it is free afterwards, so that sorting does not come too often */
	while (capacity < quantile->used + entries || (capacity < 2 * GROVE_QUANTILE_KEEP && capacity < 2 * quantile->used))
		capacity *= 2;
	if (capacity == quantile->capacity)
		return;
	larger = MemoryContextAllocHuge(state->header.eoh_context, grove_quantile_size(capacity));
	grove_quantile_move(larger, capacity, quantile);
	pfree(quantile);
	state->quantile = larger;
}

GroveTallyState *
grovepg_tally_make(GroveTallyKind kind, uint64 argument, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "grove tally state", ALLOCSET_START_SMALL_SIZES);
	GroveTallyState *state = MemoryContextAllocZero(context, sizeof(GroveTallyState));

	EOH_init_header(&state->header, &grovepg_tally_methods, context);
	state->kind = kind;
	state->argument = argument;
	switch (kind)
	{
		case GROVE_TALLY_BLOCKS:
			state->blocks = make_tally(context, 0);
			state->squares = MemoryContextAlloc(context, sizeof(GroveExactSum));
			grove_exactsum_init(state->squares);
			break;
		case GROVE_TALLY_WEIGHTS:
			state->weights = MemoryContextAlloc(context, sizeof(GroveWeights));
			grove_weights_init(state->weights, GROVE_WEIGHTS_EXACT, make_weights(context, 0));
			break;
		case GROVE_TALLY_FRACTION:
		case GROVE_TALLY_COUNT:
			state->quantile = MemoryContextAlloc(context, grove_quantile_size(FIRST_CAPACITY));
			grove_quantile_init(state->quantile, target_hash(kind, argument), GROVE_QUANTILE_KEEP, FIRST_CAPACITY);
			break;
	}
	return state;
}

/* Where a state lives: with the other states of the aggregate, or, for a plain call, where its result does. */
static MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

static void
check_kind(const GroveTallyState *state, GroveTallyKind kind)
{
	if (state->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("state belongs to another aggregate"),
				 errhint("Combine only states that the same aggregate made.")));
}

GroveTallyState *
grovepg_tally_writable(FunctionCallInfo fcinfo, GroveTallyKind kind, uint64 argument)
{
	GroveTallyState *state;

	if (PG_ARGISNULL(0))
		return grovepg_tally_make(kind, argument, state_context(fcinfo));
	state = grovepg_tally_open(PG_GETARG_DATUM(0), true, state_context(fcinfo));
	check_kind(state, kind);
	if (state->argument != argument)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be the same in all rows",
						kind == GROVE_TALLY_WEIGHTS ? "n" : kind == GROVE_TALLY_COUNT ? "k" : "fraction"),
				 errhint("Write it as a constant, or group the rows by it.")));
	return state;
}

GroveTallyState *
grovepg_tally_readable(FunctionCallInfo fcinfo, GroveTallyKind kind)
{
	GroveTallyState *state = grovepg_tally_open(PG_GETARG_DATUM(0), false, CurrentMemoryContext);

	check_kind(state, kind);
	return state;
}

void
grovepg_tally_add_value(GroveTallyState *state, int64 block, double value)
{
	grovepg_tally_reserve_blocks(state, 1);
	if (!grove_design_add(state->blocks, state->squares, block, value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("square of %g is out of range", value),
				 errhint("Divide the values by a constant; the design effect stays the same.")));
}

void
grovepg_tally_add_weight(GroveTallyState *state, double weight)
{
	if (grove_tally_room(state->weights->tally) == 0)
		grovepg_tally_reserve_weights(state, state->weights->bits, 2 * state->weights->tally->used);
	grove_weights_add(state->weights, weight);
	coarsen_weights(state);
}

void
grovepg_tally_add_hash(GroveTallyState *state, uint64 hash)
{
	if (grove_quantile_add(state->quantile, hash))
		return;
	grovepg_tally_reserve_hashes(state, 1);
	(void) grove_quantile_add(state->quantile, hash);
}

/* Adds all rows of another state of the same kind and argument. */
static void
merge_state(GroveTallyState *state, GroveTallyState *other)
{
	uint64		cells;

	switch (state->kind)
	{
		case GROVE_TALLY_BLOCKS:
			grovepg_tally_reserve_blocks(state, other->blocks->used);
			grove_tally_merge(state->blocks, other->blocks);
			grove_exactsum_merge(state->squares, other->squares);
			break;
		case GROVE_TALLY_WEIGHTS:
			cells = state->weights->tally->used + other->weights->tally->used;
			grovepg_tally_reserve_weights(state, Min(state->weights->bits, other->weights->bits), cells);
			grove_weights_merge(state->weights, other->weights);
			coarsen_weights(state);
			break;
		case GROVE_TALLY_FRACTION:
		case GROVE_TALLY_COUNT:
			grove_quantile_compact(other->quantile);
			grovepg_tally_reserve_hashes(state, other->quantile->used);
			grove_quantile_merge(state->quantile, other->quantile);
			break;
	}
}

/* tally_combine(tally_state, tally_state) RETURNS tally_state */
Datum
grove_tally_combine(PG_FUNCTION_ARGS)
{
	GroveTallyState *state;
	GroveTallyState *other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(0))
		state = grovepg_tally_open(PG_GETARG_DATUM(1), true, state_context(fcinfo));
	else
	{
		other = grovepg_tally_open(PG_GETARG_DATUM(1), false, CurrentMemoryContext);
		state = grovepg_tally_writable(fcinfo, other->kind, other->argument);
		merge_state(state, other);
	}
	return EOHPGetRWDatum(&state->header);
}
