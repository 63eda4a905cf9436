/*
 * test_split.c: the split search against brute force: every threshold with
 * missing on both sides, every category alone, every subset of categories;
 * ties, rules, limits, random thresholds, and the value of a leaf.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/split.h"
#include "engine_kit.h"
#include "unit.h"

#define LEVELS	9				/* categories of the brute force over subsets */

/* A histogram, its totals and the rules that hold. */
typedef struct Problem
{
	GroveSplitRules rules;
	GroveFeatureBins bins;
	GroveBinSums sums;
	GroveSums	total;
} Problem;

static GroveSplitRules
plain_rules(void)
{
	GroveSplitRules rules = kit_config(GROVE_LOSS_SQUARED).rules;

	rules.g_unit = 1.0 / 1024.0;
	rules.h_unit = 1.0 / 512.0;
	return rules;
}

static void
add_total(Problem *p)
{
	memset(&p->total, 0, sizeof(p->total));
	for (uint32_t b = 0; b <= p->bins.n_bins; b++)
	{
		p->total.g += p->sums.g[b];
		p->total.h += p->sums.h[b];
		p->total.c += p->sums.c[b];
	}
}

/* Random sums in n_bins bins, a share of them empty; missing rows or not. */
static Problem
random_problem(KitRandom *random, uint32_t n_bins, bool categorical, bool missing)
{
	Problem		p;
	double		empty = kit_chance(random, 0.5) ? 0.0 : 0.4;

	memset(&p, 0, sizeof(p));
	p.rules = plain_rules();
	p.bins.categorical = categorical;
	p.bins.n_bins = n_bins;
	for (uint32_t b = missing ? 0 : 1; b <= n_bins; b++)
	{
		if (b > 0 && kit_chance(random, empty))
			continue;
		p.sums.c[b] = 1 + kit_below(random, 40);
		p.sums.h[b] = p.sums.c[b] * (1 + kit_below(random, 500));
		p.sums.g[b] = (int64_t) p.sums.c[b] * ((int64_t) kit_below(random, 2000) - 1000);
	}
	add_total(&p);
	return p;
}

static long double
loss_taken(const GroveSplitRules *rules, long double l2, long double g, long double h)
{
	long double l1 = rules->lambda_l1;
	long double s = g > l1 ? g - l1 : g < -l1 ? g + l1 : 0.0L;
	long double step;

	if (!(h + l2 > 0.0L))
		return 0.0L;
	step = -s / (h + l2);
	if (rules->max_delta_step > 0.0 && fabsl(step) > rules->max_delta_step)
		step = step > 0.0L ? rules->max_delta_step : -rules->max_delta_step;
	return -(2.0L * s * step + (h + l2) * step * step);
}

/* Sums of the bins that table sends left. */
static GroveSums
left_of(const Problem *p, const uint8_t *table)
{
	GroveSums	left = {0, 0, 0};

	for (uint32_t b = 0; b <= p->bins.n_bins; b++)
	{
		if (!table[b])
			continue;
		left.g += p->sums.g[b];
		left.h += p->sums.h[b];
		left.c += p->sums.c[b];
	}
	return left;
}

/* Gain of a division, -1 when the rules forbid it; extra: L2 of the two sides only. */
static long double
gain_of(const Problem *p, const GroveSums *left, double extra)
{
	const GroveSplitRules *r = &p->rules;
	long double g = (long double) p->total.g * r->g_unit;
	long double h = (long double) p->total.h * r->h_unit;
	long double gl = (long double) left->g * r->g_unit;
	long double hl = (long double) left->h * r->h_unit;
	int64_t		right = p->total.c - left->c;

	if (left->c < 1 || right < 1 || left->c < r->min_rows || right < r->min_rows || hl < r->min_hessian ||
		h - hl < r->min_hessian || !(hl + r->lambda_l2 > 0) || !(h - hl + r->lambda_l2 > 0))
		return -1.0L;
	return loss_taken(r, r->lambda_l2 + extra, gl, hl) + loss_taken(r, r->lambda_l2 + extra, g - gl, h - hl) -
		loss_taken(r, r->lambda_l2, g, h);
}

static long double
larger(long double a, long double b)
{
	return a > b ? a : b;
}

/* What is found is a division of this histogram, announces its sums, and gains as much as best. */
static bool
holds(const Problem *p, long double best, double extra)
{
	GroveSplit	split;
	uint8_t		table[GROVE_BINS];
	GroveSums	left;
	long double least = p->rules.min_gain + 1e-10L * loss_taken(&p->rules, p->rules.lambda_l2,
																(long double) p->total.g * p->rules.g_unit,
																(long double) p->total.h * p->rules.h_unit);

	grove_split_find(&p->rules, &p->bins, 3, &p->sums, &p->total, NULL, &split);
	if (split.gain == 0.0)
		return best <= least * (1 + 1e-9L) + 1e-12L;
	grove_split_table(&split, table);
	left = left_of(p, table);
	if (split.feature != 3 || split.categorical != p->bins.categorical || (split.categorical && (split.set[0] & 1)))
		return false;
	if (left.g != split.left.g || left.h != split.left.h || left.c != split.left.c)
		return false;
	if (p->sums.c[0] == 0 && split.missing_left != (left.c * 2 >= p->total.c))
		return false;
	return split.gain > least * (1 - 1e-9L) && fabsl(split.gain - gain_of(p, &left, extra)) <= 1e-9L * split.gain + 1e-12L &&
		fabsl(split.gain - best) <= 1e-9L * best + 1e-12L;
}

static void
draw_limits(GroveSplitRules *rules, KitRandom *random)
{
	if (kit_chance(random, 0.3))
		rules->lambda_l1 = kit_unit(random) * 10;
	if (kit_chance(random, 0.3))
		rules->lambda_l2 = kit_unit(random) * 10;
	if (kit_chance(random, 0.3))
		rules->max_delta_step = kit_unit(random);
	if (kit_chance(random, 0.3))
		rules->min_gain = kit_unit(random) * 20;
	if (kit_chance(random, 0.3))
		rules->min_hessian = kit_unit(random) * 50;
	if (kit_chance(random, 0.5))
		rules->min_rows = kit_below(random, 60);
}

/* Every threshold, missing left and right. */
static void
test_thresholds(void)
{
	KitRandom	random = kit_random(1);

	for (int round = 0; round < 4000; round++)
	{
		uint32_t	n_bins = round % 7 == 0 ? 255 : kit_below(&random, 12);
		Problem		p = random_problem(&random, n_bins, false, round % 2);
		long double best = 0.0L;

		draw_limits(&p.rules, &random);
		for (uint32_t last = 0; last <= n_bins; last++)
		{
			for (int missing = 0; missing < 2; missing++)
			{
				uint8_t		table[GROVE_BINS] = {0};
				GroveSums	left;

				table[0] = (uint8_t) missing;
				memset(table + 1, 1, last);
				left = left_of(&p, table);
				best = larger(best, gain_of(&p, &left, 0.0));
			}
		}
		CHECK(holds(&p, best, 0.0));
	}
}

static void
test_one_against_rest(void)
{
	KitRandom	random = kit_random(2);

	for (int round = 0; round < 3000; round++)
	{
		uint32_t	n_bins = 1 + kit_below(&random, 20);
		Problem		p = random_problem(&random, n_bins, true, round % 2);
		long double best = 0.0L;

		draw_limits(&p.rules, &random);
		p.rules.max_cat_to_onehot = n_bins;
		p.rules.cat_l2 = 7.0;	/* must not matter */
		for (uint32_t b = 0; b <= n_bins; b++)
		{
			uint8_t		table[GROVE_BINS] = {0};
			GroveSums	left;

			table[b] = 1;
			left = left_of(&p, table);
			best = larger(best, gain_of(&p, &left, 0.0));
		}
		CHECK(holds(&p, best, 0.0));
	}
}

/* Without smoothing and limits the sorted scan finds the best of all subsets (Fisher's theorem). */
static void
test_all_subsets(void)
{
	KitRandom	random = kit_random(3);

	for (int round = 0; round < 600; round++)
	{
		uint32_t	n_bins = 2 + kit_below(&random, LEVELS - 1);
		Problem		p = random_problem(&random, n_bins, true, round % 2);
		long double best = 0.0L;

		p.rules.max_cat_to_onehot = 1;
		for (uint32_t subset = 1; subset < 1u << (n_bins + 1); subset++)
		{
			uint8_t		table[GROVE_BINS] = {0};
			GroveSums	left;

			for (uint32_t b = 0; b <= n_bins; b++)
				table[b] = (subset >> b) & 1;
			left = left_of(&p, table);
			best = larger(best, gain_of(&p, &left, 0.0));
		}
		CHECK(holds(&p, best, 0.0));
	}
}

/* Two categories apart from the others: limits of the sorted scan and its extra L2. */
static void
test_sorted_limits(void)
{
	Problem		p;
	GroveSplit	split;

	memset(&p, 0, sizeof(p));
	p.rules = plain_rules();
	p.rules.max_cat_to_onehot = 1;
	p.bins.categorical = true;
	p.bins.n_bins = 8;
	for (uint32_t b = 1; b <= 8; b++)
	{
		p.sums.c[b] = 10;
		p.sums.h[b] = 5120;
		p.sums.g[b] = b == 3 || b == 6 ? -40960 : 10240 + (int64_t) b;
	}
	add_total(&p);
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.set[0] == (1 << 3 | 1 << 6) && split.set[1] == 0 && split.left.c == 20 && !split.missing_left);
	p.rules.max_cat_threshold = 1;
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.left.c == 10);
	p.rules.max_cat_threshold = 255;
	p.rules.min_data_per_group = 25;	/* three categories a step */
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.left.c == 30 && (split.set[0] & (1 << 3 | 1 << 6)) == (1 << 3 | 1 << 6));
	p.rules.min_data_per_group = 41;	/* too many for both sides */
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.gain == 0.0);
	p.rules.min_data_per_group = 1;
	p.rules.cat_smooth = 10.5;	/* all categories are rare */
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.gain == 0.0);
	p.rules.cat_smooth = 0.0;
	p.rules.cat_l2 = 5.0;
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.left.c == 20 && fabs(split.gain - (double) gain_of(&p, &split.left, 5.0)) < 1e-9 * split.gain);
}

/* Rows of weight 0 leave a category without gradient and hessian: the others are still sorted. */
static void
test_empty_hessian(void)
{
	Problem		p;
	GroveSplit	split;

	memset(&p, 0, sizeof(p));
	p.rules = plain_rules();
	p.rules.max_cat_to_onehot = 1;
	p.bins.categorical = true;
	p.bins.n_bins = 6;
	for (uint32_t b = 1; b <= 6; b++)
	{
		p.sums.c[b] = 10;
		p.sums.h[b] = b == 3 ? 0 : 5120;
		p.sums.g[b] = b == 3 ? 0 : b == 2 || b == 5 ? -40960 : 20480;
	}
	add_total(&p);
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK((split.set[0] & ~(1 << 3)) == (1 << 2 | 1 << 5));
}

/* Equal gains: missing right, then the lower bin. */
static void
test_ties(void)
{
	Problem		p;
	GroveSplit	split;

	memset(&p, 0, sizeof(p));
	p.rules = plain_rules();
	p.bins.n_bins = 5;
	/* bins 2 to 4 are empty: thresholds 1 to 4 divide alike */
	p.sums.c[1] = p.sums.c[5] = 10;
	p.sums.h[1] = p.sums.h[5] = 5120;
	p.sums.g[1] = -1024;
	p.sums.g[5] = 1024;
	add_total(&p);
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.bin == 1 && split.missing_left);
	/* missing rows that carry nothing: both sides gain the same */
	p.sums.c[0] = 4;
	add_total(&p);
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.bin == 1 && !split.missing_left);
	/* {1} | {2, missing} gains as much as {1, missing} | {2}, and missing | all values nothing */
	p.bins.n_bins = 2;
	p.sums.c[2] = 10;
	p.sums.h[2] = 5120;
	p.sums.g[2] = 1024;
	add_total(&p);
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.bin == 1 && !split.missing_left);
	/* a category against its opposite: the lower one goes left */
	p.bins.categorical = true;
	p.sums.c[0] = 0;
	add_total(&p);
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.set[0] == 1 << 1 && split.missing_left);
}

/* Missing right is scanned as a whole before missing left: its bin 2 comes before bin 1 with missing left. */
static void
test_tie_of_sides(void)
{
	static const int64_t g[] = {1024, -2048, 1024, -8192};
	Problem		p;
	GroveSplit	split;

	memset(&p, 0, sizeof(p));
	p.rules = plain_rules();
	p.rules.min_rows = 16;		/* leaves {1, 2} | {3, missing} and {1, missing} | {2, 3}, whose sums are equal */
	p.bins.n_bins = 3;
	for (uint32_t b = 0; b <= 3; b++)
	{
		p.sums.c[b] = 8;
		p.sums.h[b] = 4096;
		p.sums.g[b] = g[b];
	}
	add_total(&p);
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.bin == 2 && !split.missing_left && split.left.c == 16);
	p.rules.min_rows = 17;
	grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
	CHECK(split.gain == 0.0);
}

/* Output of a side below limits, and what it takes off, doubled. */
static long double
limited_gain(const GroveSplitRules *rules, const GroveLimits *limits, const GroveSums *side, long double *output)
{
	long double g = (long double) side->g * rules->g_unit;
	long double h = (long double) side->h * rules->h_unit;
	long double step = -g / h;

	step = (step * side->c + (long double) limits->output * rules->path_smooth) / (side->c + rules->path_smooth);
	step = step < limits->lower ? limits->lower : step > limits->upper ? limits->upper : step;
	*output = step;
	return -(2.0L * g * step + h * step * step);
}

/* Bounds, a monotone feature and smoothing: the best of all thresholds that the limits allow. */
static void
test_limits(void)
{
	KitRandom	random = kit_random(6);

	for (int round = 0; round < 3000; round++)
	{
		Problem		p = random_problem(&random, 2 + kit_below(&random, 12), false, false);
		GroveLimits limits = {-kit_unit(&random), kit_unit(&random), 0.0, (int) kit_below(&random, 3) - 1, 0};
		GroveSplit	split;
		long double best = 0.0L;
		long double unused;

		if (p.total.c == 0)
			continue;
		p.rules.path_smooth = round % 2 ? kit_unit(&random) * 20.0 : 0.0;
		limits.output = limits.lower + kit_unit(&random) * (limits.upper - limits.lower);
		for (uint32_t last = 1; last < p.bins.n_bins; last++)
		{
			uint8_t		table[GROVE_BINS] = {0};
			GroveSums	left;
			GroveSums	right;
			long double a,
						b,
						gain;
			long double g = (long double) p.total.g * p.rules.g_unit;
			long double h = (long double) p.total.h * p.rules.h_unit;

			memset(table + 1, 1, last);
			left = left_of(&p, table);
			right.g = p.total.g - left.g;
			right.h = p.total.h - left.h;
			right.c = p.total.c - left.c;
			if (left.c == 0 || right.c == 0)
				continue;
			gain = limited_gain(&p.rules, &limits, &left, &a) + limited_gain(&p.rules, &limits, &right, &b) +
				(2.0L * g * limits.output + h * limits.output * limits.output);
			if ((b - a) * limits.monotone >= 0)
				best = larger(best, gain);
		}
		grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, &limits, &split);
		CHECK(fabsl(split.gain - best) <= 1e-9L * (best + loss_taken(&p.rules, 0, (long double) p.total.g * p.rules.g_unit,
																	 (long double) p.total.h * p.rules.h_unit)));
		limited_gain(&p.rules, &limits, &p.total, &unused);
		CHECK(fabsl(grove_split_value(&p.rules, &p.total, &limits) - unused) < 1e-12L);
	}
}

/* extra_trees: each threshold between rows is drawn about equally often, and nothing else. */
static void
test_random_thresholds(void)
{
	enum {DRAWS = 9000};
	KitRandom	random = kit_random(7);
	Problem		p;
	int			drawn[GROVE_BINS] = {0};

	memset(&p, 0, sizeof(p));
	p.rules = plain_rules();
	p.bins.n_bins = 200;
	for (uint32_t b = 20; b <= 80; b += 20)
	{
		p.sums.c[b] = 10;
		p.sums.h[b] = 5120;
		p.sums.g[b] = 1024 * (int64_t) b;
	}
	add_total(&p);
	for (int i = 0; i < DRAWS; i++)
	{
		GroveLimits limits = {-1e300, 1e300, grove_split_value(&p.rules, &p.total, NULL), 0, kit_next(&random) | 1};
		GroveSplit	split;

		grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, &limits, &split);
		drawn[split.gain > 0.0 ? split.bin : 0]++;
	}
	CHECK(drawn[20] + drawn[40] + drawn[60] == DRAWS);
	for (int b = 20; b <= 60; b += 20)
		CHECK(abs(drawn[b] - DRAWS / 3) < 225);	/* 5 standard deviations */
}

/* All rows agree: nothing is gained, however the doubles round. */
static void
test_flat(void)
{
	KitRandom	random = kit_random(4);

	for (int round = 0; round < 2000; round++)
	{
		Problem		p;
		GroveSplit	split;
		int64_t		g = (int64_t) kit_below(&random, 2000001) - 1000000;

		memset(&p, 0, sizeof(p));
		p.rules = plain_rules();
		p.rules.g_unit = kit_unit(&random);
		p.bins.n_bins = 2 + kit_below(&random, 50);
		p.bins.categorical = round % 2;
		for (uint32_t b = round % 3 == 0; b <= p.bins.n_bins; b++)
		{
			p.sums.c[b] = kit_below(&random, 100);
			p.sums.h[b] = p.sums.c[b];
			p.sums.g[b] = p.sums.c[b] * g;
		}
		add_total(&p);
		grove_split_find(&p.rules, &p.bins, 0, &p.sums, &p.total, NULL, &split);
		CHECK(split.gain == 0.0);
	}
}

static void
test_values(void)
{
	GroveSplitRules rules = plain_rules();
	GroveSums	sums = {-2048, 1024, 10};	/* g = -2, h = 2 */
	GroveSums	none = {0, 0, 0};

	CHECK(grove_split_value(&rules, &sums, NULL) == 1.0);
	rules.lambda_l2 = 2.0;
	CHECK(grove_split_value(&rules, &sums, NULL) == 0.5);
	rules.lambda_l1 = 1.0;
	CHECK(grove_split_value(&rules, &sums, NULL) == 0.25);
	rules.max_delta_step = 0.125;
	CHECK(grove_split_value(&rules, &sums, NULL) == 0.125);
	sums.g = 2048;
	CHECK(grove_split_value(&rules, &sums, NULL) == -0.125);
	rules.lambda_l1 = 2.0;
	CHECK(grove_split_value(&rules, &sums, NULL) == 0.0);
	CHECK(grove_split_value(&rules, &none, NULL) == 0.0);
	rules.lambda_l2 = 0.0;
	CHECK(grove_split_value(&rules, &none, NULL) == 0.0);

	/* however little holds a step back, it stays a number of single precision */
	rules = plain_rules();
	rules.lambda_l2 = 1e-300;
	CHECK(grove_split_value(&rules, &(GroveSums) {-1024, 0, 1}, NULL) == GROVE_STEP_MAX);
	CHECK(grove_split_value(&rules, &(GroveSums) {INT64_MAX, 0, 1}, NULL) == -GROVE_STEP_MAX);
	rules.max_delta_step = 1e300;
	CHECK(grove_split_value(&rules, &(GroveSums) {-1024, 0, 1}, NULL) == GROVE_STEP_MAX);
	rules.path_smooth = 1e300;
	CHECK(grove_split_value(&rules, &(GroveSums) {-1024, 0, 1}, &(GroveLimits) {-1e300, 1e300, GROVE_STEP_MAX, 0, 0}) == GROVE_STEP_MAX);
}

int
main(void)
{
	test_thresholds();
	test_one_against_rest();
	test_all_subsets();
	test_sorted_limits();
	test_empty_hessian();
	test_ties();
	test_tie_of_sides();
	test_limits();
	test_random_thresholds();
	test_flat();
	test_values();
	return unit_done();
}
