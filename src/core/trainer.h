/*
 * trainer.h: the memory of one training run and the tasks that work on it.
 *
 * Everything that training needs stands in one flat buffer that the caller
 * supplies: private memory, or shared memory that several processes map at
 * different addresses.  GroveTrainer is a process's view of it: pointers into
 * the buffer, made by grove_trainer_attach().
 *
 * Work is fork and join.  The leader (grow.c, boost.c) sets up a phase: what
 * to do and in how many tasks.  Then any number of processes run tasks, in
 * any order, each task once.  When all are done the leader goes on.  Tasks of
 * a phase write to places of their own or add integers, so that the result
 * depends neither on their order nor on who ran them.
 */
#ifndef GROVE_TRAINER_H
#define GROVE_TRAINER_H

#include "hist.h"
#include "loss.h"
#include "model.h"
#include "partition.h"
#include "phases.h"
#include "trainer_parts.h"

/* Fixed before the buffer is made. */
typedef struct GroveTrainDims
{
	uint32_t	n_rows;			/* with the validation rows */
	uint32_t	n_validation;
	uint32_t	n_features;
	uint32_t	n_outputs;		/* trees of a round */
	uint32_t	max_leaves;		/* of a tree */
	uint32_t	n_workers;		/* processes that may run tasks, 1 to GROVE_MAX_PARTS */
	GroveHistMode mode;
	GroveMatrixSize matrix;
	bool		own_records;	/* each process has records of its own, which its caller supplies and fills: the leader all, the others those of their part */
	bool		joined;			/* features of few bins share columns of the matrix */
	bool		weighted;
	bool		sampled;		/* trees see a part of the rows, or rows more than once */
	bool		ranked;			/* rows belong to groups */
	bool		by_gradient;	/* the rows of a tree are chosen by their gradients; sampled */
	bool		out_scored;		/* forest: each row adds up the trees that did not see it */
	bool		pruned;			/* the grown tree is pruned by cost and complexity */
	bool		folded;			/* parts of the rows are left out in turn, as validation rows are */
} GroveTrainDims;

/* How to train; no field depends on the data. */
typedef struct GroveTrainConfig
{
	GroveAlgorithm algorithm;
	GroveLossKind loss;
	GroveLossShape shape;
	uint64_t	seed;
	uint32_t	n_rounds;
	uint32_t	max_leaves;
	uint32_t	max_depth;		/* splits on a path at most; UINT32_MAX: no limit */
	uint32_t	bagging_freq;	/* 0: every tree sees all rows */
	uint32_t	early_stopping;	/* rounds, 0: never */
	bool		log_training;	/* losses are measured after each round, also without validation rows */
	double		learning_rate;	/* forest: 1 / number of trees */
	double		bagging_fraction;
	GroveSelectKind select;		/* gbdt */
	double		top_rate;		/* goss */
	double		other_rate;
	double		mvs_reg;		/* mvs: lambda, negative: from the gradients of each round */
	double		feature_fraction;
	double		feature_fraction_bynode;
	double		ccp_alpha;		/* what a leaf more must take off the mean loss; 0: no pruning */
	bool		limited;		/* splits have limits: monotone constraints, path_smooth or extra_trees */
	bool		extra_trees;	/* one random candidate a feature and node */
	bool		interaction;	/* interaction constraints */
	GroveSplitRules rules;		/* g_unit, h_unit and stochastic are set for each tree */
} GroveTrainConfig;

typedef struct GroveTrainShared
{
	GroveTrainDims dims;
	GroveTrainConfig config;
	GrovePhase	phase;
	uint32_t	n_tasks;
	bool		small;			/* too little work to be worth sharing */
	bool		by_part;		/* a task is a part, or all of them: that of a part is best run by the process that has its records */
	uint32_t	n_parts;		/* of the rows, set by the caller before the first phase: as many as processes run tasks */
	GrovePhaseArgs args;
	GroveSplitRules rules;
	uint32_t	chunk_rows;
	uint32_t	n_chunks;		/* of all rows; a part is some that follow each other */
	uint32_t	n_leaves;
	uint32_t	n_nodes;
	uint32_t	n_sets;
	uint32_t	n_bag;			/* rows in the lists */
	uint32_t	n_out;
	uint32_t	n_groups;
	uint32_t	n_free_small;
	uint32_t	n_free_big;
	double		loss_scale;
	float		max_weight;		/* of the training rows */
	float		max_factor;		/* of the rows that the trees see */
	GroveSegment root[GROVE_MAX_PARTS];	/* of the trees of the bag at hand */
} GroveTrainShared;

typedef struct GroveTrainer
{
	GroveTrainShared *shared;
	void		(*pause) (void);	/* called between the chunks of a task, may not return; NULL: not wanted */
	GroveMatrix matrix;
	GroveFeatureBins *bins;		/* [n_features] */
	float	   *label;			/* [n_rows] the target, minus its centre unless the link is log; logistic 0 or 1; softmax: class */
	float	   *weight;			/* [n_rows] or NULL */
	float	   *score;			/* [n_outputs][n_rows], without the base */
	uint32_t   *identity;		/* [n_rows] 32 random bits from the row's content */
	uint8_t    *validation;		/* [n_rows] 1 = the trees must not see the row, or NULL */
	uint16_t   *leaf_of;		/* [n_rows] */
	uint8_t    *copies;			/* [n_rows] how often the trees see the row, from BAG or DRAW; NULL: each sees all rows once */
	float	   *out_sum;		/* out_scored: [n_outputs][n_rows] leaf values of the trees that did not see the row */
	uint32_t   *out_trees;		/* [n_rows] how many rounds these were */
	uint32_t   *group_rows;		/* ranked: [n_rows] rows, group by group, in an order that follows from their content */
	uint32_t   *group_start;	/* [n_rows + 1] place of each group's first row, n_groups + 1 are used; no group has rows of both parts */
	uint64_t   *group_order;	/* [n_rows] scratch */
	float	   *gradient;		/* [n_rows] of the groups, without weight */
	float	   *hessian;
	float	   *factor;			/* [n_rows] by_gradient: how often a row counts, 0: the trees do not see it; before DRAW its score */
	int32_t    *words;			/* [n_outputs][n_rows] gradients, where they are kept for a round, and by_gradient to choose by: then perhaps where bag[] is */
	int32_t    *hess;			/* [n_outputs][n_rows], wide mode, and likewise */
	GroveEntry *bag[2];			/* [bag_capacity] entries of the rows that the tree sees */
	uint32_t   *out[2];			/* [out_capacity] the other rows */
	uint32_t	bag_capacity;
	uint32_t	out_capacity;
	GroveChunk *chunks;			/* [n_chunks] */
	GroveLeaf  *leaves;			/* [max_leaves] */
	GroveSegment *segments;		/* [max_leaves][n_workers], of which n_parts are used */
	GroveNode  *nodes;			/* [2 * max_leaves - 1] of the tree at hand */
	uint8_t		(*sets)[GROVE_BINS / 8];	/* [max_leaves] */
	double	   *node_gain;		/* pruned: [2 * max_leaves] of splits, before it became a float */
	double	   *node_output;	/* [2 * max_leaves] what a split would give as a leaf */
	uint32_t   *node_map;		/* [2 * max_leaves] scratch */
	uint32_t   *set_map;		/* [max_leaves] scratch */
	uint8_t    *used;			/* [n_features] features that the tree may use */
	uint8_t    *allowed[2];		/* [n_features] features that the children may use */
	int8_t	   *monotone;		/* [n_features] 1, -1 or 0; zeros after init */
	uint64_t   *groups;			/* [n_features] interaction groups that the feature is in; zeros after init */
	GroveSplit *found[2];		/* [n_features] */
	int64_t    *small_slots;	/* [n_small][n_features][words]; the first two are never kept */
	GroveBinSums *big_slots;	/* [n_big][n_features] */
	int32_t    *free_small;		/* [n_small] stack */
	int32_t    *free_big;		/* [n_big] */
	uint32_t	n_small;
	uint32_t	n_big;
	GroveBinSums *worker_sums;	/* [n_workers][n_features]; also their packed parts */
	GroveSelectBins *select_bins;	/* [n_workers] by_gradient; the leader clears them before RATE */
	GroveWorker *workers;		/* [n_workers] */
} GroveTrainer;

/* Whether the gradients of a round are computed before its trees, and kept for them. */
static inline bool
grove_trainer_keeps_gradients(const GroveTrainDims *dims)
{
	return dims->n_outputs > 1 || (dims->by_gradient && dims->mode == GROVE_HIST_WIDE);
}

/*
 * Whether the gradients of the tree at hand are computed when its rows are
 * listed, of these alone: a tree whose rows were chosen by their gradients sees
 * few.
 */
static inline bool
grove_trainer_grades_listed(const GroveTrainShared *shared)
{
	return shared->args.factored && !grove_trainer_keeps_gradients(&shared->dims);
}

/* Threshold of a split that sends all values left and missing right; infinite values count as +-this one. */
#define GROVE_LAST_THRESHOLD	1.7976931348623157e308

/* Where the rows of a part of a leaf are. */
static inline GroveSegment *
grove_trainer_segment(const GroveTrainer *trainer, uint32_t leaf, uint32_t part)
{
	return trainer->segments + (size_t) leaf * trainer->shared->dims.n_workers + part;
}

/* The first chunk of a part; that of part n_parts is behind the last. */
static inline uint32_t
grove_trainer_part(const GroveTrainShared *shared, uint32_t part)
{
	return (uint32_t) ((uint64_t) shared->n_chunks * part / shared->n_parts);
}

/* The first row of a part, in the same way. */
static inline uint32_t
grove_trainer_part_row(const GroveTrainShared *shared, uint32_t part)
{
	uint64_t	row = (uint64_t) grove_trainer_part(shared, part) * shared->chunk_rows;

	return row < shared->dims.n_rows ? (uint32_t) row : shared->dims.n_rows;
}

/* Slots of big leaves are numbered from here on. */
#define GROVE_BIG_SLOT	(1 << 24)

/* Bytes of the buffer, checked; the formula is in docs/architecture.md. */
extern GroveStatus grove_trainer_size(const GroveTrainDims *dims, size_t *size);

#define GROVE_MAX_GROUPS	64		/* interaction groups; a feature in none stands alone */

/*
 * Formats the buffer; afterwards the caller sets the bins and fills matrix, label, weight, score, identity, validation, monotone and groups where there are any, and
 * the groups of rows of a ranking.
 */
extern void grove_trainer_init(void *buffer, const GroveTrainDims *dims, const GroveTrainConfig *config);

/* Copies bins[n_features], with which dims.matrix was computed, and lays out the matrix. */
extern void grove_trainer_set_bins(GroveTrainer *trainer, const GroveFeatureBins *bins);

/* A process's view of a formatted buffer. */
extern void grove_trainer_attach(GroveTrainer *trainer, void *buffer);

/* tasks.c: runs one task of the phase that shared->phase tells, as this worker (0 = leader). */
extern void grove_tasks_run(GroveTrainer *trainer, uint32_t worker, uint32_t task);


/* How often the trees of a bag see n rows, 0 or 1, or up to 15 in a bootstrap sample: by their identities alone. */
extern void grove_tasks_draw_bag(const GroveTrainConfig *config, const uint32_t *identity, uint32_t bag_key, uint32_t n,
								 uint8_t *copies);

/* grow.c: starts a tree; the leader's first phase is set up. */
extern void grove_grow_begin(GroveTrainer *trainer, uint32_t round, uint32_t output);

/* The tasks of the current phase are done: sets up the next one; false when the tree is complete. */
extern bool grove_grow_next(GroveTrainer *trainer);

#endif							/* GROVE_TRAINER_H */
