/*
 * test_keys.c: canonical bytes and hashes of keys on machines that have no
 * server: the golden vectors of sql/keys.sql, from keys.c and key_bytes.c on
 * the fuzz targets' stand-in for the server.
 *
 * The rest of the server that the two files call stands here.  Numeric is text
 * here, since its digits are the server's business; rows, arrays and enums,
 * which are made of what is tested, need catalogues.
 */
#include "../../fuzz/server_shim.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#define appendBinaryStringInfo declared_otherwise	/* the type of its bytes depends on the major */
#include "lib/stringinfo.h"
#undef appendBinaryStringInfo
#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "../../../src/pg/keys.h"
#include "../unit.h"

/* -------------------------------------------------------------- the server */

void
initStringInfo(StringInfo buffer)
{
	buffer->maxlen = 1024;
	buffer->data = palloc(buffer->maxlen);
	resetStringInfo(buffer);
}

void
resetStringInfo(StringInfo buffer)
{
	buffer->data[0] = '\0';
	buffer->len = buffer->cursor = 0;
}

void
enlargeStringInfo(StringInfo buffer, int needed)
{
	if (buffer->len + needed >= buffer->maxlen)
		abort();
}

void		appendBinaryStringInfo(StringInfo buffer, const void *data, int length);

void
appendBinaryStringInfo(StringInfo buffer, const void *data, int length)
{
	enlargeStringInfo(buffer, length);
	memcpy(buffer->data + buffer->len, data, (size_t) length);
	buffer->len += length;
}

int
GetDatabaseEncoding(void)
{
	return PG_UTF8;
}

int			bpchartruelen(char *string, int length);

int
bpchartruelen(char *string, int length)
{
	while (length > 0 && string[length - 1] == ' ')
		length--;
	return length;
}

char	   *numeric_normalize(void *number);

char *
numeric_normalize(void *number)
{
	return pnstrdup(VARDATA_ANY(number), VARSIZE_ANY_EXHDR(number));
}

Oid			getBaseType(Oid type);

Oid
getBaseType(Oid type)
{
	return type;
}

void		check_stack_depth(void);

void
check_stack_depth(void)
{
}

/* Linked, but no key here calls them. */
#define NOT_CALLED(name)	void name(void); void name(void) { abort(); }

NOT_CALLED(assign_record_type_identifier)
NOT_CALLED(DecrTupleDescRefCount)
NOT_CALLED(format_type_be)
NOT_CALLED(get_base_element_type)
NOT_CALLED(get_typlenbyvalalign)
NOT_CALLED(heap_deform_tuple)
NOT_CALLED(lookup_rowtype_tupdesc)
NOT_CALLED(ReleaseSysCache)
NOT_CALLED(SearchSysCache1)
NOT_CALLED(type_is_enum)
NOT_CALLED(type_is_rowtype)

/* The same, of functions that the headers above declare. */
struct HeapTupleHeaderData *
DatumGetHeapTupleHeader(Datum value)
{
	abort();
}

char *
pg_server_to_any(const char *text, int length, int encoding)
{
	abort();
}

/* ------------------------------------------------------------------- values */

static Datum
string(const char *bytes, Size length)
{
	struct varlena *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	return PointerGetDatum(value);
}

/* The same as a row of a table holds it: with a header of one byte. */
static Datum
packed(const char *bytes, Size length)
{
	struct varlena *value = palloc(VARHDRSZ_SHORT + length);

	SET_VARSIZE_SHORT(value, VARHDRSZ_SHORT + length);
	memcpy(VARDATA_SHORT(value), bytes, length);
	return PointerGetDatum(value);
}

/* The digits of the bytes of a key, and its hash under seed 42. */
static bool
is(int n, const Oid *types, const Datum *values, const char *hex, int64 hash)
{
	static const bool nulls[2];
	GroveKey   *key = grovepg_key_make(n, types);
	bytea	   *bytes = grovepg_key_bytes(key, values, nulls);
	const unsigned char *data = (const unsigned char *) VARDATA(bytes);
	Size		length = VARSIZE(bytes) - VARHDRSZ;
	char		digits[256];

	for (Size i = 0; i < length; i++)
		sprintf(digits + 2 * i, "%02x", data[i]);
	return strcmp(digits, hex) == 0 &&
		(int64) grovepg_key_hash(key, grove_rng_key(42, GROVE_PURPOSE_HASH), values, nulls) == hash;
}

static bool
one(Oid type, Datum value, const char *hex, int64 hash)
{
	return is(1, &type, &value, hex, hash);
}

static void
strings(void)
{
	NameData	name = {"grove"};
	static const char uuid[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
		(char) 0x88, (char) 0x99, (char) 0xaa, (char) 0xbb, (char) 0xcc, (char) 0xdd, (char) 0xee, (char) 0xff};

	CHECK(one(TEXTOID, string("grove", 5), "020500000067726f7665", INT64CONST(-4427896106411414923)));
	CHECK(one(TEXTOID, packed("grove", 5), "020500000067726f7665", INT64CONST(-4427896106411414923)));
	CHECK(one(TEXTOID, string("", 0), "0200000000", INT64CONST(6768933434653632237)));
	CHECK(one(TEXTOID, packed("B\xc3\xa4ume", 6), "020600000042c3a4756d65", INT64CONST(1181031381294732721)));
	CHECK(one(VARCHAROID, string("grove ", 6), "020600000067726f766520", INT64CONST(-5211944405028646337)));
	CHECK(one(BPCHAROID, string("grove    ", 9), "020500000067726f7665", INT64CONST(-4427896106411414923)));
	CHECK(one(NAMEOID, NameGetDatum(&name), "020500000067726f7665", INT64CONST(-4427896106411414923)));
	CHECK(one(CHAROID, CharGetDatum('g'), "020100000067", INT64CONST(4633518290647766514)));
	CHECK(one(BYTEAOID, packed("\0\xff", 3), "030300000000ff00", INT64CONST(4223332084456188873)));
	CHECK(one(UUIDOID, PointerGetDatum(uuid), "041000000000112233445566778899aabbccddeeff", INT64CONST(-3006143883443680405)));
	CHECK(one(NUMERICOID, string("-12.5", 5), "05050000002d31322e35", INT64CONST(7988424625918869326)));
}

static void
numbers(void)
{
	CHECK(one(FLOAT8OID, Float8GetDatum(1.5), "0608000000000000000000f83f", INT64CONST(6654570175682434521)));
	CHECK(one(FLOAT8OID, Float8GetDatum(-0.0), "06080000000000000000000000", INT64CONST(-2232561063159929869)));
	CHECK(one(FLOAT8OID, Float8GetDatum((double) NAN), "0608000000000000000000f87f", INT64CONST(8880790131492942412)));
	CHECK(one(FLOAT4OID, Float4GetDatum(-INFINITY), "0608000000000000000000f0ff", INT64CONST(8451175458072780024)));
	CHECK(one(BOOLOID, BoolGetDatum(true), "070100000001", INT64CONST(-7794617531271617536)));
}

static void
times(void)
{
	CHECK(one(DATEOID, DateADTGetDatum(-1), "0808000000ffffffffffffffff", INT64CONST(-6888103259289304456)));
	CHECK(one(DATEOID, DateADTGetDatum(DATEVAL_NOBEGIN), "08080000000000000000000080", INT64CONST(5498517199190199676)));
	CHECK(one(DATEOID, DateADTGetDatum(DATEVAL_NOEND), "0808000000ffffffffffffff7f", INT64CONST(5832848136269120447)));
	CHECK(one(TIMEOID, TimeADTGetDatum(1000000), "090800000040420f0000000000", INT64CONST(377120597634224564)));
	CHECK(one(TIMESTAMPOID, TimestampGetDatum(1000000), "0a0800000040420f0000000000", INT64CONST(7197138731347924462)));
	CHECK(one(TIMESTAMPOID, TimestampGetDatum(DT_NOEND), "0a08000000ffffffffffffff7f", INT64CONST(251812424279023772)));
	CHECK(one(TIMESTAMPTZOID, TimestampTzGetDatum(-INT64CONST(3599000000)), "0b08000000409e7b29ffffffff", INT64CONST(2959526818584162825)));
}

static void
integers(void)
{
	static const Oid types[] = {INT4OID, TEXTOID};
	Datum		values[2];

	CHECK(one(INT8OID, Int64GetDatum(0), "01080000000000000000000000", INT64CONST(2049324410655135416)));
	CHECK(one(INT2OID, Int16GetDatum(-1), "0108000000ffffffffffffffff", INT64CONST(-4878071622470441960)));
	CHECK(one(INT4OID, Int32GetDatum(42), "01080000002a00000000000000", INT64CONST(6837919563632446542)));
	CHECK(one(INT8OID, Int64GetDatum(INT64CONST(30064771078)), "01080000000600000007000000", INT64CONST(6723603634419230823)));
	CHECK(one(INT8OID, Int64GetDatum(PG_INT64_MIN), "01080000000000000000000080", INT64CONST(322607304018069444)));
	values[0] = Int32GetDatum(1);
	values[1] = string("x", 1);
	CHECK(is(2, types, values, "01080000000100000000000000020100000078", INT64CONST(-611660743346261101)));
}

int
main(void)
{
	integers();
	strings();
	numbers();
	times();
	shim_reset();
	return unit_done();
}
