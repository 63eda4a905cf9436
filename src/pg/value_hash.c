/*
 * value_hash.c: numbers and dates as one word, rows as one word a column,
 * everything else by its bytes.
 *
 * The canonical bytes of a row (keys.h) are written and then read in one
 * chain; for a row of thirty numbers that takes longer than to fetch it.
 * Here a number, a date or a timestamp is its canonical 64 bits; strings,
 * numeric and what else has canonical bytes are hashed by them; any other
 * type by what its send function says in UTF-8, or by its text when it has
 * no such function.  A hash that tells apart what is equal but looks different
 * takes the send function for all of them.  The words of a row are mixed
 * apart, each with its column's number, and added up, which a processor does
 * for several columns at a time.  So hashes of rows and floats are not those
 * of hash64(), but what is the same there is the same here.
 *
 * A send function writes strings in the encoding of the client, an output
 * function numbers and dates as the session wants them.  Both are fixed while
 * a value is hashed, without the machinery of settings, which would take longer
 * than all the rest and tell the client of every change.
 *
 * The description of a row type is looked at again when the type has been
 * altered.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "keys.h"
#include "value_hash.h"

typedef enum HashKind
{
	HASH_DROPPED,				/* no column any more */
	HASH_WORD,					/* 64 bits */
	HASH_KEY,					/* canonical bytes of keys.h */
	HASH_SENT,					/* bytes of the send function */
	HASH_TEXT,					/* text of the output function: the type has no send function */
	HASH_ARRAY,					/* element by element: the send function of arrays says type OIDs */
	HASH_ROW
} HashKind;

/* What is known of one version of a row type. */
typedef struct HashRow
{
	TypeCacheEntry *entry;		/* of the base type; lives as long as the process */
	bool		looks;			/* as of the hash that this belongs to */
	MemoryContext context;		/* holds what is below */
	uint64		identifier;		/* of that version; 0: none */
	TupleDesc	desc;
	GroveValueHash *columns;	/* one an attribute */
	Datum	   *values;
	bool	   *nulls;
} HashRow;

struct GroveValueHash
{
	HashKind	kind;
	Oid			type;			/* base type */
	GroveKey   *key;			/* HASH_KEY */
	FmgrInfo	write;			/* HASH_SENT, HASH_TEXT */
	int			encoding;		/* of what is written */
	GroveValueHash *element;	/* HASH_ARRAY */
	Oid			element_type;
	int16		element_length;
	bool		element_byval;
	char		element_align;
	HashRow    *row;			/* HASH_ROW */
};

static void prepare_hash(GroveValueHash *hash, Oid type, bool looks, MemoryContext context);

/* The kind of a scalar type whose values are words or have canonical bytes; else HASH_SENT. */
static HashKind
canonical_kind(Oid base)
{
	switch (base)
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
			return HASH_WORD;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case BYTEAOID:
		case UUIDOID:
		case NUMERICOID:
			return HASH_KEY;
		default:
			return type_is_enum(base) ? HASH_KEY : HASH_SENT;
	}
}

static HashKind
hash_kind(Oid base, bool looks)
{
	HashKind	kind = looks ? HASH_SENT : canonical_kind(base);
	Oid			element;

	if (kind != HASH_SENT)
		return kind;
	if (type_is_rowtype(base) && base != RECORDOID)
		return HASH_ROW;
	element = get_base_element_type(base);
	if (OidIsValid(element))
	{
		kind = hash_kind(getBaseType(element), looks);
		return kind == HASH_WORD || kind == HASH_KEY ? HASH_KEY : HASH_ARRAY;
	}
	return HASH_SENT;
}

/* UTF-8, unless what the server's encoding says is not known. */
static int
written_encoding(void)
{
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		return PG_SQL_ASCII;
	if (pg_get_client_encoding() == PG_UTF8 || PrepareClientEncoding(PG_UTF8) == 0)
		return PG_UTF8;
	return GetDatabaseEncoding();
}

/* Looks up the function that writes values of a type; returns what kind that makes it. */
static HashKind
prepare_write(GroveValueHash *hash, MemoryContext context)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(hash->type));
	Form_pg_type type;
	bool		sends;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", hash->type);
	type = (Form_pg_type) GETSTRUCT(tuple);
	sends = OidIsValid(type->typsend);
	fmgr_info_cxt(sends ? type->typsend : type->typoutput, &hash->write, context);
	ReleaseSysCache(tuple);
	hash->encoding = written_encoding();
	return sends ? HASH_SENT : HASH_TEXT;
}

/* Looks at the row type again when it is new or has been altered. */
static void
refresh_row(HashRow *row)
{
	MemoryContext old;

	if (row->identifier != 0 && row->entry->tupDesc_identifier == row->identifier)
		return;
	row->identifier = 0;
	MemoryContextReset(row->context);
	old = MemoryContextSwitchTo(row->context);
	row->desc = lookup_rowtype_tupdesc_copy(row->entry->type_id, -1);
	row->columns = palloc0(Max(row->desc->natts, 1) * sizeof(GroveValueHash));
	row->values = palloc(Max(row->desc->natts, 1) * sizeof(Datum));
	row->nulls = palloc(Max(row->desc->natts, 1) * sizeof(bool));
	for (int i = 0; i < row->desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(row->desc, i);

		if (!attribute->attisdropped)
			prepare_hash(&row->columns[i], attribute->atttypid, row->looks, row->context);
	}
	MemoryContextSwitchTo(old);
	row->identifier = row->entry->tupDesc_identifier;
}

static void
prepare_hash(GroveValueHash *hash, Oid type, bool looks, MemoryContext context)
{
	check_stack_depth();
	hash->type = getBaseType(type);
	hash->kind = hash_kind(hash->type, looks);
	switch (hash->kind)
	{
		case HASH_KEY:
			hash->key = grovepg_key_make(1, &hash->type);
			break;
		case HASH_SENT:
			hash->kind = prepare_write(hash, context);
			break;
		case HASH_ARRAY:
			hash->element_type = get_base_element_type(hash->type);
			get_typlenbyvalalign(hash->element_type, &hash->element_length, &hash->element_byval, &hash->element_align);
			hash->element = palloc0(sizeof(GroveValueHash));
			prepare_hash(hash->element, hash->element_type, looks, context);
			break;
		case HASH_ROW:
			hash->row = palloc0(sizeof(HashRow));
			hash->row->looks = looks;
			hash->row->context = AllocSetContextCreate(context, "grove row hash", ALLOCSET_SMALL_SIZES);
			hash->row->entry = lookup_type_cache(hash->type, TYPECACHE_TUPDESC);
			refresh_row(hash->row);
			break;
		default:
			break;
	}
}

GroveValueHash *
grovepg_value_hash_make(Oid type, bool looks)
{
	GroveValueHash *hash = palloc0(sizeof(GroveValueHash));

	prepare_hash(hash, type, looks, CurrentMemoryContext);
	return hash;
}

static inline uint64
float_word(double number)
{
	uint64		bits;

	if (number == 0)
		return 0;				/* of either sign */
	if (isnan(number))
		return UINT64CONST(0x7ff8000000000000);
	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static inline uint64
type_word(Oid type, Datum value)
{
	switch (type)
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
		default:
			return (uint64) DatumGetTimestamp(value);
	}
}

static uint64
hash_sent(GroveValueHash *hash, uint64 rng_key, Datum value)
{
	const int	client = pg_get_client_encoding();
	bytea	   *bytes;
	uint64		result;

	if (client == hash->encoding)
		bytes = SendFunctionCall(&hash->write, value);
	else
	{
		PG_TRY();
		{
			(void) SetClientEncoding(hash->encoding);
			bytes = SendFunctionCall(&hash->write, value);
		}
		PG_FINALLY();
		{
			(void) SetClientEncoding(client);
		}
		PG_END_TRY();
	}
	result = grove_rng_bytes(rng_key, (const uint8 *) VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	pfree(bytes);
	return result;
}

static uint64
hash_text(GroveValueHash *hash, uint64 rng_key, Datum value)
{
	const int	float_digits = extra_float_digits;
	const int	date_style = DateStyle;
	const int	interval_style = IntervalStyle;
	const int	bytea_style = bytea_output;
	pg_tz	   *const zone = session_timezone;
	char	   *text;
	char	   *written;
	uint64		result;

	PG_TRY();
	{
		extra_float_digits = 1;
		DateStyle = USE_ISO_DATES;
		IntervalStyle = INTSTYLE_POSTGRES;
		bytea_output = BYTEA_OUTPUT_HEX;
		session_timezone = pg_tzset("GMT");
		text = OutputFunctionCall(&hash->write, value);
	}
	PG_FINALLY();
	{
		extra_float_digits = float_digits;
		DateStyle = date_style;
		IntervalStyle = interval_style;
		bytea_output = bytea_style;
		session_timezone = zone;
	}
	PG_END_TRY();
	written = pg_server_to_any(text, (int) strlen(text), hash->encoding);
	result = grove_rng_bytes(rng_key, (const uint8 *) written, strlen(written));
	if (written != text)
		pfree(written);
	pfree(text);
	return result;
}

static uint64
hash_elements(GroveValueHash *hash, uint64 rng_key, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	uint64		result = grove_rng_hash(rng_key, (uint64) ARR_NDIM(array));
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	for (int i = 0; i < ARR_NDIM(array); i++)
	{
		result = grove_rng_hash(result, (uint64) (int64) ARR_LBOUND(array)[i]);
		result = grove_rng_hash(result, (uint64) ARR_DIMS(array)[i]);
	}
	deconstruct_array(array, hash->element_type, hash->element_length, hash->element_byval, hash->element_align,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
		result = grove_rng_hash(result, nulls[i] ? grovepg_value_hash_null(rng_key) :
								grovepg_value_hash(hash->element, rng_key, elements[i]));
	pfree(elements);
	pfree(nulls);
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
	return result;
}

static uint64
hash_row(HashRow *row, uint64 rng_key, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple;
	uint64		column_key = rng_key;
	uint64		sum = 0;

	refresh_row(row);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, row->desc, row->values, row->nulls);
	for (int i = 0; i < row->desc->natts; i++)
	{
		GroveValueHash *column = &row->columns[i];

		if (column->kind == HASH_DROPPED)
			continue;
		column_key += UINT64CONST(0x9e3779b97f4a7c15);
		if (row->nulls[i])
			sum += grove_rng_mix(~column_key);
		else if (column->kind == HASH_WORD)
			sum += grove_rng_mix(column_key + type_word(column->type, row->values[i]));
		else
			sum += grove_rng_mix(column_key + grovepg_value_hash(column, rng_key, row->values[i]));
	}
	if ((Pointer) header != DatumGetPointer(value))
		pfree(header);
	return grove_rng_hash(rng_key, sum);
}

uint64
grovepg_value_hash(GroveValueHash *hash, uint64 rng_key, Datum value)
{
	const bool	null = false;

	switch (hash->kind)
	{
		case HASH_WORD:
			return grove_rng_hash(rng_key, type_word(hash->type, value));
		case HASH_KEY:
			return grovepg_key_hash_nulls(hash->key, rng_key, &value, &null);
		case HASH_SENT:
			return hash_sent(hash, rng_key, value);
		case HASH_TEXT:
			return hash_text(hash, rng_key, value);
		case HASH_ARRAY:
			return hash_elements(hash, rng_key, value);
		case HASH_ROW:
			return hash_row(hash->row, rng_key, value);
		case HASH_DROPPED:
			break;
	}
	return grovepg_value_hash_null(rng_key);
}
