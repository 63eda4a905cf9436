/*
 * scorer.h: a model applied to the rows of a query, whose columns it finds by
 * name.
 */
#ifndef GROVE_SCORER_H
#define GROVE_SCORER_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"

#include "../core/predict_batch.h"
#include "convert.h"

typedef struct GroveScorer
{
	const GroveModel *model;
	AttrNumber *columns;		/* [n_features] in the query, from 1 */
	AttrNumber	last_column;	/* the greatest of them */
	GroveConverter *converters; /* [n_features] */
	double	   *row;			/* [n_features] */
	double	   *margins;		/* [n_outputs] */
	double	   *probabilities;	/* [n_classes] */
} GroveScorer;

/* Rows that are scored together, which takes half the time of one by one. */
typedef struct GroveTile
{
	GroveScorer *scorer;
	GroveBatch *batch;
	double	   *values;			/* as grove_predict_batch_run() takes them */
	double	   *margins;		/* [GROVE_BATCH_ROWS][n_outputs] of the last run */
	uint32		n;				/* rows in the tile */
} GroveTile;

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

/* An empty tile for the rows of a scorer; allocates in the current context. */
extern GroveTile *grovepg_scorer_tile(GroveScorer *scorer);

/* Adds a row to the tile, which must not be full; may allocate in the current context.  True: now it is full. */
extern bool grovepg_scorer_tile_add(GroveTile *tile, TupleTableSlot *slot);

/* Fills margins for the rows of the tile, empties it, and returns how many they were. */
extern uint32 grovepg_scorer_tile_run(GroveTile *tile);

/* Margins of one row of the last run. */
static inline const double *
grovepg_scorer_tile_margins(const GroveTile *tile, uint32 row)
{
	return tile->margins + (Size) row * tile->scorer->model->n_outputs;
}

#endif							/* GROVE_SCORER_H */
