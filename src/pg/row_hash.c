/*
 * row_hash.c: a row's hash from one word a column.
 *
 * The canonical bytes of a row (keys.h) are written, then read in one chain;
 * for a row of thirty numbers that takes longer than to fetch it.  Here each
 * column becomes a word: a number, date or timestamp its canonical 64 bits,
 * anything else its hash under keys.h.  The words are mixed apart, each with
 * the key and its column's number, and added up, which a processor does for
 * several columns at a time.  So the hash is not the one of hash64(), but
 * what is the same there is the same here.
 *
 * The description of the row type is looked at again when the type has been
 * altered.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "keys.h"
#include "row_hash.h"

typedef struct HashColumn
{
	Oid			type;			/* base type */
	GroveKey   *key;			/* of a type that is not one word */
} HashColumn;

struct GroveRowHash
{
	TypeCacheEntry *entry;		/* of the base type; lives as long as the process */
	MemoryContext context;		/* holds what is known of one version of the type */
	uint64		identifier;		/* of that version; 0: none */
	TupleDesc	desc;
	HashColumn *columns;		/* by attribute; type InvalidOid: dropped */
	Datum	   *values;
	bool	   *nulls;
};

static bool
is_word(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case BOOLOID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return false;
	}
}

static uint64
float_word(double number)
{
	uint64		bits;

	if (number == 0)
		return 0;
	if (isnan(number))
		return UINT64CONST(0x7ff8000000000000);
	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static inline uint64
column_word(const HashColumn *column, uint64 rng_key, Datum value)
{
	const bool	null = false;

	switch (column->type)
	{
		case INT2OID:
			return (uint64) (int64) DatumGetInt16(value);
		case INT4OID:
			return (uint64) (int64) DatumGetInt32(value);
		case INT8OID:
			return (uint64) DatumGetInt64(value);
		case FLOAT4OID:
			return float_word(DatumGetFloat4(value));
		case FLOAT8OID:
			return float_word(DatumGetFloat8(value));
		case BOOLOID:
			return DatumGetBool(value) ? 1 : 0;
		case DATEOID:
			return (uint64) (int64) DatumGetDateADT(value);
		case TIMEOID:
			return (uint64) DatumGetTimeADT(value);
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return (uint64) DatumGetTimestamp(value);
		default:
			return grovepg_key_hash_nulls(column->key, rng_key, &value, &null);
	}
}

/* Looks at the row type again. */
static void
refresh(GroveRowHash *row)
{
	MemoryContext old;

	row->identifier = 0;
	MemoryContextReset(row->context);
	old = MemoryContextSwitchTo(row->context);
	row->desc = lookup_rowtype_tupdesc_copy(row->entry->type_id, -1);
	row->columns = palloc0(Max(row->desc->natts, 1) * sizeof(HashColumn));
	row->values = palloc(Max(row->desc->natts, 1) * sizeof(Datum));
	row->nulls = palloc(Max(row->desc->natts, 1) * sizeof(bool));
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->desc, i);

		if (attribute->attisdropped)
			continue;
		row->columns[i].type = getBaseType(attribute->atttypid);
		if (!is_word(row->columns[i].type))
			row->columns[i].key = grovepg_key_make(1, &attribute->atttypid);
	}
	MemoryContextSwitchTo(old);
	row->identifier = row->entry->tupDesc_identifier;
}

GroveRowHash *
grovepg_row_hash_make(Oid type)
{
	GroveRowHash *row = palloc0(sizeof(GroveRowHash));

	row->context = AllocSetContextCreate(CurrentMemoryContext, "grove row hash", ALLOCSET_SMALL_SIZES);
	row->entry = lookup_type_cache(getBaseType(type), TYPECACHE_TUPDESC);
	refresh(row);
	return row;
}

uint64
grovepg_row_hash(GroveRowHash *row, uint64 rng_key, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple;
	uint64		sum = 0;
	uint64		column_key = rng_key;

	if (row->entry->tupDesc_identifier != row->identifier)
		refresh(row);

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, row->desc, row->values, row->nulls);
	for (int i = 0; i < row->desc->natts; i++)
	{
		const HashColumn *column = &row->columns[i];

		if (column->type == InvalidOid)
			continue;
		column_key += UINT64CONST(0x9e3779b97f4a7c15);
		if (row->nulls[i])
			sum += grove_rng_mix(~column_key);
		else
			sum += grove_rng_mix(column_key + column_word(column, rng_key, row->values[i]));
	}
	if ((Pointer) header != DatumGetPointer(value))
		pfree(header);
	return grove_rng_hash(rng_key, sum);
}
