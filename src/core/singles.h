/*
 * singles.h: numbers in single precision, for rows that wait to be binned.
 *
 * A value is rounded up, to the smallest single-precision number that is not
 * below it.  For an edge that is such a number itself, v <= edge if and only if
 * ceil(v) <= edge: four bytes tell the bin of a value as well as eight.  The
 * sketch cuts at such numbers wherever one lies between the values that it
 * wants to tell apart.
 */
#ifndef GROVE_SINGLES_H
#define GROVE_SINGLES_H

#include <string.h>

#include "bins.h"

#define GROVE_SINGLE_BUCKETS	8192

/* A finished feature whose edges are all single-precision numbers. */
typedef struct GroveSingleBins
{
	uint32_t	n_bins;
	uint32_t	steps;			/* edges of a bucket at most; GROVE_BINS: there are no buckets */
	float		low;			/* the first edge */
	float		high;			/* the last edge */
	float		scale;			/* bucket of a value: (value - low) * scale */
	float		edges[GROVE_BINS + 1];	/* ascending, filled up with infinity */
	uint8_t		start[GROVE_SINGLE_BUCKETS + 1];	/* edges in the buckets before; the last is for NaN */
} GroveSingleBins;

/* NaN stays NaN; what is beyond the singles becomes infinite, or the lowest of them. */
static inline float
grove_singles_ceil(double value)
{
	float		single = (float) value + 0.0f;
	int32_t		bits;

	memcpy(&bits, &single, sizeof(bits));
	bits += -(int32_t) ((double) single < value) & (bits < 0 ? -1 : 1);
	memcpy(&single, &bits, sizeof(single));
	return single;
}

/* The same for n values. */
extern void grove_singles_make(const double *values, float *singles, uint32_t n);

/* False when an edge is no single-precision number: singles cannot tell the bins. */
extern bool grove_singles_prepare(GroveSingleBins *singles, const GroveFeatureBins *bins);

/* Bins of n singles, the same as grove_bins_column() finds for their values. */
extern void grove_singles_bins(const GroveSingleBins *bins, const float *values, uint8_t *out, uint32_t n);

#endif							/* GROVE_SINGLES_H */
