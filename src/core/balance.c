/*
 * balance.c: SMD, PSI and Kolmogorov-Smirnov distance from one sorted walk.
 *
 * PSI = sum over bins of (q - p) ln(q / p) with the shares p of the whole and
 * q of the part.  The bins of a numeric column are the tenths of the whole:
 * a value belongs to the tenth in which the middle of its rows lies, so that
 * ties stay together.  Where one side has no row in a bin, half a row stands
 * in for it; otherwise the index would be infinite.
 *
 * A level of a categorical column has the standardised difference
 * (q - p) / sqrt(p (1 - p)); reported is the one that is largest in size.
 */
#include "balance.h"

#include <math.h>
#include <string.h>

void
grove_balance_begin(GroveBalance *balance, bool categorical,
					GroveBalanceCounts present, GroveBalanceCounts missing)
{
	memset(balance, 0, sizeof(*balance));
	balance->categorical = categorical;
	balance->present = present;
	balance->missing = missing;
}

static void
add_counts(GroveBalanceCounts *sum, GroveBalanceCounts counts)
{
	sum->whole += counts.whole;
	sum->part += counts.part;
	sum->weight += counts.weight;
}

/* One bin's term of the PSI; rows is the size of the part, whose half row stands in for an empty bin. */
static double
stability_term(double whole, double all_whole, double part, double all_part, double rows)
{
	double		p = (whole > 0 ? whole : 0.5) / all_whole;
	double		q = part > 0 ? part / all_part : 0.5 / rows;

	if (whole == 0 && part == 0)
		return 0;
	return (q - p) * log(q / p);
}

static void
add_stability(const GroveBalance *balance, GroveBalanceCounts bin, double psi[2])
{
	double		whole = balance->present.whole + balance->missing.whole;
	double		part = balance->present.part + balance->missing.part;
	double		weight = balance->present.weight + balance->missing.weight;

	psi[0] += stability_term(bin.whole, whole, bin.part, part, part);
	psi[1] += stability_term(bin.whole, whole, bin.weight, weight, part);
}

/* Moves a mean towards a value that count of the rows so far (met) have. */
static void
move_mean(double *mean, double value, double count, double met)
{
	if (count > 0)
		*mean += (value - *mean) * (count / met);
}

static void
add_value(GroveBalance *balance, double value, GroveBalanceCounts counts)
{
	double		middle = balance->present.whole > 0 ?
		(balance->met.whole + counts.whole / 2) / balance->present.whole : 0;
	double		before = value - balance->mean[0];
	int			bin = (int) (middle * GROVE_BALANCE_BINS);

	add_counts(&balance->bins[bin < GROVE_BALANCE_BINS ? bin : GROVE_BALANCE_BINS - 1], counts);
	add_counts(&balance->met, counts);
	move_mean(&balance->mean[0], value, counts.whole, balance->met.whole);
	move_mean(&balance->mean[1], value, counts.part, balance->met.part);
	move_mean(&balance->mean[2], value, counts.weight, balance->met.weight);
	if (counts.whole > 0)
		balance->squares += before * (value - balance->mean[0]) * counts.whole;

	balance->ks[0] = fmax(balance->ks[0], fabs(balance->met.part / balance->present.part -
											   balance->met.whole / balance->present.whole));
	balance->ks[1] = fmax(balance->ks[1], fabs(balance->met.weight / balance->present.weight -
											   balance->met.whole / balance->present.whole));
}

static void
keep_largest(double *largest, double difference)
{
	if (fabs(difference) > fabs(*largest))
		*largest = difference;
}

static void
add_level(GroveBalance *balance, GroveBalanceCounts counts)
{
	double		p = counts.whole / balance->present.whole;
	double		scale = sqrt(p * (1 - p));

	if (scale > 0)
	{
		keep_largest(&balance->smd[0], (counts.part / balance->present.part - p) / scale);
		keep_largest(&balance->smd[1], (counts.weight / balance->present.weight - p) / scale);
	}
	if (p < GROVE_BALANCE_RARE)
		add_counts(&balance->bins[0], counts);
	else
		add_stability(balance, counts, balance->psi);
}

void
grove_balance_add(GroveBalance *balance, double value, GroveBalanceCounts counts)
{
	if (balance->categorical)
		add_level(balance, counts);
	else
		add_value(balance, value, counts);
}

/* What cannot be told without rows on both sides, or without weights. */
static void
forget(double pair[2], bool has_part, bool has_weight)
{
	if (!has_part)
		pair[0] = NAN;
	if (!has_weight)
		pair[1] = NAN;
}

void
grove_balance_end(const GroveBalance *balance, GroveBalanceResult *result)
{
	const GroveBalanceCounts *present = &balance->present;
	const GroveBalanceCounts *missing = &balance->missing;
	bool		has_part = present->whole > 0 && present->part > 0;
	bool		has_weight = present->whole > 0 && present->weight > 0;
	double		deviation = sqrt(balance->squares / (present->whole - 1));

	memcpy(result->psi, balance->psi, sizeof(result->psi));
	for (int i = 0; i < GROVE_BALANCE_BINS; i++)
		add_stability(balance, balance->bins[i], result->psi);
	add_stability(balance, balance->missing, result->psi);
	forget(result->psi, present->whole + missing->whole > 0 && present->part + missing->part > 0,
		   present->whole + missing->whole > 0 && present->weight + missing->weight > 0);

	memcpy(result->ks, balance->ks, sizeof(result->ks));
	memcpy(result->smd, balance->smd, sizeof(result->smd));
	memcpy(result->mean, balance->mean, sizeof(result->mean));
	if (!balance->categorical)
	{
		for (int i = 0; i < 2; i++)
		{
			double		difference = balance->mean[i + 1] - balance->mean[0];

			result->smd[i] = difference == 0 ? 0 : deviation > 0 ? difference / deviation : NAN;
		}
	}
	forget(result->smd, has_part, has_weight);
	forget(result->ks, has_part && !balance->categorical, has_weight && !balance->categorical);
	if (balance->categorical || present->whole == 0)
		result->mean[0] = NAN;
	forget(result->mean + 1, present->part > 0 && !balance->categorical, present->weight > 0 && !balance->categorical);
}
