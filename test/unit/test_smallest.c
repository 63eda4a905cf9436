/*
 * test_smallest.c: the k smallest of a stream against sorting all of it, in
 * the order in which they came, whatever the room and the order of the words.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/core/rng.h"
#include "../../src/core/smallest.h"
#include "unit.h"

enum
{
	WORDS = 3000
};

static int
compare(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

/* Offers all words through a list with this much room; cuts whenever it is full, and at the end. */
static size_t
collect(GroveSmallest *smallest, const uint64_t *words, size_t n, size_t k, size_t room)
{
	size_t		stored = 0;

	grove_smallest_init(smallest, k);
	smallest->words = malloc(room * sizeof(uint64_t));
	for (size_t i = 0; i < n; i++)
	{
		if (words[i] > smallest->last)
			continue;
		if (smallest->n == room)
			grove_smallest_cut(smallest);
		CHECK(smallest->n < room);
		smallest->words[smallest->n++] = words[i];
		stored++;
	}
	grove_smallest_cut(smallest);
	return stored;
}

/* n distinct words: what is left are those up to the k-th of the sorted ones, in the order of words. */
static void
against_sorting(const uint64_t *words, size_t n, size_t k, size_t room)
{
	GroveSmallest smallest;
	uint64_t	sorted[WORDS];
	size_t		place = 0;

	memcpy(sorted, words, n * sizeof(*words));
	qsort(sorted, n, sizeof(*sorted), compare);
	(void) collect(&smallest, words, n, k, room);
	CHECK(smallest.n == (k < n ? k : n));
	for (size_t i = 0; i < n; i++)
	{
		if (k >= n || words[i] <= sorted[k - 1])
			CHECK(place < smallest.n && smallest.words[place++] == words[i]);
	}
	CHECK(place == smallest.n);
	CHECK(k > n || smallest.last == sorted[k - 1]);
	free(smallest.words);
}

static void
all_orders(uint64_t *words, size_t n)
{
	static const size_t sizes[] = {1, 2, 7, 100, 1499, 2998, 2999, 3000, 3001, 6000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		size_t		k = sizes[i];

		against_sorting(words, n, k, k + 1);
		against_sorting(words, n, k, k + k / 2 + 1);
		against_sorting(words, n, k, 2 * k + 50);
	}
}

static void
kinds_of_words(void)
{
	uint64_t	words[WORDS];
	uint64_t	key = grove_rng_key(1, GROVE_PURPOSE_ROWS);

	for (size_t i = 0; i < WORDS; i++)
		words[i] = grove_rng_hash(key, i);
	all_orders(words, WORDS);
	qsort(words, WORDS, sizeof(*words), compare);
	all_orders(words, WORDS);
	for (size_t i = 0; i < WORDS / 2; i++)
	{
		uint64_t	word = words[i];

		words[i] = words[WORDS - 1 - i];
		words[WORDS - 1 - i] = word;
	}
	all_orders(words, WORDS);
	/* that differ in the last digits only, and both ends of the range */
	for (size_t i = 0; i < WORDS; i++)
		words[i] = UINT64_MAX - (i * 1009) % WORDS;
	all_orders(words, WORDS);
	for (size_t i = 0; i < WORDS; i++)
		words[i] = (i * 1009) % WORDS;
	all_orders(words, WORDS);
}

/* The threshold falls as it must: with room for 2k, no more than a few k are ever stored. */
static void
few_are_stored(void)
{
	enum
	{
		N = 1000000, K = 1000
	};
	uint64_t	key = grove_rng_key(2, GROVE_PURPOSE_ROWS);
	uint64_t   *words = malloc(N * sizeof(*words));
	GroveSmallest smallest;

	for (size_t i = 0; i < N; i++)
		words[i] = grove_rng_hash(key, i);
	/* 2k, then k whenever the words seen have doubled, 8.97 times */
	CHECK(collect(&smallest, words, N, K, 2 * K) < 12 * K);
	free(smallest.words);
	free(words);
}

int
main(void)
{
	kinds_of_words();
	few_are_stored();
	return unit_done();
}
