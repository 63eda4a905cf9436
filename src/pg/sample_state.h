/*
 * sample_state.h: the transition state of the sampling aggregates.
 */
#ifndef GROVE_SAMPLE_STATE_H
#define GROVE_SAMPLE_STATE_H

#include "../core/sample.h"
#include "elements.h"

typedef struct GroveSampleState
{
	/* fixed */
	MemoryContext context;		/* the aggregate's; holds the state and all it points to */
	int64		seed;
	uint64		rng_key;		/* of seed */
	Size		limit;			/* bytes that it may take */

	/* changing */
	GroveSampleSet set;
	GroveElements elements;		/* of the units */
	GroveSampleUnit *units;
	GroveSamplePair *pairs;		/* for sorting, two for each unit of the capacity; NULL: not needed yet */
	Size		n;				/* units, the first n_compacted of them compacted */
	Size		n_compacted;
	Size		capacity;
} GroveSampleState;

/* A state without rows; the type belongs to a context that lives at least as long. */
extern GroveSampleState *grovepg_sample_create(MemoryContext context, GroveElementType *type, bool weighted,
											   int32 k, int64 seed);

/* Adds a row; weight is positive, infinity included, and 1 in a uniform sample. */
extern void grovepg_sample_add(GroveSampleState *state, Datum value, bool null, double weight);

/* Sorts the units, unites equal ones, drops those that can not be chosen any more. */
extern void grovepg_sample_compact(GroveSampleState *state);

/* Adds the rows of another state of the same aggregate, which stays as it is. */
extern void grovepg_sample_combine(GroveSampleState *state, const GroveSampleState *other);

/* The state as bytes for another process of the same query, and back; the type comes from the bytes first. */
extern bytea *grovepg_sample_write(GroveSampleState *state);
extern Oid	grovepg_sample_read_type(bytea *bytes);
extern GroveSampleState *grovepg_sample_read(bytea *bytes, MemoryContext context, GroveElementType *type);

/* The sample as an array. */
extern Datum grovepg_sample_array(GroveSampleState *state);

#endif							/* GROVE_SAMPLE_STATE_H */
