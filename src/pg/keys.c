/*
 * keys.c: canonical bytes and hashes of SQL values.
 *
 * A value becomes tag (1 byte), length (4 bytes, little-endian), payload; the
 * columns of a key follow one another.  The tag names a family of types, not
 * a type: what is equal within a family has equal bytes.  Payloads are the
 * value's meaning and never its storage: no varlena header, no numeric
 * digits in base 10000, no OIDs, no collation, text in UTF-8.  The byte-level
 * table stands in docs/sampling.md; it is frozen, new families are appended.
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
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include <math.h>

#include "keys.h"

/* Tags are part of the frozen bytes. */
typedef enum KeyTag
{
	KEY_NULL = 0,
	KEY_INTEGER = 1,
	KEY_TEXT = 2,				/* every string type; an enum is its label */
	KEY_BYTEA = 3,
	KEY_UUID = 4,
	KEY_NUMERIC = 5,
	KEY_FLOAT = 6,
	KEY_BOOLEAN = 7,
	KEY_DATE = 8,
	KEY_TIME = 9,
	KEY_TIMESTAMP = 10,
	KEY_TIMESTAMPTZ = 11,
	KEY_ROW = 12,
	KEY_ARRAY = 13
} KeyTag;

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
	KeyTag		tag;
	KeyColumn  *element;		/* KEY_ARRAY */
	int16		element_length;
	bool		element_byval;
	char		element_align;
	KeyRow	   *row;			/* KEY_ROW */
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

/* Family of a base type that is neither an enum nor an array nor a row; KEY_NULL when it has no canonical bytes. */
static KeyTag
scalar_tag(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return KEY_INTEGER;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UNKNOWNOID:
			return KEY_TEXT;
		case BYTEAOID:
			return KEY_BYTEA;
		case UUIDOID:
			return KEY_UUID;
		case NUMERICOID:
			return KEY_NUMERIC;
		case FLOAT4OID:
		case FLOAT8OID:
			return KEY_FLOAT;
		case BOOLOID:
			return KEY_BOOLEAN;
		case DATEOID:
			return KEY_DATE;
		case TIMEOID:
			return KEY_TIME;
		case TIMESTAMPOID:
			return KEY_TIMESTAMP;
		case TIMESTAMPTZOID:
			return KEY_TIMESTAMPTZ;
		default:
			return KEY_NULL;
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
	if (column->tag != KEY_NULL)
		return;

	if (type_is_enum(base))
		column->tag = KEY_TEXT;
	else if (type_is_rowtype(base))
	{
		column->tag = KEY_ROW;
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
		column->tag = KEY_ARRAY;
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
store_word32(char *bytes, uint32 word)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (char) (word >> (8 * i));
}

/* Begins a value whose length is not known yet; end_value() takes what this returns. */
static int
begin_value(StringInfo buffer, KeyTag tag)
{
	enlargeStringInfo(buffer, 5);
	buffer->data[buffer->len] = (char) tag;
	store_word32(buffer->data + buffer->len + 1, 0);
	buffer->len += 5;
	return buffer->len;
}

static void
end_value(StringInfo buffer, int start)
{
	store_word32(buffer->data + start - 4, (uint32) (buffer->len - start));
}

static void
append_bytes(StringInfo buffer, KeyTag tag, const char *bytes, int length)
{
	int			start = begin_value(buffer, tag);

	appendBinaryStringInfo(buffer, bytes, length);
	end_value(buffer, start);
}

/* Eight little-endian bytes. */
static void
append_word64(StringInfo buffer, KeyTag tag, uint64 word)
{
	char		bytes[8];

	store_word32(bytes, (uint32) word);
	store_word32(bytes + 4, (uint32) (word >> 32));
	append_bytes(buffer, tag, bytes, 8);
}

static void
append_null(StringInfo buffer)
{
	append_bytes(buffer, KEY_NULL, "", 0);
}

/* A string of the server's encoding, in UTF-8; SQL_ASCII does not say what its bytes mean, they are taken as they are. */
static void
append_string(StringInfo buffer, const char *string, int length)
{
	char	   *utf8 = (char *) string;

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		utf8 = pg_server_to_any(string, length, PG_UTF8);
		if (utf8 != string)
			length = strlen(utf8);
	}
	append_bytes(buffer, KEY_TEXT, utf8, length);
	if (utf8 != string)
		pfree(utf8);
}

static void
append_text(StringInfo buffer, Oid type, Datum value)
{
	struct varlena *packed;
	const char *string;
	int			length;

	switch (type)
	{
		case NAMEOID:
			append_string(buffer, NameStr(*DatumGetName(value)), strlen(NameStr(*DatumGetName(value))));
			return;
		case UNKNOWNOID:
			append_string(buffer, DatumGetCString(value), strlen(DatumGetCString(value)));
			return;
		case CHAROID:
			{
				char		c = DatumGetChar(value);

				append_bytes(buffer, KEY_TEXT, &c, c != '\0');
				return;
			}
		default:
			break;
	}

	packed = PG_DETOAST_DATUM_PACKED(value);
	string = VARDATA_ANY(packed);
	length = VARSIZE_ANY_EXHDR(packed);
	if (type == BPCHAROID)
		length = bpchartruelen((char *) string, length);
	append_string(buffer, string, length);
	if ((Pointer) packed != DatumGetPointer(value))
		pfree(packed);
}

static void
append_enum(StringInfo buffer, Datum value)
{
	HeapTuple	tuple = SearchSysCache1(ENUMOID, value);
	const char *label;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid internal value for enum: %u", DatumGetObjectId(value))));
	label = NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel);
	append_string(buffer, label, strlen(label));
	ReleaseSysCache(tuple);
}

static void
append_bytea(StringInfo buffer, Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

	append_bytes(buffer, KEY_BYTEA, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
	if ((Pointer) packed != DatumGetPointer(value))
		pfree(packed);
}

/* Shortest decimal text: no zeros at the end of the fraction. */
static void
append_numeric(StringInfo buffer, Datum value)
{
	Numeric		number = DatumGetNumeric(value);
	char	   *text = numeric_normalize(number);

	append_bytes(buffer, KEY_NUMERIC, text, strlen(text));
	pfree(text);
	if ((Pointer) number != DatumGetPointer(value))
		pfree(number);
}

/* Days since 2000-01-01; the infinities are the ends of the 64-bit range, as those of timestamps. */
static void
append_date(StringInfo buffer, DateADT date)
{
	append_word64(buffer, KEY_DATE, (uint64) (DATE_IS_NOBEGIN(date) ? PG_INT64_MIN :
											  DATE_IS_NOEND(date) ? PG_INT64_MAX : (int64) date));
}

/* The IEEE double; zero has no sign and there is one NaN. */
static void
append_float(StringInfo buffer, double number)
{
	union
	{
		double		number;
		uint64		bits;
	}			word;

	word.number = number;
	if (number == 0)
		word.bits = 0;
	else if (isnan(number))
		word.bits = UINT64CONST(0x7ff8000000000000);
	append_word64(buffer, KEY_FLOAT, word.bits);
}

static void
append_array(StringInfo buffer, KeyColumn *column, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			start = begin_value(buffer, KEY_ARRAY);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	append_word64(buffer, KEY_INTEGER, (uint64) ARR_NDIM(array));
	for (int i = 0; i < ARR_NDIM(array); i++)
	{
		append_word64(buffer, KEY_INTEGER, (uint64) (int64) ARR_LBOUND(array)[i]);
		append_word64(buffer, KEY_INTEGER, (uint64) (int64) ARR_DIMS(array)[i]);
	}
	deconstruct_array(array, column->element->type, column->element_length, column->element_byval,
					  column->element_align, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			append_null(buffer);
		else
			append_value(buffer, column->element, elements[i]);
	}
	end_value(buffer, start);
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
	int			start = begin_value(buffer, KEY_ROW);
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
			append_null(buffer);
		else
			append_value(buffer, &column->row->fields[i], values[i]);
	}
	end_value(buffer, start);
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
		case KEY_INTEGER:
			append_word64(buffer, KEY_INTEGER, (uint64) integer_value(column->type, value));
			break;
		case KEY_TEXT:
			if (scalar_tag(column->type) == KEY_TEXT)
				append_text(buffer, column->type, value);
			else
				append_enum(buffer, value);
			break;
		case KEY_BYTEA:
			append_bytea(buffer, value);
			break;
		case KEY_UUID:
			append_bytes(buffer, KEY_UUID, DatumGetPointer(value), UUID_LEN);
			break;
		case KEY_NUMERIC:
			append_numeric(buffer, value);
			break;
		case KEY_FLOAT:
			append_float(buffer, column->type == FLOAT4OID ? DatumGetFloat4(value) : DatumGetFloat8(value));
			break;
		case KEY_BOOLEAN:
			byte = DatumGetBool(value) ? 1 : 0;
			append_bytes(buffer, KEY_BOOLEAN, &byte, 1);
			break;
		case KEY_DATE:
			append_date(buffer, DatumGetDateADT(value));
			break;
		case KEY_TIME:
			append_word64(buffer, KEY_TIME, (uint64) DatumGetTimeADT(value));
			break;
		case KEY_TIMESTAMP:
			append_word64(buffer, KEY_TIMESTAMP, (uint64) DatumGetTimestamp(value));
			break;
		case KEY_TIMESTAMPTZ:
			append_word64(buffer, KEY_TIMESTAMPTZ, (uint64) DatumGetTimestampTz(value));
			break;
		case KEY_ROW:
			append_row(buffer, column, value);
			break;
		case KEY_ARRAY:
			append_array(buffer, column, value);
			break;
		case KEY_NULL:
			append_null(buffer);
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

static void
fill_buffer(GroveKey *key, const Datum *values, const bool *nulls)
{
	resetStringInfo(&key->buffer);
	for (int i = 0; i < key->n; i++)
	{
		if (nulls[i])
			append_null(&key->buffer);
		else
			append_value(&key->buffer, &key->columns[i], values[i]);
	}
}

uint64
grovepg_key_hash_nulls(GroveKey *key, uint64 rng_key, const Datum *values, const bool *nulls)
{
	if (key->n == 1 && key->columns[0].tag == KEY_INTEGER && !nulls[0])
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
