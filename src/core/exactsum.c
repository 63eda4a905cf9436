/*
 * exactsum.c: the fixed-point accumulator of exactsum.h.
 *
 * A finite double is an integer of 53 bits times a power of two between
 * 2^-1074 and 2^971.  Shifted to its place it covers at most three 32-bit
 * digits, which are added to three 64-bit chunks; the upper half of a chunk
 * collects carries, which move up once in 2^30 additions.  Chunks 0 to 65
 * hold every double, chunk 66 the carries of 2^60 of them.
 *
 * Sums read from storage may be anything: their top chunk is added modulo
 * 2^64, so that the worst a forged sum does is to be a wrong number.
 */
#include "exactsum.h"

#include <math.h>
#include <string.h>

#include "bytes.h"

#define TOP			(GROVE_EXACTSUM_CHUNKS - 1)
#define DIGITS		(GROVE_EXACTSUM_CHUNKS + 1) /* the top chunk has two */
#define DIGIT_MASK	UINT64_C(0xffffffff)
#define MAX_PENDING	((int64_t) 1 << 30)
#define LOWEST_EXPONENT	(-1074) /* of bit 0 */

void
grove_exactsum_init(GroveExactSum *sum)
{
	memset(sum, 0, sizeof(*sum));
}

static void
add_to_top(GroveExactSum *sum, int64_t value)
{
	sum->chunk[TOP] = (int64_t) ((uint64_t) sum->chunk[TOP] + (uint64_t) value);
}

/* Moves carries up: chunks below the top end in [0, 2^32), the top chunk has the sign. */
static void
carry(GroveExactSum *sum)
{
	int64_t		up = 0;
	int			i;

	for (i = 0; i < TOP; i++)
	{
		int64_t		value = sum->chunk[i] + up;
		int64_t		digit = (int64_t) ((uint64_t) value & DIGIT_MASK);

		sum->chunk[i] = digit;
		up = (value - digit) / ((int64_t) 1 << 32);
	}
	add_to_top(sum, up);
	sum->pending = 0;
}

void
grove_exactsum_add(GroveExactSum *sum, double value)
{
	uint64_t	bits;
	uint64_t	mantissa;
	uint64_t	upper;
	int			exponent;
	int			shift;
	int64_t    *chunk;

	memcpy(&bits, &value, sizeof(bits));
	mantissa = bits & ((UINT64_C(1) << 52) - 1);
	exponent = (int) (bits >> 52) & 0x7ff;
	if (exponent == 0)
		exponent = 1;			/* zero or subnormal */
	else
		mantissa |= UINT64_C(1) << 52;

	if (sum->pending >= MAX_PENDING)
		carry(sum);
	sum->pending++;
	shift = (exponent - 1) & 31;
	chunk = &sum->chunk[(exponent - 1) >> 5];
	upper = mantissa >> (32 - shift);
	if (bits >> 63)
	{
		chunk[0] -= (int64_t) ((mantissa << shift) & DIGIT_MASK);
		chunk[1] -= (int64_t) (upper & DIGIT_MASK);
		chunk[2] -= (int64_t) (upper >> 32);
	}
	else
	{
		chunk[0] += (int64_t) ((mantissa << shift) & DIGIT_MASK);
		chunk[1] += (int64_t) (upper & DIGIT_MASK);
		chunk[2] += (int64_t) (upper >> 32);
	}
}

bool
grove_exactsum_add_product(GroveExactSum *sum, double a, double b)
{
	double		product = a * b;

	if (!isfinite(product))
		return false;
	grove_exactsum_add(sum, product);
	grove_exactsum_add(sum, fma(a, b, -product));
	return true;
}

void
grove_exactsum_merge(GroveExactSum *sum, GroveExactSum *other)
{
	int			i;

	carry(sum);
	carry(other);
	for (i = 0; i < TOP; i++)
		sum->chunk[i] += other->chunk[i];
	add_to_top(sum, other->chunk[TOP]);
	sum->pending = 1;
}

/* The digits of the absolute value, lowest first; returns -1, 0 or 1, the sign. */
static int
split_digits(GroveExactSum *sum, uint32_t digits[DIGITS])
{
	bool		negative;
	bool		zero = true;
	uint64_t	borrow = 1;
	int			i;

	carry(sum);
	negative = sum->chunk[TOP] < 0;
	for (i = 0; i < TOP; i++)
		digits[i] = (uint32_t) sum->chunk[i];
	digits[TOP] = (uint32_t) (uint64_t) sum->chunk[TOP];
	digits[TOP + 1] = (uint32_t) ((uint64_t) sum->chunk[TOP] >> 32);
	for (i = 0; i < DIGITS; i++)
	{
		if (negative)
		{
			/* two's complement: invert and add one */
			uint64_t	inverted = (uint64_t) (uint32_t) ~digits[i] + borrow;

			digits[i] = (uint32_t) inverted;
			borrow = inverted >> 32;
		}
		if (digits[i] != 0)
			zero = false;
	}
	return zero ? 0 : negative ? -1 : 1;
}

/* Number of the highest bit that is set; x is not 0. */
static int
highest_bit(uint32_t x)
{
	int			bit = 0;

	while (x >>= 1)
		bit++;
	return bit;
}

/* `count` bits, at most 64, of the digits from bit `first` upwards. */
static uint64_t
get_bits(const uint32_t digits[DIGITS], int first, int count)
{
	uint64_t	result = 0;
	int			bit;

	for (bit = first + count - 1; bit >= first; bit--)
		result = result << 1 | (digits[bit >> 5] >> (bit & 31) & 1);
	return result;
}

double
grove_exactsum_round(GroveExactSum *sum)
{
	uint32_t	digits[DIGITS];
	int			sign = split_digits(sum, digits);
	int			digit = DIGITS - 1;
	int			lowest;			/* bit that the last place of the result stands for */
	uint64_t	mantissa;
	bool		sticky = false;

	if (sign == 0)
		return 0;
	while (digits[digit] == 0)
		digit--;
	lowest = digit * 32 + highest_bit(digits[digit]) - 52;
	if (lowest <= 0)
		return sign * ldexp((double) get_bits(digits, 0, 53), LOWEST_EXPONENT);

	mantissa = get_bits(digits, lowest, 53);
	if (get_bits(digits, lowest - 1, 1) != 0)
	{
		for (digit = 0; digit < (lowest - 1) >> 5; digit++)
			sticky |= digits[digit] != 0;
		sticky |= get_bits(digits, digit << 5, (lowest - 1) & 31) != 0;
		if (sticky || (mantissa & 1) != 0)
			mantissa++;
	}
	return sign * ldexp((double) mantissa, lowest + LOWEST_EXPONENT);
}

void
grove_exactsum_round2(GroveExactSum *sum, double *high, double *low)
{
	GroveExactSum rest = *sum;

	*high = grove_exactsum_round(sum);
	*low = 0;
	if (!isfinite(*high))
		return;
	grove_exactsum_add(&rest, -*high);
	*low = grove_exactsum_round(&rest);
}

double
grove_exactsum_quadratic(GroveExactSum *square, GroveExactSum *cross, GroveExactSum *unit, double m)
{
	GroveExactSum result = *square;
	double		high;
	double		low;
	double		factor[4];
	double		rest;
	int			i;

	/* every product is split into doubles that are added exactly */
	grove_exactsum_round2(cross, &high, &low);
	factor[0] = -2 * high;
	factor[1] = -2 * low;
	grove_exactsum_round2(unit, &high, &low);
	factor[2] = m * high;
	rest = fma(m, high, -factor[2]);
	factor[3] = rest + m * low;
	for (i = 0; i < 4; i++)
	{
		if (!grove_exactsum_add_product(&result, m, factor[i]))
			return INFINITY;
	}
	return grove_exactsum_round(&result);
}

size_t
grove_exactsum_pack(GroveExactSum *sum, uint8_t bytes[GROVE_EXACTSUM_BYTES])
{
	uint32_t	digits[DIGITS];
	int			sign = split_digits(sum, digits);
	int			first = 0;
	int			last = DIGITS - 1;
	int			i;

	bytes[0] = (uint8_t) (sign < 0 ? 2 : sign);
	if (sign == 0)
		return 1;
	while (digits[first] == 0)
		first++;
	while (digits[last] == 0)
		last--;
	bytes[1] = (uint8_t) first;
	bytes[2] = (uint8_t) (last - first + 1);
	for (i = first; i <= last; i++)
		grove_bytes_put32(bytes + 3 + 4 * (i - first), digits[i]);
	return 3 + 4 * (size_t) (last - first + 1);
}

GroveStatus
grove_exactsum_unpack(GroveExactSum *sum, const uint8_t *bytes, size_t available, size_t *used)
{
	uint32_t	digits[DIGITS] = {0};
	int			first;
	int			count;
	int			i;

	grove_exactsum_init(sum);
	*used = 1;
	if (available < 1 || bytes[0] > 2)
		return GROVE_ERR_DATA;
	if (bytes[0] == 0)
		return GROVE_OK;
	if (available < 3)
		return GROVE_ERR_DATA;
	first = bytes[1];
	count = bytes[2];
	*used = 3 + 4 * (size_t) count;
	if (count < 1 || first + count > DIGITS || available < *used)
		return GROVE_ERR_DATA;
	for (i = 0; i < count; i++)
		digits[first + i] = grove_bytes_get32(bytes + 3 + 4 * i);
	if (digits[first] == 0 || digits[first + count - 1] == 0 || digits[DIGITS - 1] >> 31 != 0)
		return GROVE_ERR_DATA;

	for (i = 0; i < TOP; i++)
		sum->chunk[i] = bytes[0] == 2 ? -(int64_t) digits[i] : (int64_t) digits[i];
	sum->chunk[TOP] = (int64_t) ((uint64_t) digits[TOP] | (uint64_t) digits[TOP + 1] << 32);
	if (bytes[0] == 2)
		sum->chunk[TOP] = -sum->chunk[TOP];
	return GROVE_OK;
}
