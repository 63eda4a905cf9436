/*
 * server_shim.c: see server_shim.h.  There is one memory context; resetting or
 * deleting it gives nothing back before shim_reset().
 */
#include "server_shim.h"

#include <setjmp.h>
#include <stdarg.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#define VALUE(type, name, parameters, ...)	type name parameters { return __VA_ARGS__; }

MemoryContext CurrentMemoryContext;
volatile sig_atomic_t InterruptPending;
int			shim_sqlstate;
static jmp_buf handler;
static char message[256];
static void **chunks;
static Size n_chunks;
static Size capacity;

/* -------------------------------------------------------------------- memory */

/* Where a piece is noted; the last ones are the likeliest. */
static void **
find_chunk(void *pointer)
{
	Size		i = n_chunks;

	while (chunks[i - 1] != pointer)
		i--;
	return &chunks[i - 1];
}

static void *
allocate(Size size, Size limit, bool zero)
{
	if (size > limit)
		elog(ERROR, "invalid memory alloc request size %zu", size);
	if (n_chunks == capacity)
		chunks = realloc(chunks, (capacity = capacity * 2 + 64) * sizeof(void *));
	return chunks[n_chunks++] = zero ? calloc(size > 0 ? size : 1, 1) : malloc(size);
}

void
pfree(void *pointer)
{
	*find_chunk(pointer) = chunks[n_chunks - 1];
	n_chunks--;
	free(pointer);
}

void
shim_reset(void)
{
	while (n_chunks > 0)
		free(chunks[--n_chunks]);
}

void *
repalloc_huge(void *pointer, Size size)
{
	void	  **chunk = find_chunk(pointer);

	return *chunk = realloc(pointer, size);
}

VALUE(void *, repalloc, (void *pointer, Size size), size > MaxAllocSize ? allocate(size, MaxAllocSize, false) : repalloc_huge(pointer, size))
VALUE(void *, palloc, (Size size), allocate(size, MaxAllocSize, false))
VALUE(void *, palloc0, (Size size), allocate(size, MaxAllocSize, true))
VALUE(void *, palloc_extended, (Size size, int flags), allocate(size, flags & MCXT_ALLOC_HUGE ? MaxAllocHugeSize : MaxAllocSize, flags & MCXT_ALLOC_ZERO))
VALUE(void *, MemoryContextAlloc, (MemoryContext context, Size size), palloc(size))
VALUE(void *, MemoryContextAllocZero, (MemoryContext context, Size size), palloc0(size))
VALUE(void *, MemoryContextAllocZeroAligned, (MemoryContext context, Size size), palloc0(size))
VALUE(void *, MemoryContextAllocHuge, (MemoryContext context, Size size), allocate(size, MaxAllocHugeSize, false))
VALUE(MemoryContext, AllocSetContextCreateInternal, (MemoryContext parent, const char *name, Size minimum, Size initial, Size most), NULL)
void		MemoryContextReset(MemoryContext context) {}

char *
pnstrdup(const char *string, Size length)
{
	char	   *copy = palloc0(strnlen(string, length) + 1);

	return memcpy(copy, string, strnlen(string, length));
}

/* -------------------------------------------------------------------- errors */

bool
shim_try(void (*function) (void *arg), void *arg)
{
	if (setjmp(handler) != 0)
		return false;
	function(arg);
	return true;
}

VALUE(int, errcode, (int code), shim_sqlstate = code)
VALUE(bool, errstart, (int level, const char *domain), errcode(ERRCODE_INTERNAL_ERROR) != 0 && level >= ERROR)
VALUE(bool, errstart_cold, (int level, const char *domain), errstart(level, domain))

void
errfinish(const char *file, int line, const char *function)
{
	if (shim_sqlstate != ERRCODE_INTERNAL_ERROR)
		longjmp(handler, 1);
	fprintf(stderr, "internal error in %s(): %s\n", function, message);
	abort();
}

/* Texts are made, so that a sanitizer sees what they are made of. */
#define TEXT_OF_ERROR(name) \
int \
name(const char *format,...) \
{ \
	va_list		arguments; \
\
	va_start(arguments, format); \
	vsnprintf(message, sizeof(message), format, arguments); \
	va_end(arguments); \
	return 0; \
}

TEXT_OF_ERROR(errmsg)
TEXT_OF_ERROR(errmsg_internal)
TEXT_OF_ERROR(errdetail)
TEXT_OF_ERROR(errhint)
void		ProcessInterrupts(void) {}

/* -------------------------------------------------------------------- values */

void
EOH_init_header(ExpandedObjectHeader *header, const ExpandedObjectMethods *methods, MemoryContext context)
{
	*header = (ExpandedObjectHeader) {EOH_HEADER_MAGIC, methods, context};
	SET_VARTAG_EXTERNAL(header->eoh_rw_ptr, VARTAG_EXPANDED_RW);
	memcpy(VARDATA_EXTERNAL(header->eoh_rw_ptr), &header, sizeof(header));
}

ExpandedObjectHeader *
DatumGetEOHP(Datum datum)
{
	ExpandedObjectHeader *header;

	return memcpy(&header, VARDATA_EXTERNAL(DatumGetPointer(datum)), sizeof(header)), header;
}

VALUE(struct varlena *, pg_detoast_datum, (struct varlena *datum), datum)
VALUE(struct varlena *, pg_detoast_datum_packed, (struct varlena *datum), datum)
VALUE(char *, text_to_cstring, (const text *t), pnstrdup(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)))
VALUE(int, AggCheckCallContext, (FunctionCallInfo fcinfo, MemoryContext *context), 0)
VALUE(Size, grovepg_max_memory, (void), 64 * 1024 * 1024)
int			get_call_result_type(void);
VALUE(int, get_call_result_type, (void), 0) /* no row: an error after all that comes before */

/* Linked, but of functions that no target calls. */
#define NOT_CALLED(name)	void name(void); void name(void) { abort(); }

NOT_CALLED(BlessTupleDesc)
NOT_CALLED(heap_form_tuple)
NOT_CALLED(HeapTupleHeaderGetDatum)
NOT_CALLED(deconstruct_array)
NOT_CALLED(array_contains_nulls)
NOT_CALLED(grovepg_portable_in)
NOT_CALLED(grovepg_portable_out)
NOT_CALLED(grovepg_portable_recv)
NOT_CALLED(grovepg_portable_send)
