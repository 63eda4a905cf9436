/*
 * test_lambdarank.c: the gradients of a query against a loop over all pairs in
 * double with libm, NDCG against the mean over all orders of ties, and the
 * independence of both of the order of rows.
 */
#include <math.h>
#include <stdlib.h>

#include "lambdarank.h"
#include "naive_rank.h"
#include "rng.h"
#include "unit.h"

#define ROWS	300

static uint32_t places[ROWS];
static float label[ROWS];
static float score[ROWS];
static uint64_t order[ROWS];
static float gradient[ROWS];
static float hessian[ROWS];

/* n rows with labels from 0 to labels - 1; steps: distinct scores, 0 for any. */
static GroveRankGroup
make_group(uint32_t n, int labels, int steps, uint64_t seed)
{
	GroveRankGroup group;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		uint64_t	hash = grove_rng_hash(seed, i);

		places[i] = n - 1 - i;
		label[i] = (float) (hash % (uint64_t) labels);
		score[i] = steps > 0 ? (float) (hash / 64 % (uint64_t) steps) : (float) (grove_rng_u01(hash * 5) * 4 - 2);
	}
	group.rows = places;
	group.n = n;
	group.label = label;
	group.score = score;
	group.order = order;
	grove_lambdarank_sort(&group);
	return group;
}

static double
gain(double y)
{
	return pow(2, y) - 1;
}

static void
test_gradients(uint32_t n, int labels, int steps, uint32_t truncation, int norm, double sigma)
{
	GroveLossShape shape = {.rank_sigma = sigma, .rank_truncation = truncation, .rank_norm = norm != 0};
	GroveRankGroup group = make_group(n, labels, steps, n * 7 + labels);
	double		g[ROWS];
	double		h[ROWS];
	double		total = 0;
	double		size = 1e-6;
	int			wrong = 0;
	uint32_t	i;

	naive_rank_gradients(&shape, &group, g, h);
	grove_lambdarank_gradients(&shape, &group, gradient, hessian);
	for (i = 0; i < n; i++)
		size = fabs(g[i]) > size ? fabs(g[i]) : size;
	for (i = 0; i < n; i++)
	{
		wrong += !(fabs(gradient[i] - g[i]) < 1e-5 * size);
		wrong += !(fabs(hessian[i] - h[i]) < 1e-5 * size * (1 + sigma));
		total += gradient[i];
	}
	CHECK(wrong == 0);
	CHECK(fabs(total) < 1e-5 * size * n);	/* what pulls one row up pushes another down */
}

static void
test_sort(void)
{
	GroveRankGroup group = make_group(ROWS, 3, 7, 5);
	uint32_t	i;

	for (i = 1; i < ROWS; i++)
	{
		uint32_t	a = (uint32_t) order[i - 1];
		uint32_t	b = (uint32_t) order[i];

		CHECK(score[places[a]] > score[places[b]] || (score[places[a]] == score[places[b]] && a < b));
	}
	score[0] = -0.0f;
	score[1] = 0.0f;
	group.n = 2;
	places[0] = 0;
	places[1] = 1;
	grove_lambdarank_sort(&group);
	CHECK((uint32_t) order[0] == 0);
}

/* Sum of DCG over all orders of n rows that go with the scores, and their number; n is small. */
static void
all_orders(uint32_t *rows, uint32_t n, uint32_t fixed, double *sum, double *count)
{
	uint32_t	i;

	if (fixed == n)
	{
		for (i = 0; i < n; i++)
			*sum += gain(label[rows[i]]) / log2(2.0 + i);
		*count += 1;
		return;
	}
	for (i = fixed; i < n; i++)
	{
		uint32_t	swap = rows[fixed];

		rows[fixed] = rows[i];
		rows[i] = swap;
		if (fixed == 0 || score[rows[fixed - 1]] >= score[rows[fixed]])
			all_orders(rows, n, fixed + 1, sum, count);
		swap = rows[fixed];
		rows[fixed] = rows[i];
		rows[i] = swap;
	}
}

static void
test_ndcg(void)
{
	uint64_t	seed;

	for (seed = 0; seed < 40; seed++)
	{
		uint32_t	n = 1 + (uint32_t) (seed % 7);
		GroveRankGroup group = make_group(n, 4, 3, seed + 100);
		uint32_t	rows[ROWS];
		double		sum = 0;
		double		count = 0;
		double		best = naive_rank_best(&group, GROVE_RANK_METRIC);
		uint32_t	i;

		for (i = 0; i < n; i++)
			rows[i] = i;
		all_orders(rows, n, 0, &sum, &count);
		CHECK(fabs(grove_lambdarank_loss(&group) - (best > 0 ? 1 - sum / count / best : 1)) < 1e-12);
		CHECK(fabs(naive_rank_loss(&group) - grove_lambdarank_loss(&group)) < 1e-12);
	}
}

/* Ties that reach beyond the last rank that counts. */
static void
test_ndcg_cut(void)
{
	GroveRankGroup group = make_group(15, 3, 1, 9);
	double		discounts = 0;
	double		gains = 0;
	int			i;

	for (i = 0; i < GROVE_RANK_METRIC; i++)
		discounts += 1 / log2(2.0 + i);
	for (i = 0; i < 15; i++)
		gains += gain(label[i]);
	CHECK(fabs(grove_lambdarank_loss(&group) - (1 - gains / 15 * discounts / naive_rank_best(&group, 10))) < 1e-12);
	for (i = 0; i < 15; i++)
		score[i] = label[i];
	grove_lambdarank_sort(&group);
	CHECK(grove_lambdarank_loss(&group) < 1e-12);
	label[3] = 31;
	score[3] = -1;
	grove_lambdarank_sort(&group);
	CHECK(grove_lambdarank_loss(&group) > 0.99);
	for (i = 0; i < 15; i++)
		label[i] = 0;
	CHECK(grove_lambdarank_loss(&group) == 1);
}

int
main(void)
{
	int			norm;

	for (norm = 0; norm < 2; norm++)
	{
		test_gradients(1, 5, 0, 30, norm, 1);
		test_gradients(2, 2, 0, 30, norm, 1);
		test_gradients(ROWS, 5, 0, 30, norm, 1);
		test_gradients(ROWS, 32, 0, 30, norm, 1);
		test_gradients(ROWS, 3, 6, 10, norm, 2.5);
		test_gradients(100, 3, 1, 1000, norm, 0.5);
		test_gradients(100, 1, 0, 30, norm, 1);
	}
	test_sort();
	test_ndcg();
	test_ndcg_cut();
	return unit_done();
}
