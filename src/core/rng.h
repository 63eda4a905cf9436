/*
 * rng.h: the one source of randomness: a keyed hash, never a generator state.
 *
 * Every random decision is hash(key, seed, purpose).  The same key, seed and
 * purpose give the same decision whatever the plan, the number of workers,
 * the physical order of rows, the server version or the byte order of the
 * machine.  Each purpose mixes its own tag, so that one seed never correlates
 * two decisions.  The mixer is frozen: golden vectors stand in the regression
 * test, a change of any output breaks every stored sample.
 */
#ifndef GROVE_RNG_H
#define GROVE_RNG_H

#include "grove_core.h"

/* Tags are part of the frozen contract; new ones are appended. */
typedef enum GrovePurpose
{
	GROVE_PURPOSE_HASH = 0,		/* hash64, u01: the plain hash of the user */
	GROVE_PURPOSE_KEEP = 1,		/* keep: Poisson sampling */
	GROVE_PURPOSE_SPLIT = 2,
	GROVE_PURPOSE_FOLD = 3,
	GROVE_PURPOSE_SHUFFLE = 4,
	GROVE_PURPOSE_SAMPLE = 5,	/* sampling aggregates */
	GROVE_PURPOSE_PERMUTE = 6,
	GROVE_PURPOSE_PRUNE = 7,	/* prune: the decision to keep */
	GROVE_PURPOSE_READMIT = 8,	/* prune: drawing back removed rows */
	GROVE_PURPOSE_BLOCK = 9,	/* block_shuffle */
	GROVE_PURPOSE_BAGGING = 10, /* rows of a tree, bootstrap of a forest */
	GROVE_PURPOSE_ROUNDING = 11,	/* stochastic rounding of gradients */
	GROVE_PURPOSE_FEATURE = 12, /* feature_fraction */
	GROVE_PURPOSE_SKETCH = 13,	/* the sample for bin edges */
	GROVE_PURPOSE_PILOT = 14,	/* cross-fitting of pilots */
	GROVE_PURPOSE_BOOTSTRAP = 15,	/* how often a cluster counts in a replicate */
	GROVE_PURPOSE_STREAM = 16,	/* shuffle_stream */
	GROVE_PURPOSE_ROWS = 17,	/* sample_rows */
	GROVE_PURPOSES				/* how many there are */
} GrovePurpose;

/* A bijection of 64-bit words with full avalanche. */
static inline uint64_t
grove_rng_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	x ^= x >> 31;
	return x;
}

/* The x of which grove_rng_mix() made this. */
static inline uint64_t
grove_rng_unmix(uint64_t x)
{
	x ^= x >> 31 ^ x >> 62;
	x *= UINT64_C(0x319642b2d24d8ec3);
	x ^= x >> 27 ^ x >> 54;
	x *= UINT64_C(0x96de1b173f119089);
	x ^= x >> 30 ^ x >> 60;
	return x;
}

/* The 64-bit key of one (seed, purpose): compute once, use for every row. */
static inline uint64_t
grove_rng_key(uint64_t seed, GrovePurpose purpose)
{
	return grove_rng_mix(grove_rng_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) +
						 ((uint64_t) purpose + 1) * UINT64_C(0xd1342543de82ef95));
}

/* Hash of one 64-bit word under a key of grove_rng_key: for a fixed key a bijection of x. */
static inline uint64_t
grove_rng_hash(uint64_t key, uint64_t x)
{
	return grove_rng_mix(grove_rng_mix(x ^ key) + (key | 1));
}

/* The word that has this hash under key: who keeps hashes need not keep what was hashed. */
static inline uint64_t
grove_rng_unhash(uint64_t key, uint64_t hash)
{
	return grove_rng_unmix(grove_rng_unmix(hash) - (key | 1)) ^ key;
}

/*
 * Uniform strictly inside (0,1): the middle of one of 2^52 equal cells, taken
 * by the upper bits of a hash.  With one bit more the last middle would round
 * to 1.
 */
static inline double
grove_rng_u01(uint64_t hash)
{
	return ((double) (hash >> 12) + 0.5) * (1.0 / 4503599627370496.0);
}

/*
 * Poisson decision: true with probability fraction, cut down to a multiple of
 * 2^-64; a fraction of 1 or more is always true, 0, less and NaN never.
 */
static inline bool
grove_rng_below(uint64_t hash, double fraction)
{
	if (fraction >= 1)
		return true;
	return fraction > 0 && hash < (uint64_t) (fraction * 18446744073709551616.0);
}

/* Uniform in 0 to n - 1: floor(hash * n / 2^64), exact; n > 0. */
static inline uint64_t
grove_rng_range(uint64_t hash, uint64_t n)
{
	uint64_t	low = (hash & UINT32_MAX) * (n & UINT32_MAX);
	uint64_t	cross = (hash >> 32) * (n & UINT32_MAX) + (low >> 32);
	uint64_t	middle = (hash & UINT32_MAX) * (n >> 32) + (cross & UINT32_MAX);

	return (hash >> 32) * (n >> 32) + (cross >> 32) + (middle >> 32);
}

/* 64-bit hash of a byte string under a key of grove_rng_key; independent of byte order and alignment. */
extern uint64_t grove_rng_bytes(uint64_t key, const uint8_t *bytes, size_t length);

#endif							/* GROVE_RNG_H */
