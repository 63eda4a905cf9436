/*
 * test_rng.c: the keyed hash: frozen values, avalanche, evenness for the keys
 * that break weak hashes, independence of purposes.  Seeds are fixed; the
 * limits of the statistics are passed by chance once in ten million runs.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/rng.h"
#include "unit.h"

#define Z_LIMIT	5.2				/* standard deviations that a normal exceeds with probability 1e-7 */

/* Upper 1e-7 point of the chi-square distribution (Wilson and Hilferty). */
static double
chi_square_limit(int df)
{
	double		s = 2.0 / (9.0 * df);

	return df * pow(1 - s + Z_LIMIT * sqrt(s), 3);
}

static double
chi_square(const long *counts, int n, double total)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += (counts[i] - total / n) * (counts[i] - total / n) * n / total;
	return sum;
}

/* Any change of these values breaks samples that users have stored. */
static void
golden_values(void)
{
	static const uint64_t bytes_golden[] = {
		UINT64_C(0xbaa325b41ec5e1d1), UINT64_C(0x68c0c68fcc5931a3), UINT64_C(0xb99edd98ab51926f),
		UINT64_C(0x562fa96a42092d88), UINT64_C(0x87d3b95cce43fe0d), UINT64_C(0x18eb2661f4aa36c5),
		UINT64_C(0xcc01f4f25207994b), UINT64_C(0x4bda5e258f1767d9), UINT64_C(0x386dc0c6870c9808),
		UINT64_C(0xded0572a09671eb3), UINT64_C(0xa0cf0fd3b1c417fb), UINT64_C(0x6ab893e02af94c41),
		UINT64_C(0x6164ff30d39e927e), UINT64_C(0x33ea0408664b2fe6), UINT64_C(0xfc7188e19a888a57),
		UINT64_C(0x283663b143c024ce), UINT64_C(0x4861fa2912484cfd), UINT64_C(0xdd090402b3147ece),
		UINT64_C(0x73891cfb573c8107), UINT64_C(0xf469081e992637ee), UINT64_C(0xd3cbd25689ad9c84)
	};
	uint8_t		bytes[20];
	uint64_t	key = grove_rng_key(42, GROVE_PURPOSE_HASH);

	for (int i = 0; i < 20; i++)
		bytes[i] = (uint8_t) (i * 37 + 1);
	for (size_t length = 0; length < sizeof(bytes_golden) / sizeof(bytes_golden[0]); length++)
		CHECK(grove_rng_bytes(key, bytes, length) == bytes_golden[length]);
}

/* The result must not depend on where the bytes stand. */
static void
alignment(void)
{
	uint8_t		buffer[64];
	uint64_t	key = grove_rng_key(7, GROVE_PURPOSE_KEEP);

	for (int offset = 0; offset < 8; offset++)
	{
		for (int i = 0; i < 23; i++)
			buffer[offset + i] = (uint8_t) (i * 11);
		CHECK(grove_rng_bytes(key, buffer + offset, 23) == UINT64_C(0xe4d8626bfa1cda93));
	}
}

/* Zeros at the end count: 0x00 and 0x0000 are different strings. */
static void
length_counts(void)
{
	static const uint8_t zeros[32];
	uint64_t	seen[32];
	uint64_t	key = grove_rng_key(1, GROVE_PURPOSE_HASH);

	for (int i = 0; i < 32; i++)
	{
		seen[i] = grove_rng_bytes(key, zeros, (size_t) i);
		for (int j = 0; j < i; j++)
			CHECK(seen[i] != seen[j]);
	}
}

/* Flipping one input bit flips each output bit in half of the cases. */
static void
avalanche(int length)
{
	enum
	{
		TRIALS = 4000
	};
	static long flips[64];
	uint8_t		bytes[32];
	double		worst = 0;

	for (int bit = 0; bit < (length == 0 ? 64 : length * 8); bit++)
	{
		memset(flips, 0, sizeof(flips));
		for (int trial = 0; trial < TRIALS; trial++)
		{
			uint64_t	key = grove_rng_key((uint64_t) trial, GROVE_PURPOSE_HASH);
			uint64_t	change;

			if (length == 0)
				change = grove_rng_hash(key, (uint64_t) trial) ^ grove_rng_hash(key, (uint64_t) trial ^ UINT64_C(1) << bit);
			else
			{
				for (int i = 0; i < length; i++)
					bytes[i] = (uint8_t) (trial >> (i & 1) * 8);
				change = grove_rng_bytes(key, bytes, (size_t) length);
				bytes[bit / 8] ^= (uint8_t) (1 << bit % 8);
				change ^= grove_rng_bytes(key, bytes, (size_t) length);
			}
			for (int i = 0; i < 64; i++)
				flips[i] += change >> i & 1;
		}
		for (int i = 0; i < 64; i++)
		{
			double		z = fabs(flips[i] - TRIALS / 2.0) / sqrt(TRIALS / 4.0);

			worst = z > worst ? z : worst;
		}
	}
	CHECK(worst < 6.5);			/* the largest of up to 16,384 normals: beyond with probability 1e-6 */
}

/* Keys that weak hashes stumble over; each number a family. */
static uint64_t
awkward_key(int family, uint64_t i)
{
	switch (family)
	{
		case 0:
			return i;
		case 1:
			return i << 20;
		case 2:
			return i << 44;
		case 3:
			return (i << 32) + (i & 0xffff) * 7;
		case 4:
			return UINT64_MAX - i;
		case 5:
			return i << 22 | UINT64_C(0x2a) << 12;	/* one machine's snowflake ids */
		default:
			return i * i;
	}
}

static void
evenness(void)
{
	enum
	{
		KEYS = 100000, CELLS = 1000
	};
	static long high[CELLS];
	static long low[CELLS];
	char		text[32];

	for (int family = 0; family < 8; family++)
	{
		for (uint64_t seed = 0; seed < 3; seed++)
		{
			uint64_t	key = grove_rng_key(seed, GROVE_PURPOSE_SHUFFLE);

			memset(high, 0, sizeof(high));
			memset(low, 0, sizeof(low));
			for (int i = 0; i < KEYS; i++)
			{
				uint64_t	hash;

				if (family < 7)
					hash = grove_rng_hash(key, awkward_key(family, (uint64_t) i));
				else
				{
					int			length = snprintf(text, sizeof(text), "customer-%07d", i);

					hash = grove_rng_bytes(key, (const uint8_t *) text, (size_t) length);
				}
				high[grove_rng_range(hash, CELLS)]++;
				low[hash % CELLS]++;
			}
			CHECK(chi_square(high, CELLS, KEYS) < chi_square_limit(CELLS - 1));
			CHECK(chi_square(low, CELLS, KEYS) < chi_square_limit(CELLS - 1));
		}
	}
}

/* One seed and one key, two purposes; and one purpose, two seeds: nothing in common. */
static void
independence(void)
{
	enum
	{
		KEYS = 100000, SIDE = 20
	};
	static long cells[SIDE * SIDE];

	for (int a = 0; a < GROVE_PURPOSES; a++)
	{
		for (int b = 0; b < GROVE_PURPOSES; b++)
		{
			uint64_t	key_a = grove_rng_key(42, (GrovePurpose) a);
			uint64_t	key_b = grove_rng_key(a == b ? 43 : 42, (GrovePurpose) b);

			memset(cells, 0, sizeof(cells));
			for (uint64_t i = 0; i < KEYS; i++)
				cells[grove_rng_range(grove_rng_hash(key_a, i), SIDE) * SIDE +
					  grove_rng_range(grove_rng_hash(key_b, i), SIDE)]++;
			CHECK(chi_square(cells, SIDE * SIDE, KEYS) < chi_square_limit(SIDE * SIDE - 1));
		}
	}
}

static void
decisions(void)
{
	CHECK(!grove_rng_below(0, 0));
	CHECK(!grove_rng_below(0, -1));
	CHECK(!grove_rng_below(0, (double) NAN));
	CHECK(grove_rng_below(UINT64_MAX, 1));
	CHECK(grove_rng_below(UINT64_MAX, (double) INFINITY));
	CHECK(grove_rng_below((UINT64_C(1) << 63) - 1, 0.5));
	CHECK(!grove_rng_below(UINT64_C(1) << 63, 0.5));
	CHECK(!grove_rng_below(0, 1e-20));
	CHECK(grove_rng_below(0, ldexp(1, -64)));
	CHECK(!grove_rng_below(1, ldexp(1, -64)));
	CHECK(grove_rng_below(UINT64_MAX - 2048, nextafter(1, 0)));
	CHECK(!grove_rng_below(UINT64_MAX - 2047, nextafter(1, 0)));
	CHECK(grove_rng_u01(0) > 0);
	CHECK(grove_rng_u01(UINT64_MAX) < 1);
}

/* The product by 32-bit halves against a schoolbook one by 16-bit digits. */
static uint64_t
slow_range(uint64_t hash, uint64_t n)
{
	uint64_t	digits[9] = {0};
	uint64_t	result = 0;

	for (int i = 0; i < 4; i++)
	{
		for (int j = 0; j < 4; j++)
		{
			uint64_t	carry = (hash >> 16 * i & 0xffff) * (n >> 16 * j & 0xffff);

			for (int k = i + j; carry != 0; k++)
			{
				carry += digits[k];
				digits[k] = carry & 0xffff;
				carry >>= 16;
			}
		}
	}
	for (int i = 7; i >= 4; i--)
		result = result << 16 | digits[i];
	return result;
}

static void
ranges(void)
{
	static const uint64_t edges[] = {0, 1, 2, UINT32_MAX, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1,
		UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};

	for (int i = 0; i < 9; i++)
		for (int j = 1; j < 9; j++)
			CHECK(grove_rng_range(edges[i], edges[j]) == slow_range(edges[i], edges[j]));
	for (uint64_t i = 0; i < 10000; i++)
	{
		uint64_t	hash = grove_rng_hash(1, i);
		uint64_t	n = grove_rng_hash(2, i) >> (i & 63);

		if (n > 0)
		{
			CHECK(grove_rng_range(hash, n) == slow_range(hash, n));
			CHECK(grove_rng_range(hash, n) < n);
		}
	}
}

/* What was hashed comes out of the hash again. */
static void
inverse(void)
{
	static const uint64_t edges[] = {0, 1, UINT32_MAX, UINT64_C(1) << 63, UINT64_MAX};

	for (int i = 0; i < 5; i++)
	{
		CHECK(grove_rng_unmix(grove_rng_mix(edges[i])) == edges[i]);
		for (int j = 0; j < 5; j++)
			CHECK(grove_rng_unhash(edges[i], grove_rng_hash(edges[i], edges[j])) == edges[j]);
	}
	for (uint64_t i = 0; i < 10000; i++)
	{
		uint64_t	key = grove_rng_key(i, GROVE_PURPOSE_ROWS);
		uint64_t	word = grove_rng_hash(3, i) >> (i & 63);

		CHECK(grove_rng_unhash(key, grove_rng_hash(key, word)) == word);
	}
}

int
main(void)
{
	golden_values();
	alignment();
	length_counts();
	avalanche(0);
	for (int length = 1; length <= 24; length += length < 9 ? 1 : 5)
		avalanche(length);
	evenness();
	independence();
	decisions();
	ranges();
	inverse();
	return unit_done();
}
