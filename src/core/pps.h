/*
 * pps.h: probabilities proportional to size: the scale that makes them sum to
 * a sample size, and the rounding of expected sizes to whole ones.
 *
 * Expected numbers of units are kept in fixed point, whole plus 63 binary
 * places, so that sums are exact: an exact design has exactly its size, and
 * the probability it reports is the one it uses.
 */
#ifndef GROVE_PPS_H
#define GROVE_PPS_H

#include "grove_core.h"

/* One term of the sum that fixes a scale: units * min(1, max(floor, scale * weight)). */
typedef struct GrovePpsShare
{
	double		weight;			/* size of each unit, >= 0; infinity: certain */
	double		units;			/* how many such units, >= 0 */
	double		floor;			/* smallest probability, 0 to 1 */
} GrovePpsShare;

/* The probability of one unit; scale 0 to infinity. */
extern double grove_pps_probability(double scale, double weight, double floor);

/*
 * Solves sum(units * min(1, max(floor, scale * weight))) = target (water
 * filling; 1/scale is the threshold tau of sampling proportional to size).
 * The scale is infinity when every unit of positive weight is certain and the
 * sum still does not exceed the target, and 0 when the floors and the units of
 * infinite weight leave nothing of it.  GROVE_ERR_RANGE: the floors, or the
 * units of infinite weight, alone exceed the target; GROVE_ERR_DATA: a weight
 * or a number of units that is negative or NaN.
 *
 * Multiplying all weights by a power of two divides the scale by it and
 * changes no probability, as long as neither leaves the range of doubles.
 */
extern GroveStatus grove_pps_scale(const GrovePpsShare *shares, size_t n_shares, double target, double *scale);

/* Adds a term to *sum + *lost so that the error does not grow with the number of terms (Neumaier). */
extern void grove_pps_add(double *sum, double *lost, double term);

/* frequency^-gamma; does not depend on the C library for gamma 0, 0.5, 1 and 2. */
extern double grove_pps_inverse(double frequency, double gamma);

/* A number of units in fixed point. */
typedef struct GrovePpsAmount
{
	uint64_t	whole;
	uint64_t	fraction;		/* in units of 2^-63, below 2^63 */
} GrovePpsAmount;

#define GROVE_PPS_ONE	(UINT64_C(1) << 63)	/* a fraction stays below this */

/* Exact for amounts of 1 or more, cut to 2^-63 below; amount in [0, 2^63). */
extern GrovePpsAmount grove_pps_amount(double amount);

extern double grove_pps_double(GrovePpsAmount amount);

/*
 * Systematic rounding: each amount goes to the integer below or above it, up
 * with probability equal to its fraction, and every sum of neighbours is
 * rounded too.  start holds 63 random bits; begin with position = start.
 */
extern uint64_t grove_pps_round(uint64_t *position, GrovePpsAmount amount);

/*
 * Systematic rounding of amounts that sum to a whole number but for rounding
 * errors, which go to the amount with the most room.  Zero it, add each
 * amount, settle; then round what grove_pps_rounding_amount() gives for each.
 */
typedef struct GrovePpsRounding
{
	GrovePpsAmount sum;
	GrovePpsAmount missing;		/* whole may be negative, modulo 2^64 */
	double		room;			/* of the roomiest, to 0 or to its most */
	size_t		roomy;
} GrovePpsRounding;

/* i tells the amount again later; 0 <= expected <= most. */
extern void grove_pps_rounding_add(GrovePpsRounding *rounding, size_t i, double expected, double most);

/* False when the sum is further from the target than rounding errors are. */
extern bool grove_pps_rounding_settle(GrovePpsRounding *rounding, uint64_t target);

extern GrovePpsAmount grove_pps_rounding_amount(const GrovePpsRounding *rounding, size_t i, double expected);

#endif							/* GROVE_PPS_H */
