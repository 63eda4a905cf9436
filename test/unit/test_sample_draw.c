/*
 * test_sample_draw.c: how often each row is drawn over many seeds, against
 * min(1, w / tau) from a slow solver; sizes, subsets, pairs, totals; what
 * must not change the rows drawn; the ends of the range of weights.
 *
 * A frequency is judged by Chernoff's bound, which holds for any number of
 * seeds: the whole program accuses a right sampler with a probability below
 * 10^-7.
 */
#include <float.h>

#include "sampler.h"

#define LIMIT (7 * 2.302585 + 12)	/* -ln of 10^-7 / 160,000 looks */

enum
{
	MAX_ROWS = 3000
};

static Row	rows[MAX_ROWS];
static double inclusion[MAX_ROWS];
static long counts[MAX_ROWS];

static int
descending(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x < y) - (x > y);
}

/* Textbook water filling into inclusion[]: the largest are certain while they exceed what the others get. */
static void
solve_slowly(size_t n, size_t k)
{
	static double sorted[MAX_ROWS];
	static long double sums[MAX_ROWS + 1];
	size_t		certain = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = rows[i].weight;
	qsort(sorted, n, sizeof(double), descending);
	sums[n] = 0;
	for (size_t i = n; i-- > 0;)
		sums[i] = sums[i + 1] + sorted[i];
	while (certain < k && (long double) sorted[certain] * (k - certain) >= sums[certain])
		certain++;
	for (size_t i = 0; i < n; i++)
	{
		inclusion[i] = 1;
		if (certain < k && (certain == 0 || rows[i].weight < sorted[certain - 1]))
			inclusion[i] = (double) (rows[i].weight * (k - certain) / sums[certain]);
		else if (certain == k)
			inclusion[i] = certain > 0 && rows[i].weight >= sorted[certain - 1] ? 1 : 0;
	}
}

/* -ln of Chernoff's bound for so many successes; infinite for what cannot happen. */
static double
surprise(long successes, long trials, double p)
{
	double		f = (double) successes / (double) trials;
	double		bound = 0;

	if (p <= 0 || p >= 1)
		return f == p ? 0 : HUGE_VAL;
	if (f > 0)
		bound += f * log(f / p);
	if (f < 1)
		bound += (1 - f) * log((1 - f) / (1 - p));
	return bound * (double) trials - log(2);
}

/* Draws of one seed: adds how often each row was drawn; rows of one element and weight share evenly. */
static GroveStatus
draw_once(size_t n, size_t k, uint64_t spare, uint64_t seed, uint64_t *elements)
{
	Sampler    *sampler = sampler_make(true, k, spare, seed);
	GroveSamplePair *taken;
	GroveStatus status;
	size_t		drawn = 0;

	for (size_t i = 0; i < n; i++)
		sampler_add(sampler, rows[i]);
	status = sampler_draw(sampler, &taken);
	for (size_t i = 0; status == GROVE_OK && i < sampler->n; i++)
	{
		for (uint64_t left = taken[i].index; left > 0; left--)
			elements[drawn++] = sampler->units[taken[i].key].element;
	}
	CHECK(status != GROVE_OK || drawn == (k < n ? k : n));
	free(taken);
	sampler_free(sampler);
	return status;
}

/*
 * Many seeds: each element's frequency, and that of groups of elements, whose
 * count varies less than independent ones would.  Returns failed draws.
 */
static long
check_inclusion(const char *name, size_t n, size_t k, uint64_t spare, long seeds)
{
	uint64_t   *elements = malloc(n * sizeof(uint64_t));
	long		failed = 0;
	double		worst = 0;
	double		group_worst = 0;

	memset(counts, 0, sizeof(counts));
	for (long seed = 0; seed < seeds; seed++)
	{
		if (draw_once(n, k, spare, (uint64_t) seed, elements) != GROVE_OK)
		{
			failed++;
			continue;
		}
		for (size_t i = 0; i < k && i < n; i++)
			counts[elements[i]]++;
	}
	solve_slowly(n, k);
	for (size_t first = 0; first < n;)
	{
		/* a group: neighbours of together at least 20 expected draws */
		double		expected = 0;
		double		variance = 0;
		long		found = 0;

		for (; first < n && expected < 20; first++)
		{
			/* elements that occur once each: a count is that of a Bernoulli variable */
			worst = fmax(worst, surprise(counts[first], seeds - failed, inclusion[first]));
			expected += inclusion[first] * (double) (seeds - failed);
			variance += inclusion[first] * (1 - inclusion[first]) * (double) (seeds - failed);
			found += counts[first];
		}
		if (variance > 0)
			group_worst = fmax(group_worst, fabs((double) found - expected) / sqrt(variance + expected / 3));
	}
	if (worst > LIMIT || group_worst > 7)
		printf("%s: surprise %g, group %g\n", name, worst, group_worst);
	CHECK(worst <= LIMIT);
	CHECK(group_worst <= 7);
	free(elements);
	return failed;
}

static void
set_rows(size_t n, double (*weight) (size_t i))
{
	for (size_t i = 0; i < n; i++)
		rows[i] = (Row) {i, weight(i)};
}

static double
weight_equal(size_t i)
{
	(void) i;
	return 1;
}

/* The 20 items on which order sampling is off by up to 56 %: frequencies 1 to 2000. */
static double
weight_items(size_t i)
{
	const double frequencies[] = {1, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 62, 92, 137, 204, 303, 450, 668, 1000, 2000};

	return 1 / frequencies[i % 20];
}

static double
weight_power(size_t i)
{
	return pow((double) i + 1, -1.2);
}

static double
weight_dust(size_t i)
{
	return i < 5 ? 1e6 : i < 12 ? 1 : 1e-3;
}

static double
weight_ties(size_t i)
{
	return i % 3 == 0 ? 1 : i % 3 == 1 ? 0.5 : 3;
}

static void
test_inclusion(void)
{
	set_rows(20, weight_items);
	CHECK(check_inclusion("items", 20, 6, 100, 20000) == 0);
	set_rows(40, weight_ties);
	CHECK(check_inclusion("ties", 40, 13, 100, 8000) == 0);

	/* cuts: more units than are remembered */
	set_rows(1000, weight_equal);
	CHECK(check_inclusion("equal, cut", 1000, 8, 400, 1500) == 0);
	set_rows(1000, weight_power);
	CHECK(check_inclusion("power, cut", 1000, 40, 400, 1500) == 0);
	set_rows(1000, weight_items);
	CHECK(check_inclusion("items, cut", 1000, 20, 400, 1500) == 0);
	set_rows(800, weight_dust);
	CHECK(check_inclusion("dust, cut", 800, 8, 400, 1500) == 0);
	set_rows(900, weight_ties);
	CHECK(check_inclusion("large share, cut", 900, 300, 300, 500) == 0);
}

/*
 * With few candidates every shortcut shows: a class that brings itself to its
 * size, say, favours its heavy rows by two per cent here.
 */
static void
test_few_candidates(void)
{
	const size_t n = 400;
	const size_t k = 24;
	const long	seeds = 10000;
	uint64_t	elements[24];
	double		expected = 0;
	double		sum = 0;
	double		squares = 0;
	double		mean;
	double		error;
	long		drawn = 0;

	for (size_t i = 0; i < n; i++)
		rows[i] = (Row) {i, i < 40 ? 1 : 0.05};
	solve_slowly(n, k);
	for (size_t i = 40; i < n; i++)
		expected += inclusion[i];
	for (long seed = 0; seed < seeds; seed++)
	{
		double		light = 0;

		if (draw_once(n, k, 52, (uint64_t) seed, elements) != GROVE_OK)
			continue;
		drawn++;
		for (size_t i = 0; i < k; i++)
			light += elements[i] >= 40;
		sum += light;
		squares += light * light;
	}
	/* a draw with so few candidates may fail now and then */
	CHECK(drawn > seeds * 99 / 100);
	mean = sum / (double) drawn;
	error = sqrt((squares / (double) drawn - mean * mean) / (double) drawn);
	CHECK(fabs(mean - expected) < 6 * error);
}

/* Elements of several rows, under one weight and under several: every row counts. */
static void
test_repeated(void)
{
	const size_t n = 1200;
	const size_t k = 30;
	const long	seeds = 1500;
	uint64_t	elements[30];
	double		worst = 0;
	long		failed = 0;

	for (uint64_t spare = 300; spare <= 3000; spare += 2700)
	{
		memset(counts, 0, sizeof(counts));
		for (size_t i = 0; i < n; i++)
			rows[i] = (Row) {i < 400 ? i % 100 : i, i < 200 ? 1.5 : 1 / (1 + (double) (i % 7))};
		solve_slowly(n, k);
		for (long seed = 0; seed < seeds; seed++)
		{
			if (draw_once(n, k, spare, (uint64_t) seed, elements) != GROVE_OK)
				failed++;
			else
				for (size_t i = 0; i < k; i++)
					counts[elements[i]]++;
		}
		CHECK(failed == 0);
		for (uint64_t element = 0; element < n; element++)
		{
			double		expected = 0;

			for (size_t i = 0; i < n; i++)
				expected += rows[i].element == element ? inclusion[i] * (double) seeds : 0;
			/* up to four rows come together: at most that many times the variance */
			worst = fmax(worst, fabs((double) counts[element] - expected) / sqrt(4 * expected + 4));
		}
		CHECK(worst < 7);
	}
}

/* All 20 subsets of 3 out of 6 are equally likely; so are the 20 orders that 3 of them, sorted, can come in. */
static void
test_subsets(void)
{
	const long	seeds = 12000;
	long		subsets[64] = {0};
	uint64_t	elements[3];
	double		statistic = 0;
	int			n_subsets = 0;

	set_rows(6, weight_equal);
	for (long seed = 0; seed < seeds; seed++)
	{
		unsigned int subset = 0;

		draw_once(6, 3, 100, (uint64_t) seed, elements);
		for (int i = 0; i < 3; i++)
			subset |= 1u << elements[i];
		subsets[subset]++;
	}
	for (int subset = 0; subset < 64; subset++)
	{
		double		difference = (double) subsets[subset] - (double) seeds / 20;

		if (subsets[subset] == 0)
			continue;
		n_subsets++;
		statistic += difference * difference / ((double) seeds / 20);
	}
	CHECK(n_subsets == 20);
	/* chi-square with 19 degrees of freedom exceeds 71 with probability 7e-8 */
	CHECK(statistic < 71);
}

/* Pairs: equal weights are simple random sampling; unequal ones leave no pair out. */
static void
test_pairs(void)
{
	const long	seeds = 12000;
	static long pairs[20][20];
	uint64_t	elements[6];
	double		worst = 0;

	set_rows(12, weight_equal);
	for (int kind = 0; kind < 2; kind++)
	{
		size_t		n = kind == 0 ? 12 : 20;
		size_t		k = kind == 0 ? 5 : 6;

		memset(pairs, 0, sizeof(pairs));
		if (kind == 1)
			set_rows(20, weight_ties);
		for (long seed = 0; seed < seeds; seed++)
		{
			draw_once(n, k, 100, (uint64_t) seed, elements);
			for (size_t a = 0; a < k; a++)
				for (size_t b = 0; b < k; b++)
					pairs[elements[a]][elements[b]]++;
		}
		for (size_t a = 0; a < n; a++)
		{
			for (size_t b = 0; b < a; b++)
			{
				if (kind == 0)
					worst = fmax(worst, surprise(pairs[a][b], seeds, 5.0 * 4 / (12 * 11)));
				else
					CHECK(pairs[a][b] > 0);
			}
		}
		CHECK(worst <= LIMIT);
	}
}

/* Horvitz-Thompson totals of the weight, a constant and a rare mark, with cuts. */
static void
test_totals(void)
{
	const size_t n = 1000;
	const size_t k = 50;
	const long	seeds = 1000;
	uint64_t	elements[50];
	double		sum[3] = {0};
	double		squares[3] = {0};
	double		truth[3] = {0};

	set_rows(n, weight_power);
	solve_slowly(n, k);
	for (size_t i = 0; i < n; i++)
	{
		truth[0] += sqrt(rows[i].weight);
		truth[1] += 1;
		truth[2] += i % 20 == 3;
	}
	for (long seed = 0; seed < seeds; seed++)
	{
		double		total[3] = {0};

		draw_once(n, k, 400, (uint64_t) seed, elements);
		for (size_t i = 0; i < k; i++)
		{
			total[0] += sqrt(rows[elements[i]].weight) / inclusion[elements[i]];
			total[1] += 1 / inclusion[elements[i]];
			total[2] += (double) (elements[i] % 20 == 3) / inclusion[elements[i]];
		}
		for (int y = 0; y < 3; y++)
		{
			sum[y] += total[y];
			squares[y] += total[y] * total[y];
		}
	}
	for (int y = 0; y < 3; y++)
	{
		double		mean = sum[y] / (double) seeds;
		double		error = sqrt((squares[y] / (double) seeds - mean * mean) / (double) seeds);

		CHECK(fabs(mean - truth[y]) < 6 * error);
	}
}

/* The rows drawn are the same in any order and any parts, and when all weights are multiplied by a power of two. */
static void
test_invariance(void)
{
	const size_t n = 3000;
	uint64_t	first[60];
	uint64_t	other[60];

	for (size_t i = 0; i < n; i++)
		rows[i] = (Row) {i % 2500, 0.1 + (double) (i * 7919 % 1000)};
	for (uint64_t spare = 500; spare <= 5000; spare += 4500)
	{
		CHECK(draw_once(n, 60, spare, 9, first) == GROVE_OK);
		shuffle_rows(rows, n, spare);
		CHECK(draw_once(n, 60, spare, 9, other) == GROVE_OK);
		CHECK(memcmp(first, other, sizeof(first)) == 0);
		for (int sign = -1; sign <= 1; sign += 2)
		{
			for (size_t i = 0; i < n; i++)
				rows[i].weight = ldexp(rows[i].weight, sign * 900);
			CHECK(draw_once(n, 60, spare, 9, other) == GROVE_OK);
			CHECK(memcmp(first, other, sizeof(first)) == 0);
			for (size_t i = 0; i < n; i++)
				rows[i].weight = ldexp(rows[i].weight, sign * -900);
		}
	}

	/* another seed draws others */
	CHECK(draw_once(n, 60, 500, 10, other) == GROVE_OK);
	CHECK(memcmp(first, other, sizeof(first)) != 0);
}

static double
weight_infinite(size_t i)
{
	return i % 10 == 0 ? HUGE_VAL : 1;
}

static double
weight_largest(size_t i)
{
	return i % 2 == 0 ? DBL_MAX : DBL_MAX / 2;
}

static double
weight_smallest(size_t i)
{
	return DBL_TRUE_MIN * (double) (1 + i % 3);
}

static double
weight_all_sizes(size_t i)
{
	return ldexp(1, (int) (i * 97 % 1400) - 700);
}

static void
test_extremes(void)
{
	uint64_t	elements[MAX_ROWS];
	size_t		infinite = 0;

	/* infinite weights are certain ... */
	set_rows(1000, weight_infinite);
	for (uint64_t spare = 400; spare <= 4000; spare += 3600)
	{
		CHECK(draw_once(1000, 130, spare, 1, elements) == GROVE_OK);
		for (size_t i = 0; i < 130; i++)
			infinite += elements[i] % 10 == 0;
	}
	CHECK(infinite == 200);

	/* ... and when there are more than k, equally likely, and nothing else is */
	memset(counts, 0, sizeof(counts));
	for (long seed = 0; seed < 1500; seed++)
	{
		draw_once(1000, 20, seed % 2 == 0 ? 100 : 4000, (uint64_t) seed, elements);
		for (size_t i = 0; i < 20; i++)
			counts[elements[i]]++;
	}
	for (size_t i = 0; i < 1000; i++)
		CHECK(surprise(counts[i], 1500, i % 10 == 0 ? 0.2 : 0) <= LIMIT);

	/* both ends of the doubles, where sums are beyond them */
	set_rows(600, weight_largest);
	for (size_t i = 0; i < 600; i++)
		rows[i].weight /= 1024;
	solve_slowly(600, 30);
	for (int kind = 0; kind < 2; kind++)
	{
		memset(counts, 0, sizeof(counts));
		set_rows(600, weight_largest);
		for (long seed = 0; seed < 500; seed++)
		{
			CHECK(draw_once(600, 30, kind == 0 ? 300 : 3000, (uint64_t) seed, elements) == GROVE_OK);
			for (size_t i = 0; i < 30; i++)
				counts[elements[i]]++;
		}
		for (size_t i = 0; i < 600; i++)
			CHECK(surprise(counts[i], 500, inclusion[i]) <= LIMIT);
	}
	set_rows(600, weight_smallest);
	CHECK(check_inclusion("smallest", 600, 30, 300, 500) == 0);

	/* a range of 2^1400: the largest are certain */
	set_rows(1400, weight_all_sizes);
	CHECK(draw_once(1400, 50, 300, 1, elements) == GROVE_OK);
	for (size_t i = 0, certain = 0; i < 50; i++)
	{
		certain += rows[elements[i]].weight >= ldexp(1, 700 - 48);
		CHECK(i < 49 || certain >= 47);
	}

	/* no rows wanted, more than there are, none there */
	CHECK(draw_once(1400, 0, 300, 1, elements) == GROVE_OK);
	CHECK(draw_once(1400, 1400, 300, 1, elements) == GROVE_OK);
	CHECK(draw_once(1400, 5000, 300, 1, elements) == GROVE_OK);
	CHECK(draw_once(0, 5, 300, 1, elements) == GROVE_OK);
	CHECK(draw_once(1400, 1399, 0, 1, elements) == GROVE_OK);
}

/* A unit that outweighs its class but whose rows are light is refused rather than drawn wrongly. */
static void
test_uneven(void)
{
	uint64_t	elements[50];
	long		refused = 0;

	for (size_t i = 0; i < MAX_ROWS; i++)
		rows[i] = (Row) {i < 1500 ? 0 : i, 1};
	for (uint64_t seed = 0; seed < 50; seed++)
		refused += draw_once(MAX_ROWS, 50, 200, seed, elements) == GROVE_ERR_DATA;
	CHECK(refused >= 48);

	/* remembered in full it is no problem */
	for (uint64_t seed = 0; seed < 50; seed++)
	{
		size_t		heavy = 0;

		CHECK(draw_once(MAX_ROWS, 50, 20000, seed, elements) == GROVE_OK);
		for (size_t i = 0; i < 50; i++)
			heavy += elements[i] == 0;
		CHECK(heavy == 25);
	}
}

int
main(void)
{
	test_inclusion();
	test_few_candidates();
	test_repeated();
	test_subsets();
	test_pairs();
	test_totals();
	test_invariance();
	test_extremes();
	test_uneven();
	return unit_done();
}
