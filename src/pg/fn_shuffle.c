/*
 * fn_shuffle.c: shuffle and shuffle_stream, the rows of a source in seeded
 * order.
 *
 * shuffle() is a full shuffle by key: the source runs as it stands, in
 * parallel where its plan allows, and each row goes into a sort (shuffle_sort.h)
 * by the hash of its key and, for equal hashes, the key's canonical bytes; a
 * key of one integer column needs no bytes, since its hash is a bijection.
 * The rows themselves are copied, never taken apart, which is what makes up
 * for the result: the server wants it in a tuplestore, a second time on disk
 * beyond work_mem, where ORDER BY hands its rows on one by one.  Rows with
 * equal keys stand next to each other, in no particular order.
 *
 * shuffle_stream() reads the source once, in the order in which it comes, and
 * shuffles each buffer-full by itself: the second level of CorgiPile (Xu et
 * al., SIGMOD 2022), whose first is TABLESAMPLE grove.block_shuffle.  It has
 * no key; what it draws belongs to the place of a row in the stream.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "arguments.h"
#include "keys.h"
#include "rowtype.h"
#include "shuffle_sort.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_shuffle);
PG_FUNCTION_INFO_V1(grove_shuffle_stream);

/* The rows of shuffle on their way into the sort. */
typedef struct ShuffleSource
{
	GroveKey   *key;
	int			n_key;			/* columns of the key */
	AttrNumber *key_columns;	/* [n_key] their places in the source */
	AttrNumber	last_key_column;
	bool		hash_is_key;	/* different keys have different hashes */
	Datum	   *values;			/* [n_key] key of the row at hand */
	bool	   *nulls;
	uint64		rng_key;
	GroveRowType *map;			/* from the source's columns to the result's */
	TupleTableSlot *scratch;	/* of the result, to build a row in */
	GroveShuffleSort *sort;
} ShuffleSource;

/* Where the rows of shuffle go. */
typedef struct ShuffleResult
{
	Tuplestorestate *store;
	TupleTableSlot *slot;
} ShuffleResult;

/* The buffer of shuffle_stream. */
typedef struct ShuffleBuffer
{
	Tuplestorestate *store;
	TupleDesc	desc;			/* of the result */
	GroveRowType *map;			/* from the source's columns */
	TupleTableSlot *scratch;	/* of the result, to build a row in */
	TupleTableSlot *stored;		/* of the result, to hand a buffered row to the tuplestore */
	MemoryContext context;		/* of the buffered rows, reset when they are handed on */
	MinimalTuple *rows;
	int64		n;				/* rows in the buffer */
	int64		capacity;		/* of rows[] */
	int64		limit;			/* rows of a full buffer */
	Size		bytes;			/* that the rows take */
	Size		bytes_limit;
	uint64		rng_key;
	uint64		drawn;			/* random numbers used */
} ShuffleBuffer;

/* The row of the result that a row of the source becomes, palloc'd; scratch is a virtual slot of the result. */
static MinimalTuple
result_row(const GroveRowType *map, TupleTableSlot *scratch, TupleTableSlot *slot)
{
	if (map->same)
		return ExecCopySlotMinimalTuple(slot);
	ExecClearTuple(scratch);
	grovepg_rowtype_values(map, slot, scratch->tts_values, scratch->tts_isnull);
	ExecStoreVirtualTuple(scratch);
	return ExecCopySlotMinimalTuple(scratch);
}

/* Looks up the key's columns in the source. */
static void
prepare_key(ShuffleSource *source, List *names, TupleDesc columns)
{
	Oid		   *types = palloc(list_length(names) * sizeof(Oid));
	ListCell   *cell;

	source->n_key = 0;
	source->key_columns = palloc(list_length(names) * sizeof(AttrNumber));
	foreach(cell, names)
	{
		AttrNumber	column = grovepg_source_column(columns, lfirst(cell), "key");

		types[source->n_key] = TupleDescAttr(columns, column - 1)->atttypid;
		source->key_columns[source->n_key++] = column;
		source->last_key_column = Max(source->last_key_column, column);
	}
	source->key = grovepg_key_make(source->n_key, types);
	source->hash_is_key = grovepg_key_is_integer(source->key);
	source->values = palloc(source->n_key * sizeof(Datum));
	source->nulls = palloc(source->n_key * sizeof(bool));
}

static void
sort_row(GroveSlot *slot, void *arg)
{
	ShuffleSource *source = arg;
	bytea	   *key = NULL;
	uint64		hash;

	slot_getsomeattrs(slot, source->last_key_column);
	for (int i = 0; i < source->n_key; i++)
	{
		source->values[i] = slot->tts_values[source->key_columns[i] - 1];
		source->nulls[i] = slot->tts_isnull[source->key_columns[i] - 1];
	}
	/* in the order of bigints, which are what hash64() and shuffle_hash() return */
	hash = grovepg_key_hash(source->key, source->rng_key, source->values, source->nulls) ^ UINT64CONST(0x8000000000000000);
	if (!source->hash_is_key)
		key = grovepg_key_bytes(source->key, source->values, source->nulls);
	grovepg_shuffle_sort_add(source->sort, hash, key, result_row(source->map, source->scratch, slot));
}

static void
store_row(MinimalTuple row, void *arg)
{
	ShuffleResult *result = arg;

	ExecStoreMinimalTuple(row, result->slot, false);
	tuplestore_puttupleslot(result->store, result->slot);
}

/* shuffle(row_type anyelement, source text, key text[], seed bigint) RETURNS SETOF anyelement */
Datum
grove_shuffle(PG_FUNCTION_ARGS)
{
	char	   *source = grovepg_argument_text(fcinfo, 1, "source");
	int64		seed = grovepg_argument_int64(fcinfo, 3, "seed", PG_INT64_MIN, PG_INT64_MAX);
	Oid			relation;
	char	   *query = grovepg_source_query(source, &relation);
	List	   *key = grovepg_key_columns(PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2), relation);
	TupleDesc	columns = grovepg_source_columns(query);
	TupleDesc	desc;
	ShuffleSource rows;
	ShuffleResult result;

	memset(&rows, 0, sizeof(rows));
	(void) grovepg_rowtype_argument(fcinfo, 0, columns);
	prepare_key(&rows, key, columns);
	result.store = grovepg_rowtype_store(fcinfo, &desc);
	result.slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	rows.map = grovepg_rowtype_map(desc, columns);
	rows.scratch = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	rows.rng_key = grove_rng_key((uint64) seed, GROVE_PURPOSE_SHUFFLE);
	rows.sort = grovepg_shuffle_sort_begin((Size) work_mem * 1024);

	grovepg_source_run(query, grovepg_source_receiver_lazy(NULL, sort_row, &rows));
	grovepg_shuffle_sort_visit(rows.sort, store_row, &result);
	grovepg_shuffle_sort_end(rows.sort);

	ExecDropSingleTupleTableSlot(rows.scratch);
	ExecDropSingleTupleTableSlot(result.slot);
	return (Datum) 0;
}

/* Hands the buffered rows on in random order (Fisher and Yates) and empties the buffer. */
static void
flush_buffer(ShuffleBuffer *buffer)
{
	for (int64 i = buffer->n; i > 0; i--)
	{
		int64		j = (int64) grove_rng_range(grove_rng_hash(buffer->rng_key, buffer->drawn++), (uint64) i);
		MinimalTuple row = buffer->rows[j];

		buffer->rows[j] = buffer->rows[i - 1];
		ExecStoreMinimalTuple(row, buffer->stored, false);
		tuplestore_puttupleslot(buffer->store, buffer->stored);
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	ExecClearTuple(buffer->stored);
	MemoryContextReset(buffer->context);
	buffer->n = 0;
	buffer->bytes = 0;
}

/* What a row would make the buffer take; beyond the limit it is an error, since a smaller buffer shuffles less. */
static void
check_buffer_size(ShuffleBuffer *buffer)
{
	Size		bytes = buffer->bytes + (Size) buffer->capacity * sizeof(MinimalTuple);

	if (bytes > buffer->bytes_limit)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("buffer of %lld rows does not fit into %zu kB",
						(long long) buffer->limit, buffer->bytes_limit / 1024),
				 errdetail("It was full after %lld rows.", (long long) buffer->n),
				 errhint("Use a smaller \"buffer_rows\", or raise grove.max_memory.")));
}

static void
buffer_row(GroveSlot *slot, void *arg)
{
	ShuffleBuffer *buffer = arg;
	MemoryContext old = MemoryContextSwitchTo(buffer->context);

	if (buffer->n == buffer->capacity)
	{
		buffer->capacity = Min(buffer->capacity * 2, buffer->limit);
		check_buffer_size(buffer);
		buffer->rows = repalloc_huge(buffer->rows, (Size) buffer->capacity * sizeof(MinimalTuple));
	}
	buffer->rows[buffer->n] = result_row(buffer->map, buffer->scratch, slot);
	buffer->bytes += GetMemoryChunkSpace(buffer->rows[buffer->n]);
	buffer->n++;
	check_buffer_size(buffer);
	MemoryContextSwitchTo(old);
	if (buffer->n == buffer->limit)
		flush_buffer(buffer);
}

/* shuffle_stream(row_type anyelement, source text, buffer_rows bigint, seed bigint) RETURNS SETOF anyelement */
Datum
grove_shuffle_stream(PG_FUNCTION_ARGS)
{
	char	   *source = grovepg_argument_text(fcinfo, 1, "source");
	int64		limit = grovepg_argument_int64(fcinfo, 2, "buffer_rows", 1, GROVE_MAX_ROWS);
	int64		seed = grovepg_argument_int64(fcinfo, 3, "seed", PG_INT64_MIN, PG_INT64_MAX);
	char	   *query = grovepg_source_query(source, NULL);
	TupleDesc	columns = grovepg_source_columns(query);
	ShuffleBuffer buffer;

	(void) grovepg_rowtype_argument(fcinfo, 0, columns);
	memset(&buffer, 0, sizeof(buffer));
	buffer.store = grovepg_rowtype_store(fcinfo, &buffer.desc);
	buffer.map = grovepg_rowtype_map(buffer.desc, columns);
	buffer.scratch = MakeSingleTupleTableSlot(buffer.desc, &TTSOpsVirtual);
	buffer.stored = MakeSingleTupleTableSlot(buffer.desc, &TTSOpsMinimalTuple);
	buffer.context = AllocSetContextCreate(CurrentMemoryContext, "grove shuffle buffer", ALLOCSET_DEFAULT_SIZES);
	buffer.limit = limit;
	buffer.capacity = Min(limit, 1024);
	buffer.rows = palloc(buffer.capacity * sizeof(MinimalTuple));
	buffer.bytes_limit = grovepg_max_memory();
	buffer.rng_key = grove_rng_key((uint64) seed, GROVE_PURPOSE_STREAM);

	grovepg_source_run(query, grovepg_source_receiver_lazy(NULL, buffer_row, &buffer));
	flush_buffer(&buffer);

	ExecDropSingleTupleTableSlot(buffer.scratch);
	ExecDropSingleTupleTableSlot(buffer.stored);
	MemoryContextDelete(buffer.context);
	pfree(buffer.rows);
	return (Datum) 0;
}
