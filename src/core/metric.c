/*
 * metric.c: losses of a row and their exact sums.
 *
 * The loss of a row is computed in doubles, rounded the same way wherever the
 * row is met; from there on nothing is rounded until the result is read.  R
 * squared needs the spread of the truth around its mean, a difference of two
 * large numbers: truth^2 is summed without rounding and the difference is
 * taken in pairs of doubles, so that a mean a million times larger than the
 * spread does no harm.
 */
#include "metric.h"

#include <math.h>
#include <string.h>

#define MIN_PROBABILITY	1e-15

enum
{
	SUM_WEIGHT,
	SUM_LOSS,
	SUM_TRUTH,
	SUM_SQUARE
};								/* indexes into GroveMetricSums.sum */

int
grove_metric_sums(int metric)
{
	if (metric == GROVE_METRIC_R2)
		return 4;
	return metric >= GROVE_METRIC_LOG_LOSS && metric <= GROVE_METRIC_MAE ? 2 : 0;
}

size_t
grove_metric_size(GroveMetric metric)
{
	return offsetof(GroveMetricSums, sum) + (size_t) grove_metric_sums(metric) * sizeof(GroveExactSum);
}

void
grove_metric_init(GroveMetricSums *sums, GroveMetric metric)
{
	int			i;

	sums->metric = metric;
	sums->rows = 0;
	sums->lowest = INFINITY;
	sums->highest = -INFINITY;
	for (i = 0; i < grove_metric_sums(metric); i++)
		grove_exactsum_init(&sums->sum[i]);
}

GroveMetricFault
grove_metric_check(GroveMetric metric, double truth, double score)
{
	if (metric <= GROVE_METRIC_ACCURACY)
	{
		if (truth != 0 && truth != 1)
			return GROVE_METRIC_BAD_LABEL;
	}
	else if (!isfinite(truth))
		return GROVE_METRIC_BAD_TRUTH;
	if (isnan(score))
		return GROVE_METRIC_NAN_SCORE;
	if (metric <= GROVE_METRIC_BRIER && !(score >= 0 && score <= 1))
		return GROVE_METRIC_BAD_PROBABILITY;
	if (metric >= GROVE_METRIC_RMSE && isinf(score))
		return GROVE_METRIC_INFINITE_SCORE;
	return GROVE_METRIC_FINE;
}

GroveMetricFault
grove_metric_check_weight(double weight)
{
	return weight >= 0 && isfinite(weight) ? GROVE_METRIC_FINE : GROVE_METRIC_BAD_WEIGHT;
}

double
grove_metric_log_loss(double probability)
{
	return -log(fmin(fmax(probability, MIN_PROBABILITY), 1 - MIN_PROBABILITY));
}

double
grove_metric_loss(GroveMetric metric, double truth, double score)
{
	switch (metric)
	{
		case GROVE_METRIC_LOG_LOSS:
			return grove_metric_log_loss(truth != 0 ? score : 1 - score);
		case GROVE_METRIC_ACCURACY:
			return (score >= 0.5) == (truth != 0);
		case GROVE_METRIC_MAE:
			return fabs(score - truth);
		case GROVE_METRIC_BRIER:
		case GROVE_METRIC_RMSE:
		case GROVE_METRIC_R2:
			break;
	}
	return (score - truth) * (score - truth);
}

/* Adds what R squared needs of the truth, without rounding; false when truth^2 * weight overflows. */
static bool
add_truth(GroveMetricSums *sums, double truth, double weight)
{
	double		product = weight * truth;
	double		rest = fma(weight, truth, -product);

	if (!grove_exactsum_add_product(&sums->sum[SUM_SQUARE], product, truth) ||
		!grove_exactsum_add_product(&sums->sum[SUM_SQUARE], rest, truth) ||
		!grove_exactsum_add_product(&sums->sum[SUM_TRUTH], weight, truth))
		return false;
	if (weight > 0)
	{
		sums->lowest = fmin(sums->lowest, truth);
		sums->highest = fmax(sums->highest, truth);
	}
	return true;
}

GroveMetricFault
grove_metric_add_loss(GroveMetricSums *sums, double loss, double weight)
{
	double		weighted = loss * weight;

	if (!isfinite(weighted))
		return GROVE_METRIC_OVERFLOW;
	sums->rows++;
	grove_exactsum_add(&sums->sum[SUM_WEIGHT], weight);
	grove_exactsum_add(&sums->sum[SUM_LOSS], weighted);
	return GROVE_METRIC_FINE;
}

GroveMetricFault
grove_metric_add(GroveMetricSums *sums, double truth, double score, double weight)
{
	GroveMetricFault fault = grove_metric_check(sums->metric, truth, score);
	double		loss;

	if (fault == GROVE_METRIC_FINE)
		fault = grove_metric_check_weight(weight);
	if (fault != GROVE_METRIC_FINE)
		return fault;
	loss = grove_metric_loss(sums->metric, truth, score);
	if (!isfinite(loss * weight))
		return GROVE_METRIC_OVERFLOW;
	if (sums->metric == GROVE_METRIC_R2 && !add_truth(sums, truth, weight))
		return GROVE_METRIC_OVERFLOW;
	return grove_metric_add_loss(sums, loss, weight);
}

void
grove_metric_merge(GroveMetricSums *sums, GroveMetricSums *other)
{
	int			i;

	sums->rows += other->rows;
	sums->lowest = fmin(sums->lowest, other->lowest);
	sums->highest = fmax(sums->highest, other->highest);
	for (i = 0; i < grove_metric_sums(sums->metric); i++)
		grove_exactsum_merge(&sums->sum[i], &other->sum[i]);
}

/* Sum of w (t - mean)^2; the error of the rounded mean enters only squared. */
static double
total_spread(GroveMetricSums *sums)
{
	double		mean = grove_exactsum_round(&sums->sum[SUM_TRUTH]) / grove_exactsum_round(&sums->sum[SUM_WEIGHT]);

	return grove_exactsum_quadratic(&sums->sum[SUM_SQUARE], &sums->sum[SUM_TRUTH], &sums->sum[SUM_WEIGHT], mean);
}

bool
grove_metric_result(GroveMetricSums *sums, double *result)
{
	double		weight = grove_exactsum_round(&sums->sum[SUM_WEIGHT]);
	double		loss = grove_exactsum_round(&sums->sum[SUM_LOSS]);

	if (!(weight > 0))
		return false;
	if (sums->metric == GROVE_METRIC_R2)
	{
		double		spread = total_spread(sums);

		*result = isfinite(spread) ? 1 - loss / spread : INFINITY;
		return sums->lowest < sums->highest && spread > 0;
	}
	*result = loss / weight;
	if (sums->metric == GROVE_METRIC_RMSE)
		*result = sqrt(*result);
	return true;
}
