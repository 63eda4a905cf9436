/*
 * test_renew.c: weighted quantiles of residuals against a sort, for any order
 * of entries, with ties, repeated entries and weights of 0; and the value of a
 * leaf.
 */
#include <math.h>
#include <stdlib.h>

#include "renew.h"
#include "rng.h"
#include "unit.h"

#define ROWS	700

static GroveTrainShared shared;
static float label[ROWS];
static float score[ROWS];
static float weight[ROWS];
static GroveEntry entries[2][ROWS];
static GroveLeaf leaf;
static GroveSegment segment;
static GroveNode nodes[1];

static GroveTrainer
make_trainer(void)
{
	GroveTrainer t;

	memset(&t, 0, sizeof(t));
	memset(&shared, 0, sizeof(shared));
	shared.max_weight = 1;
	shared.max_factor = 1;
	t.shared = &shared;
	t.label = label;
	t.score = score;
	t.bag[0] = entries[0];
	t.bag[1] = entries[1];
	t.leaves = &leaf;
	t.segments = &segment;
	shared.n_parts = 1;
	t.nodes = nodes;
	return t;
}

typedef struct Item
{
	double		residual;
	double		weight;
} Item;

static int
compare_items(const void *a, const void *b)
{
	double		x = ((const Item *) a)->residual;
	double		y = ((const Item *) b)->residual;

	return x < y ? -1 : x > y;
}

/* The quantile of n entries, cut into parts of which the second is empty. */
static double
quantile(const GroveTrainer *t, const GroveEntry *list, uint32_t n, double alpha)
{
	static GroveEntry scratch[ROWS];
	GroveRenewRows parts[3] = {{list, scratch, n / 3, 0}, {list + n / 3, scratch + n / 3, 0, 0},
	{list + n / 3, scratch + n / 3, n - n / 3, 0}};
	GroveRenewRows whole = {list, scratch, n, 0};
	double		found = grove_renew_quantile(t, &whole, 1, alpha);

	CHECK(grove_renew_quantile(t, parts, 3, alpha) == found);
	return found;
}

/* By definition, from a full sort. */
static double
reference(const GroveTrainer *t, const GroveEntry *list, uint32_t n, double alpha)
{
	Item		items[ROWS];
	double		total = 0;
	double		sum = 0;
	uint32_t	count = 0;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		items[count].residual = (double) (label[list[i].row] - score[list[i].row]);
		items[count].weight = t->weight ? weight[list[i].row] : 1;
		total += items[count].weight;
		count += items[count].weight > 0;
	}
	qsort(items, count, sizeof(Item), compare_items);
	for (i = 0; i < count; i++)
	{
		sum += items[i].weight;
		if (fabs(sum - alpha * total) < 1e-9 * total && i + 1 < count)
			return (items[i].residual + items[i + 1].residual) / 2;
		if (sum > alpha * total)
			return items[i].residual;
	}
	return count > 0 ? items[count - 1].residual : 0;
}

/* Rows first to first + n - 1 in an order that the seed gives. */
static void
fill_entries(GroveEntry *list, uint32_t n, uint64_t seed)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
		list[i].row = i;
	for (i = n; i > 1; i--)
	{
		uint32_t	j = (uint32_t) grove_rng_range(grove_rng_hash(seed, i), i);
		GroveEntry	swap = list[i - 1];

		list[i - 1] = list[j];
		list[j] = swap;
	}
}

static void
test_random(int weighted, int ties)
{
	static const double alphas[] = {0.5, 0.1, 0.9, 0.25, 1e-6, 0.999999};
	GroveTrainer t = make_trainer();
	uint32_t	n;
	uint32_t	i;
	int			a;

	if (weighted)
		t.weight = weight;
	for (n = 1; n < ROWS; n = n * 5 / 4 + 1)
	{
		shared.max_weight = 0;
		for (i = 0; i < n; i++)
		{
			uint64_t	hash = grove_rng_hash(n, i);

			label[i] = ties ? (float) (int) (hash % 5) - 2 : (float) (grove_rng_u01(hash) * 2000 - 1000);
			score[i] = ties ? 1 : (float) grove_rng_u01(hash * 3);
			weight[i] = (float) (hash / 8 % 4);
			shared.max_weight = weight[i] > shared.max_weight ? weight[i] : shared.max_weight;
		}
		shared.max_weight = weighted && shared.max_weight > 0 ? shared.max_weight : 1;
		for (a = 0; a < 6; a++)
		{
			double		found;

			fill_entries(entries[0], n, n + a);
			found = quantile(&t, entries[0], n, alphas[a]);
			CHECK(found == reference(&t, entries[0], n, alphas[a]));
			fill_entries(entries[1], n, n + a + 1000);
			CHECK(quantile(&t, entries[1], n, alphas[a]) == found);
		}
	}
}

static void
test_cases(void)
{
	GroveTrainer t = make_trainer();
	int			i;

	for (i = 0; i < 4; i++)
	{
		label[i] = (float) (i * i) - 4;
		score[i] = 0;
		weight[i] = 0;
		entries[0][i].row = i;
	}
	/* -4, -3, 0, 5 */
	CHECK(quantile(&t, entries[0], 4, 0.5) == -1.5);
	CHECK(quantile(&t, entries[0], 3, 0.5) == -3);
	CHECK(quantile(&t, entries[0], 4, 0.6) == 0);
	CHECK(quantile(&t, entries[0], 0, 0.5) == 0);
	/* a row that a bootstrap sample holds three times */
	entries[0][0].row = entries[0][1].row = entries[0][2].row = 3;
	CHECK(quantile(&t, entries[0], 4, 0.5) == 5);
	/* no weight at all; fractions of weights that add up to just a half */
	t.weight = weight;
	for (i = 0; i < 4; i++)
		entries[0][i].row = i;
	CHECK(quantile(&t, entries[0], 4, 0.5) == 0);
	weight[0] = 0.1f;
	weight[1] = 0.2f;
	weight[2] = 0.0f;
	weight[3] = 0.1f + 0.2f;
	CHECK(quantile(&t, entries[0], 4, 0.5) == 1);
}

static void
test_leaf(void)
{
	GroveTrainer t = make_trainer();
	int			i;

	for (i = 0; i < 5; i++)
	{
		label[i] = (float) i;
		score[i] = 0;
		entries[1][i].row = i;
	}
	segment.begin = 1;
	segment.count = 4;
	leaf.side = 1;
	shared.config.learning_rate = 0.5;
	shared.config.loss = GROVE_LOSS_ABSOLUTE;
	grove_renew_leaf(&t, 0);
	CHECK(nodes[0].value == 1.25 && leaf.value == 1.25f);
	shared.config.loss = GROVE_LOSS_QUANTILE;
	shared.config.shape.quantile_alpha = 0.9;
	grove_renew_leaf(&t, 0);
	CHECK(nodes[0].value == 2);
	shared.config.rules.max_delta_step = 3;
	grove_renew_leaf(&t, 0);
	CHECK(nodes[0].value == 1.5);
	for (i = 0; i < 5; i++)
		label[i] = -label[i];
	grove_renew_leaf(&t, 0);
	CHECK(nodes[0].value == -0.5);
}

int
main(void)
{
	test_random(0, 0);
	test_random(0, 1);
	test_random(1, 0);
	test_random(1, 1);
	test_cases();
	test_leaf();
	return unit_done();
}
