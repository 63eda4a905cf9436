/*
 * shap.c: Shapley values of a tree in one walk over its nodes.
 *
 * A leaf of value c is reached when every feature on its path agrees: in the
 * game of shap.h it is worth c times a product with one factor a feature, o (1
 * when the row takes the path at all its splits on the feature, else 0) for a
 * feature in S, and z (the product of the shares of cover) for another.  The
 * Shapley value of feature i in such a product is an integral (G. Owen,
 * Multilinear Extensions of Games, 1972):
 *
 *     c (o_i - z_i) integral from 0 to 1 of product over j != i of (z_j + t (o_j - z_j)) dt
 *
 * Its integrand is a polynomial in t of a degree below the number of features
 * on the path, so that Gauss-Legendre quadrature with half as many points is
 * exact.  At a point the products of all leaves come from one walk: down, the
 * product so far P; up, the sum G of c P over the leaves below.  An edge that
 * turns the factor f of its feature into f' adds, for the leaves below it,
 *
 *     weight * G * ((o' - z') / f' - (o - z) / f)
 *
 * to that feature, whose earlier splits counted with the second part before.
 * So a row costs (nodes) * (points), as in P. Yu, A. Bifet, J. Read, C. Xu,
 * Linear TreeSHAP (2022), and since every factor is in [0, 1] and is a
 * sum of terms that are not negative, nothing cancels on deep paths.
 *
 * Points are taken a few at a time, which bounds the stack of a tree that is
 * as deep as it has splits.
 */
#include <math.h>
#include <string.h>

#include "arena.h"
#include "shap.h"

#define STEP_POINTS	8			/* points of one walk */
#define LEAST_SHARE	1e-200		/* of all rows that counts; below, products would lose their digits */

/* An edge on the way down, to the node that it leads to. */
typedef struct Edge
{
	uint32_t	node;
	uint32_t	children;		/* how many of them were visited */
	double		zero;			/* z of the edge's feature, this edge included */
	double		one;			/* o */
	double		zero_before;	/* the same without it */
	double		one_before;
	double		product[STEP_POINTS];	/* P at the points */
	double		sum[STEP_POINTS];	/* G of the leaves so far */
} Edge;

struct GroveShap
{
	const GroveModel *model;
	uint32_t	n_points;
	double	   *points;			/* [n_points] in (0, 1) */
	double	   *weights;		/* [n_points] add up to 1 */
	double	   *zero;			/* [n_features] z and o on the current path, 1 for a feature that is not on it */
	double	   *one;
	double	   *means;			/* [nodes of the largest tree] */
	Edge	   *edges;			/* [deepest path + 1] */
};

/* Of the largest tree; one of n nodes is at most (n - 1) / 2 deep. */
static uint32_t
largest_tree(const GroveModel *model)
{
	uint32_t	largest = 1;

	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		uint32_t	n = model->tree_start[tree + 1] - model->tree_start[tree];

		if (n > largest)
			largest = n;
	}
	return largest;
}

/* Points that make the quadrature exact for paths of so many splits. */
static uint32_t
count_points(const GroveModel *model, uint32_t depth)
{
	uint32_t	features = depth < model->n_features ? depth : model->n_features;

	return features < 2 ? 1 : (features + 1) / 2;
}

/* Depth of the deepest leaf of all trees; depths is room for the nodes of the largest one. */
static uint32_t
deepest_leaf(const GroveModel *model, uint32_t *depths)
{
	uint32_t	deepest = 0;

	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		const GroveNode *nodes = model->nodes + model->tree_start[tree];
		uint32_t	n = model->tree_start[tree + 1] - model->tree_start[tree];

		depths[0] = 0;
		for (uint32_t i = 0; i < n; i++)
		{
			if (nodes[i].left != 0)
				depths[nodes[i].left] = depths[nodes[i].left + 1] = depths[i] + 1;
			else if (depths[i] > deepest)
				deepest = depths[i];
		}
	}
	return deepest;
}

/* Points and weights of Gauss-Legendre quadrature on [0, 1], by Newton's method on the Legendre polynomial. */
static void
fill_points(GroveShap *shap)
{
	uint32_t	n = shap->n_points;

	for (uint32_t i = 0; i < n; i++)
	{
		double		x = cos(3.14159265358979323846 * (i + 0.75) / (n + 0.5));
		double		slope = 1;

		for (int round = 0; round < 10; round++)
		{
			double		p = 1;
			double		before = 0;
			double		step;

			for (uint32_t k = 1; k <= n; k++)
			{
				double		next = ((2.0 * k - 1) * x * p - (k - 1.0) * before) / k;

				before = p;
				p = next;
			}
			slope = n * (x * p - before) / (x * x - 1);
			step = p / slope;
			x -= step;
			if (fabs(step) < 1e-16)
				break;
		}
		shap->points[i] = (1 - x) / 2;
		shap->weights[i] = 1 / ((1 - x * x) * slope * slope);
	}
}

/* The arrays, for the tree shapes that so many nodes allow. */
static void
lay_out(GroveArena *arena, const GroveModel *model, GroveShap *shap)
{
	uint32_t	nodes = largest_tree(model);
	uint32_t	depth = (nodes - 1) / 2;
	uint32_t	points = count_points(model, depth);

	shap->points = grove_arena_carve(arena, points, sizeof(double));
	shap->weights = grove_arena_carve(arena, points, sizeof(double));
	shap->zero = grove_arena_carve(arena, model->n_features, sizeof(double));
	shap->one = grove_arena_carve(arena, model->n_features, sizeof(double));
	shap->means = grove_arena_carve(arena, nodes, sizeof(double));
	shap->edges = grove_arena_carve(arena, depth + 1, sizeof(Edge));
}

bool
grove_shap_size(const GroveModel *model, size_t *size)
{
	GroveArena	arena = {NULL, 0, true};
	GroveShap	shap;

	grove_arena_carve(&arena, 1, sizeof(GroveShap));
	lay_out(&arena, model, &shap);
	*size = arena.used;
	return arena.fits;
}

GroveShap *
grove_shap_init(const GroveModel *model, void *memory)
{
	GroveArena	arena = {memory, 0, true};
	GroveShap  *shap = grove_arena_carve(&arena, 1, sizeof(GroveShap));

	lay_out(&arena, model, shap);
	shap->model = model;
	shap->n_points = count_points(model, deepest_leaf(model, (uint32_t *) shap->means));
	fill_points(shap);
	for (uint32_t i = 0; i < model->n_features; i++)
		shap->zero[i] = shap->one[i] = 1;
	return shap;
}

/* How much of a split's cover its left child has. */
static double
left_share(const GroveNode *nodes, const GroveNode *split)
{
	double		left = nodes[split->left].cover;
	double		both = left + nodes[split->left + 1].cover;

	return both > 0 ? left / both : 0.5;
}

double
grove_shap_expected(GroveShap *shap, uint32_t output)
{
	const GroveModel *model = shap->model;
	double		expected = model->base[output];

	for (uint32_t tree = output; tree < model->n_trees; tree += model->n_outputs)
	{
		const GroveNode *nodes = model->nodes + model->tree_start[tree];
		uint32_t	n = model->tree_start[tree + 1] - model->tree_start[tree];

		for (uint32_t i = n; i-- > 0;)
		{
			double		share;

			shap->means[i] = nodes[i].value;
			if (nodes[i].left == 0)
				continue;
			share = left_share(nodes, &nodes[i]);
			shap->means[i] = share * shap->means[nodes[i].left] + (1 - share) * shap->means[nodes[i].left + 1];
		}
		expected += shap->means[0];
	}
	return expected;
}

uint32_t
grove_shap_steps(const GroveShap *shap)
{
	return (shap->n_points + STEP_POINTS - 1) / STEP_POINTS;
}

/* The points of one walk. */
typedef struct Walk
{
	const GroveModel *model;
	const GroveNode *nodes;
	const double *row;
	double	   *contributions;
	uint32_t	n;
	double		points[STEP_POINTS];
	double		weights[STEP_POINTS];
} Walk;

/* Goes from a split to a child; false when no row and no set of features gets there. */
static bool
descend(GroveShap *shap, const Walk *walk, const Edge *parent, bool left, Edge *edge)
{
	const GroveNode *split = &walk->nodes[parent->node];
	uint32_t	feature = split->feature;
	double		share = left_share(walk->nodes, split);

	edge->node = split->left + !left;
	edge->children = 0;
	edge->zero_before = shap->zero[feature];
	edge->one_before = shap->one[feature];
	edge->zero = edge->zero_before * (left ? share : 1 - share);
	if (edge->zero < LEAST_SHARE)
		edge->zero = 0;
	edge->one = grove_model_goes_left(walk->model, split, walk->row[feature]) == left ? edge->one_before : 0;
	if (edge->zero == 0 && edge->one == 0)
		return false;
	shap->zero[feature] = edge->zero;
	shap->one[feature] = edge->one;
	for (uint32_t q = 0; q < walk->n; q++)
	{
		double		t = walk->points[q];

		/* (z + t (o - z)) in a form without a difference */
		edge->product[q] = parent->product[q] * (edge->zero * (1 - t) + edge->one * t) /
			(edge->zero_before * (1 - t) + edge->one_before * t);
		edge->sum[q] = 0;
	}
	return true;
}

/* Takes what the leaves below an edge are worth back to its parent. */
static void
ascend(GroveShap *shap, const Walk *walk, const Edge *edge, Edge *parent)
{
	uint32_t	feature = walk->nodes[parent->node].feature;
	double		change = 0;

	for (uint32_t q = 0; q < walk->n; q++)
	{
		double		t = walk->points[q];
		double		after = (edge->one - edge->zero) / (edge->zero * (1 - t) + edge->one * t);
		double		before = (edge->one_before - edge->zero_before) / (edge->zero_before * (1 - t) + edge->one_before * t);

		change += walk->weights[q] * edge->sum[q] * (after - before);
		parent->sum[q] += edge->sum[q];
	}
	walk->contributions[feature] += change;
	shap->zero[feature] = edge->zero_before;
	shap->one[feature] = edge->one_before;
}

/* Visits the nodes of a tree, children before their parent's end. */
static void
walk_tree(GroveShap *shap, const Walk *walk)
{
	Edge	   *edge = shap->edges;

	edge->node = 0;
	edge->children = 0;
	for (uint32_t q = 0; q < walk->n; q++)
	{
		edge->product[q] = 1;
		edge->sum[q] = 0;
	}
	for (;;)
	{
		const GroveNode *node = &walk->nodes[edge->node];

		if (node->left != 0 && edge->children < 2)
		{
			bool		left = edge->children++ == 0;

			if (descend(shap, walk, edge, left, edge + 1))
				edge++;
			continue;
		}
		for (uint32_t q = 0; q < walk->n && node->left == 0; q++)
			edge->sum[q] = node->value * edge->product[q];
		if (edge == shap->edges)
			return;
		ascend(shap, walk, edge, edge - 1);
		edge--;
	}
}

void
grove_shap_step(GroveShap *shap, uint32_t tree, uint32_t step, const double *row, double *contributions)
{
	const GroveModel *model = shap->model;
	uint32_t	first = step * STEP_POINTS;
	Walk		walk;

	walk.model = model;
	walk.nodes = model->nodes + model->tree_start[tree];
	walk.row = row;
	walk.contributions = contributions;
	walk.n = shap->n_points - first < STEP_POINTS ? shap->n_points - first : STEP_POINTS;
	memcpy(walk.points, shap->points + first, walk.n * sizeof(double));
	memcpy(walk.weights, shap->weights + first, walk.n * sizeof(double));
	walk_tree(shap, &walk);
}
