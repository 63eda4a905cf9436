/*
 * category_order.c: radix sort of words that hold a ratio and, in their lowest
 * byte, its bin.  Four passes over the upper half nearly do it, without a
 * branch that depends on the ratios; insertion does the rest.  Comparing all
 * with all needs no branch either, but is as fast with AVX-512 only.
 */
#include "category_order.h"

#include "sort.h"

#define DIGITS		4			/* of a byte each: sign, exponent and 20 bits behind the point */
#define FIRST_SHIFT	32
#define FEW			24			/* words that are sorted by insertion alone */

/* Sorts by one digit, of which counts tells how many words have each value; returns where the words are now. */
static uint64_t *
sort_digit(uint64_t *words, uint64_t *spare, uint32_t n, int shift, uint16_t counts[256])
{
	uint32_t	sum = 0;
	uint32_t	i;

	if (counts[(words[0] >> shift) & 255] == n)
		return words;
	for (i = 0; i < 256; i++)
	{
		uint16_t	count = counts[i];

		counts[i] = (uint16_t) sum;
		sum += count;
	}
	for (i = 0; i < n; i++)
		spare[counts[(words[i] >> shift) & 255]++] = words[i];
	return spare;
}

/* Sorts by the upper half of the words; returns where they are. */
static uint64_t *
sort_upper_half(uint64_t *words, uint64_t *spare, uint32_t n)
{
	uint16_t	counts[DIGITS][256] = {{0}};
	uint32_t	i;
	int			digit;

	for (i = 0; i < n; i++)
	{
		for (digit = 0; digit < DIGITS; digit++)
			counts[digit][(words[i] >> (FIRST_SHIFT + 8 * digit)) & 255]++;
	}
	for (digit = 0; digit < DIGITS; digit++)
	{
		uint64_t   *sorted = sort_digit(words, spare, n, FIRST_SHIFT + 8 * digit, counts[digit]);

		spare = sorted == words ? spare : words;
		words = sorted;
	}
	return words;
}

/* Ratios that agree in the bits that a word has are compared themselves. */
static inline bool
is_after(uint64_t a, uint64_t b, const double *of_bin)
{
	double		of_a = of_bin[a & 255];
	double		of_b = of_bin[b & 255];

	if ((a ^ b) >> 8 == 0 && of_a != of_b)
		return of_a > of_b;
	return a > b;
}

static void
sort_by_insertion(uint64_t *words, uint32_t n, const double *of_bin)
{
	uint32_t	i,
				j;

	for (i = 1; i < n; i++)
	{
		uint64_t	word = words[i];

		for (j = i; j > 0 && is_after(words[j - 1], word, of_bin); j--)
			words[j] = words[j - 1];
		words[j] = word;
	}
}

void
grove_category_order(const uint8_t *bins, const double *ratio, uint32_t n, uint8_t *order)
{
	double		of_bin[GROVE_BINS];
	uint64_t	first[GROVE_BINS] = {0};
	uint64_t	second[GROVE_BINS];
	uint64_t   *words = first;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		of_bin[bins[i]] = ratio[i];
		first[i] = (grove_sort_key(ratio[i] + 0.0) & ~UINT64_C(255)) | bins[i]; /* -0 is 0 */
	}
	if (n > FEW)
		words = sort_upper_half(first, second, n);
	sort_by_insertion(words, n, of_bin);
	for (i = 0; i < n; i++)
		order[i] = (uint8_t) words[i];
}
