/*
 * source.h: a "source text" argument: one read-only statement (SELECT, WITH,
 * VALUES, TABLE) or the name of a table, view or foreign table.
 *
 * It runs as the caller under the caller's snapshot, so privileges, row
 * security, views and partitions all work.  Anything else (two statements,
 * INSERT, a data-modifying CTE, row locks, SELECT INTO) is refused before it
 * runs.
 */
#ifndef GROVE_SOURCE_H
#define GROVE_SOURCE_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/tuplestore.h"

/*
 * Checks the text and returns the query to run, palloc'd: the statement
 * itself, or "SELECT * FROM schema.table" for a name.  When *relation is
 * wanted and the text is a name, it gets the relation's OID, else InvalidOid.
 */
extern char *grovepg_source_query(const char *source, Oid *relation);

/* Rows that the catalog says a named table has; -1 when it does not tell, or when the text names none.  No ERROR. */
extern double grovepg_source_rows(const char *source);

/* Columns of the query's result, without running it. */
extern TupleDesc grovepg_source_columns(const char *query);

/*
 * Runs a query of grovepg_source_query() (or one built around it) to its end
 * into dest, with parallel plans allowed, read-only, under the active
 * snapshot.  Needs no SPI connection of the caller.  Returns the rows sent.
 *
 * Building around it: "SELECT ... FROM (" query "\n) AS q" - the newline ends
 * a trailing comment of the user's text.
 */
extern uint64 grovepg_source_run(const char *query, DestReceiver *dest);

/*
 * A DestReceiver that calls row(slot, arg) for each row, all attributes
 * deformed; start(tupdesc, arg) is called once before, also for an empty
 * result.  Code in row() runs in the executor's per-tuple memory context and
 * must keep what it needs elsewhere.
 */
typedef struct TupleTableSlot GroveSlot;
extern DestReceiver *grovepg_source_receiver(void (*start) (TupleDesc desc, void *arg),
											 void (*row) (GroveSlot *slot, void *arg), void *arg);

/* The same, but nothing is deformed: row() takes the columns it needs with slot_getattr(). */
extern DestReceiver *grovepg_source_receiver_lazy(void (*start) (TupleDesc desc, void *arg),
												  void (*row) (GroveSlot *slot, void *arg), void *arg);

/*
 * Makes a tuplestore readable under a name, by queries that this file runs
 * until it is hidden again; one at a time.  The caller hides it in a
 * PG_FINALLY block, and begins the store with random access.
 */
extern void grovepg_source_show(char *name, TupleDesc columns, Tuplestorestate *store, uint64 rows);
extern void grovepg_source_hide(void);

/* The attribute number (from 1) of a named column, or ERROR 42703 with the nearest name as hint. role: "target", "key", ... */
extern int	grovepg_source_column(TupleDesc desc, const char *name, const char *role);

/*
 * Attribute numbers of the columns that a text[] argument names, palloc'd;
 * their number goes to *count.  A null array is no column.  ERROR 22004 for a
 * null element, 22023 for a name that is given twice.
 */
extern AttrNumber *grovepg_source_column_list(TupleDesc desc, ArrayType *names, const char *role, int *count);

#endif							/* GROVE_SOURCE_H */
