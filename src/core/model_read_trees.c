/*
 * model_read_trees.c: the trees of a model, checked node by node.
 *
 * A tree is valid when each child stands behind its parent and each node but
 * the root is the child of exactly one.  One byte a node tells which ones have
 * been claimed; since parents come first, a node that nobody has claimed when
 * it is reached will never be.
 */
#include <math.h>

#include "model_reader.h"

static bool
read_tree_sizes(GroveReader *reader, GroveModel *model, GroveReaderParts *parts)
{
	uint64_t	start = 0;

	parts->tree_start[0] = 0;
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		const uint8_t *place = reader_take(reader, 4);
		uint32_t	n_nodes;

		if (!place)
			return false;
		n_nodes = grove_bytes_get32(place);
		if (n_nodes < 1 || n_nodes > GROVE_MODEL_TREE_NODES)
			return reader_broken(reader, "The size of a tree is out of range", reader->at - 4);
		start += n_nodes;
		if (start > model->n_nodes)
			break;
		parts->tree_start[tree + 1] = (uint32_t) start;
	}
	if (start != model->n_nodes)
		return reader_broken(reader, "The sizes of the trees do not add up", reader->at);
	return true;
}

static bool
read_leaf(GroveReader *reader, GroveNode *node)
{
	const uint8_t *place = reader_take(reader, 8);

	if (!place)
		return false;
	node->value = grove_bytes_get_double(place);
	if (!isfinite(node->value))
		return reader_broken(reader, "The value of a leaf is not finite", reader->at - 8);
	return true;
}

/* The set of a categorical split, which becomes number n_sets of the model. */
static bool
read_set(GroveReader *reader, GroveModel *model, GroveReaderParts *parts, GroveNode *node, uint32_t n_sets)
{
	uint32_t	n_levels = model->features[node->feature].n_levels;
	uint32_t	first = 0;
	uint32_t	window;
	size_t		n_bytes;
	const uint8_t *place;

	if (n_levels >= GROVE_BINS)
	{
		place = reader_take(reader, FIRST_BYTES);
		if (!place)
			return false;
		first = grove_bytes_get16(place);
		if (first >= n_levels)
			return reader_broken(reader, "A set begins behind the last level", reader->at - FIRST_BYTES);
	}
	window = format_window(n_levels, first);
	n_bytes = SET_BYTES(window);
	place = reader_take(reader, n_bytes);
	if (!place)
		return false;
	if (n_sets >= model->n_sets)
		return reader_broken(reader, "There are more sets than the header says", reader->at - n_bytes);
	if ((place[0] & 1) || (place[n_bytes - 1] & ~((2u << (window & 7)) - 1)))
		return reader_broken(reader, "A set contains an ordinal that is no level", reader->at - n_bytes);
	memset(parts->sets[n_sets], 0, sizeof(*parts->sets));
	memcpy(parts->sets[n_sets], place, n_bytes);
	parts->set_first[n_sets] = first;
	node->set = n_sets;
	return true;
}

/* The part of a split behind its cover; number and n_nodes are those of the tree. */
static bool
read_split(GroveReader *reader, GroveModel *model, GroveReaderParts *parts, GroveNode *node,
		   uint32_t number, uint32_t n_nodes)
{
	const uint8_t *place = reader_take(reader, 10);
	bool		categorical = (node->flags & GROVE_NODE_CATEGORICAL) != 0;

	if (!place)
		return false;
	node->gain = grove_bytes_get_float(place);
	node->left = grove_bytes_get32(place + 4);
	node->feature = grove_bytes_get16(place + 8);
	if (!isfinite(node->gain) || node->gain < 0)
		return reader_broken(reader, "The gain of a split is not a number from 0 on", reader->at - 10);
	if (node->left <= number || node->left >= n_nodes - 1)
		return reader_broken(reader, "The children of a split are not behind it in its tree", reader->at - 6);
	if (parts->reached[node->left] || parts->reached[node->left + 1])
		return reader_broken(reader, "A node is the child of two splits", reader->at - 6);
	parts->reached[node->left] = parts->reached[node->left + 1] = 1;
	if (node->feature >= model->n_features)
		return reader_broken(reader, "The feature of a split is out of range", reader->at - 2);
	if (categorical != (model->features[node->feature].kind == GROVE_FEATURE_CATEGORICAL))
		return reader_broken(reader, "The kind of a split is not that of its feature", reader->at - 2);
	if (categorical)
		return true;
	place = reader_take(reader, 8);
	if (!place)
		return false;
	node->value = grove_bytes_get_double(place);
	if (!isfinite(node->value))
		return reader_broken(reader, "The threshold of a split is not finite", reader->at - 8);
	return true;
}

/* One node; *n_sets counts the categorical splits. */
static bool
read_node(GroveReader *reader, GroveModel *model, GroveReaderParts *parts, uint32_t root,
		  uint32_t number, uint32_t n_nodes, uint32_t *n_sets)
{
	GroveNode  *node = &parts->nodes[root + number];
	const uint8_t *place = reader_take(reader, 9);
	uint8_t		kind;

	if (!place)
		return false;
	memset(node, 0, sizeof(*node));
	kind = place[0] & NODE_KIND;
	if (place[0] > (NODE_CATEGORICAL | NODE_MISSING_LEFT) || kind > NODE_CATEGORICAL || place[0] == NODE_MISSING_LEFT)
		return reader_broken(reader, "The kind of a node is unknown", reader->at - 9);
	node->count = grove_bytes_get32(place + 1);
	node->cover = grove_bytes_get_float(place + 5);
	if (!isfinite(node->cover) || node->cover < 0)
		return reader_broken(reader, "The cover of a node is not a number from 0 on", reader->at - 4);
	if (number > 0 && !parts->reached[number])
		return reader_broken(reader, "A node is nobody's child", reader->at - 9);
	if (kind == NODE_LEAF)
		return read_leaf(reader, node);
	node->flags = (uint8_t) ((kind == NODE_CATEGORICAL ? GROVE_NODE_CATEGORICAL : 0) |
							 ((place[0] & NODE_MISSING_LEFT) ? GROVE_NODE_MISSING_LEFT : 0));
	if (!read_split(reader, model, parts, node, number, n_nodes))
		return false;
	return kind == NODE_NUMERIC || read_set(reader, model, parts, node, (*n_sets)++);
}

bool
grove_model_read_trees(GroveReader *reader, GroveModel *model, GroveReaderParts *parts)
{
	uint32_t	n_sets = 0;

	if (!read_tree_sizes(reader, model, parts))
		return false;
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		uint32_t	root = parts->tree_start[tree];
		uint32_t	n_nodes = parts->tree_start[tree + 1] - root;

		memset(parts->reached, 0, n_nodes);
		for (uint32_t number = 0; number < n_nodes; number++)
		{
			if (!read_node(reader, model, parts, root, number, n_nodes, &n_sets))
				return false;
		}
	}
	if (n_sets != model->n_sets)
		return reader_broken(reader, "There are fewer sets than the header says", AT_SETS);
	return true;
}
