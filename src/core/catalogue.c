/*
 * catalogue.c: see catalogue.h.
 *
 * Intervals take groups as independent draws: mean +- 1.96 standard errors.
 * Groups come in an order of their own, so plain compensated sums do not
 * depend on the order of rows.
 */
#include "catalogue.h"

#include <math.h>
#include <string.h>

#include "pps.h"
#include "ranked.h"
#include "sort.h"

int
grove_catalogue_compare(const GroveCatalogueRow *a, const GroveCatalogueRow *b)
{
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	return a->truth > b->truth ? -1 : a->truth < b->truth;
}

int
grove_catalogue_compare_items(const GroveCatalogueItem *a, const GroveCatalogueItem *b)
{
	return a->item < b->item ? -1 : a->item > b->item;
}

int
grove_catalogue_compare_popularity(const GroveCatalogueItem *a, const GroveCatalogueItem *b)
{
	if (a->popularity != b->popularity)
		return a->popularity > b->popularity ? -1 : 1;
	return grove_catalogue_compare_items(a, b);
}

GroveStatus
grove_catalogue_distinct(GroveCatalogueItem *items, size_t *n)
{
	size_t		kept = 0;

	for (size_t i = 0; i < *n; i++)
	{
		if (kept > 0 && items[kept - 1].item == items[i].item)
		{
			if (items[kept - 1].popularity != items[i].popularity)
				return GROVE_ERR_DATA;
			items[kept - 1].shown |= items[i].shown;
		}
		else
			items[kept++] = items[i];
	}
	*n = kept;
	return GROVE_OK;
}

double
grove_catalogue_tail(const GroveCatalogueItem *items, size_t n)
{
	double		total = 0;
	double		lost = 0;
	double		before = 0;
	double		before_lost = 0;
	double		tail = HUGE_VAL;

	for (size_t i = 0; i < n; i++)
		grove_pps_add(&total, &lost, items[i].popularity);
	total += lost;
	for (size_t i = 0; i < n && before + before_lost < GROVE_CATALOGUE_HEAD * total; i++)
	{
		tail = items[i].popularity;
		grove_pps_add(&before, &before_lost, tail);
	}
	return tail;
}

static void
add_group(GroveCatalogueMean *mean, double value)
{
	mean->groups++;
	grove_pps_add(&mean->sum, &mean->lost, value);
	grove_pps_add(&mean->squares, &mean->squares_lost, value * value);
}

/* Discounted gain of the rows in their order, equal scores together. */
static double
shown_gain(const GroveCatalogueRow *rows, size_t n, uint64_t k)
{
	GroveRankedGain gain;
	size_t		start = 0;

	memset(&gain, 0, sizeof(gain));
	while (start < n && gain.rank < k)
	{
		GroveRankedSum truths = {0, 0};
		size_t		end;

		for (end = start; end < n && rows[end].score == rows[start].score; end++)
			grove_ranked_sum_add(&truths, rows[end].truth);
		grove_ranked_gain_add(&gain, grove_ranked_sum_value(&truths), end - start, k);
		start = end;
	}
	return grove_ranked_sum_value(&gain.gain);
}

static bool
is_larger(const void *a, const void *b)
{
	return *(const double *) a > *(const double *) b;
}

static double
best_gain(double *truths, size_t n, uint64_t k)
{
	GroveRankedGain gain;

	grove_sort(truths, n, sizeof(double), is_larger);
	memset(&gain, 0, sizeof(gain));
	for (size_t i = 0; i < n && gain.rank < k; i++)
		grove_ranked_gain_add(&gain, truths[i], 1, k);
	return grove_ranked_sum_value(&gain.gain);
}

void
grove_catalogue_add(GroveCatalogue *catalogue, const GroveCatalogueRow *rows, size_t n, double *truths)
{
	double		relevant[2] = {0, 0};	/* of all items, of the tail */
	double		shown[2] = {0, 0};
	double		best;

	for (size_t i = 0; i < n; i++)
	{
		bool		tail = catalogue->has_tail && rows[i].popularity < catalogue->tail;

		truths[i] = rows[i].truth;
		if (!(rows[i].truth > 0))
			continue;
		relevant[0]++;
		relevant[1] += tail;
		if (i < catalogue->k)
		{
			shown[0]++;
			shown[1] += tail;
		}
	}
	best = best_gain(truths, n, catalogue->k);
	add_group(&catalogue->ndcg, best > 0 ? shown_gain(rows, n, catalogue->k) / best : 0);
	if (relevant[0] > 0)
		add_group(&catalogue->recall, shown[0] / relevant[0]);
	if (relevant[1] > 0)
		add_group(&catalogue->tail_recall, shown[1] / relevant[1]);
}

static void
put_mean(GroveEvaluated *result, const char *metric, const GroveCatalogueMean *mean)
{
	double		n = (double) mean->groups;
	double		value = (mean->sum + mean->lost) / n;
	double		variance = (mean->squares + mean->squares_lost) / n - value * value;
	double		error = n > 1 ? sqrt(fmax(variance, 0) / (n - 1)) : NAN;

	result->metric = metric;
	result->value = n > 0 ? value : NAN;
	result->lower = isnan(error) ? NAN : fmax(value - 1.959963984540054 * error, 0);
	result->upper = isnan(error) ? NAN : fmin(value + 1.959963984540054 * error, 1);
}

int
grove_catalogue_results(const GroveCatalogue *catalogue, uint64_t shown, uint64_t items,
						GroveEvaluated results[GROVE_CATALOGUE_RESULTS])
{
	int			n = 0;

	put_mean(&results[n++], "ndcg", &catalogue->ndcg);
	put_mean(&results[n++], "recall", &catalogue->recall);
	if (items > 0)
		results[n++] = (GroveEvaluated) {"catalogue_coverage", (double) shown / (double) items, NAN, NAN};
	if (catalogue->has_tail)
		put_mean(&results[n++], "long_tail_recall", &catalogue->tail_recall);
	return n;
}
