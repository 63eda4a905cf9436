/*
 * scorer.h: a model applied to the rows of a query, whose columns it finds by
 * name.
 */
#ifndef GROVE_SCORER_H
#define GROVE_SCORER_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"

#include "convert.h"

typedef struct GroveScorer
{
	const GroveModel *model;
	AttrNumber *columns;		/* [n_features] in the query, from 1 */
	GroveConverter *converters; /* [n_features] */
	double	   *row;			/* [n_features] */
	double	   *margins;		/* [n_outputs] */
	double	   *probabilities;	/* [n_classes] */
} GroveScorer;

/*
 * Binds the features to columns; allocates in the current context.  Columns
 * that the model does not know are ignored, one that it misses is ERROR 42703,
 * one of a type that the feature does not accept 42804.
 */
extern GroveScorer *grovepg_scorer_make(const GroveModel *model, TupleDesc desc);

/* Fills row; may allocate in the current context. */
extern void grovepg_scorer_bind(GroveScorer *scorer, TupleTableSlot *slot);

/* Fills margins, and probabilities where the model has classes, from a row; may allocate in the current context. */
extern void grovepg_scorer_run(GroveScorer *scorer, TupleTableSlot *slot);

#endif							/* GROVE_SCORER_H */
