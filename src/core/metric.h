/*
 * metric.h: metrics that are means of a loss over the rows, and R squared.
 *
 * The sums are exact (exactsum.h), so that a metric depends on the set of
 * rows only: not on their order, not on how a parallel plan cut them up, to
 * the last bit.  Metrics that depend on the order of the scores are in
 * ranked.h.
 *
 * Binary truths are 1 (positive) and 0.  A weight counts a row that many
 * times.
 */
#ifndef GROVE_METRIC_H
#define GROVE_METRIC_H

#include "exactsum.h"

/* Values are part of the storage format of metric states; new ones are appended. */
typedef enum GroveMetric
{
	GROVE_METRIC_LOG_LOSS = 1,	/* -ln of the probability of what happened, cut to [1e-15, 1 - 1e-15] */
	GROVE_METRIC_BRIER = 2,		/* (score - truth)^2, score a probability */
	GROVE_METRIC_ACCURACY = 3,	/* 1 when (score >= 0.5) is the truth, else 0 */
	GROVE_METRIC_RMSE = 4,		/* (score - truth)^2; the root of the mean is reported */
	GROVE_METRIC_MAE = 5,		/* |score - truth| */
	GROVE_METRIC_R2 = 6			/* 1 - sum (score - truth)^2 / sum (truth - mean truth)^2 */
} GroveMetric;

/* Why a row cannot be counted. */
typedef enum GroveMetricFault
{
	GROVE_METRIC_FINE = 0,
	GROVE_METRIC_BAD_LABEL,		/* binary metric: truth is neither 0 nor 1 */
	GROVE_METRIC_BAD_TRUTH,		/* truth is NaN or infinite */
	GROVE_METRIC_NEGATIVE_TRUTH,	/* ndcg: truth is below 0 */
	GROVE_METRIC_NAN_SCORE,
	GROVE_METRIC_INFINITE_SCORE,
	GROVE_METRIC_BAD_PROBABILITY,	/* score is outside [0, 1] */
	GROVE_METRIC_BAD_WEIGHT,	/* weight is NaN, infinite or below 0 */
	GROVE_METRIC_OVERFLOW		/* the loss of the row is beyond the doubles */
} GroveMetricFault;

#define GROVE_METRIC_MAX_SUMS	4

/* The first grove_metric_sums() members of sum[] are in use. */
typedef struct GroveMetricSums
{
	GroveMetric metric;
	uint64_t	rows;			/* rows counted, those of weight 0 too */
	double		lowest;			/* R2: range of the truths of positive weight; infinity, -infinity when there are none */
	double		highest;
	GroveExactSum sum[GROVE_METRIC_MAX_SUMS];	/* of weight, weight * loss; R2: and of weight * truth, weight * truth^2 */
} GroveMetricSums;

/* How many sums a metric needs; 0 for a number that is not one of GroveMetric. */
extern int	grove_metric_sums(int metric);

/* The bytes that a state of this metric needs: GroveMetricSums without the unused tail. */
extern size_t grove_metric_size(GroveMetric metric);

extern void grove_metric_init(GroveMetricSums *sums, GroveMetric metric);

/* Whether truth and score can be counted, without looking at the weight. */
extern GroveMetricFault grove_metric_check(GroveMetric metric, double truth, double score);

extern GroveMetricFault grove_metric_check_weight(double weight);

/* What one row adds to the mean: see GroveMetric. */
extern double grove_metric_loss(GroveMetric metric, double truth, double score);

/* -ln(probability), cut like GROVE_METRIC_LOG_LOSS. */
extern double grove_metric_log_loss(double probability);

/* Checks and adds a row; nothing is added when the result is a fault. */
extern GroveMetricFault grove_metric_add(GroveMetricSums *sums, double truth, double score, double weight);

/* Adds a loss in [0, 1e300] that the caller worked out; not for R2. */
extern GroveMetricFault grove_metric_add_loss(GroveMetricSums *sums, double loss, double weight);

/* Both of the same metric. */
extern void grove_metric_merge(GroveMetricSums *sums, GroveMetricSums *other);

/*
 * The metric; false when it is not defined: no weight, or R2 of a constant
 * truth.  The result is not finite when a sum is beyond the doubles.
 */
extern bool grove_metric_result(GroveMetricSums *sums, double *result);

#endif							/* GROVE_METRIC_H */
