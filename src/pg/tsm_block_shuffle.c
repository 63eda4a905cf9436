/*
 * tsm_block_shuffle.c: TABLESAMPLE grove.block_shuffle(percent), the blocks of
 * a table in seeded random order.
 *
 * A table sample method may name any block next, so a plain extension can read
 * a table in random order at about the price of a sequential scan: the first
 * level of CorgiPile (Xu et al., SIGMOD 2022).  Neighbouring blocks are taken
 * together in runs, so that a disk still reads in pieces that pay: as long as
 * possible while there are BLOCK_RUNS of them, and BLOCK_RUN_MAX blocks (10 MB)
 * at most.  The run borders are shifted by a random number of blocks, which
 * gives each block the same chance to be part of a sample.
 *
 * The order is grove_shuffle's bijection of the runs: no memory that grows
 * with the table.  It depends on the seed and on the number of blocks only, so
 * a repeatable sample changes when rows move to other blocks or the table
 * grows.  Rows within a block come in their order.
 */
#include "pg_grove.h"

#include "access/tsmapi.h"
#include "catalog/pg_type.h"
#include "nodes/execnodes.h"
#include "optimizer/optimizer.h"

#include "../core/shuffle.h"

#define BLOCK_RUNS		1024	/* runs of a sample, if it has so many blocks */
#define BLOCK_RUN_MAX	1280	/* blocks of a run */
#define DEFAULT_SHARE	0.1		/* for planning, when the percentage is not a constant */

PG_FUNCTION_INFO_V1(grove_block_shuffle);

typedef struct BlockShuffle
{
	double		share;			/* of the blocks, 0 to 1 */
	uint64		rng_key;
	bool		started;		/* what follows is set up */
	BlockNumber blocks;			/* of the table */
	BlockNumber wanted;			/* blocks to deliver */
	BlockNumber delivered;
	BlockNumber shift;			/* block that the first run begins with */
	BlockNumber run_length;
	BlockNumber run;			/* runs begun */
	BlockNumber next;			/* place of the next block, counted from shift */
	BlockNumber run_end;		/* place behind the run at hand */
	OffsetNumber offset;		/* of the last row in the block at hand */
	GroveShuffle runs;
} BlockShuffle;

static void
block_shuffle_sample_size(PlannerInfo *root, RelOptInfo *baserel, List *arguments,
						  BlockNumber *pages, double *tuples)
{
	Node	   *percent = estimate_expression_value(root, linitial(arguments));
	double		share = DEFAULT_SHARE;

	if (IsA(percent, Const) && !((Const *) percent)->constisnull)
	{
		share = DatumGetFloat8(((Const *) percent)->constvalue) / 100;
		if (!(share >= 0 && share <= 1))
			share = DEFAULT_SHARE;	/* an error when it runs */
	}
	*pages = clamp_row_est(baserel->pages * share);
	*tuples = clamp_row_est(baserel->tuples * share);
}

static void
block_shuffle_init(SampleScanState *node, int eflags)
{
	node->tsm_state = palloc0(sizeof(BlockShuffle));
}

static void
block_shuffle_begin(SampleScanState *node, Datum *params, int nparams, uint32 seed)
{
	BlockShuffle *state = node->tsm_state;
	double		percent = DatumGetFloat8(params[0]);

	if (!(percent >= 0 && percent <= 100))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLESAMPLE_ARGUMENT),
				 errmsg("sample percentage must be between 0 and 100")));
	state->share = percent / 100;
	state->rng_key = grove_rng_key(seed, GROVE_PURPOSE_BLOCK);
	state->started = false;
	state->offset = InvalidOffsetNumber;
	/* most of the table passes once, and whole blocks are wanted */
	node->use_bulkread = true;
	node->use_pagemode = true;
}

/* Fixes the order once the number of blocks is known. */
static void
start_scan(BlockShuffle *state, BlockNumber blocks)
{
	double		wanted = state->share * blocks;

	state->started = true;
	state->blocks = blocks;
	state->delivered = state->run = state->next = state->run_end = 0;
	/* the fraction of a block that is too much counts as a chance, so that small tables keep their share on average */
	state->wanted = (BlockNumber) wanted;
	if (grove_rng_below(grove_rng_hash(state->rng_key, 0), wanted - state->wanted))
		state->wanted++;
	if (state->wanted == 0)
		return;
	state->shift = (BlockNumber) grove_rng_range(grove_rng_hash(state->rng_key, 1), blocks);
	state->run_length = Min(Max(state->wanted / BLOCK_RUNS, 1), BLOCK_RUN_MAX);
	(void) grove_shuffle_init(&state->runs, (blocks - 1) / state->run_length + 1,
							  grove_rng_hash(state->rng_key, 2));
}

static BlockNumber
block_shuffle_next_block(SampleScanState *node, BlockNumber blocks)
{
	BlockShuffle *state = node->tsm_state;

	if (!state->started)
		start_scan(state, blocks);
	if (state->delivered == state->wanted)
		return InvalidBlockNumber;
	if (state->next == state->run_end)
	{
		uint64		first = grove_shuffle_forward(&state->runs, state->run++) * state->run_length;

		state->next = (BlockNumber) first;
		state->run_end = (BlockNumber) Min(first + state->run_length, state->blocks);
	}
	state->delivered++;
	return (BlockNumber) (((uint64) state->shift + state->next++) % state->blocks);
}

static OffsetNumber
block_shuffle_next_tuple(SampleScanState *node, BlockNumber block, OffsetNumber max_offset)
{
	BlockShuffle *state = node->tsm_state;

	state->offset = state->offset < max_offset ? state->offset + 1 : InvalidOffsetNumber;
	return state->offset;
}

/* block_shuffle(internal) RETURNS tsm_handler */
Datum
grove_block_shuffle(PG_FUNCTION_ARGS)
{
	TsmRoutine *method = makeNode(TsmRoutine);

	method->parameterTypes = list_make1_oid(FLOAT8OID);
	method->repeatable_across_queries = true;
	method->repeatable_across_scans = true;
	method->SampleScanGetSampleSize = block_shuffle_sample_size;
	method->InitSampleScan = block_shuffle_init;
	method->BeginSampleScan = block_shuffle_begin;
	method->NextSampleBlock = block_shuffle_next_block;
	method->NextSampleTuple = block_shuffle_next_tuple;
	PG_RETURN_POINTER(method);
}
