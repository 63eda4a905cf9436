/*
 * test_tally.c: exact sums by key, and what is made of them: the design
 * effect of blocks and the distribution of weights, against slow formulas;
 * the order of rows and their division into parts must not show in any bit.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/design_effect.h"
#include "../../src/core/exactsum.h"
#include "../../src/core/rng.h"
#include "../../src/core/tally.h"
#include "../../src/core/weights.h"
#include "unit.h"

#define CAPACITY	(UINT64_C(1) << 17)

static GroveTally *
new_tally(uint64_t capacity)
{
	GroveTally *tally = malloc(grove_tally_size(capacity));

	grove_tally_init(tally, capacity);
	return tally;
}

static double
uniform(uint64_t i)
{
	return grove_rng_u01(grove_rng_hash(11, i));
}

/* Doubles of every size and sign, by a hash. */
static double
wild(uint64_t i)
{
	double		size = ldexp(uniform(i), (int) grove_rng_range(grove_rng_hash(12, i), 900) - 450);

	return grove_rng_hash(13, i) & 1 ? size : -size;
}

/* The sum over all cells of a key is the exact sum of its values. */
static void
exact_sums(void)
{
	GroveTally *tally = new_tally(1024);
	GroveTallyCell cells[1024];
	GroveExactSum expected;
	GroveExactSum found;

	grove_exactsum_init(&expected);
	grove_exactsum_init(&found);
	for (uint64_t i = 0; i < 20000; i++)
	{
		double		value = i < 5 ? ldexp(1, -1074) : i < 10 ? -0x1.fffffffffffffp1000 : wild(i);
		GroveTallyNumber number = grove_tally_number(value);

		grove_exactsum_add(&expected, value);
		CHECK(number.part >= -GROVE_TALLY_PART_MAX && number.part <= GROVE_TALLY_PART_MAX);
		grove_tally_add(tally, 7, number.part, 1, number.low, number.high);
	}
	grove_tally_sorted(tally, cells);
	for (uint64_t i = 0; i < tally->used; i++)
	{
		bool		negative = cells[i].high >> 63;
		uint64_t	low = negative ? ~cells[i].low + 1 : cells[i].low;
		uint64_t	high = negative ? ~cells[i].high + (low == 0) : cells[i].high;

		CHECK(i == 0 || cells[i].part > cells[i - 1].part);
		for (int digit = 0; digit < 4; digit++)
		{
			double		value = ldexp((double) ((digit < 2 ? low : high) >> (digit & 1) * 32 & UINT32_MAX),
									  32 * (digit + cells[i].part));

			grove_exactsum_add(&found, negative ? -value : value);
		}
	}
	CHECK(grove_exactsum_round(&found) == grove_exactsum_round(&expected));
	grove_exactsum_add(&found, -grove_exactsum_round(&expected));
	grove_exactsum_add(&expected, -grove_exactsum_round(&expected));
	CHECK(grove_exactsum_round(&found) == grove_exactsum_round(&expected));
	free(tally);
}

static double
effect_of(GroveTally *tally, GroveExactSum *squares)
{
	GroveTallyCell *cells = malloc(tally->used * sizeof(GroveTallyCell) + 1);
	double		effect;
	bool		defined;

	grove_tally_sorted(tally, cells);
	defined = grove_design_effect(cells, tally->used, squares, &effect);
	free(cells);
	return defined ? effect : -1;
}

typedef double (*ValueOf) (uint64_t i);

/* Block of row i: blocks of different length. */
static int64_t
block_of(uint64_t i)
{
	return (int64_t) (i / 7 + i / 50) - 100;
}

static double
design_effect(ValueOf value, uint64_t n, uint64_t start, uint64_t step, int parts)
{
	GroveTally *tally[8];
	GroveExactSum squares[8];
	double		effect;

	for (int part = 0; part < parts; part++)
	{
		tally[part] = new_tally(4096);
		grove_exactsum_init(&squares[part]);
	}
	for (uint64_t i = 0, row = start; i < n; i++, row = (row + step) % n)
	{
		int			part = (int) (i % (uint64_t) parts);

		CHECK(grove_design_add(tally[part], &squares[part], block_of(row), value(row)));
	}
	for (int part = 1; part < parts; part++)
	{
		grove_tally_merge(tally[0], tally[part]);
		grove_exactsum_merge(&squares[0], &squares[part]);
		free(tally[part]);
	}
	effect = effect_of(tally[0], &squares[0]);
	free(tally[0]);
	return effect;
}

/* Two passes in long double. */
static double
slow_design_effect(ValueOf value, uint64_t n)
{
	long double mean = 0;
	long double total = 0;
	long double between = 0;
	long double sum = 0;
	long double rows = 0;
	long double blocks = 0;

	for (uint64_t i = 0; i < n; i++)
		mean += value(i);
	mean /= n;
	for (uint64_t i = 0; i < n; i++)
	{
		total += (value(i) - mean) * (value(i) - mean);
		sum += value(i) - mean;
		rows++;
		if (i + 1 == n || block_of(i + 1) != block_of(i))
		{
			between += sum * sum / rows;
			blocks++;
			sum = rows = 0;
		}
	}
	return (double) (n / blocks * (between / total));
}

static double
noise(uint64_t i)
{
	return uniform(i);
}

static double
trend(uint64_t i)
{
	return (double) i + uniform(i);
}

static double
seconds(uint64_t i)
{
	return 1.7e9 + uniform(i) + (double) (block_of(i) % 3);
}

static double
constant_in_block(uint64_t i)
{
	return 0.1 * (double) block_of(i);
}

static double
constant(uint64_t i)
{
	return 0.1 + 0 * (double) i;
}

static double
small(uint64_t i)
{
	return 1e-140 * uniform(i / 3);
}

static void
design_effects(void)
{
	enum
	{
		ROWS = 5003
	};
	static const ValueOf values[] = {noise, trend, seconds, constant_in_block, small};
	double		blocks = 1;
	GroveTally *tally = new_tally(64);
	GroveExactSum squares;

	for (int v = 0; v < 5; v++)
	{
		double		effect = design_effect(values[v], ROWS, 0, 1, 1);
		double		slow = slow_design_effect(values[v], ROWS);

		CHECK(fabs(effect - slow) < 1e-9 * slow);
		CHECK(design_effect(values[v], ROWS, 17, 1009, 1) == effect);
		CHECK(design_effect(values[v], ROWS, 0, ROWS - 1, 3) == effect);
		CHECK(design_effect(values[v], ROWS, 5, 2, 8) == effect);
	}
	/* constant blocks: the mean number of rows in a block; random rows: about 1 */
	for (uint64_t i = 1; i < ROWS; i++)
		blocks += block_of(i) != block_of(i - 1);
	CHECK(fabs(design_effect(constant_in_block, ROWS, 0, 1, 1) - ROWS / blocks) < 1e-9);
	CHECK(fabs(design_effect(noise, ROWS, 0, 1, 1) - 1) < 0.25);
	CHECK(design_effect(constant, ROWS, 0, 1, 1) == -1);

	grove_exactsum_init(&squares);
	CHECK(effect_of(tally, &squares) == -1);
	CHECK(grove_design_add(tally, &squares, 1, 5));
	CHECK(grove_design_add(tally, &squares, 1, 6));
	CHECK(effect_of(tally, &squares) == -1);
	CHECK(!grove_design_add(tally, &squares, 2, 1e200));
	CHECK(grove_design_add(tally, &squares, INT64_MIN, 7));
	CHECK(effect_of(tally, &squares) > 1);
	free(tally);
}

static GroveWeights *
new_weights(uint32_t bits)
{
	GroveWeights *weights = malloc(sizeof(GroveWeights));

	grove_weights_init(weights, bits, new_tally(CAPACITY));
	return weights;
}

static void
free_weights(GroveWeights *weights)
{
	free(weights->tally);
	free(weights);
}

/* Adds weights as a caller has to: makes the cells coarser when there are too many. */
static void
add_weight(GroveWeights **weights, double weight)
{
	grove_weights_add(*weights, weight);
	while ((*weights)->tally->used > GROVE_WEIGHTS_LIMIT)
	{
		GroveWeights *coarser = new_weights((*weights)->bits - 1);

		grove_weights_merge(coarser, *weights);
		free_weights(*weights);
		*weights = coarser;
	}
}

static bool
same_weights(const GroveWeights *a, const GroveWeights *b)
{
	GroveTallyCell *cells = calloc(2 * CAPACITY, sizeof(GroveTallyCell));
	bool		same = a->bits == b->bits && a->infinite == b->infinite && a->tally->used == b->tally->used;

	if (same)
	{
		grove_tally_sorted(a->tally, cells);
		grove_tally_sorted(b->tally, cells + CAPACITY);
		same = memcmp(cells, cells + CAPACITY, a->tally->used * sizeof(GroveTallyCell)) == 0;
	}
	free(cells);
	return same;
}

static void
few_weights(void)
{
	GroveWeights *weights = new_weights(GROVE_WEIGHTS_EXACT);
	GroveTallyCell cells[16];
	static const double expected[] = {0x1p-1074, 0.1, 1.0 / 3, 1, 1e300};

	for (int i = 0; i < 1000; i++)
	{
		add_weight(&weights, expected[i % 5]);
		add_weight(&weights, 0);
		add_weight(&weights, INFINITY);
	}
	CHECK(weights->bits == GROVE_WEIGHTS_EXACT);
	CHECK(weights->infinite == 1000);
	CHECK(weights->tally->used == 5);
	grove_tally_sorted(weights->tally, cells);
	for (int i = 0; i < 5; i++)
	{
		CHECK(cells[i].count == 200);
		CHECK(grove_weights_mean(weights, &cells[i]) == expected[i]);
		CHECK(grove_weights_floor(weights, &cells[i]) == expected[i]);
	}
	free_weights(weights);
}

static void
many_weights(void)
{
	enum
	{
		ROWS = 100000
	};
	GroveWeights *weights = new_weights(GROVE_WEIGHTS_EXACT);
	GroveWeights *backwards = new_weights(GROVE_WEIGHTS_EXACT);
	GroveWeights *parts[2];
	GroveWeights *merged;
	GroveTallyCell *cells;
	GroveExactSum sum;
	double		found = 0;
	uint64_t	count = 0;

	parts[0] = new_weights(GROVE_WEIGHTS_EXACT);
	parts[1] = new_weights(GROVE_WEIGHTS_EXACT);
	grove_exactsum_init(&sum);
	for (uint64_t i = 0; i < ROWS; i++)
	{
		double		weight = ldexp(uniform(i), (int) (i % 20) - 10);

		grove_exactsum_add(&sum, weight);
		add_weight(&weights, weight);
		add_weight(&backwards, ldexp(uniform(ROWS - 1 - i), (int) ((ROWS - 1 - i) % 20) - 10));
		add_weight(&parts[i % 7 == 0], weight);
	}
	CHECK(weights->bits < GROVE_WEIGHTS_EXACT);
	CHECK(weights->bits >= 10);
	CHECK(weights->tally->used <= GROVE_WEIGHTS_LIMIT);
	CHECK(same_weights(weights, backwards));

	/* merging as a caller has to: the smaller number of bits, then coarser until it fits */
	merged = new_weights(parts[0]->bits < parts[1]->bits ? parts[0]->bits : parts[1]->bits);
	grove_weights_merge(merged, parts[0]);
	grove_weights_merge(merged, parts[1]);
	add_weight(&merged, 0);
	CHECK(same_weights(weights, merged));

	cells = malloc(weights->tally->used * sizeof(GroveTallyCell));
	grove_tally_sorted(weights->tally, cells);
	for (uint64_t i = 0; i < weights->tally->used; i++)
	{
		double		mean = grove_weights_mean(weights, &cells[i]);
		double		floor = grove_weights_floor(weights, &cells[i]);

		CHECK(mean >= floor && mean < floor * (1 + ldexp(1, -(int) weights->bits)));
		found += mean * (double) cells[i].count;
		count += cells[i].count;
	}
	CHECK(count == ROWS);
	CHECK(fabs(found - grove_exactsum_round(&sum)) < 1e-12 * found);
	free(cells);
	free_weights(merged);
	free_weights(weights);
	free_weights(backwards);
	free_weights(parts[0]);
	free_weights(parts[1]);
}

int
main(void)
{
	exact_sums();
	design_effects();
	few_weights();
	many_weights();
	return unit_done();
}
