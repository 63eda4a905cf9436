/*
 * key_bytes.h: canonical bytes of single values, for keys.c.
 *
 * A value becomes tag (1 byte), length (4 bytes, little-endian), payload.  The
 * tag names a family of types, not a type: what is equal within a family has
 * equal bytes.  Payloads are the value's meaning and never its storage: no
 * varlena header, no numeric digits in base 10000, no OIDs, no collation, text
 * in UTF-8.  The byte-level table stands in docs/sampling.md; it is frozen, new
 * families are appended.
 */
#ifndef GROVE_KEY_BYTES_H
#define GROVE_KEY_BYTES_H

#include "lib/stringinfo.h"
#include "utils/date.h"

/* Tags are part of the frozen bytes. */
typedef enum GroveKeyTag
{
	GROVE_KEY_NULL = 0,
	GROVE_KEY_INTEGER = 1,
	GROVE_KEY_TEXT = 2,				/* every string type; an enum is its label */
	GROVE_KEY_BYTEA = 3,
	GROVE_KEY_UUID = 4,
	GROVE_KEY_NUMERIC = 5,
	GROVE_KEY_FLOAT = 6,
	GROVE_KEY_BOOLEAN = 7,
	GROVE_KEY_DATE = 8,
	GROVE_KEY_TIME = 9,
	GROVE_KEY_TIMESTAMP = 10,
	GROVE_KEY_TIMESTAMPTZ = 11,
	GROVE_KEY_ROW = 12,
	GROVE_KEY_ARRAY = 13
} GroveKeyTag;

/* Begins a value whose length is not known yet; the end needs what this returns. */
extern int	grovepg_keybytes_begin(StringInfo buffer, GroveKeyTag tag);
extern void grovepg_keybytes_end(StringInfo buffer, int start);

/* A value with this payload: bytes, or one little-endian word. */
extern void grovepg_keybytes_append(StringInfo buffer, GroveKeyTag tag, const char *bytes, int length);
extern void grovepg_keybytes_word(StringInfo buffer, GroveKeyTag tag, uint64 word);
extern void grovepg_keybytes_null(StringInfo buffer);

/* Values of the families whose payload has to be made; type is one of the string types. */
extern void grovepg_keybytes_text(StringInfo buffer, Oid type, Datum value);
extern void grovepg_keybytes_enum(StringInfo buffer, Datum value);
extern void grovepg_keybytes_bytea(StringInfo buffer, Datum value);
extern void grovepg_keybytes_numeric(StringInfo buffer, Datum value);
extern void grovepg_keybytes_float(StringInfo buffer, double number);
extern void grovepg_keybytes_date(StringInfo buffer, DateADT date);

#endif							/* GROVE_KEY_BYTES_H */
