/*
 * partition.c: a branch-free two-ended write; every element is stored at both
 * ends, and only one of them moves.  It is copied as one word, as compilers
 * would copy its members one by one.
 */
#include "partition.h"

#include <string.h>

#define PARTITION(name, code_type, element_type, word_type, row_of) \
uint32_t \
name(const code_type *codes, const uint8_t *by_code, const element_type *in, element_type *out, uint32_t n) \
{ \
	size_t		left = 0; \
	size_t		i; \
\
	/* left of i went left, the others right; the two ends meet at the last element, which lands in the one free place */ \
	for (i = 0; i < n; i++) \
	{ \
		size_t		goes_left = by_code[codes[row_of(in[i])]]; \
		word_type	element; \
\
		memcpy(&element, &in[i], sizeof(element)); \
		memcpy(&out[left], &element, sizeof(element)); \
		memcpy(&out[n - 1 - i + left], &element, sizeof(element)); \
		left += goes_left; \
	} \
	return (uint32_t) left; \
}

#define OF_ENTRY(entry)	((entry).row)
#define ITSELF(row)		(row)

PARTITION(grove_partition_entries, uint8_t, GroveEntry, uint64_t, OF_ENTRY)
PARTITION(grove_partition_entries_wide, uint16_t, GroveEntry, uint64_t, OF_ENTRY)
PARTITION(grove_partition_rows, uint8_t, uint32_t, uint32_t, ITSELF)
PARTITION(grove_partition_rows_wide, uint16_t, uint32_t, uint32_t, ITSELF)
