/*
 * pilot.h: what models that have not seen a row say about it.
 *
 * Cross-fitting: the key of a row puts it into one of a few folds, and its
 * score comes from the model that was trained on the other folds.  So a row's
 * own target has no part in its score, as little as the hash of its key.  The
 * models are small and are trained on at most so many rows, drawn evenly: what
 * they are for does not need them to be good.
 *
 * A model that the caller has may take their place.  Whether it has seen the
 * rows is then the caller's concern.
 */
#ifndef GROVE_PILOT_H
#define GROVE_PILOT_H

#include "nodes/pg_list.h"

#include "../core/params.h"
#include "evaluator.h"
#include "reread.h"
#include "scorer.h"

#define GROVE_PILOT_ROUNDS		60	/* default of num_iterations */
#define GROVE_PILOT_FOLDS		2
#define GROVE_PILOT_FOLDS_MAX	20
#define GROVE_PILOT_ROWS		200000

typedef struct GrovePilotPlan
{
	GroveReread *source;
	int			n_key;
	const AttrNumber *key;
	const char *target;
	const char *task;			/* as for train() */
	List	   *ignore;			/* names (char *) of columns that are no features, beside the key and the target */
	GroveParams params;			/* of the models */
	int			folds;			/* at least 2 */
	int64		rows;			/* all models together see at most about so many */
	int64		seed;
} GrovePilotPlan;

/* The model of a fold, bound to the columns of the source. */
typedef struct GrovePilotPart
{
	const GroveModel *model;
	GroveScorer *scorer;
	GroveTruthColumn truth;
} GrovePilotPart;

typedef struct GrovePilot GrovePilot;

/* Trains the models; visits the source.  Lives in the current memory context. */
extern GrovePilot *grovepg_pilot_train(const GrovePilotPlan *plan);

/* Takes a model as it is. */
extern GrovePilot *grovepg_pilot_take(Datum model, TupleDesc columns);

/* The task, and the classes and the names that all models share. */
extern const GroveModel *grovepg_pilot_model(const GrovePilot *pilot);

/* Scores a row, of which the slot has all columns of the source; margins and probabilities are those of ->scorer. */
extern GrovePilotPart *grovepg_pilot_score(GrovePilot *pilot, TupleTableSlot *slot);

#endif							/* GROVE_PILOT_H */
