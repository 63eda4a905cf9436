/*
 * grove_core.h: what every core file shares: status codes, limits, checked sizes.
 *
 * The core is C11 without server headers, without I/O, without globals and
 * without an allocator.  The caller supplies memory (x_size(), then
 * x_init(buffer)), every function that can fail returns a GroveStatus, and
 * long work is cut into steps between which the caller can look for
 * interrupts.  So the same code runs in private memory, in shared memory, in
 * a unit test under a sanitizer and in a fuzzer.
 */
#ifndef GROVE_CORE_H
#define GROVE_CORE_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Models have the same bytes everywhere only where a float is computed as a float and a double as a double. */
#if FLT_EVAL_METHOD != 0
#error "compile with -msse2 -mfpmath=sse (32-bit x86) or -fexcess-precision=fast (s390x)"
#endif

/* What went wrong; src/pg/errors.c maps each to an SQLSTATE and a message. */
typedef enum GroveStatus
{
	GROVE_OK = 0,
	GROVE_ERR_RANGE,			/* an argument is outside its documented range */
	GROVE_ERR_DATA,				/* the data cannot be used: NaN label, negative weight */
	GROVE_ERR_SIZE,				/* a size overflows or exceeds a limit */
	GROVE_ERR_BUFFER,			/* the caller's buffer is too small */
	GROVE_ERR_MAGIC,			/* bytes that are not a model */
	GROVE_ERR_VERSION,			/* a model of a newer format version */
	GROVE_ERR_CHECKSUM,			/* a model whose checksum does not match */
	GROVE_ERR_STRUCTURE			/* a model that breaks a rule of the format */
} GroveStatus;

#define GROVE_MAX_FEATURES	4096	/* columns that one model can use; a table holds 1,600 */
#define GROVE_MAX_CLASSES	1024	/* labels of a multiclass target */
#define GROVE_MAX_LEAVES	32768	/* leaves of one tree */
#define GROVE_MAX_TREES		1000000 /* trees of one model */
#define GROVE_MAX_ROWS		UINT64_C(2000000000)	/* rows of one training set; row numbers are uint32 */
#define GROVE_BINS			256		/* bins of one feature: bin 0 is missing, 1 to 255 hold values */
#define GROVE_MISSING_BIN	0

/* *result += count * width; false when the sum does not fit, *result is then undefined. */
static inline bool
grove_size_add(size_t *result, size_t count, size_t width)
{
	size_t		bytes;

	if (width != 0 && count > SIZE_MAX / width)
		return false;
	bytes = count * width;
	if (bytes > SIZE_MAX - 7 || *result > SIZE_MAX - (bytes + 7))
		return false;
	*result += (bytes + 7) & ~(size_t) 7;	/* every part starts at a multiple of 8 */
	return true;
}

/* Asks for a line of the cache before it is needed; any address is allowed. */
#define grove_prefetch(p)	__builtin_prefetch(p)

#endif							/* GROVE_CORE_H */
