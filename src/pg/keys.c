/*
 * keys.c: hashes of SQL values, columns of a key, rows and arrays.
 *
 * The columns' canonical bytes (key_bytes.h) follow one another and are
 * hashed as one string.  Rows and arrays are values whose payload is values.
 *
 * A key of one integer column, the common case, skips the bytes: its hash is
 * grove_rng_hash() of the 64-bit value, a bijection, so that such keys never
 * collide.
 *
 * A GroveKey belongs to one call site.  It owns a buffer that is reused for
 * each row and what it knows about row types, which is looked up again when
 * a type has changed.
 */
#include "pg_grove.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "key_bytes.h"
#include "keys.h"

typedef struct KeyColumn KeyColumn;

/* What is known of a row type, valid while its identifier stays the same. */
typedef struct KeyRow
{
	MemoryContext context;		/* holds fields[] and what is below them */
	uint64		identifier;		/* of assign_record_type_identifier(); 0: nothing known yet */
	KeyColumn  *fields;			/* one an attribute; dropped ones are not set up */
} KeyRow;

struct KeyColumn
{
	Oid			type;			/* base type */
	GroveKeyTag tag;
	KeyColumn  *element;		/* GROVE_KEY_ARRAY */
	int16		element_length;
	bool		element_byval;
	char		element_align;
	KeyRow	   *row;			/* GROVE_KEY_ROW */
};

struct GroveKey
{
	int			n;
	StringInfoData buffer;		/* canonical bytes of the row at hand */
	KeyColumn	columns[FLEXIBLE_ARRAY_MEMBER];
};

static void append_value(StringInfo buffer, KeyColumn *column, Datum value);

static void prepare_column(KeyColumn *column, Oid type, MemoryContext context);

/* Looks up the fields of a row type again when it is new or has been altered; the caller releases the descriptor. */
static TupleDesc
refresh_row(KeyRow *row, Oid type, int32 typmod)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);
	uint64		identifier = assign_record_type_identifier(type, typmod);

	if (row->identifier != identifier)
	{
		row->identifier = 0;
		MemoryContextReset(row->context);
		row->fields = MemoryContextAllocZero(row->context, Max(desc->natts, 1) * sizeof(KeyColumn));
		for (int i = 0; i < desc->natts; i++)
		{
			Form_pg_attribute attribute = TupleDescAttr(desc, i);

			if (!attribute->attisdropped)
				prepare_column(&row->fields[i], attribute->atttypid, row->context);
		}
		row->identifier = identifier;
	}
	return desc;
}

/* Family of a base type that is neither an enum nor an array nor a row; GROVE_KEY_NULL when it has no canonical bytes. */
static GroveKeyTag
scalar_tag(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return GROVE_KEY_INTEGER;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UNKNOWNOID:
			return GROVE_KEY_TEXT;
		case BYTEAOID:
			return GROVE_KEY_BYTEA;
		case UUIDOID:
			return GROVE_KEY_UUID;
		case NUMERICOID:
			return GROVE_KEY_NUMERIC;
		case FLOAT4OID:
		case FLOAT8OID:
			return GROVE_KEY_FLOAT;
		case BOOLOID:
			return GROVE_KEY_BOOLEAN;
		case DATEOID:
			return GROVE_KEY_DATE;
		case TIMEOID:
			return GROVE_KEY_TIME;
		case TIMESTAMPOID:
			return GROVE_KEY_TIMESTAMP;
		case TIMESTAMPTZOID:
			return GROVE_KEY_TIMESTAMPTZ;
		default:
			return GROVE_KEY_NULL;
	}
}

static void
prepare_column(KeyColumn *column, Oid type, MemoryContext context)
{
	Oid			base = getBaseType(type);
	Oid			element;

	check_stack_depth();

	column->type = base;
	column->tag = scalar_tag(base);
	if (column->tag != GROVE_KEY_NULL)
		return;

	if (type_is_enum(base))
		column->tag = GROVE_KEY_TEXT;
	else if (type_is_rowtype(base))
	{
		column->tag = GROVE_KEY_ROW;
		column->row = MemoryContextAllocZero(context, sizeof(KeyRow));
		column->row->context = AllocSetContextCreate(context, "grove key row", ALLOCSET_SMALL_SIZES);
		/* A named type is checked now, an anonymous one with its first value. */
		if (base != RECORDOID)
		{
			TupleDesc	desc = refresh_row(column->row, base, -1);

			ReleaseTupleDesc(desc);
		}
	}
	else if (OidIsValid(element = get_base_element_type(base)))
	{
		column->tag = GROVE_KEY_ARRAY;
		column->element = MemoryContextAllocZero(context, sizeof(KeyColumn));
		prepare_column(column->element, element, context);
		get_typlenbyvalalign(element, &column->element_length, &column->element_byval, &column->element_align);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s cannot be a key", format_type_be(type)),
				 errhint("Cast it to text, bytea, bigint or uuid.")));
}

static void
append_array(StringInfo buffer, KeyColumn *column, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			start = grovepg_keybytes_begin(buffer, GROVE_KEY_ARRAY);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	grovepg_keybytes_word(buffer, GROVE_KEY_INTEGER, (uint64) ARR_NDIM(array));
	for (int i = 0; i < ARR_NDIM(array); i++)
	{
		grovepg_keybytes_word(buffer, GROVE_KEY_INTEGER, (uint64) (int64) ARR_LBOUND(array)[i]);
		grovepg_keybytes_word(buffer, GROVE_KEY_INTEGER, (uint64) (int64) ARR_DIMS(array)[i]);
	}
	deconstruct_array(array, column->element->type, column->element_length, column->element_byval,
					  column->element_align, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			grovepg_keybytes_null(buffer);
		else
			append_value(buffer, column->element, elements[i]);
	}
	grovepg_keybytes_end(buffer, start);
	pfree(elements);
	pfree(nulls);
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
}

static void
append_row(StringInfo buffer, KeyColumn *column, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	TupleDesc	desc = refresh_row(column->row, HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	int			start = grovepg_keybytes_begin(buffer, GROVE_KEY_ROW);
	Datum	   *values = palloc(Max(desc->natts, 1) * sizeof(Datum));
	bool	   *nulls = palloc(Max(desc->natts, 1) * sizeof(bool));
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, desc, values, nulls);
	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		if (nulls[i])
			grovepg_keybytes_null(buffer);
		else
			append_value(buffer, &column->row->fields[i], values[i]);
	}
	grovepg_keybytes_end(buffer, start);
	ReleaseTupleDesc(desc);
	pfree(values);
	pfree(nulls);
	if ((Pointer) header != DatumGetPointer(value))
		pfree(header);
}

static inline int64
integer_value(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

/* Appends a value that is not NULL. */
static void
append_value(StringInfo buffer, KeyColumn *column, Datum value)
{
	char		byte;

	switch (column->tag)
	{
		case GROVE_KEY_INTEGER:
			grovepg_keybytes_word(buffer, GROVE_KEY_INTEGER, (uint64) integer_value(column->type, value));
			break;
		case GROVE_KEY_TEXT:
			if (scalar_tag(column->type) == GROVE_KEY_TEXT)
				grovepg_keybytes_text(buffer, column->type, value);
			else
				grovepg_keybytes_enum(buffer, value);
			break;
		case GROVE_KEY_BYTEA:
			grovepg_keybytes_bytea(buffer, value);
			break;
		case GROVE_KEY_UUID:
			grovepg_keybytes_append(buffer, GROVE_KEY_UUID, DatumGetPointer(value), UUID_LEN);
			break;
		case GROVE_KEY_NUMERIC:
			grovepg_keybytes_numeric(buffer, value);
			break;
		case GROVE_KEY_FLOAT:
			grovepg_keybytes_float(buffer, column->type == FLOAT4OID ? DatumGetFloat4(value) : DatumGetFloat8(value));
			break;
		case GROVE_KEY_BOOLEAN:
			byte = DatumGetBool(value) ? 1 : 0;
			grovepg_keybytes_append(buffer, GROVE_KEY_BOOLEAN, &byte, 1);
			break;
		case GROVE_KEY_DATE:
			grovepg_keybytes_date(buffer, DatumGetDateADT(value));
			break;
		case GROVE_KEY_TIME:
			grovepg_keybytes_word(buffer, GROVE_KEY_TIME, (uint64) DatumGetTimeADT(value));
			break;
		case GROVE_KEY_TIMESTAMP:
			grovepg_keybytes_word(buffer, GROVE_KEY_TIMESTAMP, (uint64) DatumGetTimestamp(value));
			break;
		case GROVE_KEY_TIMESTAMPTZ:
			grovepg_keybytes_word(buffer, GROVE_KEY_TIMESTAMPTZ, (uint64) DatumGetTimestampTz(value));
			break;
		case GROVE_KEY_ROW:
			append_row(buffer, column, value);
			break;
		case GROVE_KEY_ARRAY:
			append_array(buffer, column, value);
			break;
		case GROVE_KEY_NULL:
			grovepg_keybytes_null(buffer);
			break;
	}
}

GroveKey *
grovepg_key_make(int n, const Oid *types)
{
	GroveKey   *key = palloc0(offsetof(GroveKey, columns) + n * sizeof(KeyColumn));

	key->n = n;
	initStringInfo(&key->buffer);
	for (int i = 0; i < n; i++)
		prepare_column(&key->columns[i], types[i], CurrentMemoryContext);
	return key;
}

bool
grovepg_key_is_integer(const GroveKey *key)
{
	return key->n == 1 && key->columns[0].tag == GROVE_KEY_INTEGER;
}

static void
fill_buffer(GroveKey *key, const Datum *values, const bool *nulls)
{
	resetStringInfo(&key->buffer);
	for (int i = 0; i < key->n; i++)
	{
		if (nulls[i])
			grovepg_keybytes_null(&key->buffer);
		else
			append_value(&key->buffer, &key->columns[i], values[i]);
	}
}

uint64
grovepg_key_hash_nulls(GroveKey *key, uint64 rng_key, const Datum *values, const bool *nulls)
{
	if (grovepg_key_is_integer(key) && !nulls[0])
		return grove_rng_hash(rng_key, (uint64) integer_value(key->columns[0].type, values[0]));
	fill_buffer(key, values, nulls);
	return grove_rng_bytes(rng_key, (const uint8 *) key->buffer.data, key->buffer.len);
}

uint64
grovepg_key_hash(GroveKey *key, uint64 rng_key, const Datum *values, const bool *nulls)
{
	for (int i = 0; i < key->n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("key must not be null"),
					 key->n > 1 ? errdetail("Column %d of the key is null.", i + 1) : 0,
					 errhint("A row without a key cannot be chosen reproducibly; name other key columns or leave such rows out.")));
	}
	return grovepg_key_hash_nulls(key, rng_key, values, nulls);
}

bytea *
grovepg_key_bytes(GroveKey *key, const Datum *values, const bool *nulls)
{
	bytea	   *result;

	fill_buffer(key, values, nulls);
	result = palloc(VARHDRSZ + key->buffer.len);
	SET_VARSIZE(result, VARHDRSZ + key->buffer.len);
	memcpy(VARDATA(result), key->buffer.data, key->buffer.len);
	return result;
}
