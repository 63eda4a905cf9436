/*
 * train.h: what the files of training share.
 */
#ifndef GROVE_TRAIN_H
#define GROVE_TRAIN_H

#include "lib/stringinfo.h"

#include "../core/trainer.h"

/* Trees that are finished, in memory that grows. */
typedef struct GroveTrees
{
	uint32	   *start;			/* [n_trees + 1] first node of each tree */
	uint32	   *set_start;		/* [n_trees + 1] first set */
	GroveNode  *nodes;
	uint8		(*sets)[GROVE_BINS / 8];
	uint32		n_trees;
	uint32		trees_capacity;
	uint32		nodes_capacity;
	uint32		sets_capacity;
} GroveTrees;

extern void grovepg_trees_init(GroveTrees *trees);

/* Copies the tree that the trainer has just grown. */
extern void grovepg_trees_add(GroveTrees *trees, const GroveTrainer *trainer);

/* Keeps the first n trees. */
extern void grovepg_trees_cut(GroveTrees *trees, uint32 n);

/* Points the model at the trees. */
extern void grovepg_trees_model(const GroveTrees *trees, GroveModel *model);

/* The shortest decimal that reads back as the same double. */
extern void grovepg_train_append_number(StringInfo out, double value);

#endif							/* GROVE_TRAIN_H */
