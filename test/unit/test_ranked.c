/*
 * test_ranked.c: AUC, average precision, DeLong and NDCG against quadratic
 * loops over their definitions; bit-equality over orders and merges.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/ranked.h"
#include "../../src/core/rng.h"

#include "unit.h"

#define ROWS	200

static uint64_t seed = 11;

static uint64_t
next_random(void)
{
	return grove_rng_mix(seed++);
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool
close_to(double a, double b)
{
	return fabs(a - b) <= 1e-13 * (1 + fabs(b));
}

static int
compare_single(const void *a, const void *b)
{
	return grove_ranked_compare(GROVE_RANKED_SINGLE, a, b);
}

static int
compare_paired(const void *a, const void *b)
{
	return grove_ranked_compare(GROVE_RANKED_PAIRED, a, b);
}

/* Sorts and merges in place; returns the rows that are left. */
static size_t
sort_rows(GroveRankedShape shape, uint64_t *rows, size_t n)
{
	size_t		words = (size_t) grove_ranked_words(shape);
	size_t		merged = 0;
	size_t		i;

	qsort(rows, n, words * sizeof(uint64_t), shape == GROVE_RANKED_SINGLE ? compare_single : compare_paired);
	for (i = 0; i < n; i++)
		merged = grove_ranked_append(shape, rows, merged, rows + i * words);
	return merged;
}

static void
walk(const uint64_t *rows, size_t n, GroveRankedCurve *curve, GroveRankedVariance *variance)
{
	GroveRankedGroup group;
	size_t		start;

	if (variance == NULL)
		memset(curve, 0, sizeof(*curve));
	for (start = 0; start < n; start = group.end)
	{
		grove_ranked_group(rows, n, start, &group);
		CHECK(group.end > start && group.end <= n);
		if (variance == NULL)
			grove_ranked_curve_add(curve, group.weight);
		else
			grove_ranked_variance_add(variance, group.weight, group.square);
	}
}

static void
test_keys(void)
{
	static const double values[] = {
		INFINITY, 1.7976931348623157e308, 2, 1.0000000000000002, 1, 5e-324, 0,
		-5e-324, -1, -1.7976931348623157e308, -INFINITY
	};
	size_t		i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
	{
		CHECK(same_bits(grove_ranked_value(grove_ranked_key(values[i])), values[i]));
		if (i > 0)
			CHECK(grove_ranked_key(values[i - 1]) < grove_ranked_key(values[i]));
	}
	CHECK(grove_ranked_key(-0.0) == grove_ranked_key(0.0));
	CHECK(grove_ranked_positive(grove_ranked_class(true, 2.5)));
	CHECK(!grove_ranked_positive(grove_ranked_class(false, 2.5)));
	CHECK(grove_ranked_weight(grove_ranked_class(true, 2.5)) == 2.5);
}

static void
test_valid(void)
{
	uint64_t	row[4] = {grove_ranked_key(1), grove_ranked_class(true, 1), 0, 0};
	uint64_t	nan_bits = UINT64_C(0x7ff8000000000000);
	uint64_t	nan_key = ~(nan_bits | UINT64_C(1) << 63);

	CHECK(grove_ranked_valid(GROVE_RANKED_SINGLE, row));
	row[0] = nan_key;
	CHECK(!grove_ranked_valid(GROVE_RANKED_SINGLE, row));
	row[0] = UINT64_C(1) << 63; /* -0, which has no key of its own */
	CHECK(!grove_ranked_valid(GROVE_RANKED_SINGLE, row));
	row[0] = grove_ranked_key(-INFINITY);
	CHECK(grove_ranked_valid(GROVE_RANKED_SINGLE, row));
	row[1] = grove_ranked_class(true, 0);
	CHECK(!grove_ranked_valid(GROVE_RANKED_SINGLE, row));
	row[1] = grove_ranked_class(false, INFINITY);
	CHECK(!grove_ranked_valid(GROVE_RANKED_SINGLE, row));
	row[1] = nan_bits;
	CHECK(!grove_ranked_valid(GROVE_RANKED_SINGLE, row));

	row[1] = grove_ranked_key(2);
	row[2] = grove_ranked_class(false, 3);
	CHECK(grove_ranked_valid(GROVE_RANKED_PAIRED, row));
	row[1] = nan_key;
	CHECK(!grove_ranked_valid(GROVE_RANKED_PAIRED, row));

	row[2] = grove_ranked_key(2);
	row[3] = grove_ranked_key(0);
	CHECK(grove_ranked_valid(GROVE_RANKED_QUERY, row));
	row[3] = grove_ranked_key(-1);
	CHECK(!grove_ranked_valid(GROVE_RANKED_QUERY, row));
	row[3] = grove_ranked_key(INFINITY);
	CHECK(!grove_ranked_valid(GROVE_RANKED_QUERY, row));
	CHECK(grove_ranked_words(15) == 0 && grove_ranked_words(19) == 0);
}

static void
test_append(void)
{
	uint64_t	run[8];
	uint64_t	row[2];
	size_t		n = 0;

	row[0] = grove_ranked_key(5);
	row[1] = grove_ranked_class(true, 0.5);
	n = grove_ranked_append(GROVE_RANKED_SINGLE, run, n, row);
	row[1] = grove_ranked_class(true, 1.5);
	n = grove_ranked_append(GROVE_RANKED_SINGLE, run, n, row);
	CHECK(n == 1 && grove_ranked_weight(run[1]) == 2 && grove_ranked_positive(run[1]));
	row[1] = grove_ranked_class(true, 1e-30);	/* the sum would be rounded */
	n = grove_ranked_append(GROVE_RANKED_SINGLE, run, n, row);
	CHECK(n == 2);
	row[1] = grove_ranked_class(false, 1);
	n = grove_ranked_append(GROVE_RANKED_SINGLE, run, n, row);
	CHECK(n == 3);
}

/*
 * Two scores of ROWS rows with few values, so that there are ties; weights of
 * 1, or of many sizes.
 */
static void
make_rows(uint64_t *paired, bool weighted)
{
	int			i;

	for (i = 0; i < ROWS; i++)
	{
		bool		positive = next_random() % 3 == 0;
		double		weight = weighted ? exp2((double) (next_random() % 40) - 20) * 1.1 : 1;

		paired[3 * i] = grove_ranked_key((double) (next_random() % 30) - 15 + 5 * positive);
		paired[3 * i + 1] = grove_ranked_key((double) (next_random() % 9) / 7 + positive);
		paired[3 * i + 2] = grove_ranked_class(positive, weight);
	}
}

/* Rows of one score column. */
static void
take_column(const uint64_t *paired, int column, uint64_t *single)
{
	int			i;

	for (i = 0; i < ROWS; i++)
	{
		single[2 * i] = paired[3 * i + column];
		single[2 * i + 1] = paired[3 * i + 2];
	}
}

/* 1, 1/2 or 0: whether row i scores higher than row j. */
static double
wins(const uint64_t *single, int i, int j)
{
	double		a = grove_ranked_value(single[2 * i]);
	double		b = grove_ranked_value(single[2 * j]);

	return a > b ? 1 : a == b ? 0.5 : 0;
}

static double
weight_of(const uint64_t *single, int i)
{
	return grove_ranked_weight(single[2 * i + 1]);
}

/* Share of the other class's weight that row i is on the right side of. */
static double
slow_placement(const uint64_t *single, int i)
{
	bool		positive = grove_ranked_positive(single[2 * i + 1]);
	double		sum = 0;
	double		total = 0;
	int			j;

	for (j = 0; j < ROWS; j++)
	{
		if (grove_ranked_positive(single[2 * j + 1]) == positive)
			continue;
		sum += weight_of(single, j) * (positive ? wins(single, i, j) : wins(single, j, i));
		total += weight_of(single, j);
	}
	return sum / total;
}

static double
slow_auc(const uint64_t *single)
{
	double		sum = 0;
	double		total = 0;
	int			i;

	for (i = 0; i < ROWS; i++)
	{
		if (!grove_ranked_positive(single[2 * i + 1]))
			continue;
		sum += weight_of(single, i) * slow_placement(single, i);
		total += weight_of(single, i);
	}
	return sum / total;
}

/* Over all thresholds that are a score of a row. */
static double
slow_average_precision(const uint64_t *single)
{
	double		positives = 0;
	double		sum = 0;
	int			i;
	int			j;

	for (i = 0; i < ROWS; i++)
	{
		double		hits = 0;
		double		all = 0;

		if (!grove_ranked_positive(single[2 * i + 1]))
			continue;
		positives += weight_of(single, i);
		for (j = 0; j < ROWS; j++)
		{
			if (single[2 * j] > single[2 * i])
				continue;		/* keys fall with the score */
			all += weight_of(single, j);
			hits += grove_ranked_positive(single[2 * j + 1]) ? weight_of(single, j) : 0;
		}
		sum += weight_of(single, i) * hits / all;
	}
	return sum / positives;
}

static void
test_curve(bool weighted)
{
	uint64_t	paired[3 * ROWS];
	uint64_t	single[2 * ROWS];
	uint64_t	sorted[2 * ROWS];
	GroveRankedCurve curve;
	double		auc;
	double		average;
	int			round;

	make_rows(paired, weighted);
	take_column(paired, 0, single);
	memcpy(sorted, single, sizeof(sorted));
	walk(sorted, sort_rows(GROVE_RANKED_SINGLE, sorted, ROWS), &curve, NULL);
	CHECK(grove_ranked_auc(&curve, &auc) && close_to(auc, slow_auc(single)));
	CHECK(grove_ranked_average_precision(&curve, &average) && close_to(average, slow_average_precision(single)));

	/* any order, and merging two runs in any cut */
	for (round = 0; round < 20; round++)
	{
		double		again;
		size_t		cut = next_random() % ROWS;
		size_t		left;
		size_t		right;
		int			i;

		memcpy(sorted, single, sizeof(sorted));
		for (i = ROWS - 1; i > 0; i--)
		{
			int			j = (int) (next_random() % (uint64_t) (i + 1));
			uint64_t	swap[2];

			memcpy(swap, sorted + 2 * i, sizeof(swap));
			memcpy(sorted + 2 * i, sorted + 2 * j, sizeof(swap));
			memcpy(sorted + 2 * j, swap, sizeof(swap));
		}
		left = sort_rows(GROVE_RANKED_SINGLE, sorted, cut);
		right = sort_rows(GROVE_RANKED_SINGLE, sorted + 2 * cut, ROWS - cut);
		memmove(sorted + 2 * left, sorted + 2 * cut, right * 2 * sizeof(uint64_t));
		walk(sorted, sort_rows(GROVE_RANKED_SINGLE, sorted, left + right), &curve, NULL);
		CHECK(grove_ranked_auc(&curve, &again) && same_bits(again, auc));
		CHECK(grove_ranked_average_precision(&curve, &again) && same_bits(again, average));
	}
}

static void
test_curve_edges(void)
{
	uint64_t	rows[4] = {grove_ranked_key(1), grove_ranked_class(true, 1), grove_ranked_key(0), grove_ranked_class(true, 1)};
	GroveRankedCurve curve;
	double		result;

	walk(rows, 0, &curve, NULL);
	CHECK(!grove_ranked_auc(&curve, &result));
	CHECK(!grove_ranked_average_precision(&curve, &result));
	walk(rows, 2, &curve, NULL);
	CHECK(!grove_ranked_auc(&curve, &result));
	CHECK(grove_ranked_average_precision(&curve, &result) && result == 1);
	rows[3] = grove_ranked_class(false, 1);
	walk(rows, 2, &curve, NULL);
	CHECK(grove_ranked_auc(&curve, &result) && result == 1);
	rows[1] = grove_ranked_class(false, 1);
	walk(rows, 2, &curve, NULL);
	CHECK(!grove_ranked_auc(&curve, &result));
	CHECK(!grove_ranked_average_precision(&curve, &result));
}

/* Variance of one AUC by class, from placements: sum of w^2 (v - auc)^2 / (sum w)^2 * n / (n - 1). */
static double
slow_variance(const uint64_t *single)
{
	double		auc = slow_auc(single);
	double		result = 0;
	int			class;
	int			i;

	for (class = 0; class < 2; class++)
	{
		double		sum = 0;
		double		total = 0;
		double		n = 0;

		for (i = 0; i < ROWS; i++)
		{
			if (grove_ranked_positive(single[2 * i + 1]) != class)
				continue;
			sum += pow(weight_of(single, i) * (slow_placement(single, i) - auc), 2);
			total += weight_of(single, i);
			n++;
		}
		result += sum / (total * total) * n / (n - 1);
	}
	return result;
}

static void
test_variance(void)
{
	uint64_t	paired[3 * ROWS];
	uint64_t	single[2 * ROWS];
	uint64_t	sorted[2 * ROWS];
	uint64_t	rows[2] = {0, 0};
	uint64_t	few[2] = {1, 5};
	GroveRankedCurve curve;
	GroveRankedVariance variance;
	double		result;
	int			i;

	make_rows(paired, true);
	take_column(paired, 0, single);
	for (i = 0; i < ROWS; i++)
		rows[grove_ranked_positive(single[2 * i + 1])]++;
	memcpy(sorted, single, sizeof(sorted));
	qsort(sorted, ROWS, 2 * sizeof(uint64_t), compare_single);	/* not merged: squares of the weights are needed */
	walk(sorted, ROWS, &curve, NULL);
	grove_ranked_variance_init(&variance, &curve);
	walk(sorted, ROWS, NULL, &variance);
	CHECK(grove_ranked_variance_result(&variance, rows, &result));
	CHECK(close_to(result / slow_variance(single), 1));
	CHECK(!grove_ranked_variance_result(&variance, few, &result));
}

static void
test_paired(void)
{
	uint64_t	paired[3 * ROWS];
	uint64_t	single[2][2 * ROWS];
	uint32_t	order[ROWS];
	double		placement[2][ROWS];
	double		total[2] = {0, 0};
	double		slow[2] = {0, 0};
	GroveRankedSum sum[2];
	GroveRankedCurve curve;
	GroveRankedTest test;
	size_t		n;
	size_t		start;
	size_t		i;
	int			column;

	make_rows(paired, false);
	for (column = 0; column < 2; column++)
		take_column(paired, column, single[column]);
	for (i = 0; i < ROWS; i++)
		total[grove_ranked_positive(paired[3 * i + 2])]++;
	for (i = 0; i < ROWS; i++)
	{
		double		distance = slow_placement(single[0], (int) i) - slow_placement(single[1], (int) i) -
			(slow_auc(single[0]) - slow_auc(single[1]));

		slow[grove_ranked_positive(paired[3 * i + 2])] += distance * distance;
	}

	n = sort_rows(GROVE_RANKED_PAIRED, paired, ROWS);
	CHECK(n < ROWS);			/* some rows were equal */
	for (i = 0; i < n; i++)
	{
		size_t		j = i;

		for (; j > 0 && paired[3 * order[j - 1] + 1] > paired[3 * i + 1]; j--)
			order[j] = order[j - 1];
		order[j] = (uint32_t) i;
	}
	for (column = 0; column < 2; column++)
	{
		memset(&curve, 0, sizeof(curve));
		for (start = 0; start < n;)
			start = grove_ranked_place(paired, column ? order : NULL, n, start, column, total, &curve, placement[column]);
		CHECK(grove_ranked_auc(&curve, &test.auc[column]));
		CHECK(close_to(test.auc[column], slow_auc(single[column])));
	}
	memset(sum, 0, sizeof(sum));
	grove_ranked_test_add(paired, 0, n, placement[0], placement[1], test.auc[0] - test.auc[1], sum);
	grove_ranked_test_result(&test, total, sum);
	CHECK(close_to(test.error, sqrt(slow[0] / total[0] / (total[0] - 1) + slow[1] / total[1] / (total[1] - 1))));
	CHECK(close_to(test.z, test.difference / test.error));
	CHECK(close_to(test.p_value, erfc(fabs(test.z) / sqrt(2))));
	CHECK(close_to(test.upper - test.lower, 2 * 1.959963984540054 * test.error));

	/* a score against itself */
	memset(sum, 0, sizeof(sum));
	test.auc[1] = test.auc[0];
	grove_ranked_test_add(paired, 0, n, placement[0], placement[0], 0, sum);
	grove_ranked_test_result(&test, total, sum);
	CHECK(test.difference == 0 && test.error == 0 && test.z == 0 && test.p_value == 1);

	/* one positive: no variance */
	total[1] = 1;
	grove_ranked_test_result(&test, total, sum);
	CHECK(isnan(test.error) && isnan(test.z) && isnan(test.p_value) && isnan(test.lower));

	/* a constant distance between placements, off by rounding */
	total[1] = 10;
	total[0] = 10;
	test.auc[0] = 1;
	test.auc[1] = 1.0 / 3;
	sum[0].sum = sum[1].sum = 10 * 1e-32;
	grove_ranked_test_result(&test, total, sum);
	CHECK(test.error == 0 && isnan(test.z) && isnan(test.p_value));
}

static void
test_gain(void)
{
	GroveRankedGain gain;

	/* gains 3, 2, 0, 1 in this order */
	memset(&gain, 0, sizeof(gain));
	grove_ranked_gain_add(&gain, 3, 1, 0);
	grove_ranked_gain_add(&gain, 2, 1, 0);
	grove_ranked_gain_add(&gain, 0, 1, 0);
	grove_ranked_gain_add(&gain, 1, 1, 0);
	CHECK(close_to(grove_ranked_sum_value(&gain.gain), 3 + 2 / log2(3) + 1 / log2(5)));

	/* cut behind the second, in the middle of a tie of three */
	memset(&gain, 0, sizeof(gain));
	grove_ranked_gain_add(&gain, 3, 1, 2);
	grove_ranked_gain_add(&gain, 3, 3, 2);
	grove_ranked_gain_add(&gain, 9, 1, 2);
	CHECK(close_to(grove_ranked_sum_value(&gain.gain), 3 + 1 / log2(3)));
	CHECK(gain.rank == 5);
}

int
main(void)
{
	int			round;

	test_keys();
	test_valid();
	test_append();
	for (round = 0; round < 10; round++)
	{
		test_curve(false);
		test_curve(true);
		test_variance();
		test_paired();
	}
	test_curve_edges();
	test_gain();
	return unit_done();
}
