/*
 * partition.c: a branch-free two-ended write; every element is stored at both
 * ends and only one of the cursors moves.
 */
#include "partition.h"

#define PARTITION(name, code_type, element_type, row_of) \
uint32_t \
name(const code_type *codes, const uint8_t *by_code, const element_type *in, element_type *out, uint32_t n) \
{ \
	uint32_t	left = 0; \
	uint32_t	right = n; \
	uint32_t	i; \
\
	/* the two cursors meet at the last element, which lands in the one free place */ \
	for (i = 0; i < n; i++) \
	{ \
		uint32_t	goes_left = by_code[codes[row_of(in[i])]]; \
\
		out[left] = in[i]; \
		out[right - 1] = in[i]; \
		left += goes_left; \
		right -= 1 - goes_left; \
	} \
	return left; \
}

#define OF_ENTRY(entry)	((entry).row)
#define ITSELF(row)		(row)

PARTITION(grove_partition_entries, uint8_t, GroveEntry, OF_ENTRY)
PARTITION(grove_partition_entries_wide, uint16_t, GroveEntry, OF_ENTRY)
PARTITION(grove_partition_rows, uint8_t, uint32_t, ITSELF)
PARTITION(grove_partition_rows_wide, uint16_t, uint32_t, ITSELF)
