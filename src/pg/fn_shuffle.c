/*
 * fn_shuffle.c: shuffle and shuffle_stream, the rows of a source in seeded
 * order.
 *
 * shuffle() is a full shuffle by key: the source runs as it stands, in
 * parallel where its plan allows, and each row goes into the server's sort as
 * one record: the hash of its key, the key's canonical bytes, the row.  Records
 * are ordered as bytes, so equal hashes are ordered by the key; a key of one
 * integer column needs no bytes, since its hash is a bijection.  The rows
 * themselves are copied, never taken apart.  Sorting and result keep within
 * work_mem each and go to disk beyond.  Rows with equal keys stand next to each
 * other, in no particular order.
 *
 * shuffle_stream() reads the source once, in the order in which it comes, and
 * shuffles each buffer-full by itself: the second level of CorgiPile (Xu et
 * al., SIGMOD 2022), whose first is TABLESAMPLE grove.block_shuffle.  It has
 * no key; what it draws belongs to the place of a row in the stream.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"

#include "arguments.h"
#include "keys.h"
#include "rowtype.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_shuffle);
PG_FUNCTION_INFO_V1(grove_shuffle_stream);

/* The sort of shuffle. */
typedef struct ShuffleSort
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
	StringInfoData record;		/* what is sorted of the row at hand */
	Tuplesortstate *sort;
} ShuffleSort;

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
prepare_key(ShuffleSort *sort, List *names, TupleDesc columns)
{
	Oid		   *types = palloc(list_length(names) * sizeof(Oid));
	ListCell   *cell;

	sort->n_key = 0;
	sort->key_columns = palloc(list_length(names) * sizeof(AttrNumber));
	foreach(cell, names)
	{
		AttrNumber	column = grovepg_source_column(columns, lfirst(cell), "key");

		types[sort->n_key] = TupleDescAttr(columns, column - 1)->atttypid;
		sort->key_columns[sort->n_key++] = column;
		sort->last_key_column = Max(sort->last_key_column, column);
	}
	sort->key = grovepg_key_make(sort->n_key, types);
	sort->hash_is_key = grovepg_key_is_integer(sort->key);
	sort->values = palloc(sort->n_key * sizeof(Datum));
	sort->nulls = palloc(sort->n_key * sizeof(bool));
}

static void
append_padding(StringInfo record)
{
	static const char zeros[MAXIMUM_ALIGNOF];

	appendBinaryStringInfo(record, zeros, MAXALIGN(record->len) - record->len);
}

/*
 * Record: varlena header; hash, big-endian and shifted so that bytes order like
 * bigints; the key's bytes; the row, aligned; its offset.
 */
static void
sort_row(GroveSlot *slot, void *arg)
{
	ShuffleSort *sort = arg;
	StringInfo	record = &sort->record;
	MinimalTuple row;
	uint64		hash;
	uint32		offset;

	slot_getsomeattrs(slot, sort->last_key_column);
	for (int i = 0; i < sort->n_key; i++)
	{
		sort->values[i] = slot->tts_values[sort->key_columns[i] - 1];
		sort->nulls[i] = slot->tts_isnull[sort->key_columns[i] - 1];
	}
	hash = pg_hton64(grovepg_key_hash(sort->key, sort->rng_key, sort->values, sort->nulls) ^ UINT64CONST(0x8000000000000000));

	record->len = VARHDRSZ;
	appendBinaryStringInfo(record, (char *) &hash, sizeof(hash));
	if (!sort->hash_is_key)
	{
		bytea	   *key = grovepg_key_bytes(sort->key, sort->values, sort->nulls);

		appendBinaryStringInfo(record, VARDATA(key), VARSIZE(key) - VARHDRSZ);
	}
	append_padding(record);
	offset = record->len;
	row = result_row(sort->map, sort->scratch, slot);
	appendBinaryStringInfo(record, (char *) row, row->t_len);
	appendBinaryStringInfo(record, (char *) &offset, sizeof(offset));
	SET_VARSIZE(record->data, record->len);
	tuplesort_putdatum(sort->sort, PointerGetDatum(record->data), false);
}

/* Hands the rows on in the order of their records. */
static void
store_sorted(ShuffleSort *sort, Tuplestorestate *store, TupleTableSlot *slot)
{
	Datum		record;
	bool		is_null;

	tuplesort_performsort(sort->sort);
	while (grovepg_tuplesort_getdatum(sort->sort, &record, &is_null))
	{
		char	   *bytes = DatumGetPointer(record);
		uint32		offset;

		memcpy(&offset, bytes + VARSIZE(bytes) - sizeof(offset), sizeof(offset));
		ExecStoreMinimalTuple((MinimalTuple) (bytes + offset), slot, false);
		tuplestore_puttupleslot(store, slot);
		pfree(bytes);
		CHECK_FOR_INTERRUPTS();
	}
	ExecClearTuple(slot);
	tuplesort_end(sort->sort);
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
	Tuplestorestate *store;
	TupleTableSlot *slot;
	ShuffleSort sort;

	memset(&sort, 0, sizeof(sort));
	(void) grovepg_rowtype_argument(fcinfo, 0, columns);
	prepare_key(&sort, key, columns);
	store = grovepg_rowtype_store(fcinfo, &desc);
	slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	sort.map = grovepg_rowtype_map(desc, columns);
	sort.scratch = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	sort.rng_key = grove_rng_key((uint64) seed, GROVE_PURPOSE_SHUFFLE);
	initStringInfo(&sort.record);
	sort.sort = tuplesort_begin_datum(BYTEAOID, lookup_type_cache(BYTEAOID, TYPECACHE_LT_OPR)->lt_opr, InvalidOid,
									  false, work_mem, NULL, 0);

	grovepg_source_run(query, grovepg_source_receiver_lazy(NULL, sort_row, &sort));
	store_sorted(&sort, store, slot);

	ExecDropSingleTupleTableSlot(sort.scratch);
	ExecDropSingleTupleTableSlot(slot);
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
	buffer.rng_key = grove_rng_key((uint64) seed, GROVE_PURPOSE_BLOCK);

	grovepg_source_run(query, grovepg_source_receiver_lazy(NULL, buffer_row, &buffer));
	flush_buffer(&buffer);

	ExecDropSingleTupleTableSlot(buffer.scratch);
	ExecDropSingleTupleTableSlot(buffer.stored);
	MemoryContextDelete(buffer.context);
	pfree(buffer.rows);
	return (Datum) 0;
}
