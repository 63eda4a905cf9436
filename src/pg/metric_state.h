/*
 * metric_state.h: grove.metric_state, the state of the metric aggregates.
 *
 * In memory a state is an expanded object that grows in place; between
 * processes and nodes it travels as a plain varlena of portable bytes, in
 * text as their hexadecimal digits.  So one aggregate runs in serial and
 * parallel plans and where an aggregate is cut in two over a network.  Bytes
 * from outside are checked when they are read: every state that exists is
 * valid.
 */
#ifndef GROVE_METRIC_STATE_H
#define GROVE_METRIC_STATE_H

#include "utils/expandeddatum.h"

#include "../core/metric.h"
#include "../core/ranked.h"

/* One of sums and rows is in use, as the kind says. */
typedef struct GroveMetricState
{
	ExpandedObjectHeader header;
	int			kind;			/* a GroveMetric or a GroveRankedShape */
	GroveMetricSums *sums;
	uint64	   *rows;			/* of grove_ranked_words(kind) words each */
	Size		n_rows;
	Size		n_sorted;		/* the first of them that are a sorted run */
	Size		capacity;		/* rows that the array has room for */
	bool		separate;		/* equal rows are not merged; such a state does not travel */
	uint64		k;				/* QUERY: rank at which gains are cut; 0: not cut */
} GroveMetricState;

/* A new state in a memory context of its own below parent. */
extern GroveMetricState *grovepg_metric_state_make(int kind, MemoryContext parent);

/*
 * The state of a datum: the object itself where there is one (and it may be
 * changed, if that is wanted), else a copy below parent.
 */
extern GroveMetricState *grovepg_metric_state_open(Datum datum, bool change, MemoryContext parent);

/* Adds a row in any order; ERROR 54000 when the state would be larger than a value can be. */
extern void grovepg_metric_state_append(GroveMetricState *state, const uint64 *row);

/* Makes rows[] one sorted run, with equal rows merged where their weights allow it and unless they stay separate. */
extern void grovepg_metric_state_sort(GroveMetricState *state);

/* Adds the rows or sums of another state of the same kind. */
extern void grovepg_metric_state_merge(GroveMetricState *state, GroveMetricState *other);

#endif							/* GROVE_METRIC_STATE_H */
