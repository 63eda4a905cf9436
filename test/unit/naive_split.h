/*
 * naive_split.h: the best split of a node, found by asking every row of it
 * about every candidate.
 */
#ifndef NAIVE_SPLIT_H
#define NAIVE_SPLIT_H

#include "engine_kit.h"

/* A split by raw values, and what it gives. */
typedef struct NaiveSplit
{
	double		gain;
	uint32_t	feature;
	bool		categorical;
	bool		missing_left;
	double		threshold;
	bool		set[GROVE_BINS];
	GroveSums	left;
} NaiveSplit;

typedef struct NaiveNode
{
	NaiveSplit	split;
	uint32_t	left;			/* 0: leaf */
	uint32_t	depth;
	uint32_t	leaf;			/* number among the leaves */
	uint32_t   *rows;			/* one entry a copy */
	uint32_t	n_rows;
	GroveSums	sums;
	double		output;			/* before shrinkage */
	double		value;			/* of a leaf, after it */
	double		lower;			/* bounds of the outputs below */
	double		upper;
	uint64_t	groups;			/* interaction groups that hold all features above */
	uint32_t	last_feature;	/* of the split above; UINT32_MAX: root */
} NaiveNode;

/* What a search needs to know beside its node. */
typedef struct NaiveData
{
	const KitTable *table;
	GroveSplitRules rules;
	bool		limited;		/* monotone constraints, path_smooth or extra_trees */
	const int64_t *g;			/* [n_rows] */
	const int64_t *h;
} NaiveData;

extern double naive_value(const KitTable *table, uint32_t row, uint32_t feature);
extern bool naive_goes_left(const NaiveSplit *split, double value);

/* Output of a node with these sums below parent; NULL: of a root. */
extern double naive_output(const NaiveData *data, const NaiveNode *parent, const GroveSums *sums);

/* The least gain that a split of the node must exceed. */
extern double naive_least_gain(const NaiveData *data, const NaiveNode *node);

/*
 * Takes the best split on a feature when it is better than best.  pick: random
 * bits of extra_trees that leave one candidate of each scan, 0: all are tried.
 */
extern void naive_try_feature(const NaiveData *data, const NaiveNode *node, uint32_t feature, uint64_t pick,
							  NaiveSplit *best);

#endif							/* NAIVE_SPLIT_H */
