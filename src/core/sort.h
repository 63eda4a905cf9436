/*
 * sort.h: words that order like doubles, for radix sorts, and a heap sort in
 * place: no memory, no recursion, n log n in the worst case.  It is inlined
 * with its comparison, so that a constant width and a static comparison cost no
 * calls.
 */
#ifndef GROVE_SORT_H
#define GROVE_SORT_H

#include <string.h>

#include "grove_core.h"

#define GROVE_SORT_WIDTH	64		/* bytes of an element at most */

/* A word whose unsigned order is that of the numbers, which are not NaN; -0 is before 0. */
static inline uint64_t
grove_sort_key(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return (bits >> 63) ? ~bits : bits | UINT64_C(0x8000000000000000);
}

/* Moves the element at place down the heap of n elements until no child belongs behind it. */
static inline void
grove_sort_sift(uint8_t *base, size_t place, size_t n, size_t width, bool (*before) (const void *, const void *))
{
	uint8_t		moving[GROVE_SORT_WIDTH];
	size_t		child;

	memcpy(moving, base + place * width, width);
	while ((child = 2 * place + 1) < n)
	{
		if (child + 1 < n && before(base + child * width, base + (child + 1) * width))
			child++;
		if (!before(moving, base + child * width))
			break;
		memcpy(base + place * width, base + child * width, width);
		place = child;
	}
	memcpy(base + place * width, moving, width);
}

/* Sorts n elements so that none stands before one that is before() it; not stable. */
static inline void
grove_sort(void *elements, size_t n, size_t width, bool (*before) (const void *, const void *))
{
	uint8_t    *base = elements;
	uint8_t		last[GROVE_SORT_WIDTH];

	for (size_t i = n / 2; i > 0; i--)
		grove_sort_sift(base, i - 1, n, width, before);
	while (n > 1)
	{
		n--;
		memcpy(last, base + n * width, width);
		memcpy(base + n * width, base, width);
		memcpy(base, last, width);
		grove_sort_sift(base, 0, n, width, before);
	}
}

#endif							/* GROVE_SORT_H */
