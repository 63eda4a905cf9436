/*
 * test_curve.c: ROC points, lift buckets and calibration bins against loops
 * over single rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/curve.h"
#include "../../src/core/rng.h"

#include "unit.h"

#define ROWS	240

static uint64_t seed = 5;

static uint64_t
next_random(void)
{
	return grove_rng_mix(seed++);
}

static int
compare_rows(const void *a, const void *b)
{
	return grove_ranked_compare(GROVE_RANKED_SINGLE, a, b);
}

/* Sorted rows of weight 1 with scores that are multiples of 1 / values; not merged. */
static void
make_rows(uint64_t *rows, unsigned values, double total[2])
{
	int			i;

	total[0] = total[1] = 0;
	for (i = 0; i < ROWS; i++)
	{
		double		score = (double) (next_random() % values) / values;
		bool		positive = (double) (next_random() % 1000) / 1000 < score;

		rows[2 * i] = grove_ranked_key(score);
		rows[2 * i + 1] = grove_ranked_class(positive, 1);
		total[positive]++;
	}
	qsort(rows, ROWS, 2 * sizeof(uint64_t), compare_rows);
}

static double
score_of(const uint64_t *rows, int i)
{
	return grove_ranked_value(rows[2 * i]);
}

/* Rows of a class that score at least so much. */
static double
count_above(const uint64_t *rows, double threshold, bool positive)
{
	double		count = 0;
	int			i;

	for (i = 0; i < ROWS; i++)
		count += score_of(rows, i) >= threshold && grove_ranked_positive(rows[2 * i + 1]) == positive;
	return count;
}

/* How far a point is from the line from a to b, times the length of that. */
static double
bend(const GroveCurvePoint *a, const GroveCurvePoint *b, double x, double y)
{
	return fabs((b->false_positive - a->false_positive) * (y - a->true_positive) -
				(x - a->false_positive) * (b->true_positive - a->true_positive));
}

/* Whether a point is on the curve through these points. */
static bool
on_curve(const GroveCurvePoint *points, int n, double x, double y)
{
	int			i;

	for (i = 1; i < n; i++)
	{
		if (points[i - 1].false_positive <= x && x <= points[i].false_positive &&
			points[i - 1].true_positive <= y && y <= points[i].true_positive &&
			bend(&points[i - 1], &points[i], x, y) < 1e-12)
			return true;
	}
	return false;
}

static void
test_roc(unsigned values)
{
	uint64_t	rows[2 * ROWS];
	double		total[2];
	GroveCurvePoint points[ROWS + 2];
	GroveCurveRoc roc;
	GroveRankedGroup group;
	GroveRankedCurve curve;
	size_t		start;
	double		auc;
	double		area = 0;
	int			groups = 0;
	int			n = 1;
	int			i;

	make_rows(rows, values, total);
	memset(&curve, 0, sizeof(curve));
	grove_curve_roc_init(&roc, total);
	grove_curve_roc_first(&roc, &points[0]);
	for (start = 0; start < ROWS; start = group.end)
	{
		grove_ranked_group(rows, ROWS, start, &group);
		grove_ranked_curve_add(&curve, group.weight);
		n += grove_curve_roc_add(&roc, &group, &points[n]);
		groups++;
	}
	CHECK(grove_curve_roc_last(&roc, &points[n]));
	n++;
	CHECK(points[0].threshold == INFINITY && points[0].false_positive == 0 && points[0].true_positive == 0);
	CHECK(points[n - 1].false_positive == 1 && points[n - 1].true_positive == 1);
	CHECK(n <= groups + 1);
	for (i = 1; i < n; i++)
	{
		CHECK(points[i].threshold < points[i - 1].threshold);
		CHECK(points[i].false_positive == count_above(rows, points[i].threshold, false) / total[0]);
		CHECK(points[i].true_positive == count_above(rows, points[i].threshold, true) / total[1]);
		area += (points[i].false_positive - points[i - 1].false_positive) *
			(points[i].true_positive + points[i - 1].true_positive) / 2;
	}
	/* what was left out lies on the lines: the area is the AUC, each row's point is on the curve */
	CHECK(grove_ranked_auc(&curve, &auc) && fabs(area - auc) < 1e-12);
	for (i = 0; i < ROWS; i++)
	{
		double		x = count_above(rows, score_of(rows, i), false) / total[0];
		double		y = count_above(rows, score_of(rows, i), true) / total[1];

		CHECK(on_curve(points, n, x, y));
	}
	for (i = 2; i < n; i++)
		CHECK(bend(&points[i - 2], &points[i - 1], points[i].false_positive, points[i].true_positive) > 1e-9);
}

static void
test_lift(unsigned values, uint32_t buckets)
{
	uint64_t	rows[2 * ROWS];
	double		total[2];
	double		expected[ROWS];	/* positives that each place gets when ties are shuffled */
	GroveCurveLift lift;
	GroveCurveBucket bucket;
	GroveRankedGroup group;
	size_t		start;
	size_t		i;
	double		gained = 0;
	double		place = 0;

	make_rows(rows, values, total);
	grove_curve_lift_init(&lift, total, buckets);
	for (start = 0; start < ROWS; start = group.end)
	{
		grove_ranked_group(rows, ROWS, start, &group);
		for (i = start; i < group.end; i++)
			expected[i] = group.weight[1] / (group.weight[0] + group.weight[1]);
	}
	for (start = 0; start < ROWS; start = group.end)
	{
		grove_ranked_group(rows, ROWS, start, &group);
		while (grove_curve_lift_next(&lift, &group, &bucket))
		{
			double		end = (double) ROWS * lift.done / buckets;
			double		before = gained;

			/* whole places, then the part of one */
			while (place < end)
			{
				double		next = fmin(floor(place) + 1, end);

				gained += expected[(int) place] * (next - place);
				place = next;
			}
			CHECK(fabs(bucket.rate - (gained - before) / ((double) ROWS / buckets)) < 1e-9);
			CHECK(fabs(bucket.lift - bucket.rate / (total[1] / ROWS)) < 1e-9);
			CHECK(fabs(bucket.gain - gained / total[1]) < 1e-9);
			CHECK(bucket.lowest == score_of(rows, (int) ceil(end - 1e-9) - 1));
		}
		grove_curve_lift_add(&lift, &group);
	}
	CHECK(lift.done == buckets);
	CHECK(fabs(bucket.gain - 1) < 1e-12);
}

static void
test_bins(unsigned values, uint32_t n_bins)
{
	uint64_t	rows[2 * ROWS];
	double		total[2];
	GroveCurveBin bins[50];
	GroveRankedGroup group;
	double		above = 0;
	double		weight = 0;
	uint32_t	last = n_bins;
	size_t		start;
	uint32_t	i;

	make_rows(rows, values, total);
	memset(bins, 0, sizeof(bins));
	for (start = 0; start < ROWS; start = group.end)
	{
		grove_ranked_group(rows, ROWS, start, &group);
		i = grove_curve_bin(ROWS, above, &group, n_bins);
		CHECK(i < n_bins && i <= last);
		last = i;
		grove_curve_bin_add(&bins[i], &group, group.square[0] + group.square[1]);
		above += group.weight[0] + group.weight[1];
	}
	for (i = 0; i < n_bins; i++)
	{
		double		n = grove_ranked_sum_value(&bins[i].weight);
		double		rate;
		double		lower;
		double		upper;
		double		z = 1.959963984540054;

		weight += n;
		if (n == 0)
			continue;
		if (values > 100000)	/* no ties: bins are as equal as whole rows allow */
			CHECK(fabs(n - (double) ROWS / n_bins) <= 1);
		grove_curve_bin_rate(&bins[i], &rate, &lower, &upper);
		CHECK(rate == grove_ranked_sum_value(&bins[i].positive) / n);
		CHECK(lower <= rate + 1e-15 && rate <= upper + 1e-15 && lower >= 0 && upper <= 1);
		/* the bounds of Wilson's interval are the rates that are just not rejected */
		if (lower > 0)
			CHECK(fabs((rate - lower) / sqrt(lower * (1 - lower) / n) - z) < 1e-9);
		if (upper < 1)
			CHECK(fabs((upper - rate) / sqrt(upper * (1 - upper) / n) - z) < 1e-9);
	}
	CHECK(weight == ROWS);
}

static void
test_edges(void)
{
	static const double none[2] = {0, 0};
	static const double positives[2] = {0, 2};
	uint64_t	row[2] = {grove_ranked_key(0.5), grove_ranked_class(true, 2)};
	GroveCurveRoc roc;
	GroveCurveLift lift;
	GroveCurvePoint point;
	GroveCurveBucket bucket;
	GroveRankedGroup group;
	int			i;

	grove_curve_roc_init(&roc, none);
	CHECK(!grove_curve_roc_last(&roc, &point));

	/* one class: the other one's rate is not defined */
	grove_curve_roc_init(&roc, positives);
	grove_ranked_group(row, 1, 0, &group);
	CHECK(!grove_curve_roc_add(&roc, &group, &point) && grove_curve_roc_last(&roc, &point));
	CHECK(point.true_positive == 1 && isnan(point.false_positive));

	/* one row in many buckets */
	grove_curve_lift_init(&lift, positives, 7);
	for (i = 0; i < 7; i++)
		CHECK(grove_curve_lift_next(&lift, &group, &bucket) && fabs(bucket.lift - 1) < 1e-12);
	CHECK(!grove_curve_lift_next(&lift, &group, &bucket));
}

int
main(void)
{
	static const unsigned values[] = {2, 7, 40, 1000000};
	static const uint32_t parts[] = {1, 2, 7, 10, 50};
	int			v;
	int			p;

	for (v = 0; v < 4; v++)
	{
		test_roc(values[v]);
		for (p = 0; p < 5; p++)
		{
			test_lift(values[v], parts[p]);
			test_bins(values[v], parts[p]);
		}
	}
	test_edges();
	return unit_done();
}
