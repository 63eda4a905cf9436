/*
 * bins.h: features cut into at most 255 bins.
 *
 * Bin 0 is missing.  A numeric value v has bin 1 + (number of edges < v), a
 * category the bin of its level.
 */
#ifndef GROVE_BINS_H
#define GROVE_BINS_H

#include "grove_core.h"

/* How one feature is cut. */
typedef struct GroveFeatureBins
{
	bool		categorical;
	bool		has_rest;		/* categorical: the last bin holds levels that other columns tell apart; it never goes left */
	uint32_t	window_levels;	/* not 0: one of several windows, neighbours, on a feature of so many levels */
	uint32_t	window_first;	/* rank of its first level; its bins 1 to n_bins - 1 are consecutive ones, the last bin is all others */
	uint32_t	n_bins;			/* bins that hold values, 0 to 255; bin numbers 1 to n_bins */
	double		edges[GROVE_BINS];	/* numeric: n_bins - 1 ascending edges, then infinity */
} GroveFeatureBins;

/* Whether a column of bins is its feature's first: windows on one feature stand side by side. */
static inline bool
grove_bins_first(const GroveFeatureBins *bins)
{
	return bins->window_levels == 0 || bins->window_first == 0;
}

/* Fills the edges behind the last with infinity, as grove_bins_column() needs it. */
extern void grove_bins_finish(GroveFeatureBins *bins);

/* Bin of one value of finished bins, as grove_bins_column() finds it; a categorical value is its bin. */
extern uint8_t grove_bins_of(const GroveFeatureBins *bins, double value);

/* Bins of n values of finished bins; a categorical value is its bin. */
extern void grove_bins_column(const GroveFeatureBins *bins, const double *values, uint8_t *out, uint32_t n);

#endif							/* GROVE_BINS_H */
