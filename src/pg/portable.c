/*
 * portable.c: hexadecimal text and binary messages of portable bytes.
 */
#include "pg_grove.h"

#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "portable.h"

static Datum
checked(struct varlena *flat, GrovePortableCheck check)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "grove state check", ALLOCSET_SMALL_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(scratch);

	check(flat);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(scratch);
	return PointerGetDatum(flat);
}

Datum
grovepg_portable_in(FunctionCallInfo fcinfo, GrovePortableCheck check)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Size		length = strlen(text);
	struct varlena *flat = palloc(VARHDRSZ + length / 2 + 1);

	if (length % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("odd number of hexadecimal digits")));
	hex_decode(text, length, VARDATA(flat));
	SET_VARSIZE(flat, VARHDRSZ + length / 2);
	return checked(flat, check);
}

Datum
grovepg_portable_out(FunctionCallInfo fcinfo)
{
	bytea	   *flat = PG_GETARG_BYTEA_PP(0);
	Size		length = VARSIZE_ANY_EXHDR(flat);
	char	   *text;

	if (length > (MaxAllocSize - 1) / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state of %zu bytes is too large for its text form", length),
				 errhint("Send it in binary form.")));
	text = palloc(length * 2 + 1);
	hex_encode(VARDATA_ANY(flat), length, text);
	text[length * 2] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
grovepg_portable_recv(FunctionCallInfo fcinfo, GrovePortableCheck check)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			length = message->len - message->cursor;
	struct varlena *flat = palloc(VARHDRSZ + length);

	SET_VARSIZE(flat, VARHDRSZ + length);
	pq_copymsgbytes(message, VARDATA(flat), length);
	return checked(flat, check);
}

Datum
grovepg_portable_send(FunctionCallInfo fcinfo)
{
	PG_RETURN_BYTEA_P(PG_GETARG_BYTEA_P(0));
}
