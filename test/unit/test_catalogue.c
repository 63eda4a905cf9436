/*
 * test_catalogue.c: metrics of lists and of a catalogue against plain
 * definitions on small random data.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/catalogue.h"
#include "../../src/core/rng.h"
#include "unit.h"

#define ROWS	240
#define ITEMS	20

static GroveCatalogueRow rows[ROWS];
static double popularity[ITEMS];

static double
random_unit(uint64_t seed, uint64_t i)
{
	return grove_rng_u01(grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_HASH), i));
}

static int
compare_rows(const void *a, const void *b)
{
	return grove_catalogue_compare(a, b);
}

static int
compare_items(const void *a, const void *b)
{
	return grove_catalogue_compare_items(a, b);
}

static int
compare_popularity(const void *a, const void *b)
{
	return grove_catalogue_compare_popularity(a, b);
}

static void
make_rows(uint64_t seed)
{
	for (int i = 0; i < ITEMS; i++)
		popularity[i] = floor(50 * pow(random_unit(seed, (uint64_t) i), 3));
	for (int i = 0; i < ROWS; i++)
	{
		rows[i].group = (uint64_t) (8 * random_unit(seed, 100 + (uint64_t) i));
		rows[i].item = (uint64_t) (ITEMS * random_unit(seed, 1000 + (uint64_t) i));
		rows[i].score = floor(10 * random_unit(seed, 2000 + (uint64_t) i));
		rows[i].truth = floor(3 * random_unit(seed, 3000 + (uint64_t) i) * random_unit(seed, 4000 + (uint64_t) i));
		rows[i].popularity = popularity[rows[i].item];
	}
	qsort(rows, ROWS, sizeof(GroveCatalogueRow), compare_rows);
}

/* Is an item in the head: do those that are more popular have less than the share? */
static bool
in_head(const bool *met, int item)
{
	double		total = 0;
	double		before = 0;

	for (int i = 0; i < ITEMS; i++)
	{
		total += met[i] ? popularity[i] : 0;
		before += met[i] && popularity[i] > popularity[item] ? popularity[i] : 0;
	}
	return before < GROVE_CATALOGUE_HEAD * total;
}

/* Rank from 1 of a row within its group, by counting. */
static int
rank_of(int row)
{
	int			rank = 1;

	for (int i = 0; i < ROWS; i++)
	{
		if (i != row && rows[i].group == rows[row].group && compare_rows(&rows[i], &rows[row]) < 0)
			rank++;
	}
	return rank;
}

static void
test_against_slow(uint64_t seed, int k)
{
	GroveCatalogueItem items[ROWS];
	GroveCatalogue catalogue = {(uint64_t) k, true, 0, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}};
	GroveEvaluated results[GROVE_CATALOGUE_RESULTS];
	bool		met[ITEMS] = {false};
	bool		shown[ITEMS] = {false};
	double		truths[ROWS];
	size_t		n = ROWS;
	int			n_met = 0;
	int			n_shown = 0;
	double		sum[2] = {0, 0};
	int			groups[2] = {0, 0};

	make_rows(seed);
	for (int i = 0; i < ROWS; i++)
	{
		bool		top = rank_of(i) <= k;	/* equal rows share a rank, and an item */

		met[rows[i].item] = true;
		shown[rows[i].item] |= top;
		items[i] = (GroveCatalogueItem) {rows[i].item, rows[i].popularity, top};
	}
	for (int i = 0; i < ITEMS; i++)
	{
		n_met += met[i];
		n_shown += shown[i];
	}
	qsort(items, n, sizeof(GroveCatalogueItem), compare_items);
	CHECK(grove_catalogue_distinct(items, &n) == GROVE_OK);
	CHECK(n == (size_t) n_met);
	qsort(items, n, sizeof(GroveCatalogueItem), compare_popularity);
	catalogue.tail = grove_catalogue_tail(items, n);
	for (int i = 0; i < ITEMS; i++)
		CHECK(!met[i] || (popularity[i] < catalogue.tail) == !in_head(met, i));

	for (uint64_t g = 0; g < 8; g++)
	{
		double		relevant[2] = {0, 0};
		double		found[2] = {0, 0};
		int			first = -1;
		int			size = 0;

		for (int i = 0; i < ROWS; i++)
		{
			if (rows[i].group != g)
				continue;
			first = first < 0 ? i : first;
			for (int part = 0; part < 2; part++)
			{
				if (rows[i].truth > 0 && (part == 0 || !in_head(met, (int) rows[i].item)))
				{
					relevant[part]++;
					found[part] += size < k;
				}
			}
			size++;
		}
		if (size == 0)
			continue;
		grove_catalogue_add(&catalogue, rows + first, (size_t) size, truths);
		for (int part = 0; part < 2; part++)
		{
			if (relevant[part] == 0)
				continue;
			sum[part] += found[part] / relevant[part];
			groups[part]++;
		}
	}
	CHECK(grove_catalogue_results(&catalogue, (uint64_t) n_shown, n, results) == 4);
	CHECK(strcmp(results[1].metric, "recall") == 0 && fabs(results[1].value - sum[0] / groups[0]) < 1e-12);
	CHECK(strcmp(results[2].metric, "catalogue_coverage") == 0 && results[2].value == (double) n_shown / n_met);
	if (groups[1] > 0)
		CHECK(strcmp(results[3].metric, "long_tail_recall") == 0 && fabs(results[3].value - sum[1] / groups[1]) < 1e-12);
	CHECK(results[0].value > 0 && results[0].value <= 1);
	CHECK(results[0].lower <= results[0].value && results[0].upper >= results[0].value);
}

/* NDCG of a known list: gains 0, 2, 1 in this order, and the same without order. */
static void
test_ndcg(void)
{
	GroveCatalogueRow list[3] = {{1, 1, 3, 0, 0}, {1, 2, 2, 2, 0}, {1, 3, 1, 1, 0}};
	GroveCatalogue catalogue;
	GroveEvaluated results[GROVE_CATALOGUE_RESULTS];
	double		truths[3];

	memset(&catalogue, 0, sizeof(catalogue));
	catalogue.k = 3;
	grove_catalogue_add(&catalogue, list, 3, truths);
	CHECK(grove_catalogue_results(&catalogue, 0, 0, results) == 2);
	CHECK(fabs(results[0].value - (2 / log2(3) + 0.5) / (2 + 1 / log2(3))) < 1e-12);
	CHECK(isnan(results[0].lower));	/* one group has no spread */
	list[0].score = list[1].score = list[2].score = 0;
	grove_catalogue_add(&catalogue, list, 3, truths);
	CHECK(grove_catalogue_results(&catalogue, 0, 0, results) == 2);
	CHECK(results[0].lower < results[0].value && results[0].value < results[0].upper);
}

static void
test_empty(void)
{
	GroveCatalogueItem twice[2] = {{7, 1, false}, {7, 2, true}};
	size_t		n = 2;

	CHECK(grove_catalogue_distinct(twice, &n) == GROVE_ERR_DATA);
	n = 0;
	CHECK(grove_catalogue_distinct(twice, &n) == GROVE_OK && n == 0);
	CHECK(grove_catalogue_tail(twice, 0) == HUGE_VAL);
}

int
main(void)
{
	for (uint64_t seed = 0; seed < 100; seed++)
		test_against_slow(seed, 1 + (int) (seed % 12));
	test_ndcg();
	test_empty();
	return unit_done();
}
