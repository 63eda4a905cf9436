/*
 * rowtype.h: functions whose first argument is only a type, as in
 * grove.shuffle(NULL::t, source): the rows of a source as rows of t.
 *
 * Columns meet by name and must have equal types.  A column that the type
 * does not have is left out; one that the source does not have is an ERROR.
 */
#ifndef GROVE_ROWTYPE_H
#define GROVE_ROWTYPE_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

typedef struct GroveRowType
{
	TupleDesc	desc;			/* of the wanted rows, blessed */
	AttrNumber *source;			/* [desc->natts] column of the source, from 1; 0: dropped column, always null */
	bool		same;			/* source rows have the columns of desc in the same places */
} GroveRowType;

/*
 * Columns of the row type of a polymorphic argument: a table or a composite
 * type; for record, given as NULL::record, the columns of the source itself.
 * ERROR 42804 for anything else.
 */
extern TupleDesc grovepg_rowtype_argument(FunctionCallInfo fcinfo, int argument, TupleDesc source);

/* How rows of the source become rows of desc; ERROR 42804 when they can not. */
extern GroveRowType *grovepg_rowtype_map(TupleDesc desc, TupleDesc source);

/* Values of one source row in the order of desc; they point into the slot. */
extern void grovepg_rowtype_values(const GroveRowType *map, TupleTableSlot *slot, Datum *values, bool *nulls);

/* One source row as a composite datum, palloc'd in the current context; nothing in it points elsewhere. */
extern Datum grovepg_rowtype_datum(const GroveRowType *map, TupleTableSlot *slot);

/*
 * Begins the materialised result of a set-returning function: a tuplestore
 * within work_mem that the function fills before it returns (Datum) 0, and
 * the columns of its rows.
 */
extern Tuplestorestate *grovepg_rowtype_store(FunctionCallInfo fcinfo, TupleDesc *desc);

#endif							/* GROVE_ROWTYPE_H */
