/*
 * ranked.h: metrics that depend on the order of the scores: AUC, average
 * precision, ROC points, DeLong's variance and test, NDCG.
 *
 * A row is a few 64-bit words that sort as unsigned integers.  The caller
 * collects rows in any order, sorts them with grove_ranked_compare() and
 * merges sorted runs; results are computed from one sorted run.  Rows that
 * are equal but for their weight are merged when the sum of their weights is
 * exact, so that scores with few values need little memory and the total
 * weight of a score is exact in whatever order rows and runs were merged.
 * Everything after that walks the scores from the highest to the lowest:
 * results depend on the set of rows only, to the last bit.
 *
 *   shape    words
 *   SINGLE   score, class
 *   PAIRED   score a, score b, class
 *   QUERY    query (2 words), score, truth
 *
 * Scores and truths are keys of grove_ranked_key().  class is the weight of
 * the row as a double, which is > 0, with the sign bit set for the positive
 * class.
 *
 * DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988); computed from
 * mid-ranks after X. Sun and W. Xu, IEEE Signal Processing Letters 21 (2014).
 * NDCG after K. Järvelin and J. Kekäläinen, ACM TOIS 20 (2002), ties averaged
 * after F. McSherry and M. Najork, ECIR (2008).
 */
#ifndef GROVE_RANKED_H
#define GROVE_RANKED_H

#include "grove_core.h"

/* Values are part of the storage format of metric states; new ones are appended. */
typedef enum GroveRankedShape
{
	GROVE_RANKED_SINGLE = 16,	/* apart from GroveMetric, which shares the byte */
	GROVE_RANKED_PAIRED = 17,
	GROVE_RANKED_QUERY = 18
} GroveRankedShape;

#define GROVE_RANKED_MAX_WORDS	4

/* Words of a row; 0 for a number that is not one of GroveRankedShape. */
extern int	grove_ranked_words(int shape);

/* A word that sorts the higher value first; value is not NaN, -0 is 0. */
extern uint64_t grove_ranked_key(double value);
extern double grove_ranked_value(uint64_t key);

/* The class word of a row of this truth; weight > 0 and finite. */
extern uint64_t grove_ranked_class(bool positive, double weight);
extern double grove_ranked_weight(uint64_t class_word);
extern bool grove_ranked_positive(uint64_t class_word);

/* Whether the words can be a row: scores that are numbers, a weight > 0, a finite truth >= 0. */
extern bool grove_ranked_valid(GroveRankedShape shape, const uint64_t *row);

/* Order of rows: -1, 0, 1; rows that differ in weight only are equal. */
extern int	grove_ranked_compare(GroveRankedShape shape, const uint64_t *a, const uint64_t *b);

/*
 * Appends a row to a sorted run of n rows; merges it with the last one when
 * that is equal and the sum of the weights is exact (never for QUERY).
 * Returns the new number of rows.
 */
extern size_t grove_ranked_append(GroveRankedShape shape, uint64_t *run, size_t n, const uint64_t *row);

/* Rows of equal score; [0] negatives, [1] positives. */
typedef struct GroveRankedGroup
{
	double		score;
	double		weight[2];		/* sum of the weights, rounded once */
	double		square[2];		/* sum of the squares of the weights */
	size_t		end;			/* index of the first row after the group */
} GroveRankedGroup;

/* The group that begins at row `start` < n of a sorted run of SINGLE rows. */
extern void grove_ranked_group(const uint64_t *run, size_t n, size_t start, GroveRankedGroup *group);

/* A sum of doubles in a fixed order with the rounding errors carried along; zero it first. */
typedef struct GroveRankedSum
{
	double		sum;
	double		rest;
} GroveRankedSum;

extern void grove_ranked_sum_add(GroveRankedSum *sum, double value);
extern double grove_ranked_sum_value(const GroveRankedSum *sum);

/* What is known after the groups down to some score; zero it, then add all groups in order. */
typedef struct GroveRankedCurve
{
	GroveRankedSum above[2];	/* weight of the negatives and positives so far */
	GroveRankedSum area;		/* pairs in which the positive scores higher, ties half */
	GroveRankedSum precision;	/* sum of positives * share of positives at or above their score */
} GroveRankedCurve;

extern void grove_ranked_curve_add(GroveRankedCurve *curve, const double weight[2]);

/* Area under the ROC curve; false when one class has no weight; not finite when weights overflow. */
extern bool grove_ranked_auc(const GroveRankedCurve *curve, double *auc);

/* Average precision, the step function's area without interpolation; false without positives. */
extern bool grove_ranked_average_precision(const GroveRankedCurve *curve, double *average);

/*
 * DeLong's variance of an AUC from a second walk over the groups.  `rows` are
 * the numbers of negatives and positives before merging.
 */
typedef struct GroveRankedVariance
{
	double		auc;
	double		total[2];		/* weights of the classes */
	GroveRankedSum above[2];
	GroveRankedSum sum[2];		/* of weight^2 * (placement - auc)^2 */
} GroveRankedVariance;

extern void grove_ranked_variance_init(GroveRankedVariance *variance, const GroveRankedCurve *curve);
extern void grove_ranked_variance_add(GroveRankedVariance *variance, const double weight[2], const double square[2]);

/* False when a class has less than two rows. */
extern bool grove_ranked_variance_result(const GroveRankedVariance *variance, const uint64_t rows[2], double *result);

/*
 * Placement values of one score column (0 or 1) of a sorted run of PAIRED
 * rows whose weights are counts: for a positive the share of the negatives
 * that score lower, for a negative the share of the positives that score
 * higher, ties half.  order[] sorts the rows by that column, highest first
 * (NULL: they are).  Handles the group of equal scores at order[start], adds
 * it to the curve, fills placement[] of its rows and returns its end.
 */
extern size_t grove_ranked_place(const uint64_t *run, const uint32_t *order, size_t n, size_t start, int column,
								 const double total[2], GroveRankedCurve *curve, double *placement);

/* The paired comparison of two scores on the same rows. */
typedef struct GroveRankedTest
{
	double		auc[2];
	double		difference;		/* auc[0] - auc[1] */
	double		error;			/* standard error of the difference; NaN when a class has less than two rows */
	double		z;				/* difference / error; NaN when the error is 0 and the difference is not */
	double		p_value;		/* two-sided, normal approximation; NaN like z */
	double		lower;			/* 95 % interval of the difference; NaN like error */
	double		upper;
} GroveRankedTest;

/* Sum over some rows of count * (difference of placements - difference)^2, by class. */
extern void grove_ranked_test_add(const uint64_t *run, size_t from, size_t to, const double *placement_a,
								  const double *placement_b, double difference, GroveRankedSum sum[2]);

/* auc[] and total[] are given, both classes have weight; fills in the rest of the test. */
extern void grove_ranked_test_result(GroveRankedTest *test, const double total[2], const GroveRankedSum sum[2]);

/* Discounted cumulative gain down to rank k (0: all); zero it, then add groups of equal score from the highest. */
typedef struct GroveRankedGain
{
	uint64_t	rank;			/* rows so far */
	GroveRankedSum gain;
} GroveRankedGain;

/* Adds `count` rows with this sum of truths; each counts the average, as if the ties were shuffled. */
extern void grove_ranked_gain_add(GroveRankedGain *gain, double truths, uint64_t count, uint64_t k);

#define GROVE_RANKED_Z95	1.959963984540054	/* 97.5 % point of the normal distribution */

#endif							/* GROVE_RANKED_H */
