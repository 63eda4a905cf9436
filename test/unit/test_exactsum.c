/*
 * test_exactsum.c: exact sums against a schoolbook sum over single bits, in
 * any order, cut up and merged in any way, through storage and back.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/exactsum.h"
#include "../../src/core/rng.h"

#include "unit.h"

#define BITS	2300			/* bit 0 is 2^-1074 */
#define MAX_VALUES	1000

static uint64_t seed = 42;

static uint64_t
next_random(void)
{
	return grove_rng_mix(seed++);
}

/* A finite double of any exponent, sign and mantissa; now and then a special one. */
static double
random_double(void)
{
	static const double special[] = {
		0, -0.0, 1, -1, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
		-1.7976931348623157e308, 1e300, -1e300, 1e-300, 9007199254740993.0, 0.1
	};
	double		value;
	uint64_t	bits = next_random();

	if (next_random() % 4 == 0)
		return special[next_random() % (sizeof(special) / sizeof(special[0]))];
	memcpy(&value, &bits, sizeof(value));
	return isfinite(value) ? value : 1.5;
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Adds |value| to a number of single bits. */
static void
slow_add(unsigned char *number, double value)
{
	int			exponent;
	double		fraction = frexp(fabs(value), &exponent);	/* in [0.5, 1) */
	int			bit;
	int			carry = 0;

	for (bit = exponent - 1 + 1074; fraction > 0; bit--)
	{
		int			place;

		fraction *= 2;
		if (fraction >= 1)
		{
			fraction -= 1;
			carry = 1;
			for (place = bit; carry; place++)
			{
				carry = number[place];
				number[place] ^= 1;
			}
		}
	}
}

/* The sum, rounded to the nearest double with ties to even. */
static double
slow_sum(const double *values, int n)
{
	unsigned char positive[BITS] = {0};
	unsigned char negative[BITS] = {0};
	unsigned char *larger = positive;
	unsigned char *smaller = negative;
	double		result = 0;
	int			borrow = 0;
	int			top;
	int			lowest;
	int			bit;
	int			i;

	for (i = 0; i < n; i++)
		slow_add(values[i] < 0 ? negative : positive, values[i]);
	for (bit = BITS - 1; bit >= 0 && positive[bit] == negative[bit]; bit--)
		;
	if (bit < 0)
		return 0;
	if (negative[bit])
	{
		larger = negative;
		smaller = positive;
	}
	for (bit = 0; bit < BITS; bit++)
	{
		int			digit = larger[bit] - smaller[bit] - borrow;

		borrow = digit < 0;
		larger[bit] = (unsigned char) (digit & 1);
	}
	for (top = BITS - 1; !larger[top]; top--)
		;
	lowest = top < 52 ? 0 : top - 52;
	for (bit = top; bit >= lowest; bit--)
		result = result * 2 + larger[bit];
	if (lowest > 0 && larger[lowest - 1])
	{
		bool		half = true;

		for (bit = 0; bit < lowest - 1; bit++)
			half = half && !larger[bit];
		if (!half || larger[lowest])
			result += 1;
	}
	result = ldexp(result, lowest - 1074);
	return larger == negative ? -result : result;
}

static double
fast_sum(const double *values, int n)
{
	GroveExactSum sum;
	int			i;

	grove_exactsum_init(&sum);
	for (i = 0; i < n; i++)
		grove_exactsum_add(&sum, values[i]);
	return grove_exactsum_round(&sum);
}

static void
shuffle_values(double *values, int n)
{
	int			i;

	for (i = n - 1; i > 0; i--)
	{
		int			j = (int) (next_random() % (uint64_t) (i + 1));
		double		swap = values[i];

		values[i] = values[j];
		values[j] = swap;
	}
}

static void
test_known(void)
{
	double		cancel[] = {1e300, 1, -1e300, 1e-300, 1e300, -1e300};
	double		tie_even[] = {9007199254740992.0, 1};
	double		tie_odd[] = {9007199254740994.0, 1};
	double		above_tie[] = {9007199254740992.0, 1, 5e-324};
	double		huge[] = {1.7976931348623157e308, 1.7976931348623157e308, -1.7976931348623157e308};
	double		tiny[] = {5e-324, 5e-324, 5e-324};

	CHECK(fast_sum(cancel, 6) == 1);
	CHECK(fast_sum(cancel, 3) == 1);
	CHECK(fast_sum(tie_even, 2) == 9007199254740992.0);
	CHECK(fast_sum(tie_odd, 2) == 9007199254740996.0);
	CHECK(fast_sum(above_tie, 3) == 9007199254740994.0);
	CHECK(fast_sum(huge, 3) == 1.7976931348623157e308);
	CHECK(fast_sum(huge, 2) == INFINITY);
	CHECK(fast_sum(tiny, 3) == 15e-324);
	CHECK(same_bits(fast_sum(tiny, 0), 0));
	CHECK(slow_sum(above_tie, 3) == 9007199254740994.0);
}

static void
test_against_slow(void)
{
	double		values[MAX_VALUES];
	int			round;
	int			i;

	for (round = 0; round < 60; round++)
	{
		int			n = 1 + (int) (next_random() % 40);

		for (i = 0; i < n; i++)
		{
			values[i] = random_double();
			if (i > 0 && next_random() % 3 == 0)
				values[i] = -values[next_random() % (uint64_t) i];
		}
		CHECK(same_bits(fast_sum(values, n), slow_sum(values, n)));
	}
}

/* Any order, any cut into parts, any order of merging. */
static void
test_order_and_merge(void)
{
	double		values[MAX_VALUES];
	double		expected;
	int			round;
	int			i;

	for (i = 0; i < MAX_VALUES; i++)
		values[i] = random_double();
	expected = fast_sum(values, MAX_VALUES);
	CHECK(same_bits(expected, slow_sum(values, MAX_VALUES)));
	for (round = 0; round < 20; round++)
	{
		GroveExactSum part[5];
		uint8_t		left[GROVE_EXACTSUM_BYTES];
		uint8_t		right[GROVE_EXACTSUM_BYTES];
		GroveExactSum a;
		GroveExactSum b;

		shuffle_values(values, MAX_VALUES);
		CHECK(same_bits(fast_sum(values, MAX_VALUES), expected));
		for (i = 0; i < 5; i++)
			grove_exactsum_init(&part[i]);
		for (i = 0; i < MAX_VALUES; i++)
			grove_exactsum_add(&part[next_random() % 5], values[i]);

		/* (((0 + 1) + 2) + 3) + 4 and 0 + (1 + (2 + (3 + 4))) */
		a = part[0];
		for (i = 1; i < 5; i++)
			grove_exactsum_merge(&a, &part[i]);
		b = part[4];
		for (i = 3; i >= 0; i--)
		{
			GroveExactSum other = part[i];

			grove_exactsum_merge(&other, &b);
			b = other;
		}
		CHECK(same_bits(grove_exactsum_round(&a), expected));
		CHECK(grove_exactsum_pack(&a, left) == grove_exactsum_pack(&b, right));
		CHECK(memcmp(left, right, grove_exactsum_pack(&a, left)) == 0);
	}
}

static void
test_carries(void)
{
	GroveExactSum sum;
	int			i;

	/* as if 2^30 additions had been made since carries moved */
	grove_exactsum_init(&sum);
	for (i = 0; i < 3000; i++)
	{
		grove_exactsum_add(&sum, -4503599627370497.5);
		sum.pending = ((int64_t) 1 << 30) - (i % 3);
	}
	CHECK(grove_exactsum_round(&sum) == -4503599627370497.5 * 3000);

	/* doubling a state over and over stays exact */
	grove_exactsum_init(&sum);
	grove_exactsum_add(&sum, 1.7976931348623157e308);
	for (i = 0; i < 40; i++)
	{
		GroveExactSum copy = sum;

		grove_exactsum_merge(&sum, &copy);
	}
	CHECK(grove_exactsum_round(&sum) == INFINITY);
	for (i = 0; i < 40; i++)
	{
		GroveExactSum minus;
		int			j;

		grove_exactsum_init(&minus);
		grove_exactsum_add(&minus, -1.7976931348623157e308);
		for (j = 0; j < 39 - i; j++)
		{
			GroveExactSum copy = minus;

			grove_exactsum_merge(&minus, &copy);
		}
		grove_exactsum_merge(&sum, &minus);
	}
	CHECK(grove_exactsum_round(&sum) == 1.7976931348623157e308);
}

static void
test_product_and_round2(void)
{
	GroveExactSum sum;
	double		high;
	double		low;

	/* (1 + 2^-52)^2 = 1 + 2^-51 + 2^-104 */
	grove_exactsum_init(&sum);
	CHECK(grove_exactsum_add_product(&sum, 1 + ldexp(1, -52), 1 + ldexp(1, -52)));
	grove_exactsum_round2(&sum, &high, &low);
	CHECK(high == 1 + ldexp(1, -51) && low == ldexp(1, -104));
	CHECK(grove_exactsum_round(&sum) == high);

	CHECK(!grove_exactsum_add_product(&sum, 1e200, 1e200));
	CHECK(grove_exactsum_round(&sum) == high);
	CHECK(grove_exactsum_add_product(&sum, -1, high) && grove_exactsum_round(&sum) == ldexp(1, -104));
}

static void
test_storage(void)
{
	uint8_t		bytes[GROVE_EXACTSUM_BYTES];
	size_t		length;
	size_t		used;
	int			round;

	for (round = 0; round < 200; round++)
	{
		GroveExactSum sum;
		GroveExactSum copy;
		uint8_t		again[GROVE_EXACTSUM_BYTES];
		size_t		cut;
		int			n = (int) (next_random() % 5);

		grove_exactsum_init(&sum);
		while (n-- > 0)
			grove_exactsum_add(&sum, random_double());
		length = grove_exactsum_pack(&sum, bytes);
		CHECK(length <= GROVE_EXACTSUM_BYTES);
		CHECK(grove_exactsum_unpack(&copy, bytes, length, &used) == GROVE_OK && used == length);
		CHECK(same_bits(grove_exactsum_round(&copy), grove_exactsum_round(&sum)));
		CHECK(grove_exactsum_pack(&copy, again) == length && memcmp(bytes, again, length) == 0);
		for (cut = 0; cut < length; cut++)
			CHECK(grove_exactsum_unpack(&copy, bytes, cut, &used) == GROVE_ERR_DATA);
	}

	/* what pack never writes */
	memset(bytes, 0xff, sizeof(bytes));
	bytes[0] = 3;
	{
		GroveExactSum sum;

		CHECK(grove_exactsum_unpack(&sum, bytes, sizeof(bytes), &used) == GROVE_ERR_DATA);
		bytes[0] = 1;
		CHECK(grove_exactsum_unpack(&sum, bytes, sizeof(bytes), &used) == GROVE_ERR_DATA);
		bytes[1] = 0;
		bytes[2] = GROVE_EXACTSUM_CHUNKS + 2;
		CHECK(grove_exactsum_unpack(&sum, bytes, sizeof(bytes), &used) == GROVE_ERR_DATA);
		bytes[2] = GROVE_EXACTSUM_CHUNKS + 1;
		CHECK(grove_exactsum_unpack(&sum, bytes, sizeof(bytes), &used) == GROVE_ERR_DATA);
		bytes[2] = 0;
		CHECK(grove_exactsum_unpack(&sum, bytes, sizeof(bytes), &used) == GROVE_ERR_DATA);
		bytes[2] = 2;
		memset(bytes + 3, 0, 4);
		CHECK(grove_exactsum_unpack(&sum, bytes, sizeof(bytes), &used) == GROVE_ERR_DATA);
	}
}

/* Any bytes that are accepted can be merged and read without undefined behaviour. */
static void
test_forged(void)
{
	int			round;

	for (round = 0; round < 2000; round++)
	{
		uint8_t		bytes[GROVE_EXACTSUM_BYTES];
		GroveExactSum sum;
		GroveExactSum total;
		size_t		used;
		size_t		i;

		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t) next_random();
		bytes[0] = (uint8_t) (next_random() % 3);
		bytes[1] = (uint8_t) (next_random() % 68);
		bytes[2] = (uint8_t) (68 - bytes[1]);
		grove_exactsum_init(&total);
		if (grove_exactsum_unpack(&sum, bytes, sizeof(bytes), &used) != GROVE_OK)
			continue;
		for (i = 0; i < 5; i++)
			grove_exactsum_merge(&total, &sum);
		CHECK(!isnan(grove_exactsum_round(&total)));
	}
}

int
main(void)
{
	test_known();
	test_against_slow();
	test_order_and_merge();
	test_carries();
	test_product_and_round2();
	test_storage();
	test_forged();
	return unit_done();
}
