/*
 * partition.c: a branch-free two-ended write; every entry is stored at both
 * ends and only one of the cursors moves.
 */
#include "partition.h"

#define PARTITION(name, code_type) \
uint32_t \
name(const code_type *codes, const uint8_t *by_code, const GroveEntry *in, GroveEntry *out, uint32_t n) \
{ \
	uint32_t	left = 0; \
	uint32_t	right = n; \
	uint32_t	i; \
\
	/* the two cursors meet at the last entry, which lands in the one free place */ \
	for (i = 0; i < n; i++) \
	{ \
		uint32_t	goes_left = by_code[codes[in[i].row]]; \
\
		out[left] = in[i]; \
		out[right - 1] = in[i]; \
		left += goes_left; \
		right -= 1 - goes_left; \
	} \
	return left; \
}

PARTITION(grove_partition_rows, uint8_t)
PARTITION(grove_partition_wide, uint16_t)
