/*
 * tally_state.h: grove.tally_state, the state of the aggregates that plan a
 * sample: block_design_effect, pps_threshold, hash_quantile, hash_threshold.
 *
 * In memory a state is an expanded object that grows in place; between
 * processes and nodes it travels as portable bytes.  Its content is one of
 * the core's structures, and the bytes depend on the set of rows only.
 */
#ifndef GROVE_TALLY_STATE_H
#define GROVE_TALLY_STATE_H

#include "utils/expandeddatum.h"

#include "../core/exactsum.h"
#include "../core/quantile.h"
#include "../core/tally.h"
#include "../core/weights.h"

/* Values are part of the bytes. */
typedef enum GroveTallyKind
{
	GROVE_TALLY_BLOCKS = 1,		/* block_design_effect */
	GROVE_TALLY_WEIGHTS = 2,	/* pps_threshold; argument: n */
	GROVE_TALLY_FRACTION = 3,	/* hash_quantile; argument: bits of the fraction, a double */
	GROVE_TALLY_COUNT = 4		/* hash_threshold; argument: k */
} GroveTallyKind;

typedef struct GroveTallyState
{
	ExpandedObjectHeader header;
	GroveTallyKind kind;
	uint64		argument;		/* what has to be the same in all rows */
	GroveTally *blocks;			/* BLOCKS */
	GroveExactSum *squares;		/* BLOCKS */
	GroveWeights *weights;		/* WEIGHTS */
	GroveQuantile *quantile;	/* FRACTION and COUNT */
} GroveTallyState;

/*
 * State of argument 0 of a transition function, which it may change; a new one
 * when it is NULL.  ERROR 22023 when the argument is not the same in all rows.
 */
extern GroveTallyState *grovepg_tally_writable(FunctionCallInfo fcinfo, GroveTallyKind kind, uint64 argument);

/* State of argument 0 of a final function; ERROR 22023 when it is of another kind. */
extern GroveTallyState *grovepg_tally_readable(FunctionCallInfo fcinfo, GroveTallyKind kind);

/* Adds one row to a state of the kind that the name says. */
extern void grovepg_tally_add_value(GroveTallyState *state, int64 block, double value);
extern void grovepg_tally_add_weight(GroveTallyState *state, double weight);
extern void grovepg_tally_add_hash(GroveTallyState *state, uint64 hash);

#endif							/* GROVE_TALLY_STATE_H */
