/*
 * smallest.c: selection by radix: eight passes count digits and narrow the
 * word that is looked for, from the leading digit on.  Nothing moves, so that
 * the order stays, no second array is needed, and no order of words is worse
 * than another.
 */
#include "smallest.h"

#define DIGIT_BITS	8
#define DIGITS		(1 << DIGIT_BITS)

/* The k-th smallest of n words, k from 0 to n - 1. */
static uint64_t
select_word(const uint64_t *words, size_t n, size_t k)
{
	uint64_t	prefix = 0;		/* leading digits of the word, the others 0 */
	uint64_t	mask = 0;		/* of these digits */

	for (int shift = 64 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS)
	{
		size_t		counts[DIGITS] = {0};
		uint64_t	digit = 0;

		for (size_t i = 0; i < n; i++)
		{
			if ((words[i] & mask) == prefix)
				counts[(words[i] >> shift) & (DIGITS - 1)]++;
		}
		while (k >= counts[digit])
			k -= counts[digit++];
		prefix |= digit << shift;
		mask |= (uint64_t) (DIGITS - 1) << shift;
	}
	return prefix;
}

void
grove_smallest_cut(GroveSmallest *smallest)
{
	size_t		kept = 0;

	if (smallest->n < smallest->k)
		return;
	smallest->last = select_word(smallest->words, smallest->n, smallest->k - 1);
	for (size_t i = 0; i < smallest->n; i++)
	{
		if (smallest->words[i] <= smallest->last)
			smallest->words[kept++] = smallest->words[i];
	}
	smallest->n = kept;
}
