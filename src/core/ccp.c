/*
 * ccp.c: pruning in four passes over the nodes: worth, new numbers, sets,
 * moves.  New numbers never exceed old ones, so that everything moves in place.
 */
#include "ccp_folds.h"

#include <string.h>

#define GONE	(UINT32_C(1) << 31)	/* in map while new numbers are given: the node is in a leaf */

/* Replaces gains by what each subtree is worth: 0 where it is better a leaf. */
static void
find_worth(GroveCcpTree *t, double cost)
{
	uint32_t	i;

	for (i = t->n_nodes; i-- > 0;)
	{
		uint32_t	left = t->nodes[i].left;

		t->gain[i] = left == 0 ? 0.0 : grove_ccp_worth(t->gain[i], t->gain[left], t->gain[left + 1], cost);
	}
}

/* Fills map; what became a leaf is one afterwards.  Returns the number of nodes that stay. */
static uint32_t
number_nodes(GroveCcpTree *t)
{
	uint32_t	count = 0;
	uint32_t	i;

	t->map[0] = 0;
	for (i = 0; i < t->n_nodes; i++)
	{
		GroveNode  *node = &t->nodes[i];
		bool		gone = (t->map[i] & GONE) != 0;
		uint32_t	left = node->left;

		if (!gone)
			t->map[i] = count++;
		if (left == 0)
			continue;
		if (!gone && t->gain[i] > 0.0)
		{
			t->map[left] = t->map[left + 1] = 0;
			continue;
		}
		t->map[left] = t->map[left + 1] = GONE | t->map[i];
		if (gone)
			continue;
		node->value = t->output[i];
		node->gain = 0.0f;
		node->left = 0;
		node->set = 0;
		node->feature = 0;
		node->flags = 0;
	}
	return count;
}

/* Moves the sets of the splits that stay together. */
static void
move_sets(GroveCcpTree *t)
{
	uint32_t	count = 0;
	uint32_t	i;

	for (i = 0; i < t->n_sets; i++)
		t->set_map[i] = GONE;
	for (i = 0; i < t->n_nodes; i++)
	{
		if ((t->map[i] & GONE) == 0 && (t->nodes[i].flags & GROVE_NODE_CATEGORICAL))
			t->set_map[t->nodes[i].set] = 0;
	}
	for (i = 0; i < t->n_sets; i++)
	{
		if (t->set_map[i] == GONE)
			continue;
		t->set_map[i] = count;
		if (i != count)
			memcpy(t->sets[count], t->sets[i], sizeof(t->sets[i]));
		count++;
	}
	t->n_sets = count;
}

static void
move_nodes(GroveCcpTree *t, uint32_t count)
{
	uint32_t	i;

	for (i = 0; i < t->n_nodes; i++)
	{
		GroveNode	node = t->nodes[i];

		if (t->map[i] & GONE)
		{
			t->map[i] &= ~GONE;
			continue;
		}
		if (node.left != 0)
			node.left = t->map[node.left];
		if (node.flags & GROVE_NODE_CATEGORICAL)
			node.set = t->set_map[node.set];
		t->nodes[t->map[i]] = node;
	}
	t->n_nodes = count;
}

void
grove_ccp_prune(GroveCcpTree *tree, double cost)
{
	uint32_t	count;

	find_worth(tree, cost);
	count = number_nodes(tree);
	move_sets(tree);
	move_nodes(tree, count);
}

void
grove_ccp_prune_grown(GroveTrainer *trainer)
{
	GroveTrainShared *s = trainer->shared;
	GroveCcpTree tree;
	uint32_t	i;

	tree.nodes = trainer->nodes;
	tree.n_nodes = s->n_nodes;
	tree.sets = trainer->sets;
	tree.n_sets = s->n_sets;
	tree.gain = trainer->node_gain;
	tree.output = trainer->node_output;
	tree.map = trainer->node_map;
	tree.set_map = trainer->set_map;
	grove_ccp_prune(&tree, s->config.ccp_alpha * grove_ccp_weight(trainer));
	s->n_nodes = tree.n_nodes;
	s->n_sets = tree.n_sets;
	/* leaves keep their rows; several of them are now in one node */
	for (i = 0; i < s->n_leaves; i++)
	{
		GroveLeaf  *leaf = &trainer->leaves[i];

		leaf->node = tree.map[leaf->node];
		leaf->value = (float) trainer->nodes[leaf->node].value;
	}
}
