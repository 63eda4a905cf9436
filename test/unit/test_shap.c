/*
 * test_shap.c: contributions against the definition: the Shapley value summed
 * over all 2^M sets of features, each worth what a walk that takes both sides
 * of the splits outside it gives.  And sums against prediction, on trees of
 * every depth.
 */
#include <math.h>
#include <stdlib.h>

#include "unit.h"

#include "../../src/core/predict.h"
#include "../../src/core/shap.h"
#include "../golden/sample_models.h"

#define MAX_NODES	70000
#define MAX_FEATURES	600

static uint64_t state = 7;

static uint32_t
draw(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t) ((state >> 33) % n);
}

/* What a random model is made of. */
typedef struct Shape
{
	uint32_t	n_features;		/* every third one is categorical */
	uint32_t	n_outputs;
	uint32_t	n_trees;
	uint32_t	splits;			/* of a tree */
	bool		chain;			/* only the leaf made last is split */
	bool		empty;			/* some nodes have no cover */
} Shape;

#define LEVELS	600				/* several windows of one feature */

static GroveFeature features[MAX_FEATURES];
static GroveText levels[LEVELS];
static double base[4];
static uint32_t tree_start[64];
static GroveNode nodes[MAX_NODES];
static uint8_t sets[MAX_NODES][GROVE_BINS / 8];
static uint32_t set_first[MAX_NODES];

static void
make_split(GroveModel *model, GroveNode *node)
{
	node->feature = (uint16_t) draw(model->n_features);
	node->flags = draw(2) ? GROVE_NODE_MISSING_LEFT : 0;
	if (node->feature % 3 != 2)
	{
		node->value = draw(9) - 4.0;
		return;
	}
	node->flags |= GROVE_NODE_CATEGORICAL;
	node->value = 0;
	node->set = model->n_sets++;
	set_first[node->set] = draw(3) * 200;
	for (int i = 0; i < GROVE_BINS / 8; i++)
		sets[node->set][i] = (uint8_t) draw(256);
	sets[node->set][0] &= 0xfe;
}

static void
make_tree(GroveModel *model, const Shape *shape)
{
	GroveNode  *tree = nodes + model->n_nodes;
	uint32_t	n = 1;

	memset(tree, 0, (2 * shape->splits + 1) * sizeof(GroveNode));
	for (uint32_t split = 0; split < shape->splits; split++)
	{
		uint32_t	leaf;

		do
			leaf = shape->chain && n > 1 ? n - 1 - draw(2) : draw(n);
		while (tree[leaf].left != 0);
		make_split(model, &tree[leaf]);
		tree[leaf].left = n;
		n += 2;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		tree[i].cover = shape->empty && draw(3) == 0 ? 0 : (float) (1 + draw(1000)) / 8;
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
	memset(features, 0, sizeof(features));
	model->n_features = shape->n_features;
	model->n_outputs = shape->n_outputs;
	for (uint32_t i = 0; i < shape->n_features; i++)
	{
		features[i].kind = i % 3 == 2 ? GROVE_FEATURE_CATEGORICAL : GROVE_FEATURE_NUMERIC;
		features[i].n_levels = i % 3 == 2 ? LEVELS : 0;
		features[i].levels = levels;
	}
	for (uint32_t i = 0; i < shape->n_outputs; i++)
		base[i] = draw(100) / 7.0;
	model->features = features;
	model->base = base;
	model->tree_start = tree_start;
	model->nodes = nodes;
	model->sets = (const uint8_t (*)[GROVE_BINS / 8]) sets;
	model->set_first = set_first;
	for (uint32_t i = 0; i < shape->n_trees; i++)
		make_tree(model, shape);
}

static void
make_row(const GroveModel *model, double *row)
{
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		if (i % 3 == 2)
			row[i] = draw(4) == 0 ? 0 : 1 + draw(LEVELS);
		else
			row[i] = draw(4) == 0 ? NAN : draw(11) - 5.0;
	}
}

/* What a tree gives when only the features in the set are known. */
static double
expectation(const GroveModel *model, const GroveNode *tree, uint32_t at, const double *row, uint32_t known)
{
	const GroveNode *node = &tree[at];
	double		left_cover;
	double		right_cover;
	double		share;

	if (node->left == 0)
		return node->value;
	if (known >> node->feature & 1)
		return expectation(model, tree, node->left + !grove_model_goes_left(model, node, row[node->feature]), row, known);
	left_cover = tree[node->left].cover;
	right_cover = tree[node->left + 1].cover;
	share = left_cover + right_cover > 0 ? left_cover / (left_cover + right_cover) : 0.5;
	return share * expectation(model, tree, node->left, row, known) +
		(1 - share) * expectation(model, tree, node->left + 1, row, known);
}

static double
worth(const GroveModel *model, uint32_t output, const double *row, uint32_t known)
{
	double		sum = model->base[output];

	for (uint32_t tree = output; tree < model->n_trees; tree += model->n_outputs)
		sum += expectation(model, model->nodes + model->tree_start[tree], 0, row, known);
	return sum;
}

/* |S|! (M - |S| - 1)! / M! */
static double
set_weight(uint32_t known, uint32_t n)
{
	double		weight = 1.0 / n;
	uint32_t	size = 0;

	for (; known; known &= known - 1)
		size++;
	for (uint32_t i = 1; i <= size; i++)
		weight *= (double) i / (n - i);
	return weight;
}

static double
naive_contribution(const GroveModel *model, uint32_t output, const double *row, uint32_t feature)
{
	double		sum = 0;

	for (uint32_t known = 0; known < 1u << model->n_features; known++)
	{
		if (!(known >> feature & 1))
			sum += set_weight(known, model->n_features) *
				(worth(model, output, row, known | 1u << feature) - worth(model, output, row, known));
	}
	return sum;
}

static void
explain(GroveShap *shap, const GroveModel *model, uint32_t output, const double *row, double *contributions)
{
	memset(contributions, 0, sizeof(double) * model->n_features);
	for (uint32_t tree = output; tree < model->n_trees; tree += model->n_outputs)
	{
		for (uint32_t step = 0; step < grove_shap_steps(shap); step++)
			grove_shap_step(shap, tree, step, row, contributions);
	}
}

static GroveShap *
make_shap(const GroveModel *model)
{
	size_t		size;

	CHECK(grove_shap_size(model, &size));
	return grove_shap_init(model, malloc(size));	/* exact, so that the sanitizer sees what is beyond */
}

/* Rows of one random model; small: against the definition as well. */
static void
check_model(const Shape *shape, int rows, bool small)
{
	static double row[MAX_FEATURES];
	static double contributions[MAX_FEATURES];
	GroveModel	model;
	GroveShap  *shap;
	double		worst_sum = 0;
	double		worst = 0;

	make_model(&model, shape);
	shap = make_shap(&model);
	while (rows-- > 0)
	{
		double		margins[4];

		make_row(&model, row);
		grove_predict_margins(&model, row, margins);
		for (uint32_t output = 0; output < model.n_outputs; output++)
		{
			double		sum = grove_shap_expected(shap, output);

			if (small && fabs(sum - worth(&model, output, row, 0)) > worst)
				worst = fabs(sum - worth(&model, output, row, 0));
			explain(shap, &model, output, row, contributions);
			for (uint32_t i = 0; i < model.n_features; i++)
			{
				double		wrong = small ? fabs(contributions[i] - naive_contribution(&model, output, row, i)) : 0;

				sum += contributions[i];
				worst = !(wrong <= worst) ? wrong : worst;
			}
			worst_sum = !(fabs(sum - margins[output]) <= worst_sum) ? fabs(sum - margins[output]) : worst_sum;
		}
	}
	CHECK(worst_sum < 1e-11);
	CHECK(worst < 1e-12);
	free(shap);
}

static void
check_definition(void)
{
	for (uint32_t i = 0; i < 120; i++)
	{
		Shape		shape = {1 + i % 8, 1 + i % 3, 3 * (1 + i % 3), draw(20), i % 2 == 0, i % 4 == 3};

		shape.n_trees = shape.n_outputs * (i % 4);
		check_model(&shape, 4, true);
	}
}

/* Deep and wide trees: many points, many steps, the largest tree that the format has. */
static void
check_sums(void)
{
	Shape		wide = {40, 1, 10, 500, false, false};
	Shape		deep = {60, 1, 4, 300, true, true};
	Shape		longest = {5, 1, 1, 32767, true, false};
	Shape		many = {600, 1, 1, 3000, true, false};

	check_model(&wide, 20, false);
	check_model(&deep, 20, false);
	check_model(&longest, 1, false);
	check_model(&many, 3, false);
}

/* Two splits on one feature are one player: the stump that they make up gets all of it. */
static void
check_by_hand(void)
{
	Sample		sample;
	GroveShap  *shap;
	double		row[2] = {3, 0};
	double		contributions[2] = {0, 0};

	sample_begin(&sample, "hand", GROVE_TASK_REGRESSION, GROVE_ALGORITHM_GBDT, GROVE_LINK_IDENTITY, "regression", "y",
				 "double precision");
	sample_feature(&sample, "a", "integer", 0, NULL);
	sample_feature(&sample, "b", "integer", 0, NULL);
	sample.base[0] = 1;
	sample_tree(&sample);
	sample_numeric(&sample, 100, 0, 5, 1, false);
	sample_numeric(&sample, 60, 0, 2, 3, false);
	sample_leaf(&sample, 40, 10);
	sample_leaf(&sample, 45, 2);
	sample_leaf(&sample, 15, 6);
	shap = make_shap(&sample.model);
	explain(shap, &sample.model, 0, row, contributions);
	CHECK(fabs(grove_shap_expected(shap, 0) - (1 + 0.45 * 2 + 0.15 * 6 + 0.4 * 10)) < 1e-14);
	CHECK(fabs(contributions[0] - (6 - 5.8)) < 1e-14);
	CHECK(contributions[1] == 0);
	free(shap);
}

int
main(void)
{
	check_by_hand();
	check_definition();
	check_sums();
	return unit_done();
}
