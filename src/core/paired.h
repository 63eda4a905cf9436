/*
 * paired.h: is a model no worse than another by more than a margin?  Two
 * models judged on the same rows, and what the answer is worth.
 *
 * Rows come in clusters (the rows of one user, say), clusters are independent
 * draws and the rows of one are not.  The difference is quality lost, so that
 * more is worse whatever the metric, and its standard error is that of sums
 * over clusters:
 *
 *   AUC             DeLong's placements, summed by cluster (N. Obuchowski,
 *                   Biometrics 53, 1997); the loss is AUC of the first model
 *                   minus AUC of the second
 *   other metrics   a bootstrap of clusters: in each replicate a cluster
 *                   counts a Poisson(1) number of times, which is a hash of
 *                   its hash and the replicate (N. Chamandy et al., 2012); the
 *                   loss is relative: (second - first) / first
 *
 * The decision is a test of non-inferiority: accepted when the upper
 * one-sided bound of the loss is within the margin.  When models are tested
 * in a fixed order until the first that is not accepted, each test at the
 * full level, the chance that any accepted one loses more than the margin is
 * one minus the confidence (W. Maurer et al., 1995): no correction is needed.
 */
#ifndef GROVE_PAIRED_H
#define GROVE_PAIRED_H

#include "ranked.h"

#define GROVE_PAIRED_REPLICATES		1000
#define GROVE_PAIRED_MIN_CLUSTERS	30	/* fewer decide nothing; nor do fewer than 10 rows of a class */
#define GROVE_PAIRED_MIN_CLASS		10
#define GROVE_PAIRED_POWER			0.8 /* chance of accepting a model that loses nothing; sizes are worked out for it */

typedef struct GrovePairedTest
{
	/* given */
	double		value[2];		/* the metric of each model */
	double		difference;		/* loss of the second, see above */
	double		error;			/* standard error of the difference; NaN: unknown */
	uint64_t	clusters;
	uint64_t	units;			/* what the size of the hold-out is counted in: positives for AUC, else clusters */
	bool		small;			/* too few rows for a normal approximation */

	/* found by grove_paired_decide() */
	double		lower;			/* one-sided bounds at the confidence; NaN like error */
	double		upper;
	double		needed;			/* units that would decide; infinity when the margin is 0, NaN like error */
} GrovePairedTest;

typedef enum GrovePairedDecision
{
	GROVE_PAIRED_ACCEPTED,		/* the loss is within the margin */
	GROVE_PAIRED_REJECTED,		/* it is beyond, or could not be shown to be within by enough rows */
	GROVE_PAIRED_INCONCLUSIVE	/* there are fewer units than needed to tell */
} GrovePairedDecision;

/* Quantile of the normal distribution, p in (0, 1); and of Student's t with at least 10 degrees of freedom. */
extern double grove_paired_normal(double p);
extern double grove_paired_student(double p, double degrees);

/*
 * AUC: adds rows [from, to) to the totals of their clusters.  rows are PAIRED
 * words in any order whose placements are known (grove_ranked_place());
 * difference is that of the AUCs, total[] the number of rows of each class.
 */
extern void grove_paired_auc_add(const uint64_t *rows, const uint32_t *cluster, size_t from, size_t to,
								 const double *placement_a, const double *placement_b, double difference,
								 const double total[2], double *cluster_sum);

/* Standard error from the totals of n clusters; NaN with fewer than two. */
extern double grove_paired_auc_error(const double *cluster_sum, size_t n);

/* How a metric follows from the losses of its rows. */
typedef enum GrovePairedMetric
{
	GROVE_PAIRED_MEAN,			/* log-loss, mean absolute error */
	GROVE_PAIRED_ROOT			/* root of the mean square */
} GrovePairedMetric;

/* Losses of one cluster, summed over its rows, for each model. */
typedef struct GrovePairedCluster
{
	uint64_t	hash;			/* under a key of grove_rng_key(seed, GROVE_PURPOSE_BOOTSTRAP) */
	double		loss[2];
} GrovePairedCluster;

/* (second - first) / first of the metric from sums of losses; 0 when both are 0, infinity when only the first is. */
extern double grove_paired_relative(GrovePairedMetric metric, const double loss[2]);

/* How often a cluster counts in a replicate: a Poisson(1) number. */
extern uint32_t grove_paired_count(uint64_t hash, uint32_t replicate);

/* The loss in one replicate; NaN when no cluster was drawn. */
extern double grove_paired_replicate(GrovePairedMetric metric, const GrovePairedCluster *clusters, size_t n,
									 uint32_t replicate);

/* Standard deviation of replicates, those that are NaN left out. */
extern double grove_paired_spread(const double *replicates, size_t n);

/* Judges the difference; confidence in [0.5, 1), max_loss >= 0. */
extern GrovePairedDecision grove_paired_decide(GrovePairedTest *test, double max_loss, double confidence);

#endif							/* GROVE_PAIRED_H */
