/*
 * test_metric.c: losses and metrics against their definitions, the rows that
 * are refused, and bit-equality over orders and cuts.
 */
#include <math.h>
#include <string.h>

#include "../../src/core/metric.h"
#include "../../src/core/rng.h"

#include "unit.h"

#define ROWS	500

static const GroveMetric metrics[] = {
	GROVE_METRIC_LOG_LOSS, GROVE_METRIC_BRIER, GROVE_METRIC_ACCURACY,
	GROVE_METRIC_RMSE, GROVE_METRIC_MAE, GROVE_METRIC_R2
};

typedef struct Row
{
	double		truth;
	double		score;
	double		weight;
} Row;

static uint64_t seed = 7;

static double
random_u01(void)
{
	return grove_rng_u01(grove_rng_mix(seed++));
}

/* Rows that suit the metric; regression spans hundreds of orders of magnitude. */
static void
make_rows(GroveMetric metric, Row *rows)
{
	int			i;

	for (i = 0; i < ROWS; i++)
	{
		double		size = pow(10, -100 + 200 * random_u01());

		rows[i].weight = i % 7 == 0 ? 0 : exp(10 * random_u01() - 5);
		if (metric <= GROVE_METRIC_ACCURACY)
		{
			rows[i].truth = random_u01() < 0.3;
			rows[i].score = random_u01() < 0.1 ? rows[i].truth : random_u01();
		}
		else
		{
			rows[i].truth = random_u01() < 0.5 ? size : -size;
			rows[i].score = random_u01() < 0.5 ? size * random_u01() : -1;
		}
	}
}

static double
metric_of(GroveMetric metric, const Row *rows, int from, int step)
{
	GroveMetricSums sums;
	double		result = NAN;
	int			i;

	grove_metric_init(&sums, metric);
	for (i = from; i < ROWS; i += step)
		CHECK(grove_metric_add(&sums, rows[i].truth, rows[i].score, rows[i].weight) == GROVE_METRIC_FINE);
	CHECK(grove_metric_result(&sums, &result));
	return result;
}

/* The definition, in long double. */
static long double
slow_metric(GroveMetric metric, const Row *rows, int from, int step)
{
	long double weight = 0;
	long double loss = 0;
	long double truth = 0;
	long double spread = 0;
	int			i;

	for (i = from; i < ROWS; i += step)
	{
		long double t = rows[i].truth;
		long double s = rows[i].score;
		long double row;

		if (metric == GROVE_METRIC_LOG_LOSS)
			row = -logl(fminl(fmaxl(t != 0 ? s : 1 - s, 1e-15L), 1 - 1e-15L));
		else if (metric == GROVE_METRIC_ACCURACY)
			row = (s >= 0.5L) == (t == 1);
		else if (metric == GROVE_METRIC_MAE)
			row = fabsl(s - t);
		else
			row = (s - t) * (s - t);
		loss += rows[i].weight * row;
		weight += rows[i].weight;
		truth += rows[i].weight * t;
	}
	if (metric == GROVE_METRIC_R2)
	{
		for (i = from; i < ROWS; i += step)
			spread += rows[i].weight * (rows[i].truth - truth / weight) * (rows[i].truth - truth / weight);
		return 1 - loss / spread;
	}
	return metric == GROVE_METRIC_RMSE ? sqrtl(loss / weight) : loss / weight;
}

static bool
same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static void
test_definitions_and_order(void)
{
	size_t		m;

	for (m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++)
	{
		Row			rows[ROWS];
		double		result;
		long double expected;
		int			round;

		make_rows(metrics[m], rows);
		result = metric_of(metrics[m], rows, 0, 1);
		expected = slow_metric(metrics[m], rows, 0, 1);
		CHECK(fabsl(result - expected) <= 1e-14L * (1 + fabsl(expected)));
		for (round = 0; round < 10; round++)
		{
			GroveMetricSums part[3];
			double		merged;
			int			i;

			for (i = ROWS - 1; i > 0; i--)
			{
				int			j = (int) (random_u01() * (i + 1));
				Row			swap = rows[i];

				rows[i] = rows[j];
				rows[j] = swap;
			}
			CHECK(same_bits(metric_of(metrics[m], rows, 0, 1), result));
			for (i = 0; i < 3; i++)
				grove_metric_init(&part[i], metrics[m]);
			for (i = 0; i < ROWS; i++)
				grove_metric_add(&part[(int) (random_u01() * 3)], rows[i].truth, rows[i].score, rows[i].weight);
			grove_metric_merge(&part[1], &part[2]);
			grove_metric_merge(&part[0], &part[1]);
			CHECK(part[0].rows == ROWS);
			CHECK(grove_metric_result(&part[0], &merged) && same_bits(merged, result));
		}
	}
}

/* Sums that a double could not hold apart: each order gives the same bits. */
static void
test_adversarial(void)
{
	static const double truths[] = {1e150, -1e150, 1e-150, 3, -1e150, 1e150, 1e-300, 7};
	double		results[3][2];
	int			turn;

	for (turn = 0; turn < 2; turn++)
	{
		size_t		m;

		for (m = 0; m < 3; m++)
		{
			GroveMetricSums sums;
			int			i;

			grove_metric_init(&sums, metrics[3 + m]);
			for (i = 0; i < 8; i++)
				CHECK(grove_metric_add(&sums, truths[turn ? 7 - i : i], 1e-10, 1) == GROVE_METRIC_FINE);
			CHECK(grove_metric_result(&sums, &results[m][turn]));
		}
	}
	CHECK(same_bits(results[0][0], results[0][1]));
	CHECK(same_bits(results[1][0], results[1][1]));
	CHECK(same_bits(results[2][0], results[2][1]));
	CHECK(fabs(results[0][0] / sqrt(0.5 * 1e300) - 1) < 1e-15);
	CHECK(fabs(results[1][0] / 0.5e150 - 1) < 1e-15);
}

/* A mean that is far larger than the spread. */
static void
test_r2_far_from_zero(void)
{
	GroveMetricSums sums;
	double		result;
	int			i;

	grove_metric_init(&sums, GROVE_METRIC_R2);
	for (i = 0; i < 100; i++)
		grove_metric_add(&sums, 1e12 + i % 4, 1e12 + (i % 4) * 0.5, 0.1);
	/* truths 0, 1, 2, 3: spread 1.25 a row; errors 0, 0.5, 1, 1.5: 0.875 a row */
	CHECK(grove_metric_result(&sums, &result) && fabs(result - (1 - 0.875 / 1.25)) < 1e-12);

	grove_metric_init(&sums, GROVE_METRIC_R2);
	for (i = 0; i < 3; i++)
		grove_metric_add(&sums, 0.1, 0.2, 1);
	CHECK(!grove_metric_result(&sums, &result));
	grove_metric_add(&sums, 0.3, 0.2, 0);
	CHECK(!grove_metric_result(&sums, &result));
	grove_metric_add(&sums, 0.3, 0.2, 1e-5);
	CHECK(grove_metric_result(&sums, &result));
}

static void
test_refused(void)
{
	CHECK(grove_metric_check(GROVE_METRIC_LOG_LOSS, 0.5, 0.5) == GROVE_METRIC_BAD_LABEL);
	CHECK(grove_metric_check(GROVE_METRIC_ACCURACY, NAN, 0.5) == GROVE_METRIC_BAD_LABEL);
	CHECK(grove_metric_check(GROVE_METRIC_BRIER, 1, 1.0000001) == GROVE_METRIC_BAD_PROBABILITY);
	CHECK(grove_metric_check(GROVE_METRIC_LOG_LOSS, 1, -1e-300) == GROVE_METRIC_BAD_PROBABILITY);
	CHECK(grove_metric_check(GROVE_METRIC_LOG_LOSS, 1, NAN) == GROVE_METRIC_NAN_SCORE);
	CHECK(grove_metric_check(GROVE_METRIC_ACCURACY, 1, 17) == GROVE_METRIC_FINE);
	CHECK(grove_metric_check(GROVE_METRIC_RMSE, INFINITY, 0) == GROVE_METRIC_BAD_TRUTH);
	CHECK(grove_metric_check(GROVE_METRIC_MAE, 0, -INFINITY) == GROVE_METRIC_INFINITE_SCORE);
	CHECK(grove_metric_check(GROVE_METRIC_R2, 0, NAN) == GROVE_METRIC_NAN_SCORE);
	CHECK(grove_metric_check_weight(0) == GROVE_METRIC_FINE);
	CHECK(grove_metric_check_weight(-1e-300) == GROVE_METRIC_BAD_WEIGHT);
	CHECK(grove_metric_check_weight(NAN) == GROVE_METRIC_BAD_WEIGHT);
	CHECK(grove_metric_check_weight(INFINITY) == GROVE_METRIC_BAD_WEIGHT);
}

static void
test_edges(void)
{
	size_t		m;
	double		result;
	GroveMetricSums sums;

	for (m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++)
	{
		grove_metric_init(&sums, metrics[m]);
		CHECK(!grove_metric_result(&sums, &result));
		CHECK(grove_metric_add(&sums, 1, 0.5, 0) == GROVE_METRIC_FINE);
		CHECK(sums.rows == 1 && !grove_metric_result(&sums, &result));
		CHECK(grove_metric_add(&sums, 1, 0.5, -1) == GROVE_METRIC_BAD_WEIGHT && sums.rows == 1);
		CHECK(grove_metric_sums(metrics[m]) >= 2);
		CHECK(grove_metric_size(metrics[m]) <= sizeof(GroveMetricSums));
	}
	CHECK(grove_metric_sums(0) == 0 && grove_metric_sums(7) == 0 && grove_metric_sums(16) == 0);
	CHECK(fabs(grove_metric_log_loss(0) - 34.538776394910684) < 1e-12);
	CHECK(grove_metric_log_loss(1) > 0 && grove_metric_log_loss(1) < 1.2e-15);

	grove_metric_init(&sums, GROVE_METRIC_RMSE);
	CHECK(grove_metric_add(&sums, 1e200, -1e200, 1) == GROVE_METRIC_OVERFLOW && sums.rows == 0);
	CHECK(grove_metric_add(&sums, 1e150, 0, 1e10) == GROVE_METRIC_OVERFLOW && sums.rows == 0);
}

int
main(void)
{
	test_definitions_and_order();
	test_adversarial();
	test_r2_far_from_zero();
	test_refused();
	test_edges();
	return unit_done();
}
