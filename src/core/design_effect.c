/*
 * design_effect.c: exact sums by block and an exact sum of squares; the ratio
 * of the two variances in pairs of doubles.
 *
 * Each block has one cell for each part of exponents that its values touch,
 * mostly one or two.  Up to the last step everything is an integer, so the
 * result does not depend on any order; the last step has a fixed order and
 * 106 bits, enough for a mean that is large against the spread.
 */
#include "design_effect.h"

#include <math.h>

/* An unevaluated sum of two doubles. */
typedef struct Pair
{
	double		high;
	double		low;
} Pair;

static Pair
pair_sum(double a, double b)
{
	Pair		sum;
	double		part;

	sum.high = a + b;
	part = sum.high - a;
	sum.low = (a - (sum.high - part)) + (b - part);
	return sum;
}

static Pair
pair_add(Pair a, Pair b)
{
	Pair		high = pair_sum(a.high, b.high);
	Pair		low = pair_sum(a.low, b.low);

	high = pair_sum(high.high, high.low + low.high);
	return pair_sum(high.high, high.low + low.low);
}

static Pair
pair_scale(Pair a, double factor)
{
	double		product = a.high * factor;

	return pair_sum(product, fma(a.high, factor, -product) + a.low * factor);
}

static Pair
cell_sum(const GroveTallyCell *cell)
{
	bool		negative = cell->high >> 63;
	uint64_t	low = negative ? ~cell->low + 1 : cell->low;
	uint64_t	high = negative ? ~cell->high + (low == 0) : cell->high;
	Pair		sum = {0, 0};

	for (int i = 0; i < 4; i++)
	{
		uint64_t	digits = (i < 2 ? low : high) >> (i & 1) * 32 & UINT32_MAX;

		sum = pair_add(sum, pair_sum(ldexp((double) digits, i * 32 + cell->part * GROVE_TALLY_PART_BITS), 0));
	}
	return negative ? pair_scale(sum, -1) : sum;
}

bool
grove_design_add(GroveTally *blocks, GroveExactSum *squares, int64_t block, double value)
{
	GroveTallyNumber number;

	if (!grove_exactsum_add_product(squares, value, value))
		return false;
	number = grove_tally_number(value);
	grove_tally_add(blocks, (uint64_t) block, number.part, 1, number.low, number.high);
	return true;
}

/* Sum over blocks of rows * (mean of the block - mean)^2. */
static double
squares_between(const GroveTallyCell *cells, uint64_t n, double mean)
{
	double		between = 0;
	double		rows = 0;
	Pair		sum = {0, 0};

	for (uint64_t i = 0; i < n; i++)
	{
		sum = pair_add(sum, cell_sum(&cells[i]));
		rows += (double) cells[i].count;
		if (i + 1 == n || cells[i + 1].key != cells[i].key)
		{
			Pair		deviation = pair_add(sum, pair_scale(pair_sum(-mean, 0), rows));
			double		d = deviation.high + deviation.low;

			between += d * d / rows;
			rows = 0;
			sum = pair_sum(0, 0);
		}
	}
	return between;
}

bool
grove_design_effect(const GroveTallyCell *cells, uint64_t n, GroveExactSum *squares, double *effect)
{
	double		rows = 0;
	double		blocks = 0;
	double		mean;
	double		total;
	Pair		sum = {0, 0};
	Pair		spread;

	for (uint64_t i = 0; i < n; i++)
	{
		sum = pair_add(sum, cell_sum(&cells[i]));
		rows += (double) cells[i].count;
		blocks += i == 0 || cells[i].key != cells[i - 1].key;
	}
	if (blocks < 2)
		return false;

	/* sum (x - mean)^2 for a mean that was rounded: squares - 2 * mean * sum + rows * mean^2 */
	mean = (sum.high + sum.low) / rows;
	grove_exactsum_round2(squares, &spread.high, &spread.low);
	spread = pair_add(spread, pair_scale(sum, -2 * mean));
	spread = pair_add(spread, pair_scale(pair_scale(pair_sum(mean, 0), mean), rows));
	total = spread.high + spread.low;
	if (!(total > 0) || total < ldexp(rows * mean * mean, -90))
		return false;
	*effect = rows / blocks * (squares_between(cells, n, mean) / total);
	return true;
}
