/*
 * trainer_parts.h: what the trainer has several of: leaves, chunks of rows,
 * processes.
 */
#ifndef GROVE_TRAINER_PARTS_H
#define GROVE_TRAINER_PARTS_H

#include "hist.h"
#include "split.h"

#define GROVE_MAX_PARTS		64		/* of the rows: processes that run tasks */

/* Those rows of a leaf that are of one part of all rows. */
typedef struct GroveSegment
{
	uint32_t	begin;			/* in the bag list */
	uint32_t	count;
	uint32_t	out_begin;		/* in the list of those that the tree does not see */
	uint32_t	out_count;
} GroveSegment;

/* A leaf of the tree that is being grown. */
typedef struct GroveLeaf
{
	uint32_t	count;			/* entries in the bag list, of all parts */
	uint32_t	out_count;		/* the same of the other list; below the root an estimate */
	uint32_t	node;
	uint32_t	depth;
	uint32_t	side;			/* which of the two buffers of each list */
	int32_t		slot;			/* its histogram, -1: not kept */
	GroveSums	sums;
	GroveSplit	best;
	double		output;			/* before shrinkage */
	double		lower;			/* bounds of the outputs below it */
	double		upper;
	uint64_t	groups;			/* interaction groups that hold every feature on its path */
	uint32_t	last_feature;	/* of the split above it */
	float		value;			/* what it adds to a score */
} GroveLeaf;

/* What BAG, SCORE, RANK, WEIGH and DRAW find in one chunk of rows. */
typedef struct GroveChunk
{
	uint32_t	bag;			/* entries in the bag list, and before them */
	uint32_t	out;
	uint32_t	bag_begin;
	uint32_t	out_begin;
	float		max_gradient;	/* of the training rows, times weight */
	float		max_hessian;
	int64_t		train_loss;
	int64_t		validation_loss;
	int64_t		gradients;		/* WEIGH: of the training rows, all outputs, absolute, in steps */
	int64_t		hessians;
	double		top_gradient;	/* DRAW: largest of the rows kept, times their factors, in steps */
	double		top_hessian;
	float		top_factor;
} GroveChunk;

/* One process's scratch. */
typedef struct GroveWorker
{
	int64_t		accumulators[GROVE_HIST_SCRATCH];
	int32_t		words[GROVE_HIST_CHUNK];
	GroveEntry	bag[GROVE_HIST_CHUNK];	/* of a chunk, divided */
	uint32_t	out[GROVE_HIST_CHUNK];
	uint64_t	epoch[GROVE_MAX_BLOCKS];	/* which histogram its sums of a block belong to */
} GroveWorker;

#endif							/* GROVE_TRAINER_PARTS_H */
