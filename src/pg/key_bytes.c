/*
 * key_bytes.c: from a datum to the canonical bytes of its value.
 *
 * Whatever a conversion allocates is freed again: keys are hashed in memory
 * contexts that live for whole scans.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/syscache.h"

#include "../core/bytes.h"
#include "key_bytes.h"

int
grovepg_keybytes_begin(StringInfo buffer, GroveKeyTag tag)
{
	enlargeStringInfo(buffer, 5);
	buffer->data[buffer->len] = (char) tag;
	grove_bytes_put32((uint8 *) buffer->data + buffer->len + 1, 0);
	buffer->len += 5;
	return buffer->len;
}

void
grovepg_keybytes_end(StringInfo buffer, int start)
{
	grove_bytes_put32((uint8 *) buffer->data + start - 4, (uint32) (buffer->len - start));
}

void
grovepg_keybytes_append(StringInfo buffer, GroveKeyTag tag, const char *bytes, int length)
{
	int			start = grovepg_keybytes_begin(buffer, tag);

	appendBinaryStringInfo(buffer, bytes, length);
	grovepg_keybytes_end(buffer, start);
}

void
grovepg_keybytes_word(StringInfo buffer, GroveKeyTag tag, uint64 word)
{
	uint8		bytes[8];

	grove_bytes_put64(bytes, word);
	grovepg_keybytes_append(buffer, tag, (const char *) bytes, 8);
}

void
grovepg_keybytes_null(StringInfo buffer)
{
	grovepg_keybytes_append(buffer, GROVE_KEY_NULL, "", 0);
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
	grovepg_keybytes_append(buffer, GROVE_KEY_TEXT, utf8, length);
	if (utf8 != string)
		pfree(utf8);
}

void
grovepg_keybytes_text(StringInfo buffer, Oid type, Datum value)
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

				grovepg_keybytes_append(buffer, GROVE_KEY_TEXT, &c, c != '\0');
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

void
grovepg_keybytes_enum(StringInfo buffer, Datum value)
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

void
grovepg_keybytes_bytea(StringInfo buffer, Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

	grovepg_keybytes_append(buffer, GROVE_KEY_BYTEA, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
	if ((Pointer) packed != DatumGetPointer(value))
		pfree(packed);
}

/* Shortest decimal text: no zeros at the end of the fraction. */
void
grovepg_keybytes_numeric(StringInfo buffer, Datum value)
{
	Numeric		number = DatumGetNumeric(value);
	char	   *text = numeric_normalize(number);

	grovepg_keybytes_append(buffer, GROVE_KEY_NUMERIC, text, strlen(text));
	pfree(text);
	if ((Pointer) number != DatumGetPointer(value))
		pfree(number);
}

/* Days since 2000-01-01; the infinities are the ends of the 64-bit range, as those of timestamps. */
void
grovepg_keybytes_date(StringInfo buffer, DateADT date)
{
	grovepg_keybytes_word(buffer, GROVE_KEY_DATE, (uint64) (DATE_IS_NOBEGIN(date) ? PG_INT64_MIN :
											  DATE_IS_NOEND(date) ? PG_INT64_MAX : (int64) date));
}

/* The IEEE double; zero has no sign and there is one NaN. */
void
grovepg_keybytes_float(StringInfo buffer, double number)
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
	grovepg_keybytes_word(buffer, GROVE_KEY_FLOAT, word.bits);
}
