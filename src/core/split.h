/*
 * split.h: the best split of one feature at one leaf, and the value of a leaf.
 *
 * Sums are exact integers; they become doubles in bin order, gains are
 * computed without reordering, and ties go to the lower feature, then to
 * missing-right, then to the lower bin; of sorted categories to the shorter
 * prefix, of the ascending order first.  So the split found depends on
 * nothing but the sums.
 */
#ifndef GROVE_SPLIT_H
#define GROVE_SPLIT_H

#include "hist.h"

typedef struct GroveSplitRules
{
	double		lambda_l1;
	double		lambda_l2;
	double		max_delta_step; /* 0: none */
	double		path_smooth;	/* rows whose weight the output of the node above has; 0: none */
	double		min_gain;
	double		min_hessian;
	int64_t		min_rows;
	double		g_unit;			/* what one step of the integer gradient is worth */
	double		h_unit;
	bool		stochastic;		/* integers were rounded at random; gains that this can cause are none */
	uint32_t	max_cat_threshold;
	uint32_t	max_cat_to_onehot;
	int64_t		min_data_per_group;
	double		cat_l2;
	double		cat_smooth;
} GroveSplitRules;

/* The largest step of a leaf, and the largest score: sums of two of them still are numbers of single precision. */
#define GROVE_STEP_MAX	1e38

/* Sums over the rows of a leaf. */
typedef struct GroveSums
{
	int64_t		g;
	int64_t		h;
	int64_t		c;
} GroveSums;

typedef struct GroveSplit
{
	double		gain;			/* reduction of the loss; 0: no split is possible */
	uint32_t	feature;
	uint8_t		bin;			/* numeric: bins 1 to bin go left */
	bool		categorical;
	bool		missing_left;	/* where bin 0 goes */
	uint8_t		set[GROVE_BINS / 8];	/* categorical: bins that go left, bit 0 clear */
	GroveSums	left;			/* with the missing rows when they go left */
} GroveSplit;

/* What a place in the tree asks of the outputs below it. */
typedef struct GroveLimits
{
	double		lower;			/* monotone constraints: outputs lie in [lower, upper] */
	double		upper;
	double		output;			/* of the leaf itself, before shrinkage */
	int			monotone;		/* of the feature: 1 outputs must not fall with it, -1 not rise, 0 free */
	uint64_t	pick;			/* extra_trees: random bits that choose one candidate; 0: all are tried */
} GroveLimits;

/*
 * The best split of a feature whose bins sum to total; best->gain = 0 when
 * there is none.  limits NULL: none apply.
 */
extern void grove_split_find(const GroveSplitRules *rules, const GroveFeatureBins *bins, uint32_t feature,
							 const GroveBinSums *sums, const GroveSums *total, const GroveLimits *limits,
							 GroveSplit *best);

/*
 * Output of a leaf with these sums, before shrinkage; limits are those of the
 * node above it, NULL for a root.
 */
extern double grove_split_value(const GroveSplitRules *rules, const GroveSums *sums, const GroveLimits *limits);

/* 256 bytes: 1 where a row with this bin goes left. */
extern void grove_split_table(const GroveSplit *split, uint8_t table[GROVE_BINS]);

#endif							/* GROVE_SPLIT_H */
