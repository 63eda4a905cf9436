/*
 * singles.c: bins of single-precision numbers, by a table and few comparisons.
 *
 * A binary search over 254 edges is eight comparisons, each of which waits for
 * the one before.  A table over equal parts of the range tells most of the
 * answer: the edges below the part that a value is in.  What is left are the
 * edges within it, mostly one or none.
 */
#include "singles.h"

#include <float.h>
#include <math.h>

#define MOST_STEPS	4			/* more edges in a bucket: binary search */
#define PART		512			/* values that are searched at once */
#define NO_BIN		255			/* its successor, as a byte, is the missing bin */

/* Vectors that every processor has. */
typedef double Doubles __attribute__((vector_size(16)));
typedef float Singles __attribute__((vector_size(16)));
typedef int32_t Words __attribute__((vector_size(16)));

/* Four values side by side: compilers do not make vector code of a comparison of doubles that adds to an integer of 32 bits. */
static inline void
make_four(const double *values, float *singles)
{
	Singles		single = {(float) values[0], (float) values[1], (float) values[2], (float) values[3]};
	Doubles		low = {values[0], values[1]};
	Doubles		high = {values[2], values[3]};
	Words		low_below,
				high_below,
				below,
				bits;

	single += 0.0f;
	low_below = (Words) ((Doubles) {single[0], single[1]} < low);
	high_below = (Words) ((Doubles) {single[2], single[3]} < high);
	below = (Words) {low_below[0], low_below[2], high_below[0], high_below[2]};
	bits = (Words) single;
	bits += below & ((Words) (bits < 0) | 1);
	memcpy(singles, &bits, sizeof(bits));
}

void
grove_singles_make(const double *values, float *singles, uint32_t n)
{
	uint32_t	i;

	for (i = 0; i + 4 <= n; i += 4)
		make_four(values + i, singles + i);
	for (; i < n; i++)
		singles[i] = grove_singles_ceil(values[i]);
}

static inline int32_t
bucket_of(float value, float low, float high, float scale)
{
	/* in this form NaN becomes low */
	value = value > low ? value : low;
	value = value < high ? value : high;
	return (int32_t) ((value - low) * scale);
}

/* Fills the table; counts the edges of the fullest bucket. */
static void
fill_buckets(GroveSingleBins *s)
{
	uint32_t	n = s->n_bins - 1;
	uint32_t	bucket = 0;
	uint32_t	begin,
				end;

	s->steps = 0;
	for (begin = 0; begin < n; begin = end)
	{
		uint32_t	here = (uint32_t) bucket_of(s->edges[begin], s->low, s->high, s->scale);

		for (end = begin; end < n && (uint32_t) bucket_of(s->edges[end], s->low, s->high, s->scale) == here; end++)
			;
		memset(s->start + bucket, (int) begin, here + 1 - bucket);
		bucket = here + 1;
		s->steps = end - begin > s->steps ? end - begin : s->steps;
	}
	s->start[GROVE_SINGLE_BUCKETS] = NO_BIN;
}

bool
grove_singles_prepare(GroveSingleBins *s, const GroveFeatureBins *bins)
{
	uint32_t	n = bins->n_bins > 0 ? bins->n_bins - 1 : 0;
	uint32_t	i;

	s->n_bins = bins->n_bins;
	for (i = 0; i <= GROVE_BINS; i++)
		s->edges[i] = INFINITY;
	for (i = 0; i < n; i++)
	{
		s->edges[i] = (float) bins->edges[i];
		if ((double) s->edges[i] != bins->edges[i])
			return false;
	}
	if (n == 0)
		return true;
	s->low = s->edges[0];
	s->high = s->edges[n - 1];
	s->scale = n > 1 ? (GROVE_SINGLE_BUCKETS - 1) / (s->high - s->low) : 0.0f;
	if (s->high - s->low <= FLT_MAX && s->scale <= FLT_MAX)
		fill_buckets(s);
	else
		s->steps = GROVE_BINS;
	return true;
}

/* Up to PART values, with a number of steps that the compiler knows. */
static inline void
search(const GroveSingleBins *s, const float *values, uint8_t *out, uint32_t n, uint32_t steps)
{
	int32_t		bucket[PART];
	float		low = s->low;
	float		high = s->high;
	float		scale = s->scale;
	uint32_t	i,
				k;

	for (i = 0; i < n; i++)
	{
		int32_t		here = bucket_of(values[i], low, high, scale);

		bucket[i] = values[i] == values[i] ? here : GROVE_SINGLE_BUCKETS;
	}
	for (i = 0; i < n; i++)
	{
		uint32_t	bin = s->start[bucket[i]];

		for (k = 0; k < steps; k++)
			bin += s->edges[bin] < values[i];
		out[i] = (uint8_t) (bin + 1);
	}
}

static void
search_halving(const GroveSingleBins *s, const float *values, uint8_t *out, uint32_t n)
{
	uint32_t	i,
				step;

	for (i = 0; i < n; i++)
	{
		uint32_t	bin = 0;

		for (step = 128; step > 0; step /= 2)
			bin += (uint32_t) (s->edges[bin + step - 1] < values[i]) * step;
		out[i] = (uint8_t) ((bin + 1) * (values[i] == values[i]));
	}
}

void
grove_singles_bins(const GroveSingleBins *s, const float *values, uint8_t *out, uint32_t n)
{
	uint32_t	first;
	uint32_t	i;

	if (s->n_bins < 2)
	{
		for (i = 0; i < n; i++)
			out[i] = (uint8_t) (s->n_bins * (values[i] == values[i]));
		return;
	}
	for (first = 0; first < n; first += PART)
	{
		uint32_t	part = n - first < PART ? n - first : PART;

		if (s->steps <= 1)
			search(s, values + first, out + first, part, 1);
		else if (s->steps <= 2)
			search(s, values + first, out + first, part, 2);
		else if (s->steps <= MOST_STEPS)
			search(s, values + first, out + first, part, MOST_STEPS);
		else
			search_halving(s, values + first, out + first, part);
	}
}
