/*
 * test_oob.c: what rows learn from the trees of a forest that did not see
 * them, against walks of the raw rows through every tree.
 *
 * When a tree is complete the sums hold the trees of the rounds before it; a
 * walk through the reported nodes must give the same floats, in any order of
 * the tasks, and scores over the rows the means of slow loops.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/oob.h"
#include "engine_kit.h"
#include "unit.h"

#define CELLS	1000000.0

typedef struct Naive
{
	const KitCase *kase;
	float	   *sum;			/* [n_outputs][n_rows] */
	uint32_t   *trees;			/* [n_rows] */
	uint32_t	n_trees;
	uint32_t	n_scored;		/* comparisons of means */
	uint32_t	n_missed;		/* rows that every tree so far has seen */
} Naive;

static float
walk(const KitTable *table, const KitTree *tree, uint32_t row)
{
	uint32_t	i = 0;

	while (tree->nodes[i].left != 0)
	{
		const GroveNode *node = &tree->nodes[i];
		double		value = table->values[(size_t) row * table->n_features + node->feature];
		bool		left;

		if (node->flags & GROVE_NODE_CATEGORICAL)
			left = isnan(value) || value < 1.0 ? (node->flags & GROVE_NODE_MISSING_LEFT) != 0 :
				(tree->sets[node->set][(uint32_t) value >> 3] >> ((uint32_t) value & 7) & 1);
		else
			left = isnan(value) ? (node->flags & GROVE_NODE_MISSING_LEFT) != 0 : value <= node->value;
		i = node->left + !left;
	}
	return (float) tree->nodes[i].value;
}

static float
margin(const Naive *naive, const GroveTrainer *t, uint32_t k, uint32_t row)
{
	size_t		at = (size_t) k * naive->kase->table.n_rows + row;
	double		rounds = naive->kase->config.n_rounds;

	return (float) ((double) t->score[at] + (double) naive->sum[at] * (rounds / naive->trees[row]));
}

/* Loss of a residual: what a forest of the loss is judged by. */
static double
regression_loss(const GroveTrainConfig *config, double residual)
{
	double		alpha = config->shape.quantile_alpha;

	if (config->loss == GROVE_LOSS_ABSOLUTE)
		return fabs(residual);
	if (config->loss == GROVE_LOSS_QUANTILE)
		return residual > 0.0 ? alpha * residual : (alpha - 1.0) * residual;
	return residual * residual;
}

/* Weighted means of one part by plain loops. */
static void
check_part(Naive *naive, const GroveTrainer *t, GroveLink link, bool validation, GroveOobPart *part)
{
	const KitTable *table = &naive->kase->table;
	double		weight = 0.0;
	double		loss = 0.0;
	double		hits = 0.0;
	uint32_t	rows = 0;

	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		double		w = table->weight ? (double) table->weight[i] : 1.0;
		double		p;
		uint32_t	best = 0;

		if ((table->validation && table->validation[i]) != validation)
			continue;
		if (naive->trees[i] == 0)
		{
			naive->n_missed++;
			continue;
		}
		rows++;
		weight += w;
		p = (double) margin(naive, t, 0, i);
		if (link == GROVE_LINK_CLAMP)
		{
			p = fmin(fmax(p, 0.0), 1.0);
			best = p >= 0.5;
		}
		for (uint32_t k = 1; k < table->n_outputs; k++)
		{
			if (margin(naive, t, k, i) > fmaxf(margin(naive, t, best, i), 0.0f))
				best = k;
		}
		/* two classes are labels of 0 and 1; others are cut in the middle */
		hits += best == (link == GROVE_LINK_CLAMP ? table->label[i] > 0.5f : (uint32_t) fabsf(table->label[i])) ? w : 0.0;
		loss += w * regression_loss(&naive->kase->config, (double) table->label[i] - p);
	}
	CHECK(part->rows == rows);
	if (!(weight > 0.0))
	{
		CHECK(isnan(grove_oob_loss(part)));
		return;
	}
	naive->n_scored++;
	if (link != GROVE_LINK_NORMALIZE)
		CHECK(fabs(grove_oob_loss(part) - loss / weight) <= 1e-9 * (loss / weight));
	if (link != GROVE_LINK_IDENTITY)
		CHECK(fabs(grove_oob_accuracy(part) - hits / weight) <= 1e-9);
}

static void
check_scores(Naive *naive, const GroveTrainer *t, GroveLink link)
{
	uint32_t	n = naive->kase->table.n_rows;
	GroveOob	oob;

	grove_oob_init(&oob, link);
	grove_oob_add(&oob, t, n / 3, n - n / 3);
	grove_oob_add(&oob, t, 0, n / 3);
	check_part(naive, t, link, false, &oob.training);
	check_part(naive, t, link, true, &oob.validation);
}

/* A tree is complete: compare what is there of those before it, then add it. */
static void
check_tree(void *arg, const GroveTrainer *t, const KitTree *tree)
{
	Naive	   *naive = arg;
	const KitTable *table = &naive->kase->table;
	uint32_t	output = naive->n_trees++ % table->n_outputs;
	float	   *sum = naive->sum + (size_t) output * table->n_rows;

	CHECK(memcmp(naive->sum, t->out_sum, (size_t) table->n_rows * table->n_outputs * sizeof(float)) == 0);
	CHECK(memcmp(naive->trees, t->out_trees, table->n_rows * sizeof(uint32_t)) == 0);
	if (output == 0 && table->n_outputs > 1)
		check_scores(naive, t, GROVE_LINK_NORMALIZE);
	else if (output == 0)
	{
		check_scores(naive, t, GROVE_LINK_IDENTITY);
		check_scores(naive, t, GROVE_LINK_CLAMP);
	}
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		if (t->copies[i] > 0)
			continue;
		sum[i] += walk(table, tree, i);
		naive->trees[i] += output == 0;
	}
}

/* The forest is that of a training that keeps nothing of the rows outside. */
static void
check_same_trees(KitCase *kase, const KitModel *expected)
{
	KitSchedule schedule = {0, false, NULL, NULL};
	KitModel	model;

	kase->dims.out_scored = false;
	model = kit_train(kase, &schedule);
	CHECK(kit_model_equal(&model, expected));
	kit_model_free(&model);
}

int
main(void)
{
	uint32_t	n_forests = 0;
	uint32_t	n_scored = 0;
	uint32_t	n_missed = 0;

	for (uint64_t seed = 1; seed <= 800; seed++)
	{
		KitCase		kase = kit_case_make(seed, CELLS);
		KitSchedule schedule = {seed % 2 * seed, true, check_tree, NULL};
		Naive		naive = {&kase, NULL, NULL, 0, 0, 0};
		KitModel	model;

		if (kase.config.algorithm == GROVE_ALGORITHM_FOREST)
		{
			kase.dims.n_workers = 1 + seed % 3;
			naive.sum = kit_alloc((size_t) kase.table.n_rows * kase.table.n_outputs, sizeof(float));
			naive.trees = kit_alloc(kase.table.n_rows, sizeof(uint32_t));
			schedule.arg = &naive;
			model = kit_train(&kase, &schedule);
			CHECK(naive.n_trees == kase.config.n_rounds * kase.table.n_outputs);
			check_same_trees(&kase, &model);
			kit_model_free(&model);
			free(naive.sum);
			free(naive.trees);
			n_forests++;
			n_scored += naive.n_scored;
			n_missed += naive.n_missed;
		}
		kit_table_free(&kase.table);
	}
	CHECK(n_forests > 30);
	CHECK(n_scored > 30);
	CHECK(n_missed > 1000);
	return unit_done();
}
