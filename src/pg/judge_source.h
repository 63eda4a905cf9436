/*
 * judge_source.h: columns of a source that hold numbers to be judged: truths,
 * scores, weights.
 */
#ifndef GROVE_JUDGE_SOURCE_H
#define GROVE_JUDGE_SOURCE_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"

#include "feature.h"
#include "metric_state.h"

typedef struct GroveNumberColumn
{
	AttrNumber	attno;			/* from 1; 0: there is no such column */
	GroveFeatureType type;
} GroveNumberColumn;

/* ERROR 42804 for a column of a wrong type. */
extern void grovepg_judge_reject_type(const char *role, const char *name, Oid type, const char *hint) pg_attribute_noreturn();

/* Finds a column of numbers, or of numbers and booleans. */
extern void grovepg_judge_bind(TupleDesc desc, const char *name, const char *role, bool boolean,
							   GroveNumberColumn *column);

/* The number of a row, true being 1; false when it is NULL. */
extern bool grovepg_judge_number(GroveNumberColumn *column, TupleTableSlot *slot, double *number);

/*
 * Reads truths (boolean, 0 or 1), scores and, unless it is NULL, weights from
 * a source into a sorted state of SINGLE rows in the current context.  Rows
 * with a NULL in one of them are skipped, those of weight 0, too.
 */
extern GroveMetricState *grovepg_judge_read(const char *source, const char *truth, const char *score,
											const char *weight);

#endif							/* GROVE_JUDGE_SOURCE_H */
