/*
 * evaluate.c: metrics with intervals, see evaluate.h for the formulas.
 *
 * All of them but AUC and average precision are ratios of two sums over the
 * rows; a mean has the weights below the line.  The standard error of a ratio
 * R = sum x / sum y is that of the mean of x - R y, divided by the mean of y.
 */
#include "evaluate.h"

#include <math.h>
#include <string.h>

static const GroveMetric task_metrics[][3] = {
	[GROVE_TASK_REGRESSION] = {GROVE_METRIC_RMSE, GROVE_METRIC_MAE, GROVE_METRIC_R2},
	[GROVE_TASK_BINARY] = {GROVE_METRIC_LOG_LOSS, GROVE_METRIC_BRIER, GROVE_METRIC_ACCURACY},
	[GROVE_TASK_MULTICLASS] = {GROVE_METRIC_LOG_LOSS, GROVE_METRIC_ACCURACY, 0}
};

#define CALIBRATION	3			/* ratio[] of the binary task behind those of the means */

static void
add_unless_infinite(GroveExactSum *sum, double value, bool *overflow)
{
	if (isfinite(value))
		grove_exactsum_add(sum, value);
	else
		*overflow = true;
}

static void
add_ratio(GroveRatio *ratio, double x, double y, double weight)
{
	double		wx = weight * x;
	double		wy = weight * y;

	add_unless_infinite(&ratio->x, wx, &ratio->overflow);
	add_unless_infinite(&ratio->y, wy, &ratio->overflow);
	add_unless_infinite(&ratio->xx, wx * wx, &ratio->overflow);
	add_unless_infinite(&ratio->xy, wx * wy, &ratio->overflow);
	add_unless_infinite(&ratio->yy, wy * wy, &ratio->overflow);
}

/* n / (n - 1), or NaN for less than two rows. */
static double
small_sample(uint64_t rows)
{
	return rows < 2 ? NAN : (double) rows / (double) (rows - 1);
}

/* The ratio and its standard error; both NaN without weight. */
static double
ratio_error(GroveRatio *ratio, uint64_t rows, double *value)
{
	double		y = grove_exactsum_round(&ratio->y);
	double		square;

	*value = NAN;
	if (!(y > 0))
		return NAN;
	*value = grove_exactsum_round(&ratio->x) / y;
	square = grove_exactsum_quadratic(&ratio->xx, &ratio->xy, &ratio->yy, *value);
	if (ratio->overflow || !isfinite(square))
		return NAN;
	return sqrt(fmax(square, 0) * small_sample(rows)) / y;
}

void
grove_evaluate_init(GroveEvaluation *evaluation, GroveTask task, double centre)
{
	int			i;

	memset(evaluation, 0, sizeof(*evaluation));	/* all sums are 0 */
	evaluation->task = task;
	evaluation->centre = centre;
	for (i = 0; i < 3; i++)
		grove_metric_init(&evaluation->sums[i], task_metrics[task][i]);
}

GroveMetricFault
grove_evaluate_binary(GroveEvaluation *evaluation, bool positive, double probability, double weight)
{
	GroveMetricFault fault = GROVE_METRIC_FINE;
	int			i;

	for (i = 0; i < 3 && fault == GROVE_METRIC_FINE; i++)
	{
		fault = grove_metric_add(&evaluation->sums[i], positive, probability, weight);
		if (fault == GROVE_METRIC_FINE)
			add_ratio(&evaluation->ratio[i], grove_metric_loss(evaluation->sums[i].metric, positive, probability), 1, weight);
	}
	if (fault != GROVE_METRIC_FINE || weight == 0)
		return fault;
	add_ratio(&evaluation->ratio[CALIBRATION], probability, positive, weight);
	evaluation->rows[positive]++;
	if (positive)
	{
		grove_exactsum_add(&evaluation->positive, weight);
		add_unless_infinite(&evaluation->positive2, weight * weight, &evaluation->ratio[CALIBRATION].overflow);
	}
	return fault;
}

GroveMetricFault
grove_evaluate_multiclass(GroveEvaluation *evaluation, double probability, bool right, double weight)
{
	GroveMetricFault fault = grove_metric_check_weight(weight);
	double		losses[2];
	int			i;

	losses[0] = grove_metric_log_loss(probability);
	losses[1] = right;
	for (i = 0; i < 2 && fault == GROVE_METRIC_FINE; i++)
	{
		fault = grove_metric_add_loss(&evaluation->sums[i], losses[i], weight);
		if (fault == GROVE_METRIC_FINE)
			add_ratio(&evaluation->ratio[i], losses[i], 1, weight);
	}
	if (fault == GROVE_METRIC_FINE && weight > 0)
		evaluation->rows[0]++;
	return fault;
}

/* Adds to the powers of u from 0 to the last one. */
static void
add_powers(GroveExactSum *sums, int last, double factor, double u, bool *overflow)
{
	int			k;

	for (k = 0; k <= last; k++)
	{
		add_unless_infinite(&sums[k], factor, overflow);
		factor *= u;
	}
}

GroveMetricFault
grove_evaluate_regression(GroveEvaluation *evaluation, double truth, double score, double weight)
{
	GroveMetricFault fault = GROVE_METRIC_FINE;
	GroveMoments *moments = &evaluation->moments;
	double		u = truth - evaluation->centre;
	double		error = score - truth;
	double		weight2 = weight * weight;
	int			i;

	for (i = 0; i < 3 && fault == GROVE_METRIC_FINE; i++)
	{
		fault = grove_metric_add(&evaluation->sums[i], truth, score, weight);
		if (fault == GROVE_METRIC_FINE)
			add_ratio(&evaluation->ratio[i], grove_metric_loss(evaluation->sums[i].metric, truth, score), 1, weight);
	}
	if (fault != GROVE_METRIC_FINE || weight == 0)
		return fault;
	evaluation->rows[0]++;
	add_powers(moments->weighted, 2, weight, u, &moments->overflow);
	add_powers(moments->squared, 4, weight2, u, &moments->overflow);
	add_powers(moments->error, 2, weight2 * (error * error), u, &moments->overflow);
	add_unless_infinite(&moments->error4, weight2 * (error * error) * (error * error), &moments->overflow);
	return fault;
}

/* An interval of some standard errors about the value, within bounds. */
static void
set_interval(GroveEvaluated *result, double error, double lowest, double highest)
{
	double		distance = GROVE_RANKED_Z95 * error;

	/* comparisons, not fmax: NaN must stay NaN */
	result->lower = result->value - distance < lowest ? lowest : result->value - distance;
	result->upper = result->value + distance > highest ? highest : result->value + distance;
}

/* One of the metrics that are means of a loss. */
static void
report_mean(GroveEvaluation *evaluation, int i, uint64_t rows, const char *name, double highest, GroveEvaluated *result)
{
	double		mean;
	double		error = ratio_error(&evaluation->ratio[i], rows, &mean);

	result->metric = name;
	if (!grove_metric_result(&evaluation->sums[i], &result->value))
		result->value = NAN;
	if (evaluation->sums[i].metric == GROVE_METRIC_RMSE)
		error = error == 0 ? 0 : error / (2 * result->value);
	set_interval(result, error, 0, highest);
}

/* Powers of d = u - shift from those of u: the sums of f d^2 and, with n = 4, of f d^4. */
static double
shifted_power(GroveExactSum *sums, int n, double shift)
{
	static const double binomial[5][5] = {{1}, {1, 1}, {1, 2, 1}, {1, 3, 3, 1}, {1, 4, 6, 4, 1}};
	double		result = 0;
	double		factor = 1;
	int			k;

	for (k = n; k >= 0; k--)
	{
		result += binomial[n][k] * factor * grove_exactsum_round(&sums[k]);
		factor *= -shift;
	}
	return result;
}

static void
report_r2(GroveEvaluation *evaluation, GroveEvaluated *result)
{
	GroveMoments *moments = &evaluation->moments;
	double		shift = grove_exactsum_round(&moments->weighted[1]) / grove_exactsum_round(&moments->weighted[0]);
	double		spread = shifted_power(moments->weighted, 2, shift);
	double		rest;			/* 1 - R2 */
	double		square;

	result->metric = "r2";
	result->value = result->lower = result->upper = NAN;
	if (!grove_metric_result(&evaluation->sums[2], &rest))
		return;
	result->value = rest;
	rest = 1 - result->value;
	square = grove_exactsum_round(&moments->error4) - 2 * rest * shifted_power(moments->error, 2, shift) +
		rest * rest * shifted_power(moments->squared, 4, shift);
	if (moments->overflow || !isfinite(square) || !(spread > 0))
		return;
	set_interval(result, sqrt(fmax(square, 0) * small_sample(evaluation->rows[0])) / spread, -INFINITY, 1);
}

static void
report_auc(const GroveEvaluation *evaluation, const GroveRankedCurve *curve, const GroveRankedVariance *variance,
		   GroveEvaluated *result)
{
	double		square;

	result->metric = "auc";
	result->value = result->lower = result->upper = NAN;
	if (!grove_ranked_auc(curve, &result->value))
		return;
	if (grove_ranked_variance_result(variance, evaluation->rows, &square))
		set_interval(result, sqrt(square), 0, 1);
}

static void
report_average_precision(GroveEvaluation *evaluation, const GroveRankedCurve *curve, GroveEvaluated *result)
{
	double		weight = grove_exactsum_round(&evaluation->positive);
	double		n = weight * weight / grove_exactsum_round(&evaluation->positive2);
	double		logit;
	double		distance;

	result->metric = "average_precision";
	result->value = result->lower = result->upper = NAN;
	if (!grove_ranked_average_precision(curve, &result->value) || evaluation->rows[1] < 2)
		return;
	logit = log(result->value / (1 - result->value));
	distance = GROVE_RANKED_Z95 / sqrt(n * result->value * (1 - result->value));
	if (!isfinite(logit) || !isfinite(distance))
		return;
	result->lower = 1 / (1 + exp(distance - logit));
	result->upper = 1 / (1 + exp(-distance - logit));
}

int
grove_evaluate_results(GroveEvaluation *evaluation, const GroveRankedCurve *curve,
					   const GroveRankedVariance *variance, GroveEvaluated results[GROVE_EVALUATE_RESULTS])
{
	uint64_t	rows = evaluation->rows[0] + evaluation->rows[1];
	double		error;

	switch (evaluation->task)
	{
		case GROVE_TASK_REGRESSION:
			report_mean(evaluation, 0, rows, "rmse", INFINITY, &results[0]);
			report_mean(evaluation, 1, rows, "mae", INFINITY, &results[1]);
			report_r2(evaluation, &results[2]);
			return 3;
		case GROVE_TASK_MULTICLASS:
			report_mean(evaluation, 0, rows, "log_loss", INFINITY, &results[0]);
			report_mean(evaluation, 1, rows, "accuracy", 1, &results[1]);
			return 2;
		case GROVE_TASK_BINARY:
			report_auc(evaluation, curve, variance, &results[0]);
			report_mean(evaluation, 0, rows, "log_loss", INFINITY, &results[1]);
			report_mean(evaluation, 1, rows, "brier", 1, &results[2]);
			report_mean(evaluation, 2, rows, "accuracy", 1, &results[3]);
			report_average_precision(evaluation, curve, &results[4]);
			error = ratio_error(&evaluation->ratio[CALIBRATION], rows, &results[5].value);
			results[5].metric = "calibration_ratio";
			set_interval(&results[5], error, 0, INFINITY);
			return 6;
		case GROVE_TASK_RANKING:
			break;
	}
	return 0;
}
