/*
 * select.c: from the histogram of scores to probabilities; one walk over the
 * bins, always in the same order.
 */
#include "select.h"

void
grove_select_merge(GroveSelectBins *into, const GroveSelectBins *from)
{
	uint32_t	b;

	for (b = 0; b < GROVE_SELECT_BINS; b++)
	{
		into->count[b] += from->count[b];
		into->low[b] += from->low[b];
	}
}

static double
count_rows(const GroveSelectBins *bins)
{
	uint64_t	n = 0;
	uint32_t	b;

	for (b = 0; b < GROVE_SELECT_BINS; b++)
		n += bins->count[b];
	return (double) n;
}

void
grove_select_goss(GroveSelectRule *rule, const GroveSelectBins *bins, double top_rate, double other_rate)
{
	double		n = count_rows(bins);
	double		top = top_rate * n;
	double		other = other_rate * n;
	double		above = 0.0;
	double		share = 0.0;
	uint32_t	b = GROVE_SELECT_BINS - 1;

	while (b > 0 && above + (double) bins->count[b] < top)
		above += (double) bins->count[b--];
	if (bins->count[b] > 0)
		share = (top - above) / (double) bins->count[b];
	share = share < 1.0 ? share : 1.0;
	memset(rule, 0, sizeof(*rule));
	rule->kind = GROVE_SELECT_GOSS;
	rule->bin = b;
	rule->below = other < n - top ? other / (n - top) : 1.0;
	rule->within = share + (1.0 - share) * rule->below;
}

/* The smallest score of a bin. */
static double
bin_floor(uint32_t b)
{
	uint32_t	bits = b << GROVE_SELECT_SHIFT;
	float		score;

	memcpy(&score, &bits, sizeof(score));
	return (double) score;
}

/* Sum of the scores in a bin: they are linear in the bits behind the leading ones. */
static double
bin_sum(const GroveSelectBins *bins, uint32_t b)
{
	double		least = bin_floor(b);
	double		sum = least * (double) bins->count[b];

	if (bins->low[b] > 0)
		sum += (bin_floor(b + 1) - least) / (double) (1U << GROVE_SELECT_SHIFT) * (double) bins->low[b];
	return sum;
}

/*
 * The expected number of rows falls as mu rises.  Let mu be the mean of a
 * bin: the rows above it are certain, those up to it have score / mu.  The
 * last bin where that is still as many as asked for holds the largest scores
 * below mu.
 */
void
grove_select_mvs(GroveSelectRule *rule, const GroveSelectBins *bins, double fraction)
{
	double		n = count_rows(bins);
	double		wanted = fraction * n;
	double		zeros = (double) bins->count[0];	/* rows whose score is 0, or as good as 0 */
	double		above = n - zeros;
	double		sum = 0.0;
	uint32_t	b;

	memset(rule, 0, sizeof(*rule));
	rule->kind = GROVE_SELECT_MVS;
	for (b = 1; b < GROVE_SELECT_BINS; b++)
	{
		double		in_bin = bin_sum(bins, b);

		if (bins->count[b] == 0)
			continue;
		above -= (double) bins->count[b];
		sum += in_bin;
		if (above < wanted && in_bin * (wanted - above) <= sum * (double) bins->count[b])
			rule->mu = sum / (wanted - above);
	}
	/* rows without any gradient fill up what the others cannot */
	if (zeros > 0.0 && wanted > n - zeros)
		rule->zero = (wanted - (n - zeros)) / zeros;
}
