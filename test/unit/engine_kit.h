/*
 * engine_kit.h: what the tests of the training engine share: random numbers,
 * tables of raw rows, random cases, and a driver that runs a training as the
 * server would, with the tasks of each phase in any order.
 *
 * Memory comes from malloc(); each kit_x_free() gives back what its make took.
 */
#ifndef ENGINE_KIT_H
#define ENGINE_KIT_H

#include "../../src/core/boost.h"

/* A counter under a keyed hash: the same seed gives the same numbers. */
typedef struct KitRandom
{
	uint64_t	key;
	uint64_t	count;
} KitRandom;

extern KitRandom kit_random(uint64_t seed);
extern uint64_t kit_next(KitRandom *random);

/* Uniform in 0 to n - 1. */
extern uint32_t kit_below(KitRandom *random, uint32_t n);

/* Uniform strictly inside (0,1). */
extern double kit_unit(KitRandom *random);

/* True with this probability. */
extern bool kit_chance(KitRandom *random, double probability);

/* Sum of twelve uniforms, centred: nearly normal. */
extern double kit_normal(KitRandom *random);

/* A random order of 0 .. n - 1; free() it. */
extern uint32_t *kit_order(KitRandom *random, uint32_t n);

/* calloc() that does not fail; never asks for 0 bytes. */
extern void *kit_alloc(size_t count, size_t width);

/* For qsort(): doubles, ascending. */
extern int	kit_compare_doubles(const void *a, const void *b);

/* Rows as a caller of the engine has them before anything is binned. */
typedef struct KitTable
{
	uint32_t	n_rows;
	uint32_t	n_features;
	uint32_t	n_outputs;
	double	   *values;			/* [n_rows][n_features]; NaN = missing; a category is its bin */
	float	   *label;
	float	   *weight;			/* or NULL */
	uint8_t    *validation;		/* or NULL */
	float	   *margin;			/* [n_outputs][n_rows] where the scores start */
	uint64_t   *hash;			/* of a row's content */
	GroveFeatureBins *bins;		/* categorical is set by the maker, the rest by kit_table_cut() */
	int8_t	   *monotone;		/* [n_features] */
	uint64_t   *groups;			/* [n_features] of interactions */
	uint64_t   *group;			/* of rows that are ranked against each other, or NULL; the maker's */
} KitTable;

/* All values 0; weight and validation on request. */
extern KitTable kit_table_make(uint32_t n_rows, uint32_t n_features, uint32_t n_outputs, bool weighted,
							   bool validation);
extern void kit_table_free(KitTable *table);
extern uint32_t kit_table_validation(const KitTable *table);

/* Hashes the rows and cuts the numeric features of the training rows into max_bins bins. */
extern void kit_table_cut(KitTable *table, uint32_t max_bins);

/* The rows order[0], order[1], ... order[n - 1] as a table with the same bins. */
extern KitTable kit_table_pick(const KitTable *table, const uint32_t *order, uint32_t n);

/* A table and how to train on it. */
typedef struct KitCase
{
	KitTable	table;
	GroveTrainDims dims;
	GroveTrainConfig config;
	bool		from_average;
	double		origin;			/* where scores start without from_average */
	bool		has_margin;
} KitCase;

/* Rules under which every split with a gain is allowed, and a plain boosting of one round. */
extern GroveTrainConfig kit_config(GroveLossKind loss);

/* Dimensions as the server derives them from table and config. */
extern GroveTrainDims kit_dims(const KitTable *table, const GroveTrainConfig *config);

/* A random small case; cells bounds the work of a naive learner on it.  The other one is a ranking. */
extern KitCase kit_case_make(uint64_t seed, double cells);
extern KitCase kit_case_make_ranked(uint64_t seed, double cells);

/* Enough rows that a leaf has several chunks; labels are 0 or 1. */
extern KitCase kit_case_large(GroveLossKind loss, bool weighted, uint64_t seed);

/* One tree as the engine reported it. */
typedef struct KitTree
{
	uint32_t	n_nodes;
	uint32_t	n_sets;
	GroveNode  *nodes;
	uint8_t		(*sets)[GROVE_BINS / 8];
	double	   *gain;			/* [n_nodes] of splits, before it became a float */
	GroveSums  *left;			/* [n_nodes] of splits: sums that the search announced for the left child */
} KitTree;

/* What a training gave. */
typedef struct KitModel
{
	uint32_t	n_outputs;
	uint32_t	n_trees;
	uint32_t	trees_capacity;
	KitTree    *trees;
	double	   *base;			/* [n_outputs] */
	float	   *score;			/* [n_outputs][n_rows] at the end */
	double	   *validation_loss;	/* [rounds] */
	uint32_t	rounds;
	uint32_t	best_rounds;
	double		train_loss;
	double		last_validation_loss;
	uint32_t	built_both;		/* splits whose parent had lost its histogram */
	bool		cursors_agree;	/* each partition moved as many rows as the search had announced */
} KitModel;

/* Called when a tree is complete and its leaves' rows still stand in the trainer. */
typedef void (*KitTreeHook) (void *arg, const GroveTrainer *trainer, const KitTree *tree);

/* How a training runs. */
typedef struct KitSchedule
{
	uint64_t	seed;			/* 0: tasks in order by the leader; else random tasks, random workers */
	bool		relocate;		/* now and then the buffer moves to another address */
	KitTreeHook hook;			/* or NULL */
	void	   *arg;
} KitSchedule;

extern KitModel kit_train(const KitCase *kase, const KitSchedule *schedule);
extern void kit_model_free(KitModel *model);

/* Whether two trainings gave the same bytes: base, nodes, sets, gains, losses. */
extern bool kit_model_equal(const KitModel *a, const KitModel *b);

#endif							/* ENGINE_KIT_H */
