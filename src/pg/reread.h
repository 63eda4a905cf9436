/*
 * reread.h: the rows of a source, visited more than once.
 *
 * A table is read again for every visit, and a visit that needs few columns
 * fetches only those.  Anything else is run once, at the first visit, and its
 * rows are kept in a tuplestore within work_mem: a query may be expensive,
 * and one with LIMIT or random() gives other rows when it is run again.
 */
#ifndef GROVE_REREAD_H
#define GROVE_REREAD_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"

typedef struct GroveReread GroveReread;

/*
 * Called for each row, in no particular order.  columns[i] is where the i-th
 * column that the visit asked for stands in the slot; take it with
 * slot_getattr().  The current memory context is reset after each row.
 */
typedef void (*GroveRereadRow) (TupleTableSlot *slot, const AttrNumber *columns, void *arg);

/* query and relation as grovepg_source_query() gave them; lives in the current memory context. */
extern GroveReread *grovepg_reread_begin(const char *query, Oid relation);

/* Columns of the source. */
extern TupleDesc grovepg_reread_columns(const GroveReread *reread);

/*
 * Visits every row, for the n columns of the source given.  With whole the
 * slot has all columns of the source in their places.  ERROR 22000 when a
 * visit finds another number of rows than the one before.
 */
extern void grovepg_reread_visit(GroveReread *reread, int n, const AttrNumber *columns, bool whole,
								 GroveRereadRow row, void *arg);

extern void grovepg_reread_end(GroveReread *reread);

/* ERROR 22000: the source is not the same in two visits. */
extern void grovepg_reread_changed(void) pg_attribute_noreturn();

#endif							/* GROVE_REREAD_H */
