/*
 * test_ccp_folds.c: the path of weakest links against one that recomputes every
 * subtree, losses of left-out rows against a walk of each row down the pruned
 * tree, and the choice against its definition.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/ccp_folds.h"
#include "engine_kit.h"
#include "unit.h"

#define MAX_LEAVES	40
#define MAX_NODES	(2 * MAX_LEAVES)

/* ------------------------------------------------------------------- path */

static void
add_subtree(const GroveNode *nodes, const double *gains, const bool *cut, uint32_t i, double *gain, double *splits)
{
	if (nodes[i].left == 0 || cut[i])
		return;
	*gain += gains[i];
	*splits += 1.0;
	add_subtree(nodes, gains, cut, nodes[i].left, gain, splits);
	add_subtree(nodes, gains, cut, nodes[i].left + 1, gain, splits);
}

/* Gain a split of the weakest subtree that is left below i. */
static double
weakest_below(const GroveNode *nodes, const double *gains, const bool *cut, uint32_t i, uint32_t *where)
{
	double		gain = 0.0;
	double		splits = 0.0;
	double		least;

	if (nodes[i].left == 0 || cut[i])
		return INFINITY;
	add_subtree(nodes, gains, cut, i, &gain, &splits);
	least = gain / splits;
	*where = i;
	for (uint32_t c = 0; c < 2; c++)
	{
		uint32_t	at = 0;
		double		below = weakest_below(nodes, gains, cut, nodes[i].left + c, &at);

		if (below < least)
		{
			least = below;
			*where = at;
		}
	}
	return least;
}

static void
check_path(KitRandom *random)
{
	GroveNode	nodes[MAX_NODES];
	double		gains[MAX_NODES];
	double		sums[MAX_NODES];
	uint32_t	splits[MAX_NODES];
	uint32_t	parent[MAX_NODES];
	bool		cut[MAX_NODES];
	uint32_t	n_leaves = 1 + kit_below(random, MAX_LEAVES);
	GroveCcpPath path;
	double		last = 0.0;

	memset(nodes, 0, sizeof(nodes));
	memset(gains, 0, sizeof(gains));
	memset(cut, 0, sizeof(cut));
	path.n_nodes = 1;
	while (path.n_nodes < 2 * n_leaves - 1)
	{
		uint32_t	i = kit_below(random, path.n_nodes);

		if (nodes[i].left != 0)
			continue;
		nodes[i].left = path.n_nodes;
		gains[i] = 1.0 + kit_below(random, 1000);
		path.n_nodes += 2;
	}
	path.nodes = nodes;
	path.gain = sums;
	path.splits = splits;
	path.parent = parent;
	grove_ccp_path_init(&path, gains);
	for (;;)
	{
		uint32_t	where = 0;
		double		want = weakest_below(nodes, gains, cut, 0, &where);

		if (want == INFINITY)
			break;
		CHECK(grove_ccp_path_cut(&path));
		CHECK(fabs(path.cost - want) <= 1e-9 * want && path.cost >= last);
		last = path.cost;
		cut[where] = true;
	}
	CHECK(!grove_ccp_path_cut(&path));
}

/* ------------------------------------------------------------- candidates */

static void
check_candidates(void)
{
	static double costs[3000];
	double		got[GROVE_CCP_COSTS];
	double		few[5] = {4.0, 1.0, 9.0, 4.0, 1.0};

	CHECK(grove_ccp_candidates(few, 0, got) == 1 && got[0] == 0.0);
	CHECK(grove_ccp_candidates(few, 5, got) == 4);
	CHECK(got[0] == 0.0 && fabs(got[1] - 2.0) < 1e-12 && fabs(got[2] - 6.0) < 1e-12 && got[3] == 9.0);
	for (uint32_t n = 254; n <= 3000; n += n < 257 ? 1 : 915)
	{
		uint32_t	count;

		for (uint32_t i = 0; i < n; i++)
			costs[i] = (double) (n - i);
		count = grove_ccp_candidates(costs, n, got);
		CHECK(count == (n + 1 < GROVE_CCP_COSTS ? n + 1 : GROVE_CCP_COSTS));
		CHECK(got[0] == 0.0 && got[count - 1] == n && fabs(got[1] - sqrt(2.0)) < 1e-12);
		CHECK(fabs(got[count - 2] - sqrt((n - 1.0) * n)) < 1e-9);
		for (uint32_t i = 1; i < count; i++)
			CHECK(got[i] > got[i - 1]);
	}
}

/* ------------------------------------------------------------------ choice */

static void
check_choice(void)
{
	/* means 5, 2, 2.5, 2, 2.5, 6; the fourth has an error of 1 */
	const double equal[2][6] = {{4, 1, 2.5, 1, 2.5, 6}, {6, 3, 2.5, 3, 2.5, 6}};
	/* the error of the least mean, 0.22, reaches the third, not the fourth */
	const double near[3][4] = {{4, 1.5, 2, 3}, {5, 2, 2, 3}, {6, 2.25, 2.25, 3}};
	double		mean[6];
	double		error[6];

	CHECK(grove_ccp_choose(&equal[0][0], 2, 6, false, mean, error) == 3);
	CHECK(mean[0] == 5.0 && mean[2] == 2.5 && error[3] == 1.0 && error[2] == 0.0);
	CHECK(grove_ccp_choose(&equal[0][0], 2, 6, true, mean, error) == 4);
	CHECK(grove_ccp_choose(&near[0][0], 3, 4, false, mean, error) == 1);
	CHECK(fabs(error[1] - sqrt((0.41666666666666667 * 0.41666666666666667 + 0.083333333333333333 * 0.083333333333333333 +
								0.33333333333333333 * 0.33333333333333333) / 2 / 3)) < 1e-12);
	CHECK(grove_ccp_choose(&near[0][0], 3, 4, true, mean, error) == 2);
}

/* ------------------------------------------------------------------- judge */

typedef struct Judged
{
	const KitTable *table;
	uint32_t	trees;
	uint32_t	between;		/* costs that pruned a part of a tree */
} Judged;

static uint32_t
child_of(const GroveNode *node, const KitTree *tree, double value)
{
	bool		left;

	if (isnan(value))
		left = node->flags & GROVE_NODE_MISSING_LEFT;
	else if (node->flags & GROVE_NODE_CATEGORICAL)
		left = (tree->sets[node->set][(uint32_t) value >> 3] >> ((uint32_t) value & 7)) & 1;
	else
		left = value <= node->value;
	return node->left + !left;
}

/* What the subtree gains beyond the cost of its leaves when each part of it that does not is cut. */
static double
worth_of(const GroveTrainer *t, uint32_t i, double cost)
{
	double		worth;

	if (t->nodes[i].left == 0)
		return 0.0;
	worth = t->node_gain[i] - cost + worth_of(t, t->nodes[i].left, cost) + worth_of(t, t->nodes[i].left + 1, cost);
	return worth > 0.0 ? worth : 0.0;
}

static double
naive_loss(const Judged *judged, const GroveTrainer *t, const KitTree *tree, const uint8_t *fold_of, double cost)
{
	const KitTable *table = judged->table;
	double		loss = 0.0;

	for (uint32_t row = 0; row < table->n_rows; row++)
	{
		uint32_t	i = 0;
		double		d;

		if (fold_of[row] != 3)
			continue;
		while (t->nodes[i].left != 0 && worth_of(t, i, cost) > 0.0)
			i = child_of(&t->nodes[i], tree, table->values[(size_t) row * table->n_features + t->nodes[i].feature]);
		d = (double) t->label[row] - 0.25 - (t->nodes[i].left != 0 ? t->node_output[i] : t->nodes[i].value);
		loss += d * d * (t->weight ? (double) t->weight[row] : 1.0);
	}
	return loss;
}

static void
judge_hook(void *arg, const GroveTrainer *t, const KitTree *tree)
{
	Judged	   *judged = arg;
	uint32_t	n = t->shared->dims.n_rows;
	size_t		nodes = (size_t) t->shared->dims.max_leaves * 2;
	uint8_t    *fold_of = kit_alloc(n, 1);
	double	   *memory = kit_alloc(nodes * 5, sizeof(double));
	GroveCcpJudge judge = {fold_of, 3, 0.25, memory, memory + nodes, memory + 2 * nodes, memory + 3 * nodes,
	memory + 4 * nodes};
	double		weight = 0.0;
	double		top = 0.0;

	for (uint32_t row = 0; row < n; row++)
	{
		/* of the rows left out, two of three are in the fold */
		fold_of[row] = t->validation[row] ? (row % 3 ? 3 : 255) : row % 3;
		if (fold_of[row] == 3)
			weight += t->weight ? (double) t->weight[row] : 1.0;
	}
	for (uint32_t leaf = 0; leaf < t->shared->n_leaves; leaf++)
		grove_ccp_judge_leaf(&judge, t, leaf);
	grove_ccp_judge_finish(&judge, t);
	CHECK(fabs(judge.weight[0] - weight) <= 1e-9 * (1.0 + weight));
	for (uint32_t i = 0; i < t->shared->n_nodes; i++)
		top = t->nodes[i].left != 0 && t->node_gain[i] > top ? t->node_gain[i] : top;
	for (int k = 0; k < 8; k++)
	{
		double		cost = top * k * k / 40.0;
		double		want = naive_loss(judged, t, tree, fold_of, cost);
		double		got = grove_ccp_judge_cost(&judge, t, cost);

		CHECK(fabs(got - want) <= 1e-7 * (1.0 + fabs(want)));
		judged->between += judge.worth[0] > 0.0 && k > 0;
	}
	judged->trees++;
	free(memory);
	free(fold_of);
}

static void
check_judge(uint64_t seed, Judged *judged)
{
	KitRandom	random = kit_random(seed);
	bool		weighted = kit_chance(&random, 0.5);
	KitCase		kase;
	KitSchedule schedule = {seed, true, judge_hook, judged};
	KitModel	model;

	memset(&kase, 0, sizeof(kase));
	kase.table = kit_table_make(300, 4, 1, weighted, true);
	for (uint32_t i = 0; i < 300; i++)
	{
		double	   *values = kase.table.values + (size_t) i * 4;

		for (uint32_t f = 0; f < 4; f++)
			values[f] = kit_chance(&random, 0.1) ? NAN : (double) kit_below(&random, 30);
		kase.table.label[i] = (float) ((isnan(values[0]) ? 5.0 : values[0]) * 0.2 + kit_normal(&random));
		if (weighted)
			kase.table.weight[i] = (float) kit_unit(&random);
		kase.table.validation[i] = kit_chance(&random, 0.4);
	}
	kit_table_cut(&kase.table, 255);
	kase.config = kit_config(GROVE_LOSS_SQUARED);
	kase.config.max_leaves = 20;
	kase.config.learning_rate = 1.0;
	kase.config.rules.min_rows = 3;
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.dims.pruned = true;
	judged->table = &kase.table;
	model = kit_train(&kase, &schedule);
	kit_model_free(&model);
	kit_table_free(&kase.table);
}

int
main(void)
{
	KitRandom	random = kit_random(1);
	Judged		judged = {NULL, 0, 0};

	for (int i = 0; i < 2000; i++)
		check_path(&random);
	check_candidates();
	check_choice();
	for (uint64_t seed = 1; seed <= 40; seed++)
		check_judge(seed, &judged);
	CHECK(judged.trees >= 40 && judged.between >= 40);
	return unit_done();
}
