/*
 * phases.h: what the processes of a training are told to do, see trainer.h.
 */
#ifndef GROVE_PHASES_H
#define GROVE_PHASES_H

#include "loss.h"
#include "select.h"

typedef enum GrovePhase
{
	GROVE_PHASE_BAG,			/* task = chunk of rows: count the rows that the next trees see */
	GROVE_PHASE_SCORE,			/* chunk of rows: add the last tree to the scores; measure */
	GROVE_PHASE_GRADIENT,		/* chunk of rows: gradients of all outputs of a round */
	GROVE_PHASE_ROOT,			/* part: list the rows, histogram of the root */
	GROVE_PHASE_SPLIT,			/* part: send the leaf's rows to the children, histogram of one of these */
	GROVE_PHASE_FIND,			/* feature: merge, subtract, best split of both children */
	GROVE_PHASE_LEAVES,			/* part: note for each row which leaf it is in */
	GROVE_PHASE_RENEW,			/* leaf: its value from the residuals of its rows */
	GROVE_PHASE_OUT,			/* leaf: its value to the sums of the rows that the tree did not see */
	GROVE_PHASE_RANK,			/* chunk of rows in the order of groups: gradients of the groups that begin there; measure */
	GROVE_PHASE_WEIGH,			/* chunk of rows: sums of the gradients of all outputs */
	GROVE_PHASE_RATE,			/* chunk of rows: their scores, and the histogram of these */
	GROVE_PHASE_DRAW			/* chunk of rows: keep a row or not; count as BAG does */
} GrovePhase;

/* Where the histogram that a phase builds is. */
typedef enum GroveHistPlace
{
	GROVE_HIST_IN_SLOT,			/* packed, in the leaf's slot: one task builds all of it */
	GROVE_HIST_IN_PARTS,		/* packed, what each worker added */
	GROVE_HIST_IN_SUMS			/* sums of more than a chunk of rows, what each worker added */
} GroveHistPlace;

/* What a phase works on; written by the leader only, between phases. */
typedef struct GrovePhaseArgs
{
	uint32_t	round;
	uint32_t	output;			/* of the tree at hand */
	bool		apply;			/* SCORE, ROOT: add the leaf values of the last tree to the scores */
	bool		measure;		/* SCORE, RANK: sum the losses */
	uint32_t	apply_output;
	uint32_t	bag_key;
	uint32_t	left;			/* SPLIT, FIND: children of the split at hand, left in place of the parent; a root is left only */
	uint32_t	right;
	bool		has_right;
	bool		whole;			/* SPLIT: one task does all parts */
	bool		search;			/* a child may be split */
	bool		build_left;		/* the child whose histogram is built; the other is parent minus it */
	bool		build_both;		/* the parent's histogram was not kept; whole */
	GroveHistPlace place;		/* where the histogram is built */
	int32_t		parent_slot;
	uint64_t	epoch;			/* number of the histogram, tells what a worker's sums hold */
	uint64_t	pick_key[2];	/* FIND: random bits of the children, extra_trees */
	bool		factored;		/* rows count factor[] times */
	double		score_reg;		/* RATE: lambda of mvs, for gradients and hessians in steps */
	GroveSelectRule rule;		/* DRAW */
	GroveRounding rounding;
} GrovePhaseArgs;

#endif							/* GROVE_PHASES_H */
