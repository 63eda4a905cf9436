/*
 * test_predict.c: prediction, of single rows and of tiles, against the plain
 * walk of the document, to the bit, on random forests of every shape; and the
 * links from margins on.
 */
#include <math.h>
#include <stdlib.h>

#include "unit.h"

#include "../../src/core/compact.h"
#include "../../src/core/predict.h"
#include "../../src/core/predict_batch.h"
#include "../golden/reference.h"
#include "../golden/sample_models.h"

#define MAX_NODES	200000

static uint64_t state = 1;

static uint32_t
draw(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t) ((state >> 33) % n);
}

/* What a random model is made of. */
typedef struct Shape
{
	uint32_t	n_features;
	uint32_t	n_categorical;	/* the first ones */
	uint32_t	n_levels;		/* MANY: 300, 5,000 and 65,535 in turn */
	uint32_t	n_outputs;
	uint32_t	n_trees;
	uint32_t	splits;			/* of a tree, at most */
	uint32_t	thresholds;		/* distinct values to draw from */
	bool		compact;		/* whether the reader should make the compact form */
	bool		anywhere;		/* windows begin behind any ordinal, else behind multiples of 255 */
} Shape;

#define MANY	GROVE_MAX_LEVELS

static GroveFeature features[GROVE_MAX_FEATURES];
static char names[GROVE_MAX_FEATURES][8];
static GroveText levels[GROVE_MAX_LEVELS];
static char level_names[GROVE_MAX_LEVELS][8];
static GroveText classes[8];
static double base[8];
static uint32_t tree_start[4096];
static GroveNode nodes[MAX_NODES];
static uint8_t sets[MAX_NODES][GROVE_BINS / 8];
static uint32_t set_first[MAX_NODES];

static uint32_t
levels_of(const Shape *shape, uint32_t feature)
{
	static const uint32_t many[] = {300, 5000, GROVE_MAX_LEVELS};

	return shape->n_levels == MANY ? many[feature % 3] : shape->n_levels;
}

static double
draw_value(const Shape *shape)
{
	static const double special[] = {0.0, -0.0, 1e-310, -1e308, 1e308, 0.1};

	if (draw(20) == 0)
		return special[draw(6)];
	return (draw(shape->thresholds) - shape->thresholds / 2.0) / 7;
}

static void
make_set(const Shape *shape, uint32_t n_levels, uint32_t set)
{
	uint32_t	first = 0;

	if (n_levels > 255)
		first = shape->anywhere ? draw(n_levels) : draw((n_levels + 254) / 255) * 255;
	set_first[set] = first;
	memset(sets[set], 0, sizeof(sets[set]));
	for (uint32_t bit = 1; bit <= 255 && first + bit <= n_levels; bit++)
	{
		if (draw(2))
			sets[set][bit / 8] |= (uint8_t) (1 << bit % 8);
	}
}

static void
make_split(GroveModel *model, const Shape *shape, GroveNode *node)
{
	node->feature = (uint16_t) draw(shape->n_features);
	node->flags = draw(2) ? GROVE_NODE_MISSING_LEFT : 0;
	node->gain = 1;
	if (node->feature >= shape->n_categorical)
	{
		node->value = draw_value(shape);
		return;
	}
	node->flags |= GROVE_NODE_CATEGORICAL;
	node->value = 0;
	node->set = model->n_sets++;
	make_set(shape, levels_of(shape, node->feature), node->set);
}

/* A tree by splitting random leaves, as leaf-wise growth does. */
static void
make_tree(GroveModel *model, const Shape *shape)
{
	GroveNode  *tree = nodes + model->n_nodes;
	uint32_t	n = 1;
	uint32_t	splits = draw(shape->splits + 1);

	memset(tree, 0, (2 * splits + 1) * sizeof(GroveNode));
	while (splits-- > 0)
	{
		uint32_t	leaf;

		do
			leaf = draw(4) == 0 && n > 1 ? n - 1 : draw(n);
		while (tree[leaf].left != 0);
		make_split(model, shape, &tree[leaf]);
		tree[leaf].left = n;
		n += 2;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		tree[i].count = 1;
		if (tree[i].left == 0)
			tree[i].value = (draw(2001) - 1000.0) / 997;
	}
	tree_start[model->n_trees++] = model->n_nodes;
	model->n_nodes += n;
	tree_start[model->n_trees] = model->n_nodes;
}

static void
make_model(GroveModel *model, const Shape *shape)
{
	memset(model, 0, sizeof(*model));
	model->task = shape->n_outputs > 1 ? GROVE_TASK_MULTICLASS : GROVE_TASK_REGRESSION;
	model->link = shape->n_outputs > 1 ? GROVE_LINK_SOFTMAX : GROVE_LINK_IDENTITY;
	model->n_outputs = shape->n_outputs;
	model->n_classes = shape->n_outputs > 1 ? shape->n_outputs : 0;
	model->n_features = shape->n_features;
	for (uint32_t i = 0; i < GROVE_MAX_LEVELS; i++)
	{
		snprintf(level_names[i], sizeof(level_names[i]), "%u", i & 0xffff);
		levels[i] = sample_text(level_names[i]);
	}
	for (uint32_t i = 0; i < shape->n_features; i++)
	{
		memset(&features[i], 0, sizeof(features[i]));
		snprintf(names[i], sizeof(names[i]), "f%u", i & 0xfff);
		features[i].name = sample_text(names[i]);
		features[i].type_name = sample_text("x");
		features[i].kind = i < shape->n_categorical ? GROVE_FEATURE_CATEGORICAL : GROVE_FEATURE_NUMERIC;
		features[i].n_levels = i < shape->n_categorical ? levels_of(shape, i) : 0;
		features[i].levels = levels;
	}
	for (uint32_t i = 0; i < shape->n_outputs; i++)
	{
		classes[i] = levels[i];
		base[i] = i + 0.1;
	}
	model->objective = model->target = model->target_type = sample_text("y");
	model->params = model->metrics = sample_text("{}");
	model->features = features;
	model->classes = classes;
	model->base = base;
	model->tree_start = tree_start;
	model->nodes = nodes;
	model->sets = (const uint8_t (*)[GROVE_BINS / 8]) sets;
	model->set_first = set_first;
	tree_start[0] = 0;
	for (uint32_t tree = 0; tree < shape->n_trees; tree++)
		make_tree(model, shape);
}

/* Often at an end of some set's window, sometimes no level, sometimes no ordinal at all. */
static double
draw_ordinal(uint32_t n_levels, uint32_t n_sets)
{
	static const double others[] = {-1, 0.5, 256, 65535, 65535.5, 65536, 1e300, NAN, INFINITY, -INFINITY};
	static const uint32_t ends[] = {0, 1, 254, 255, 256};

	if (draw(20) == 0)
		return others[draw(10)];
	if (n_sets > 0 && draw(2))
		return set_first[draw(n_sets)] + ends[draw(5)];
	return draw(n_levels + 1);
}

static void
draw_row(const Shape *shape, uint32_t n_sets, double *row)
{
	for (uint32_t i = 0; i < shape->n_features; i++)
	{
		uint32_t	kind = draw(12);

		if (i < shape->n_categorical)
			row[i] = draw_ordinal(levels_of(shape, i), n_sets);
		else if (kind == 0)
			row[i] = NAN;
		else if (kind == 1)
			row[i] = draw(2) ? INFINITY : -INFINITY;
		else					/* at a threshold or next to one */
			row[i] = kind < 8 ? draw_value(shape) : nextafter(draw_value(shape), draw(2) ? INFINITY : -INFINITY);
	}
}

static void
compare_row(const GroveModel *made, const GroveModel *model, const double *row)
{
	static uint32_t leaves[4096];
	double		plain[8];
	double		margins[8];
	double		expected[8];
	bool		same = true;

	reference_margins(made, row, expected);
	grove_predict_margins(model, row, margins);
	grove_predict_margins(made, row, plain);
	CHECK(memcmp(margins, expected, model->n_outputs * sizeof(double)) == 0);
	CHECK(memcmp(plain, expected, model->n_outputs * sizeof(double)) == 0);
	grove_predict_leaves(model, row, leaves);
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
		same = same && leaves[tree] == reference_leaf(made, tree, row);
	CHECK(same);
}

/* Tiles of several sizes, also one that follows a larger one. */
static void
compare_tiles(const Shape *shape, const GroveModel *made, const GroveModel *model)
{
	static const uint32_t sizes[] = {GROVE_BATCH_ROWS, 1, 67, 0, 32, 127, 31};
	static double margins[GROVE_BATCH_ROWS * 8];
	static double row[GROVE_MAX_FEATURES];
	double	   *values = calloc((size_t) model->n_features * GROVE_BATCH_STRIDE, sizeof(double));
	size_t		size = 0;
	void	   *memory;
	GroveBatch *batch;

	CHECK(grove_predict_batch_size(model, &size));
	memory = malloc(size);
	batch = grove_predict_batch_make(model, memory);
	for (size_t tile = 0; tile < sizeof(sizes) / sizeof(sizes[0]); tile++)
	{
		bool		same = true;

		for (uint32_t i = 0; i < sizes[tile]; i++)
		{
			draw_row(shape, made->n_sets, row);
			for (uint32_t f = 0; f < model->n_features; f++)
				values[(size_t) f * GROVE_BATCH_STRIDE + i] = row[f];
		}
		grove_predict_batch_run(batch, values, sizes[tile], margins);
		for (uint32_t i = 0; i < sizes[tile]; i++)
		{
			double		expected[8];

			for (uint32_t f = 0; f < model->n_features; f++)
				row[f] = values[(size_t) f * GROVE_BATCH_STRIDE + i];
			reference_margins(made, row, expected);
			same = same && memcmp(margins + (size_t) i * model->n_outputs, expected,
								  model->n_outputs * sizeof(double)) == 0;
		}
		CHECK(same);
	}
	free(memory);
	free(values);
}

/* Writes and reads a random model, then compares rows; every leaf value counts through the margins. */
static void
test_shape(const Shape *shape)
{
	GroveModel	made;
	GroveModel *model = NULL;
	size_t		length = 0;
	size_t		size = 0;
	size_t		offset;
	const char *rule;
	uint8_t    *bytes;
	void	   *memory;
	double		row[GROVE_MAX_FEATURES];

	make_model(&made, shape);
	CHECK(made.n_nodes <= MAX_NODES);
	CHECK(grove_model_write_size(&made, &length) == GROVE_OK);
	bytes = malloc(length);
	CHECK(grove_model_write(&made, bytes, length) == GROVE_OK);
	CHECK(grove_model_read_size(bytes, length, &size, &rule, &offset) == GROVE_OK);
	memory = malloc(size);
	CHECK(grove_model_read(bytes, length, memory, size, &model, &rule, &offset) == GROVE_OK);
	CHECK(model && (model->compact != NULL) == shape->compact);
	CHECK(size <= 16 * length + 16384);
	for (int i = 0; model && i < 300; i++)
	{
		draw_row(shape, made.n_sets, row);
		compare_row(&made, model, row);
	}
	if (model)
		compare_tiles(shape, &made, model);
	free(memory);
	free(bytes);
}

static bool
near(double a, double b)
{
	return fabs(a - b) <= 1e-15 * (fabs(a) + fabs(b));
}

static void
test_binary_links(void)
{
	GroveModel	model = {.task = GROVE_TASK_BINARY, .link = GROVE_LINK_LOGISTIC, .n_classes = 2, .n_outputs = 1};
	static const double margins[] = {-1e308, -800, -2, -1e-300, 0, 1e-300, 2, 800, 1e308};
	double		p[2];

	for (int i = 0; i < 9; i++)
	{
		double		value = grove_predict_value(&model, &margins[i]);

		grove_predict_probabilities(&model, &margins[i], p);
		CHECK(p[1] == value && p[0] == 1 - value && value >= 0 && value <= 1);
		CHECK(grove_predict_best(&model, &margins[i]) == (margins[i] >= 0 || value >= 0.5));
	}
	CHECK(grove_predict_value(&model, &margins[4]) == 0.5 && grove_predict_best(&model, &margins[4]) == 1);
	CHECK(near(grove_predict_value(&model, &margins[2]), 0.11920292202211756));
	CHECK(near(grove_predict_value(&model, &margins[6]), 0.8807970779778824));
	model.link = GROVE_LINK_CLAMP;
	CHECK(grove_predict_value(&model, &margins[2]) == 0 && grove_predict_value(&model, &margins[6]) == 1);
	CHECK(grove_predict_value(&model, (const double[]) {0.25}) == 0.25);
	CHECK(grove_predict_best(&model, (const double[]) {0.5}) == 1);
	CHECK(grove_predict_best(&model, (const double[]) {0.49}) == 0);
}

static void
test_multiclass_links(void)
{
	GroveModel	model = {.task = GROVE_TASK_MULTICLASS, .link = GROVE_LINK_SOFTMAX, .n_classes = 3, .n_outputs = 3};
	double		p[3];

	grove_predict_probabilities(&model, (const double[]) {1, 2, 3}, p);
	CHECK(near(p[0], 0.09003057317038046) && near(p[1], 0.24472847105479764) && near(p[2], 0.6652409557748218));
	CHECK(grove_predict_value(&model, (const double[]) {1, 2, 3}) == p[2]);
	grove_predict_probabilities(&model, (const double[]) {1e308, -1e308, 1e308}, p);
	CHECK(p[0] == 0.5 && p[1] == 0 && p[2] == 0.5);
	CHECK(grove_predict_best(&model, (const double[]) {1e308, -1e308, 1e308}) == 0);
	CHECK(grove_predict_best(&model, (const double[]) {-3, -1, -2}) == 1);
	model.link = GROVE_LINK_NORMALIZE;
	grove_predict_probabilities(&model, (const double[]) {0.5, -1, 1.5}, p);
	CHECK(p[0] == 0.25 && p[1] == 0 && p[2] == 0.75);
	grove_predict_probabilities(&model, (const double[]) {-3, -1, -2}, p);
	CHECK(p[0] == 1.0 / 3 && p[1] == 1.0 / 3 && p[2] == 1.0 / 3);
	CHECK(grove_predict_best(&model, (const double[]) {-3, -1, -2}) == 0);
	CHECK(grove_predict_best(&model, (const double[]) {0.1, 0.2, 0.2}) == 1);
}

static void
test_value_links(void)
{
	GroveModel	model = {.task = GROVE_TASK_REGRESSION, .link = GROVE_LINK_IDENTITY, .n_outputs = 1};

	CHECK(grove_predict_value(&model, (const double[]) {-2.5}) == -2.5);
	model.link = GROVE_LINK_EXP;
	CHECK(near(grove_predict_value(&model, (const double[]) {1}), 2.718281828459045));
	model.task = GROVE_TASK_RANKING;
	model.link = GROVE_LINK_IDENTITY;
	CHECK(grove_predict_value(&model, (const double[]) {7}) == 7);
}

int
main(void)
{
	static const Shape shapes[] = {
		/* features, categorical, levels, outputs, trees, splits, thresholds, compact, anywhere */
		{1, 0, 0, 1, 0, 0, 10, false, false},	/* no tree at all */
		{1, 0, 0, 1, 1, 0, 10, false, false},	/* a single leaf */
		{1, 0, 0, 1, 8, 0, 10, true, false},	/* leaves only */
		{3, 0, 0, 1, 7, 20, 50, false, false},
		{3, 0, 0, 1, 8, 20, 50, true, false},
		{28, 0, 0, 1, 100, 62, 254, true, false},
		{28, 0, 0, 1, 101, 62, 254, true, false},
		{10, 10, 255, 1, 20, 40, 1, true, false},
		{10, 4, 255, 1, 33, 100, 254, true, false},
		{10, 4, 7, 3, 30, 30, 20, true, false},
		{5, 5, 1, 5, 15, 6, 1, true, false},
		{4, 1, 3, 1, 20, 3000, 3000, true, false},
		{2, 0, 0, 1, 12, 255, 255, true, false},	/* trees of up to 256 leaves, up to 255 thresholds */
		{2, 0, 0, 1, 40, 180, 600, true, false},	/* more thresholds than fit a byte */
		{9, 2, 255, 2, 24, 255, 30, true, false},
		{1, 0, 0, 1, 20, 4000, 1000000, false, false},	/* too many thresholds for the compact form */
		{3, 3, MANY, 1, 7, 40, 1, false, false},
		{3, 3, MANY, 1, 8, 40, 1, true, false},
		{5, 3, MANY, 1, 100, 62, 254, true, false},
		{5, 3, MANY, 1, 40, 62, 254, true, true},
		{6, 6, 256, 3, 30, 40, 1, true, true},
		{6, 2, 255, 1, 30, 40, 20, true, true},	/* one window, wherever */
		{3, 3, MANY, 1, 300, 100, 1, false, true},	/* too many windows of one feature for the compact form */
		{6, 6, MANY, 1, 300, 100, 1, false, true},	/* too many of all */
		{GROVE_MAX_FEATURES, 100, 8, 1, 300, 62, 254, true, false},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		test_shape(&shapes[i]);
	test_binary_links();
	test_multiclass_links();
	test_value_links();
	return unit_done();
}
