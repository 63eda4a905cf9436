/*
 * sample_builder.h: a model and everything that it points to in one struct,
 * filled node by node.
 */
#ifndef SAMPLE_BUILDER_H
#define SAMPLE_BUILDER_H

#include <stdio.h>
#include <string.h>

#include "../../src/core/model.h"

#define SAMPLE_FEATURES	8
#define SAMPLE_NODES	256

typedef struct Sample
{
	const char *name;
	GroveModel	model;
	GroveFeature features[SAMPLE_FEATURES];
	GroveText	classes[4];
	double		base[4];
	uint32_t	tree_start[SAMPLE_NODES];
	GroveNode	nodes[SAMPLE_NODES];
	uint8_t		sets[16][GROVE_BINS / 8];
	uint32_t	set_first[16];
} Sample;

static inline GroveText
sample_text(const char *string)
{
	GroveText	text = {string, (uint32_t) strlen(string)};

	return text;
}

static inline void
sample_begin(Sample *sample, const char *name, GroveTask task, GroveAlgorithm algorithm, GroveLink link,
			 const char *objective, const char *target, const char *target_type)
{
	memset(sample, 0, sizeof(*sample));
	sample->name = name;
	sample->model.task = task;
	sample->model.algorithm = algorithm;
	sample->model.link = link;
	sample->model.objective = sample_text(objective);
	sample->model.target = sample_text(target);
	sample->model.target_type = sample_text(target_type);
	sample->model.params = sample_text("{\"algorithm\": \"gbdt\", \"learning_rate\": 0.1}");
	sample->model.metrics = sample_text("{\"train\": {\"loss\": 0.25}}");
	sample->model.rows = 100;
	sample->model.n_outputs = 1;
	sample->model.features = sample->features;
	sample->model.classes = sample->classes;
	sample->model.base = sample->base;
	sample->model.tree_start = sample->tree_start;
	sample->model.nodes = sample->nodes;
	sample->model.sets = (const uint8_t (*)[GROVE_BINS / 8]) sample->sets;
	sample->model.set_first = sample->set_first;
}

static inline void
sample_feature(Sample *sample, const char *name, const char *type_name, uint32_t n_levels, const GroveText *levels)
{
	GroveFeature *feature = &sample->features[sample->model.n_features++];

	feature->name = sample_text(name);
	feature->type_name = sample_text(type_name);
	feature->kind = levels ? GROVE_FEATURE_CATEGORICAL : GROVE_FEATURE_NUMERIC;
	feature->n_levels = n_levels;
	feature->levels = levels;
}

static inline void
sample_class(Sample *sample, const char *label)
{
	sample->classes[sample->model.n_classes++] = sample_text(label);
}

static inline void
sample_tree(Sample *sample)
{
	sample->tree_start[sample->model.n_trees++] = sample->model.n_nodes;
	sample->tree_start[sample->model.n_trees] = sample->model.n_nodes;
}

static inline GroveNode *
sample_node(Sample *sample, uint32_t count)
{
	GroveNode  *node = &sample->nodes[sample->model.n_nodes++];

	sample->tree_start[sample->model.n_trees] = sample->model.n_nodes;
	node->count = count;
	node->cover = (float) count / 4;
	return node;
}

static inline void
sample_leaf(Sample *sample, uint32_t count, double value)
{
	sample_node(sample, count)->value = value;
}

static inline GroveNode *
sample_split(Sample *sample, uint32_t count, uint16_t feature, uint32_t left, bool missing_left)
{
	GroveNode  *node = sample_node(sample, count);

	node->feature = feature;
	node->left = left;
	node->gain = (float) count / 8;
	node->flags = missing_left ? GROVE_NODE_MISSING_LEFT : 0;
	return node;
}

static inline void
sample_numeric(Sample *sample, uint32_t count, uint16_t feature, double threshold, uint32_t left, bool missing_left)
{
	sample_split(sample, count, feature, left, missing_left)->value = threshold;
}

/* A split whose set is still empty; its index. */
static inline uint32_t
sample_empty_set(Sample *sample, uint32_t count, uint16_t feature, uint32_t left, bool missing_left)
{
	GroveNode  *node = sample_split(sample, count, feature, left, missing_left);

	node->flags |= GROVE_NODE_CATEGORICAL;
	node->set = sample->model.n_sets;
	return sample->model.n_sets++;
}

/* ordinals: bit b is ordinal b, for sets of up to 7 levels */
static inline void
sample_categorical(Sample *sample, uint32_t count, uint16_t feature, uint8_t ordinals, uint32_t left, bool missing_left)
{
	sample->sets[sample_empty_set(sample, count, feature, left, missing_left)][0] = ordinals;
}

/* A tree of one split: the ordinals, of which 0 ends the list, or missing values have this value, others 0. */
static inline void
sample_window(Sample *sample, uint16_t feature, uint32_t first, const uint16_t *ordinals, double value, bool missing_left)
{
	uint32_t	set;

	sample_tree(sample);
	set = sample_empty_set(sample, 100, feature, 1, missing_left);
	sample->set_first[set] = first;
	for (; *ordinals != 0; ordinals++)
		sample->sets[set][(*ordinals - first) / 8] |= (uint8_t) (1 << (*ordinals - first) % 8);
	sample_leaf(sample, 40, value);
	sample_leaf(sample, 60, 0);
}

#endif							/* SAMPLE_BUILDER_H */
