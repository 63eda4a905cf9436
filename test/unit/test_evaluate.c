/*
 * test_evaluate.c: intervals against their formulas written as plain loops,
 * bit-equality over orders, and the share of intervals that cover the value
 * of a very large sample.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/evaluate.h"
#include "../../src/core/rng.h"

#include "unit.h"

#define ROWS	400
#define MANY	200000
#define DRAWS	3000

typedef struct Row
{
	double		truth;
	double		score;
	double		weight;
} Row;

static const uint64_t seed = 20240817;
static uint64_t counter;

static double
random_u01(void)
{
	return grove_rng_u01(grove_rng_mix(seed + counter++));
}

static double
random_normal(void)
{
	return sqrt(-2 * log(random_u01())) * cos(6.283185307179586 * random_u01());
}

static bool
same_results(const GroveEvaluated *a, const GroveEvaluated *b, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (strcmp(a[i].metric, b[i].metric) != 0 || memcmp(&a[i].value, &b[i].value, 3 * sizeof(double)) != 0)
			return false;
	}
	return true;
}

static bool
close_to(double a, double b)
{
	return fabs(a - b) <= 1e-11 * (1 + fabs(b));
}

/* Half the width of an interval in standard errors. */
static double
error_of(const GroveEvaluated *result)
{
	return (result->upper - result->lower) / (2 * 1.959963984540054);
}

static void
draw_binary(Row *row, bool weighted)
{
	double		margin = 1.5 * random_normal() - 0.5;

	row->score = 1 / (1 + exp(-margin));
	row->truth = random_u01() < 1 / (1 + exp(-1.3 * margin - 0.3));
	row->weight = weighted ? 0.5 + 2 * random_u01() : 1;
}

static void
draw_regression(Row *row, bool weighted)
{
	double		x = random_normal();

	row->score = 1000 + 3 * x;
	row->truth = 1000.2 + 3.3 * x + random_normal() * (1 + 0.5 * fabs(x));
	row->weight = weighted ? 0.5 + 2 * random_u01() : 1;
}

static int
compare_rows(const void *a, const void *b)
{
	return grove_ranked_compare(GROVE_RANKED_SINGLE, a, b);
}

/* All metrics of some rows; scores are kept apart as for weights, ranked has room for them. */
static int
evaluate(GroveTask task, const Row *rows, int n, uint64_t *ranked, GroveEvaluated *results)
{
	GroveEvaluation evaluation;
	GroveRankedCurve curve;
	GroveRankedVariance variance;
	GroveRankedGroup group;
	size_t		start;
	int			i;

	grove_evaluate_init(&evaluation, task, 990);
	for (i = 0; i < n; i++)
	{
		GroveMetricFault fault;

		if (task == GROVE_TASK_BINARY)
			fault = grove_evaluate_binary(&evaluation, rows[i].truth != 0, rows[i].score, rows[i].weight);
		else if (task == GROVE_TASK_MULTICLASS)
			fault = grove_evaluate_multiclass(&evaluation, rows[i].score, rows[i].truth != 0, rows[i].weight);
		else
			fault = grove_evaluate_regression(&evaluation, rows[i].truth, rows[i].score, rows[i].weight);
		CHECK(fault == GROVE_METRIC_FINE);
		ranked[2 * i] = grove_ranked_key(rows[i].score);
		ranked[2 * i + 1] = grove_ranked_class(rows[i].truth != 0, rows[i].weight);
	}
	memset(&curve, 0, sizeof(curve));
	if (task == GROVE_TASK_BINARY)
	{
		qsort(ranked, (size_t) n, 2 * sizeof(uint64_t), compare_rows);
		for (start = 0; start < (size_t) n; start = group.end)
		{
			grove_ranked_group(ranked, (size_t) n, start, &group);
			grove_ranked_curve_add(&curve, group.weight);
		}
		grove_ranked_variance_init(&variance, &curve);
		for (start = 0; start < (size_t) n; start = group.end)
		{
			grove_ranked_group(ranked, (size_t) n, start, &group);
			grove_ranked_variance_add(&variance, group.weight, group.square);
		}
	}
	return grove_evaluate_results(&evaluation, &curve, &variance, results);
}

/* Standard error of sum w x / sum w y from its definition. */
static double
slow_ratio_error(const double *x, const double *y, const Row *rows, double *ratio)
{
	double		sum_x = 0;
	double		sum_y = 0;
	double		square = 0;
	int			i;

	for (i = 0; i < ROWS; i++)
	{
		sum_x += rows[i].weight * x[i];
		sum_y += rows[i].weight * y[i];
	}
	*ratio = sum_x / sum_y;
	for (i = 0; i < ROWS; i++)
		square += pow(rows[i].weight * (x[i] - *ratio * y[i]), 2);
	return sqrt(square * ROWS / (ROWS - 1)) / sum_y;
}

static void
check_binary(const Row *rows, const GroveEvaluated *results)
{
	static const GroveMetric losses[] = {GROVE_METRIC_LOG_LOSS, GROVE_METRIC_BRIER, GROVE_METRIC_ACCURACY};
	double		x[ROWS];
	double		y[ROWS];
	double		ratio;
	double		error;
	double		positives = 0;
	double		positives2 = 0;
	double		logit;
	int			m;
	int			i;

	for (m = 0; m < 3; m++)
	{
		for (i = 0; i < ROWS; i++)
		{
			x[i] = grove_metric_loss(losses[m], rows[i].truth, rows[i].score);
			y[i] = 1;
		}
		error = slow_ratio_error(x, y, rows, &ratio);
		CHECK(close_to(results[1 + m].value, ratio) && close_to(error_of(&results[1 + m]), error));
	}
	for (i = 0; i < ROWS; i++)
	{
		x[i] = rows[i].score;
		y[i] = rows[i].truth;
		positives += rows[i].truth * rows[i].weight;
		positives2 += rows[i].truth * rows[i].weight * rows[i].weight;
	}
	error = slow_ratio_error(x, y, rows, &ratio);
	CHECK(strcmp(results[5].metric, "calibration_ratio") == 0);
	CHECK(close_to(results[5].value, ratio) && close_to(error_of(&results[5]), error));

	ratio = results[4].value;
	logit = log(ratio / (1 - ratio));
	error = 1.959963984540054 / sqrt(positives * positives / positives2 * ratio * (1 - ratio));
	CHECK(close_to(results[4].lower, 1 / (1 + exp(-(logit - error)))));
	CHECK(close_to(results[4].upper, 1 / (1 + exp(-(logit + error)))));
}

static void
check_regression(const Row *rows, const GroveEvaluated *results)
{
	double		x[ROWS];
	double		y[ROWS];
	double		ratio;
	double		error;
	double		mean = 0;
	double		weight = 0;
	int			i;

	for (i = 0; i < ROWS; i++)
	{
		x[i] = fabs(rows[i].score - rows[i].truth);
		y[i] = 1;
		mean += rows[i].weight * rows[i].truth;
		weight += rows[i].weight;
	}
	mean /= weight;
	error = slow_ratio_error(x, y, rows, &ratio);
	CHECK(close_to(results[1].value, ratio) && close_to(error_of(&results[1]), error));
	for (i = 0; i < ROWS; i++)
		x[i] = pow(rows[i].score - rows[i].truth, 2);
	error = slow_ratio_error(x, y, rows, &ratio);
	CHECK(close_to(results[0].value, sqrt(ratio)) && close_to(error_of(&results[0]), error / (2 * sqrt(ratio))));
	for (i = 0; i < ROWS; i++)
		y[i] = pow(rows[i].truth - mean, 2);
	error = slow_ratio_error(x, y, rows, &ratio);
	CHECK(strcmp(results[2].metric, "r2") == 0);
	CHECK(close_to(results[2].value, 1 - ratio) && close_to(error_of(&results[2]), error));
}

static void
test_formulas_and_order(void)
{
	static const GroveTask tasks[] = {GROVE_TASK_BINARY, GROVE_TASK_REGRESSION, GROVE_TASK_MULTICLASS};
	static uint64_t ranked[2 * ROWS];
	int			t;
	int			round;

	for (t = 0; t < 3; t++)
	{
		for (round = 0; round < 4; round++)
		{
			Row			rows[ROWS];
			GroveEvaluated results[GROVE_EVALUATE_RESULTS];
			GroveEvaluated again[GROVE_EVALUATE_RESULTS];
			int			n;
			int			i;

			for (i = 0; i < ROWS; i++)
			{
				if (tasks[t] == GROVE_TASK_REGRESSION)
					draw_regression(&rows[i], round % 2 == 1);
				else
					draw_binary(&rows[i], round % 2 == 1);
			}
			n = evaluate(tasks[t], rows, ROWS, ranked, results);
			CHECK(n == (tasks[t] == GROVE_TASK_BINARY ? 6 : tasks[t] == GROVE_TASK_REGRESSION ? 3 : 2));
			if (tasks[t] == GROVE_TASK_BINARY)
				check_binary(rows, results);
			else if (tasks[t] == GROVE_TASK_REGRESSION)
				check_regression(rows, results);
			for (i = ROWS - 1; i > 0; i--)
			{
				int			j = (int) (random_u01() * (i + 1));
				Row			swap = rows[i];

				rows[i] = rows[j];
				rows[j] = swap;
			}
			CHECK(evaluate(tasks[t], rows, ROWS, ranked, again) == n && same_results(results, again, n));
		}
	}
}

static void
test_edges(void)
{
	Row			rows[2] = {{1, 0.75, 1}, {0, 0.25, 1}};
	Row			weightless = {1, 0.5, 0};
	uint64_t	ranked[4];
	GroveEvaluated results[GROVE_EVALUATE_RESULTS];
	GroveEvaluation evaluation;
	int			i;

	for (i = 0; i < evaluate(GROVE_TASK_BINARY, rows, 0, ranked, results); i++)
		CHECK(isnan(results[i].value) && isnan(results[i].lower) && isnan(results[i].upper));
	for (i = 0; i < evaluate(GROVE_TASK_REGRESSION, rows, 0, ranked, results); i++)
		CHECK(isnan(results[i].value) && isnan(results[i].lower) && isnan(results[i].upper));

	/* one row: values, but no interval */
	CHECK(evaluate(GROVE_TASK_REGRESSION, rows, 1, ranked, results) == 3);
	CHECK(results[0].value == 0.25 && isnan(results[0].lower) && isnan(results[0].upper));
	CHECK(isnan(results[2].value));
	CHECK(evaluate(GROVE_TASK_BINARY, rows, 1, ranked, results) == 6);
	CHECK(isnan(results[0].value) && results[3].value == 1 && isnan(results[3].lower));

	/* perfect: intervals end at the bounds */
	CHECK(evaluate(GROVE_TASK_BINARY, rows, 2, ranked, results) == 6);
	CHECK(results[0].value == 1 && isnan(results[0].lower));	/* one row a class */
	CHECK(results[3].value == 1 && results[3].lower == 1 && results[3].upper == 1);
	CHECK(results[5].value == 1 && results[5].lower >= 0);

	/* refused rows leave nothing behind; rows without weight do not count */
	grove_evaluate_init(&evaluation, GROVE_TASK_BINARY, 0);
	CHECK(grove_evaluate_binary(&evaluation, true, 0.5, -1) == GROVE_METRIC_BAD_WEIGHT);
	CHECK(grove_evaluate_binary(&evaluation, true, weightless.score, weightless.weight) == GROVE_METRIC_FINE);
	CHECK(evaluation.rows[0] == 0 && evaluation.rows[1] == 0);
	grove_evaluate_init(&evaluation, GROVE_TASK_REGRESSION, 0);
	CHECK(grove_evaluate_regression(&evaluation, 1, NAN, 1) == GROVE_METRIC_NAN_SCORE);
	CHECK(grove_evaluate_regression(&evaluation, 1e200, 0, 1) == GROVE_METRIC_OVERFLOW);
	CHECK(evaluation.rows[0] == 0);

	/* fourth powers overflow: a value without an interval */
	grove_evaluate_init(&evaluation, GROVE_TASK_REGRESSION, 0);
	CHECK(grove_evaluate_regression(&evaluation, 1e100, 0, 1) == GROVE_METRIC_FINE);
	CHECK(grove_evaluate_regression(&evaluation, -1e100, 1e90, 1) == GROVE_METRIC_FINE);
	CHECK(grove_evaluate_results(&evaluation, NULL, NULL, results) == 3);
	CHECK(fabs(results[0].value / 1e100 - 1) < 1e-9 && isnan(results[0].lower));
	CHECK(fabs(results[2].value) < 1e-9 && isnan(results[2].lower));
}

/* Intervals of samples of ROWS cover the value of MANY rows in about 95 of 100 draws. */
static void
test_coverage(GroveTask task)
{
	Row		   *rows = malloc(MANY * sizeof(Row));
	uint64_t   *ranked = malloc(MANY * 2 * sizeof(uint64_t));
	GroveEvaluated whole[GROVE_EVALUATE_RESULTS];
	GroveEvaluated sample[GROVE_EVALUATE_RESULTS];
	int			covered[GROVE_EVALUATE_RESULTS] = {0};
	int			n;
	int			draw;
	int			i;

	CHECK(rows != NULL && ranked != NULL);
	for (i = 0; i < MANY; i++)
	{
		if (task == GROVE_TASK_BINARY)
			draw_binary(&rows[i], true);
		else
			draw_regression(&rows[i], true);
	}
	n = evaluate(task, rows, MANY, ranked, whole);
	for (draw = 0; draw < DRAWS; draw++)
	{
		for (i = 0; i < ROWS; i++)
		{
			if (task == GROVE_TASK_BINARY)
				draw_binary(&rows[i], true);
			else
				draw_regression(&rows[i], true);
		}
		evaluate(task, rows, ROWS, ranked, sample);
		for (i = 0; i < n; i++)
			covered[i] += sample[i].lower <= whole[i].value && whole[i].value <= sample[i].upper;
	}
	for (i = 0; i < n; i++)
	{
		double		share = covered[i] / (double) DRAWS;

		/* 0.95 +- 4 standard errors of the share, and as much again because 400 rows are no infinite number */
		printf("seed %llu: %s covered in %.3f of the draws\n", (unsigned long long) seed, whole[i].metric, share);
		CHECK(share > 0.92 && share < 0.98);
	}
	free(rows);
	free(ranked);
}

int
main(void)
{
	test_formulas_and_order();
	test_edges();
	test_coverage(GROVE_TASK_BINARY);
	test_coverage(GROVE_TASK_REGRESSION);
	return unit_done();
}
