/*
 * tsm_sample_rows.c: TABLESAMPLE grove.sample_rows(k), exactly k rows of a
 * table, or all when it has no more, every set of k rows alike.
 *
 * The priority of a row version is a hash of the seed and of its place: block
 * and line pointer.  The sample is the k smallest priorities among the
 * versions that the scan's snapshot sees.  A first pass over all blocks finds
 * them: it hashes line pointers, and only where the hash is below the k-th
 * smallest so far does it look at the tuple.  So most rows of a large table
 * are never touched, and none is put together.  The server's sample scan then
 * reads the chosen rows, in the order of the table.
 *
 * The hash is a bijection, so the list keeps priorities alone, 8 bytes each:
 * the places come out of them again.  It holds up to 2k of them within
 * grove.max_memory, in a memory context of its own.
 *
 * What a snapshot sees cannot go away between the passes: line pointers of
 * visible versions stay where they are, and a rescan sees the same rows.
 */
#include "pg_grove.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "access/tsmapi.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/spccache.h"

#include "../core/rng.h"
#include "../core/smallest.h"

#define DEFAULT_ROWS	1000	/* for planning, when k is not a constant; that of SYSTEM_ROWS */
#define FIRST_CAPACITY	1024
#define OFFSET_BITS		16		/* of a place, for the line pointer */

PG_FUNCTION_INFO_V1(grove_sample_rows);

typedef struct SampleRows
{
	MemoryContext context;		/* of the list */
	int64		k;
	uint64		rng_key;
	bool		drawn;			/* the list is complete: places of the rows, ascending */
	GroveSmallest rows;
	Size		capacity;		/* of the list, words */
	Size		next;			/* row of the list to be delivered */
} SampleRows;

/*
 * The server will charge random_page_cost for each page named here.  The first
 * pass reads all of them in order, the second those of the chosen rows.
 */
static void
sample_rows_sample_size(PlannerInfo *root, RelOptInfo *baserel, List *arguments,
						BlockNumber *pages, double *tuples)
{
	Node	   *wanted = estimate_expression_value(root, linitial(arguments));
	double		rows = DEFAULT_ROWS;
	double		charged = baserel->pages;
	double		random_cost;
	double		seq_cost;

	if (IsA(wanted, Const) && !((Const *) wanted)->constisnull && DatumGetInt64(((Const *) wanted)->constvalue) >= 0)
		rows = (double) DatumGetInt64(((Const *) wanted)->constvalue);
	rows = Min(rows, baserel->tuples);

	get_tablespace_page_costs(baserel->reltablespace, &random_cost, &seq_cost);
	if (random_cost > 0)
		charged = Min(charged * seq_cost / random_cost + Min(rows, charged), MaxBlockNumber);
	*pages = (BlockNumber) clamp_row_est(charged);
	*tuples = clamp_row_est(rows);
}

static void
sample_rows_init(SampleScanState *node, int eflags)
{
	SampleRows *state = palloc0(sizeof(SampleRows));

	state->context = AllocSetContextCreate(CurrentMemoryContext, "pg_grove sample_rows", ALLOCSET_DEFAULT_SIZES);
	node->tsm_state = state;
}

static void
check_arguments(Relation relation, int64 k)
{
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLESAMPLE_ARGUMENT),
				 errmsg("number of rows to sample must not be negative"),
				 errhint("Give a number of rows, as in TABLESAMPLE grove.sample_rows (1000).")));
	if (relation->rd_tableam != GetHeapamTableAmRoutine())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" has an access method other than heap", RelationGetRelationName(relation)),
				 errhint("Use TABLESAMPLE BERNOULLI, or the aggregate grove.sample().")));
}

/* A rescan with other arguments draws again; with the same ones, and so the same snapshot, the list is still right. */
static void
sample_rows_begin(SampleScanState *node, Datum *params, int nparams, uint32 seed)
{
	SampleRows *state = node->tsm_state;
	Relation	relation = node->ss.ss_currentRelation;
	const char *name = RelationGetRelationName(relation);
	int64		k = DatumGetInt64(params[0]);
	uint64		rng_key;

	check_arguments(relation, k);
	/* the name is there for partitions: they would all give the rows at the same places */
	rng_key = grove_rng_bytes(grove_rng_key(seed, GROVE_PURPOSE_ROWS), (const uint8 *) name, strlen(name));
	if (k != state->k || rng_key != state->rng_key)
		state->drawn = false;
	state->k = k;
	state->rng_key = rng_key;
	state->next = 0;
	/* most of the table passes once, and of its rows only the chosen ones are looked at */
	node->use_bulkread = true;
	node->use_pagemode = false;
}

static void
grow_list(SampleRows *state, Size capacity)
{
	Size		bytes = capacity * sizeof(uint64);

	if (state->rows.words == NULL)
		state->rows.words = MemoryContextAllocHuge(state->context, bytes);
	else
		state->rows.words = repalloc_huge(state->rows.words, bytes);
	state->capacity = capacity;
}

/* Room for the rows of one more block: the list grows, or gives up those that do not matter. */
static void
reserve_block(SampleRows *state)
{
	Size		enough = 2 * state->rows.k + MaxHeapTuplesPerPage;
	Size		most = Min(grovepg_max_memory(), MaxAllocHugeSize) / sizeof(uint64);
	Size		capacity = Min(Min(Max(2 * state->capacity, FIRST_CAPACITY), enough), most);

	if (state->capacity - state->rows.n >= MaxHeapTuplesPerPage)
		return;
	if (capacity > state->capacity)
		grow_list(state, capacity);
	if (state->capacity - state->rows.n >= MaxHeapTuplesPerPage)
		return;
	if (state->capacity < enough)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sample of %lld rows does not fit into %zu kB", (long long) state->k, grovepg_max_memory() / 1024),
				 errdetail("Each row takes up to 16 bytes."),
				 errhint("Raise grove.max_memory, sample fewer rows, or use TABLESAMPLE BERNOULLI.")));
	grove_smallest_cut(&state->rows);
}

/* Whether the snapshot of the scan sees a row version; its page is locked. */
static bool
sees_row(TableScanDesc scan, Buffer buffer, ItemId item, BlockNumber block, OffsetNumber offset, bool all_visible)
{
	HeapTupleData tuple;
	bool		visible;

	tuple.t_data = (HeapTupleHeader) PageGetItem(BufferGetPage(buffer), item);
	tuple.t_len = ItemIdGetLength(item);
	tuple.t_tableOid = RelationGetRelid(scan->rs_rd);
	ItemPointerSet(&tuple.t_self, block, offset);
	visible = all_visible || HeapTupleSatisfiesVisibility(&tuple, scan->rs_snapshot, buffer);
	HeapCheckForSerializableConflictOut(visible, scan->rs_rd, &tuple, buffer, scan->rs_snapshot);
	return visible;
}

static void
look_at_block(SampleRows *state, TableScanDesc scan, Buffer buffer, BlockNumber block)
{
	Page		page = BufferGetPage(buffer);
	OffsetNumber last;
	bool		all_visible;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	grovepg_test_old_snapshot(scan->rs_snapshot, scan->rs_rd, page);
	all_visible = PageIsAllVisible(page) && !scan->rs_snapshot->takenDuringRecovery;
	/* only a damaged page has more rows than there is room for */
	last = Min(PageGetMaxOffsetNumber(page), MaxHeapTuplesPerPage);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		uint64		priority = grove_rng_hash(state->rng_key, (uint64) block << OFFSET_BITS | offset);

		if (priority <= state->rows.last && ItemIdIsNormal(item) &&
			sees_row(scan, buffer, item, block, offset, all_visible))
			state->rows.words[state->rows.n++] = priority;
	}
	UnlockReleaseBuffer(buffer);
}

/* The first pass. */
static void
draw_rows(SampleRows *state, TableScanDesc scan, BlockNumber blocks)
{
	BufferAccessStrategy strategy = ((HeapScanDesc) scan)->rs_strategy;

	MemoryContextReset(state->context);
	state->capacity = 0;
	/* a list of more words than that cannot be */
	grove_smallest_init(&state->rows, (Size) Min(state->k, (int64) (MaxAllocHugeSize / sizeof(uint64))));
	for (BlockNumber block = 0; block < blocks && state->k > 0; block++)
	{
		CHECK_FOR_INTERRUPTS();
		/* not under the lock of the page: it takes its time */
		reserve_block(state);
		look_at_block(state, scan, ReadBufferExtended(scan->rs_rd, MAIN_FORKNUM, block, RBM_NORMAL, strategy), block);
	}
	if (state->rows.n > 0)
		grove_smallest_cut(&state->rows);
	for (Size i = 0; i < state->rows.n; i++)
		state->rows.words[i] = grove_rng_unhash(state->rng_key, state->rows.words[i]);
	state->drawn = true;
}

static BlockNumber
sample_rows_next_block(SampleScanState *node, BlockNumber blocks)
{
	SampleRows *state = node->tsm_state;

	if (!state->drawn)
		draw_rows(state, node->ss.ss_currentScanDesc, blocks);
	if (state->next >= state->rows.n)
		return InvalidBlockNumber;
	return (BlockNumber) (state->rows.words[state->next] >> OFFSET_BITS);
}

static OffsetNumber
sample_rows_next_tuple(SampleScanState *node, BlockNumber block, OffsetNumber max_offset)
{
	SampleRows *state = node->tsm_state;
	HeapScanDesc scan = (HeapScanDesc) node->ss.ss_currentScanDesc;

	if (state->next >= state->rows.n || state->rows.words[state->next] >> OFFSET_BITS != block)
		return InvalidOffsetNumber;
	/* the server, which has locked the page, does not ask: a row that was pruned since is an error, not one row less */
	grovepg_test_old_snapshot(scan->rs_base.rs_snapshot, scan->rs_base.rs_rd, BufferGetPage(scan->rs_cbuf));
	return (OffsetNumber) (state->rows.words[state->next++] & ((1 << OFFSET_BITS) - 1));
}

/* sample_rows(internal) RETURNS tsm_handler */
Datum
grove_sample_rows(PG_FUNCTION_ARGS)
{
	TsmRoutine *method = makeNode(TsmRoutine);

	method->parameterTypes = list_make1_oid(INT8OID);
	method->repeatable_across_queries = true;
	method->repeatable_across_scans = true;
	method->SampleScanGetSampleSize = sample_rows_sample_size;
	method->InitSampleScan = sample_rows_init;
	method->BeginSampleScan = sample_rows_begin;
	method->NextSampleBlock = sample_rows_next_block;
	method->NextSampleTuple = sample_rows_next_tuple;
	PG_RETURN_POINTER(method);
}
