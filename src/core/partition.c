/*
 * partition.c: a branch-free two-ended write; every entry is stored at both
 * ends and only one of the cursors moves.
 */
#include "partition.h"

uint32_t
grove_partition_rows(const uint8_t *column, const uint8_t *table,
					 const GroveEntry *in, GroveEntry *out, uint32_t n)
{
	uint32_t	left = 0;
	uint32_t	right = n;
	uint32_t	i;

	/* the two cursors meet at the last entry, which lands in the one free place */
	for (i = 0; i < n; i++)
	{
		uint32_t	goes_left = table[column[in[i].row]];

		out[left] = in[i];
		out[right - 1] = in[i];
		left += goes_left;
		right -= 1 - goes_left;
	}
	return left;
}
