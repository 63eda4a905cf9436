/*
 * sample_models.h: small models made by hand, for the golden files and the
 * unit tests.  Their trees are small enough to predict with pencil and paper.
 */
#ifndef SAMPLE_MODELS_H
#define SAMPLE_MODELS_H

#include <stdio.h>
#include <string.h>

#include "../../src/core/model.h"

#define SAMPLE_FEATURES	8
#define SAMPLE_NODES	256

/* A model and everything that it points to. */
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

/* bins: bit b is bin b, for sets of up to 7 levels */
static inline void
sample_categorical(Sample *sample, uint32_t count, uint16_t feature, uint8_t bins, uint32_t left, bool missing_left)
{
	GroveNode  *node = sample_split(sample, count, feature, left, missing_left);

	node->flags |= GROVE_NODE_CATEGORICAL;
	node->set = sample->model.n_sets;
	sample->sets[sample->model.n_sets++][0] = bins;
}

/*
 * margin = 10 + (age <= 30 or missing ? (price <= 9.5 ? 1 : 2) : 4)
 *             + (day <= 2021-11-26 or missing ? 0.5 : seen <= 2022-03-07 20:26:40 ? -0.25 : 0.25)
 */
static inline void
sample_regression(Sample *sample)
{
	sample_begin(sample, "regression", GROVE_TASK_REGRESSION, GROVE_ALGORITHM_GBDT, GROVE_LINK_IDENTITY,
				 "regression", "amount", "double precision");
	sample_feature(sample, "age", "integer", 0, NULL);
	sample_feature(sample, "price", "numeric", 0, NULL);
	sample_feature(sample, "day", "date", 0, NULL);
	sample_feature(sample, "seen", "timestamp without time zone", 0, NULL);
	sample->base[0] = 10;
	sample_tree(sample);
	sample_numeric(sample, 100, 0, 30, 1, true);
	sample_numeric(sample, 60, 1, 9.5, 3, false);
	sample_leaf(sample, 40, 4);
	sample_leaf(sample, 20, 1);
	sample_leaf(sample, 40, 2);
	sample_tree(sample);
	sample_numeric(sample, 100, 2, 8000, 1, true);
	sample_leaf(sample, 50, 0.5);
	sample_numeric(sample, 50, 3, 7.0e8, 3, false);
	sample_leaf(sample, 25, -0.25);
	sample_leaf(sample, 25, 0.25);
}

/* Ten stumps on x1 at 0.1, 0.2, ... 1.0, each worth 0.3 more above, and one on x2. */
static inline void
sample_binary(Sample *sample)
{
	sample_begin(sample, "binary", GROVE_TASK_BINARY, GROVE_ALGORITHM_GBDT, GROVE_LINK_LOGISTIC,
				 "binary", "bought", "boolean");
	sample_feature(sample, "x1", "double precision", 0, NULL);
	sample_feature(sample, "x2", "real", 0, NULL);
	sample_class(sample, "false");
	sample_class(sample, "true");
	sample->base[0] = -1.5;
	for (int i = 1; i <= 10; i++)
	{
		sample_tree(sample);
		sample_numeric(sample, 100, 0, i / 10.0, 1, i % 2 == 0);
		sample_leaf(sample, (uint32_t) (10 * i), 0);
		sample_leaf(sample, (uint32_t) (100 - 10 * i), 0.3);
	}
	sample_tree(sample);
	sample_numeric(sample, 100, 1, 0, 1, true);
	sample_leaf(sample, 50, -0.125);
	sample_leaf(sample, 50, 0.125);
}

/* Three classes, three rounds; class k gains 1 in each round when n is in its third of 0 to 30. */
static inline void
sample_multiclass(Sample *sample)
{
	static const char *const labels[] = {"low", "middle", "high"};

	sample_begin(sample, "multiclass", GROVE_TASK_MULTICLASS, GROVE_ALGORITHM_GBDT, GROVE_LINK_SOFTMAX,
				 "multiclass", "size", "text");
	sample_feature(sample, "n", "bigint", 0, NULL);
	for (int class = 0; class < 3; class++)
	{
		sample_class(sample, labels[class]);
		sample->base[class] = class == 1 ? 0.5 : 0;
	}
	sample->model.n_outputs = 3;
	for (int tree = 0; tree < 9; tree++)
	{
		int			class = tree % 3;

		sample_tree(sample);
		sample_numeric(sample, 90, 0, 10 * class, 1, true);
		sample_leaf(sample, (uint32_t) (30 * class), 0);
		sample_numeric(sample, (uint32_t) (90 - 30 * class), 0, 10 * class + 10, 3, false);
		sample_leaf(sample, 30, 1);
		sample_leaf(sample, (uint32_t) (60 - 30 * class), 0);
	}
}

/* A forest of two trees: city, and member, mood, id and size one below the other. */
static inline void
sample_mixed(Sample *sample)
{
	static GroveText cities[3];
	static GroveText members[2];
	static GroveText moods[3];
	static GroveText ids[1];

	cities[0] = sample_text("berlin");
	cities[1] = sample_text("paris");
	cities[2] = sample_text("rome");
	members[0] = sample_text("true");
	members[1] = sample_text("false");
	moods[0] = sample_text("happy");
	moods[1] = sample_text("sad");
	moods[2] = sample_text("");
	ids[0] = sample_text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
	sample_begin(sample, "categorical", GROVE_TASK_BINARY, GROVE_ALGORITHM_FOREST, GROVE_LINK_CLAMP,
				 "binary", "churned", "text");
	sample_feature(sample, "city", "text", 3, cities);
	sample_feature(sample, "member", "boolean", 2, members);
	sample_feature(sample, "mood", "mood", 3, moods);
	sample_feature(sample, "id", "uuid", 1, ids);
	sample_feature(sample, "size", "numeric", 0, NULL);
	sample_class(sample, "no");
	sample_class(sample, "yes");
	sample_tree(sample);
	sample_categorical(sample, 100, 0, 1 << 1 | 1 << 3, 1, false);	/* berlin, rome */
	sample_leaf(sample, 70, 0.05);
	sample_leaf(sample, 30, 0.4);
	sample_tree(sample);
	sample_categorical(sample, 100, 1, 1 << 1, 1, true);	/* true, missing */
	sample_categorical(sample, 60, 2, 1 << 2, 3, false);	/* sad */
	sample_categorical(sample, 40, 3, 1 << 1, 5, false);
	sample_leaf(sample, 20, 0.3);
	sample_leaf(sample, 40, 0.1);
	sample_leaf(sample, 10, 0);
	sample_numeric(sample, 30, 4, 2.5, 7, false);
	sample_leaf(sample, 10, 0.2);
	sample_leaf(sample, 20, 0.5);
}

#define SAMPLES	4

static inline void
sample_make(Sample *sample, int number)
{
	static void (*const makers[SAMPLES]) (Sample *) = {
		sample_regression, sample_binary, sample_multiclass, sample_mixed
	};

	makers[number] (sample);
}

#endif							/* SAMPLE_MODELS_H */
