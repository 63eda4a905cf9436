/*
 * fn_shuffle.c: shuffle and shuffle_stream, the rows of a source in seeded
 * order.
 *
 * shuffle() is a full shuffle by key: the source is wrapped in a query with
 * ORDER BY on the key's hash, so that the server's own sort does the work,
 * within work_mem, spilling when it must, in worker processes where the plan
 * allows it.  Equal hashes are ordered by the key's canonical bytes; a key of
 * one integer column needs none, since its hash is a bijection.  Rows with
 * equal keys stand next to each other, in no particular order.
 *
 * shuffle_stream() reads the source once, in the order in which it comes, and
 * shuffles each buffer-full by itself: the second level of CorgiPile (Xu et
 * al., SIGMOD 2022), whose first is TABLESAMPLE grove.block_shuffle.  It has
 * no key; what it draws belongs to the place of a row in the stream.
 *
 * Both return their rows in a tuplestore, which spills beyond work_mem.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "arguments.h"
#include "keys.h"
#include "rowtype.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_shuffle);
PG_FUNCTION_INFO_V1(grove_shuffle_stream);

/* The buffer of shuffle_stream. */
typedef struct ShuffleBuffer
{
	Tuplestorestate *store;
	TupleDesc	desc;			/* of the result */
	GroveRowType *map;			/* from the source's columns */
	TupleTableSlot *slot;		/* of the result, to build a row in */
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

static char *
source_argument(FunctionCallInfo fcinfo, int i)
{
	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null("source");
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* Appends q."name", q."name" of the key's columns to a query. */
static void
append_columns(StringInfo query, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		appendStringInfo(query, ", q.%s", quote_identifier(lfirst(cell)));
}

/* The query that delivers the columns of desc in the order of the key's hash. */
static char *
shuffled_query(const char *query, TupleDesc columns, TupleDesc desc, List *key, int64 seed)
{
	StringInfoData result;
	Oid		   *types = palloc(list_length(key) * sizeof(Oid));
	ListCell   *cell;
	Oid			first;
	int			n = 0;

	foreach(cell, key)
		types[n++] = TupleDescAttr(columns, grovepg_source_column(columns, lfirst(cell), "key") - 1)->atttypid;
	/* a type that cannot be a key is an error even if there is no row */
	(void) grovepg_key_make(n, types);
	first = getBaseType(types[0]);

	initStringInfo(&result);
	appendStringInfoString(&result, "SELECT");
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		appendStringInfoString(&result, i > 0 ? ", " : " ");
		if (attribute->attisdropped)
			appendStringInfoString(&result, "NULL");
		else
			appendStringInfo(&result, "q.%s", quote_identifier(NameStr(attribute->attname)));
	}
	appendStringInfo(&result, " FROM (%s\n) AS q ORDER BY grove.shuffle_hash('" INT64_FORMAT "'::pg_catalog.int8",
					 query, seed);
	append_columns(&result, key);
	appendStringInfoChar(&result, ')');
	if (n > 1 || (first != INT2OID && first != INT4OID && first != INT8OID))
	{
		appendStringInfo(&result, ", grove.key_bytes(q.%s", quote_identifier(linitial(key)));
		append_columns(&result, list_copy_tail(key, 1));
		appendStringInfoChar(&result, ')');
	}
	return result.data;
}

static void
store_row(GroveSlot *slot, void *arg)
{
	tuplestore_puttupleslot(arg, slot);
}

/* shuffle(row_type anyelement, source text, key text[], seed bigint) RETURNS SETOF anyelement */
Datum
grove_shuffle(PG_FUNCTION_ARGS)
{
	char	   *source = source_argument(fcinfo, 1);
	int64		seed = grovepg_argument_int64(fcinfo, 3, "seed", PG_INT64_MIN, PG_INT64_MAX);
	Oid			relation;
	char	   *query = grovepg_source_query(source, &relation);
	List	   *key = grovepg_key_columns(PG_ARGISNULL(2) ? NULL : PG_GETARG_ARRAYTYPE_P(2), relation);
	TupleDesc	columns = grovepg_source_columns(query);
	TupleDesc	desc;
	Tuplestorestate *store;

	(void) grovepg_rowtype_argument(fcinfo, 0, columns);
	store = grovepg_rowtype_store(fcinfo, &desc);
	(void) grovepg_rowtype_map(desc, columns);
	grovepg_source_run(shuffled_query(query, columns, desc, key, seed),
					   grovepg_source_receiver(NULL, store_row, store));
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

static MinimalTuple
result_row(ShuffleBuffer *buffer, TupleTableSlot *slot)
{
	if (buffer->map->same)
		return ExecCopySlotMinimalTuple(slot);
	ExecClearTuple(buffer->slot);
	grovepg_rowtype_values(buffer->map, slot, buffer->slot->tts_values, buffer->slot->tts_isnull);
	ExecStoreVirtualTuple(buffer->slot);
	return ExecCopySlotMinimalTuple(buffer->slot);
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
	buffer->rows[buffer->n] = result_row(buffer, slot);
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
	char	   *source = source_argument(fcinfo, 1);
	int64		limit = grovepg_argument_int64(fcinfo, 2, "buffer_rows", 1, GROVE_MAX_ROWS);
	int64		seed = grovepg_argument_int64(fcinfo, 3, "seed", PG_INT64_MIN, PG_INT64_MAX);
	char	   *query = grovepg_source_query(source, NULL);
	TupleDesc	columns = grovepg_source_columns(query);
	ShuffleBuffer buffer;

	(void) grovepg_rowtype_argument(fcinfo, 0, columns);
	memset(&buffer, 0, sizeof(buffer));
	buffer.store = grovepg_rowtype_store(fcinfo, &buffer.desc);
	buffer.map = grovepg_rowtype_map(buffer.desc, columns);
	buffer.slot = MakeSingleTupleTableSlot(buffer.desc, &TTSOpsVirtual);
	buffer.stored = MakeSingleTupleTableSlot(buffer.desc, &TTSOpsMinimalTuple);
	buffer.context = AllocSetContextCreate(CurrentMemoryContext, "grove shuffle buffer", ALLOCSET_DEFAULT_SIZES);
	buffer.limit = limit;
	buffer.capacity = Min(limit, 1024);
	buffer.rows = palloc(buffer.capacity * sizeof(MinimalTuple));
	buffer.bytes_limit = grovepg_max_memory();
	buffer.rng_key = grove_rng_key((uint64) seed, GROVE_PURPOSE_BLOCK);

	grovepg_source_run(query, grovepg_source_receiver(NULL, buffer_row, &buffer));
	flush_buffer(&buffer);

	ExecDropSingleTupleTableSlot(buffer.slot);
	ExecDropSingleTupleTableSlot(buffer.stored);
	MemoryContextDelete(buffer.context);
	pfree(buffer.rows);
	return (Datum) 0;
}
