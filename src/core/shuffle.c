/*
 * shuffle.c: a keyed bijection of 0 to n - 1.
 *
 * Up to GROVE_SHUFFLE_TABLE elements it is a table, filled by Fisher and
 * Yates' exchanges with numbers from the keyed hash: every order is equally
 * likely but for the 2^-52 that 64-bit numbers lack in evenness.  A short
 * cipher on so small a range would be visibly uneven.
 *
 * Above it is a Feistel network on pairs (left, right) that count to w0 and
 * w1 with w0 * w1 just above n (Black and Rogaway, "Ciphers with Arbitrary
 * Finite Domains", 2002): left moves by a hash of right, then right by a hash
 * of left, in turn.  A result beyond n - 1 goes through the network again
 * until one falls below; since w0 * w1 < n + w0 this is rare.  No memory, any
 * element on its own, and exact inverse; the orders are pseudo-random, a
 * vanishing share of all n!.  16 rounds everywhere: the ranges next to the
 * table's are still small, where few rounds show.
 */
#include "shuffle.h"

#define FEISTEL_ROUNDS	16

static void
fill_table(GroveShuffle *shuffle)
{
	uint64_t	n = shuffle->n;

	for (uint64_t i = 0; i < n; i++)
		shuffle->backward[i] = (uint16_t) i;
	for (uint64_t i = n - 1; i > 0; i--)
	{
		uint64_t	j = grove_rng_range(grove_rng_hash(shuffle->key, i), i + 1);
		uint16_t	swap = shuffle->backward[i];

		shuffle->backward[i] = shuffle->backward[j];
		shuffle->backward[j] = swap;
	}
	for (uint64_t i = 0; i < n; i++)
		shuffle->forward[shuffle->backward[i]] = (uint16_t) i;
}

/* Smallest w with w * w >= n, for n up to GROVE_SHUFFLE_MAX. */
static uint64_t
square_root_up(uint64_t n)
{
	uint64_t	low = 1;
	uint64_t	high = UINT64_C(1) << 31;

	while (low < high)
	{
		uint64_t	middle = low + (high - low) / 2;

		if (middle * middle >= n)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

GroveStatus
grove_shuffle_init(GroveShuffle *shuffle, uint64_t n, uint64_t key)
{
	if (n < 1 || n > GROVE_SHUFFLE_MAX)
		return GROVE_ERR_RANGE;
	shuffle->key = key;
	shuffle->n = n;
	shuffle->width[0] = square_root_up(n);
	shuffle->width[1] = (n + shuffle->width[0] - 1) / shuffle->width[0];
	if (n <= GROVE_SHUFFLE_TABLE)
		fill_table(shuffle);
	return GROVE_OK;
}

/* By how much a round moves its half, given the other half. */
static inline uint64_t
round_step(const GroveShuffle *shuffle, int round, uint64_t other)
{
	return grove_rng_range(grove_rng_hash(shuffle->key + (uint64_t) round * UINT64_C(0x9e3779b97f4a7c15), other),
						   shuffle->width[round & 1]);
}

static uint64_t
encipher(const GroveShuffle *shuffle, uint64_t x)
{
	uint64_t	half[2];

	half[0] = x % shuffle->width[0];
	half[1] = x / shuffle->width[0];
	for (int round = 0; round < FEISTEL_ROUNDS; round++)
	{
		int			side = round & 1;

		half[side] += round_step(shuffle, round, half[1 - side]);
		if (half[side] >= shuffle->width[side])
			half[side] -= shuffle->width[side];
	}
	return half[1] * shuffle->width[0] + half[0];
}

static uint64_t
decipher(const GroveShuffle *shuffle, uint64_t x)
{
	uint64_t	half[2];

	half[0] = x % shuffle->width[0];
	half[1] = x / shuffle->width[0];
	for (int round = FEISTEL_ROUNDS - 1; round >= 0; round--)
	{
		int			side = round & 1;
		uint64_t	step = round_step(shuffle, round, half[1 - side]);

		half[side] += half[side] >= step ? 0 : shuffle->width[side];
		half[side] -= step;
	}
	return half[1] * shuffle->width[0] + half[0];
}

uint64_t
grove_shuffle_forward(const GroveShuffle *shuffle, uint64_t i)
{
	if (shuffle->n <= GROVE_SHUFFLE_TABLE)
		return shuffle->forward[i];
	do
		i = encipher(shuffle, i);
	while (i >= shuffle->n);
	return i;
}

uint64_t
grove_shuffle_backward(const GroveShuffle *shuffle, uint64_t place)
{
	if (shuffle->n <= GROVE_SHUFFLE_TABLE)
		return shuffle->backward[place];
	do
		place = decipher(shuffle, place);
	while (place >= shuffle->n);
	return place;
}
