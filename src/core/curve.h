/*
 * curve.h: what plots of a binary score show, from a walk over the groups of
 * equal scores, highest first (ranked.h).
 *
 * Rows of equal score are never torn apart by their order: the ROC curve has
 * one step for them, a calibration bin holds all of them, and where a lift
 * bucket ends within them it gets its share of their positives, which is what
 * shuffling them would give on average.
 */
#ifndef GROVE_CURVE_H
#define GROVE_CURVE_H

#include "ranked.h"

#define GROVE_CURVE_MAX_PARTS	10000	/* buckets of a lift curve, bins of a calibration */

/* A point of the ROC curve; rates are shares of the weight of a class, NaN when it has none. */
typedef struct GroveCurvePoint
{
	double		threshold;		/* rows with this score or more count as positive */
	double		false_positive;
	double		true_positive;
} GroveCurvePoint;

/* Leaves out points in the middle of a straight line. */
typedef struct GroveCurveRoc
{
	double		total[2];		/* weights of the classes */
	GroveRankedSum above[2];
	double		last[2];		/* weights above at the last point that was given out */
	double		held[2];		/* and at the one that is held back */
	double		held_score;
	bool		holds;
} GroveCurveRoc;

/* total: weights of the negatives and positives. */
extern void grove_curve_roc_init(GroveCurveRoc *roc, const double total[2]);

/* The point that every curve begins with: above all scores. */
extern void grove_curve_roc_first(const GroveCurveRoc *roc, GroveCurvePoint *point);

/* Adds a group; true when a point behind an earlier group is certain. */
extern bool grove_curve_roc_add(GroveCurveRoc *roc, const GroveRankedGroup *group, GroveCurvePoint *point);

/* After the last group; false when there was none. */
extern bool grove_curve_roc_last(const GroveCurveRoc *roc, GroveCurvePoint *point);

/* One of several parts of the rows that have equal weight, highest scores first. */
typedef struct GroveCurveBucket
{
	double		lowest;			/* score at its lower end */
	double		rate;			/* share of positives */
	double		lift;			/* rate / rate of all rows; NaN without positives */
	double		gain;			/* share of all positives in this and the buckets before; NaN without positives */
} GroveCurveBucket;

typedef struct GroveCurveLift
{
	double		total[2];
	uint32_t	n_buckets;
	uint32_t	done;			/* buckets that are complete */
	GroveRankedSum above[2];
	double		gained;			/* positives in the complete buckets */
} GroveCurveLift;

extern void grove_curve_lift_init(GroveCurveLift *lift, const double total[2], uint32_t n_buckets);

/* Call after a group was looked at for each bucket that ends in it: true while there is one more. */
extern bool grove_curve_lift_next(GroveCurveLift *lift, const GroveRankedGroup *group, GroveCurveBucket *bucket);

/* Goes on to the next group. */
extern void grove_curve_lift_add(GroveCurveLift *lift, const GroveRankedGroup *group);

/* Rows of neighbouring scores, about an equal share of the weight each. */
typedef struct GroveCurveBin
{
	GroveRankedSum weight;
	GroveRankedSum square;		/* of the weights */
	GroveRankedSum score;		/* weight * score */
	GroveRankedSum positive;	/* weight of the positives */
} GroveCurveBin;

/* Number of the bin, from 0 for the lowest scores, that a group belongs to: the one of its middle row. */
extern uint32_t grove_curve_bin(double total, double above, const GroveRankedGroup *group, uint32_t n_bins);

/* square: of the weights of the rows before merging. */
extern void grove_curve_bin_add(GroveCurveBin *bin, const GroveRankedGroup *group, double square);

/* Share of positives and its 95 % interval (Wilson, with the effective number of rows). */
extern void grove_curve_bin_rate(const GroveCurveBin *bin, double *rate, double *lower, double *upper);

#endif							/* GROVE_CURVE_H */
