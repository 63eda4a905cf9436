/*
 * balance.h: how well a part of a data set stands for the whole, one column:
 * standardised mean difference, population stability index (PSI) and the
 * Kolmogorov-Smirnov distance, of the part as it is and with weights.
 *
 * The values arrive in ascending order, equal ones together, so that every
 * number comes from one walk and does not depend on the order of the rows.
 */
#ifndef GROVE_BALANCE_H
#define GROVE_BALANCE_H

#include "grove_core.h"

#define GROVE_BALANCE_BINS	10	/* of a numeric column: tenths of the whole */
#define GROVE_BALANCE_RARE	0.01	/* levels of a smaller share of the whole are one bin together */

/* Rows of the whole, rows of the part, and the sum of the part's weights. */
typedef struct GroveBalanceCounts
{
	double		whole;
	double		part;
	double		weight;
} GroveBalanceCounts;

typedef struct GroveBalance
{
	bool		categorical;	/* the values are levels without an order */
	GroveBalanceCounts present; /* rows with a value */
	GroveBalanceCounts missing; /* rows without */
	GroveBalanceCounts met;		/* rows of the values so far */
	GroveBalanceCounts bins[GROVE_BALANCE_BINS];	/* categorical: bins[0] holds the rare levels */
	double		mean[3];		/* of the values so far: whole, part, part with weights */
	double		squares;		/* of the whole: sum of squared distances from its mean */
	double		smd[2];			/* categorical: the level that differs most, without and with weights */
	double		psi[2];			/* categorical: of the levels so far that are not rare */
	double		ks[2];
} GroveBalance;

/* Any number may be NaN: it does not exist, for want of rows, of spread or of weights. */
typedef struct GroveBalanceResult
{
	double		mean[3];
	double		smd[2];			/* (mean of the part - mean of the whole) / standard deviation of the whole */
	double		psi[2];			/* missing is a bin */
	double		ks[2];			/* of the rows with a value; numeric only */
} GroveBalanceResult;

extern void grove_balance_begin(GroveBalance *balance, bool categorical,
								GroveBalanceCounts present, GroveBalanceCounts missing);

/* The next value; for a categorical column it is not looked at. */
extern void grove_balance_add(GroveBalance *balance, double value, GroveBalanceCounts counts);

extern void grove_balance_end(const GroveBalance *balance, GroveBalanceResult *result);

#endif							/* GROVE_BALANCE_H */
