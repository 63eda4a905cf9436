/*
 * test_ccp.c: pruning against the algorithm of the book: the weakest link is
 * cut, and again, as long as it gains no more than the cost for each leaf.
 * Gains are small integers, so that ties are frequent and arithmetic is exact.
 */
#include <stdlib.h>

#include "../../src/core/ccp.h"
#include "engine_kit.h"
#include "unit.h"

#define MAX_LEAVES	40
#define MAX_NODES	(2 * MAX_LEAVES)

/* A grown tree and what pruning needs to know. */
typedef struct Grown
{
	GroveNode	nodes[MAX_NODES];
	uint8_t		sets[MAX_LEAVES][GROVE_BINS / 8];
	double		gain[MAX_NODES];
	double		output[MAX_NODES];
	uint32_t	map[MAX_NODES];
	uint32_t	set_map[MAX_LEAVES];
	uint32_t	n_nodes;
	uint32_t	n_sets;
} Grown;

/* Splits random leaves; every node and set can be told from the others. */
static void
grow(Grown *g, KitRandom *random)
{
	uint32_t	n_leaves = 1 + kit_below(random, MAX_LEAVES);
	uint32_t	most = 1 + kit_below(random, 12);

	memset(g, 0, sizeof(*g));
	g->n_nodes = 1;
	while (g->n_nodes < 2 * n_leaves - 1)
	{
		uint32_t	i = kit_below(random, g->n_nodes);
		GroveNode  *node = &g->nodes[i];

		if (node->left != 0)
			continue;
		node->left = g->n_nodes;
		node->feature = (uint16_t) (i + 1);
		g->gain[i] = (double) (1 + kit_below(random, most));
		node->gain = (float) g->gain[i];
		if (kit_chance(random, 0.4))
		{
			node->flags = GROVE_NODE_CATEGORICAL;
			node->set = g->n_sets;
			memcpy(g->sets[g->n_sets++], &i, sizeof(i));
		}
		else
			node->value = 1000.0 + i;
		g->n_nodes += 2;
	}
	for (uint32_t i = 0; i < g->n_nodes; i++)
	{
		g->nodes[i].count = i + 1;
		g->nodes[i].cover = (float) i + 0.5f;
		g->output[i] = -1.0 - i;
		if (g->nodes[i].left == 0)
			g->nodes[i].value = -1.0 - i;
	}
}

/* Gains and splits below and at a node, leaf[] telling which nodes have been cut. */
static void
add_subtree(const Grown *g, const bool *leaf, uint32_t i, double *gain, double *splits)
{
	if (leaf[i])
		return;
	*gain += g->gain[i];
	*splits += 1.0;
	add_subtree(g, leaf, g->nodes[i].left, gain, splits);
	add_subtree(g, leaf, g->nodes[i].left + 1, gain, splits);
}

static bool
is_reached(const Grown *g, const bool *leaf, uint32_t from, uint32_t i)
{
	if (from == i)
		return true;
	return !leaf[from] && (is_reached(g, leaf, g->nodes[from].left, i) || is_reached(g, leaf, g->nodes[from].left + 1, i));
}

/* Cuts weakest links one at a time; leaf[i] for reached nodes is what is left. */
static void
cut_weakest(const Grown *g, bool *leaf, double cost)
{
	for (uint32_t i = 0; i < g->n_nodes; i++)
		leaf[i] = g->nodes[i].left == 0;
	for (;;)
	{
		uint32_t	weakest = UINT32_MAX;
		double		best_gain = 0.0;
		double		best_splits = 1.0;

		for (uint32_t i = 0; i < g->n_nodes; i++)
		{
			double		gain = 0.0;
			double		splits = 0.0;

			if (leaf[i] || !is_reached(g, leaf, 0, i))
				continue;
			add_subtree(g, leaf, i, &gain, &splits);
			if (weakest == UINT32_MAX || gain * best_splits < best_gain * splits)
			{
				weakest = i;
				best_gain = gain;
				best_splits = splits;
			}
		}
		if (weakest == UINT32_MAX || best_gain > cost * best_splits)
			return;
		leaf[weakest] = true;
	}
}

/* The pruned tree is the grown one with the splits that are left, in the old order. */
static bool
agrees(const Grown *g, const bool *leaf, const Grown *pruned, uint32_t n_nodes, uint32_t n_sets)
{
	uint32_t	number[MAX_NODES];
	uint32_t	count = 0;
	uint32_t	sets = 0;

	for (uint32_t i = 0; i < g->n_nodes; i++)
	{
		if (is_reached(g, leaf, 0, i))
			number[i] = count++;
		else
			number[i] = UINT32_MAX;
	}
	if (count != n_nodes)
		return false;
	for (uint32_t i = 0; i < g->n_nodes; i++)
	{
		const GroveNode *old = &g->nodes[i];
		const GroveNode *new;

		if (number[i] == UINT32_MAX)
			continue;
		new = &pruned->nodes[number[i]];
		if (pruned->map[i] != number[i] || new->count != old->count || new->cover != old->cover)
			return false;
		if (leaf[i])
		{
			if (new->left != 0 || new->value != -1.0 - i || new->gain != 0.0f || new->set != 0 ||
				new->feature != 0 || new->flags != 0)
				return false;
			continue;
		}
		if (new->left != number[old->left] || number[old->left + 1] != new->left + 1 || new->left <= number[i] ||
			new->feature != old->feature || new->flags != old->flags || new->gain != old->gain)
			return false;
		if (old->flags == 0 && new->value != old->value)
			return false;
		if (old->flags != 0)
		{
			sets++;
			if (memcmp(pruned->sets[new->set], g->sets[old->set], sizeof(g->sets[0])) != 0)
				return false;
		}
	}
	return sets == n_sets;
}

/* Nodes that went are mapped to where their rows are now. */
static bool
maps_rows(const Grown *g, const bool *leaf, const Grown *pruned, uint32_t i, uint32_t owner)
{
	if (pruned->map[i] != owner)
		return false;
	if (g->nodes[i].left == 0)
		return true;
	if (!leaf[i])
		return maps_rows(g, leaf, pruned, g->nodes[i].left, pruned->map[g->nodes[i].left]) &&
			maps_rows(g, leaf, pruned, g->nodes[i].left + 1, pruned->map[g->nodes[i].left + 1]);
	for (uint32_t c = 0; c < 2; c++)
	{
		bool		all[MAX_NODES];

		memset(all, true, sizeof(all));
		if (!maps_rows(g, all, pruned, g->nodes[i].left + c, owner))
			return false;
	}
	return true;
}

int
main(void)
{
	KitRandom	random = kit_random(1);
	uint32_t	whole = 0;
	uint32_t	stumps = 0;
	uint32_t	between = 0;

	for (int round = 0; round < 4000; round++)
	{
		Grown		g;
		Grown		pruned;
		bool		leaf[MAX_NODES];
		double		cost = kit_below(&random, 40) * 0.25;
		GroveCcpTree tree;

		grow(&g, &random);
		cut_weakest(&g, leaf, cost);
		pruned = g;
		tree.nodes = pruned.nodes;
		tree.n_nodes = g.n_nodes;
		tree.sets = pruned.sets;
		tree.n_sets = g.n_sets;
		tree.gain = pruned.gain;
		tree.output = pruned.output;
		tree.map = pruned.map;
		tree.set_map = pruned.set_map;
		grove_ccp_prune(&tree, cost);
		CHECK(agrees(&g, leaf, &pruned, tree.n_nodes, tree.n_sets));
		CHECK(maps_rows(&g, leaf, &pruned, 0, 0));
		whole += tree.n_nodes == g.n_nodes;
		stumps += tree.n_nodes == 1 && g.n_nodes > 1;
		between += tree.n_nodes > 1 && tree.n_nodes < g.n_nodes;
	}
	CHECK(whole > 300 && stumps > 300 && between > 300);
	return unit_done();
}
