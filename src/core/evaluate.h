/*
 * evaluate.h: the metrics of a model on rows that it was not trained on, each
 * with a 95 % interval.
 *
 * Values are those of metric.h and ranked.h.  Intervals treat the rows as
 * independent draws and use the normal distribution (1.96 standard errors):
 *
 *   a mean of losses l       variance n/(n-1) sum w^2 (l - mean)^2 / (sum w)^2
 *   rmse                     that of the mean square, divided by 2 rmse
 *   calibration ratio        R = sum w p / sum w y, from the rows' p - R y
 *   r2                       1 - R2 = sum w e^2 / sum w d^2, from the rows' e^2 - (1 - R2) d^2
 *   auc                      DeLong
 *   average precision        on the logit scale, with variance 1 / (n AP (1 - AP)), n positives
 *                            (K. Boyd, K. Eng and C. D. Page, ECML PKDD 2013)
 *
 * with w the weight, p the score, y the truth, e = score - truth and d = truth
 * - mean truth.  An interval of a bounded metric ends at its bound; with fewer
 * than two rows there is none.  Sums are exact, so the result does not depend
 * on the order of the rows.
 */
#ifndef GROVE_EVALUATE_H
#define GROVE_EVALUATE_H

#include "metric.h"
#include "model.h"
#include "ranked.h"

#define GROVE_EVALUATE_RESULTS	6	/* metrics of one task at most */

/* Ratio of two weighted sums, with what its standard error needs. */
typedef struct GroveRatio
{
	GroveExactSum x;			/* of w x, w y */
	GroveExactSum y;
	GroveExactSum xx;			/* of w^2 x^2, w^2 x y, w^2 y^2 */
	GroveExactSum xy;
	GroveExactSum yy;
	bool		overflow;		/* a square was beyond the doubles: no standard error */
} GroveRatio;

/* What the standard error of R squared needs: sums of powers of u = truth - centre. */
typedef struct GroveMoments
{
	GroveExactSum weighted[3];	/* of w u^k */
	GroveExactSum squared[5];	/* of w^2 u^k */
	GroveExactSum error[3];		/* of w^2 e^2 u^k */
	GroveExactSum error4;		/* of w^2 e^4 */
	bool		overflow;
} GroveMoments;

typedef struct GroveEvaluation
{
	GroveTask	task;
	double		centre;			/* of the truths, about */
	uint64_t	rows[2];		/* rows of positive weight; binary: of negatives and positives, else [0] only */
	GroveMetricSums sums[3];
	GroveRatio	ratio[4];
	GroveExactSum positive;		/* binary: of the weights of positives, and of their squares */
	GroveExactSum positive2;
	GroveMoments moments;		/* regression */
} GroveEvaluation;

/* One metric; numbers that are not defined are NaN. */
typedef struct GroveEvaluated
{
	const char *metric;
	double		value;
	double		lower;
	double		upper;
} GroveEvaluated;

/* centre: a number near the mean of the truth; regression only. */
extern void grove_evaluate_init(GroveEvaluation *evaluation, GroveTask task, double centre);

/* Add a row of the task; nothing is added when the result is a fault. */
extern GroveMetricFault grove_evaluate_binary(GroveEvaluation *evaluation, bool positive, double probability, double weight);
extern GroveMetricFault grove_evaluate_multiclass(GroveEvaluation *evaluation, double probability, bool right, double weight);
extern GroveMetricFault grove_evaluate_regression(GroveEvaluation *evaluation, double truth, double score, double weight);

/*
 * The metrics, in the order in which they are reported; returns their number.
 * curve and variance are those of a binary model's scores, else NULL.
 */
extern int	grove_evaluate_results(GroveEvaluation *evaluation, const GroveRankedCurve *curve,
								   const GroveRankedVariance *variance, GroveEvaluated results[GROVE_EVALUATE_RESULTS]);

#endif							/* GROVE_EVALUATE_H */
