/*
 * reread.c: reading a table again, or reading back what a query gave.
 *
 * Both ways deliver the same rows under the caller's snapshot.  A table with
 * row security whose policy is volatile is the one case in which reading
 * again can differ; the count of rows is compared, and the caller may compare
 * more and report it with grovepg_reread_changed().
 */
#include "pg_grove.h"

#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "reread.h"
#include "source.h"

struct GroveReread
{
	const char *query;
	TupleDesc	columns;
	bool		spooled;		/* the first visit fills store, later ones read it */
	Tuplestorestate *store;
	int64		rows;			/* of the last visit; -1: none yet */
};

typedef struct Visit
{
	GroveReread *reread;
	const AttrNumber *columns;
	GroveRereadRow row;
	void	   *arg;
} Visit;

GroveReread *
grovepg_reread_begin(const char *query, Oid relation)
{
	GroveReread *reread = palloc0(sizeof(GroveReread));
	char		kind = OidIsValid(relation) ? get_rel_relkind(relation) : '\0';

	reread->query = query;
	reread->columns = grovepg_source_columns(query);
	reread->spooled = kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_MATVIEW;
	if (reread->spooled)
		reread->store = tuplestore_begin_heap(false, false, work_mem);
	reread->rows = -1;
	return reread;
}

TupleDesc
grovepg_reread_columns(const GroveReread *reread)
{
	return reread->columns;
}

static void
deliver_row(TupleTableSlot *slot, void *arg)
{
	Visit	   *visit = arg;

	visit->row(slot, visit->columns, visit->arg);
}

static void
spool_row(TupleTableSlot *slot, void *arg)
{
	Visit	   *visit = arg;

	tuplestore_puttupleslot(visit->reread->store, slot);
	visit->row(slot, visit->columns, visit->arg);
}

/* Reads back what the first visit kept. */
static int64
read_store(Visit *visit)
{
	Tuplestorestate *store = visit->reread->store;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(visit->reread->columns, &TTSOpsMinimalTuple);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "grove row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = CurrentMemoryContext;
	int64		rows = 0;

	tuplestore_rescan(store);
	while (tuplestore_gettupleslot(store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(row_context);
		visit->row(slot, visit->columns, visit->arg);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(row_context);
		rows++;
	}
	MemoryContextDelete(row_context);
	ExecDropSingleTupleTableSlot(slot);
	return rows;
}

/* A query around the source that gives only these columns, in this order. */
static char *
narrow_query(const GroveReread *reread, int n, const AttrNumber *columns)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < n; i++)
		appendStringInfo(&query, "%sq.%s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(TupleDescAttr(reread->columns, columns[i] - 1)->attname)));
	appendStringInfo(&query, " FROM (%s\n) AS q", reread->query);
	return query.data;
}

void
grovepg_reread_visit(GroveReread *reread, int n, const AttrNumber *columns, bool whole,
					 GroveRereadRow row, void *arg)
{
	Visit		visit = {reread, columns, row, arg};
	int64		rows;

	if (reread->spooled && reread->rows >= 0)
		rows = read_store(&visit);
	else if (reread->spooled)
		rows = grovepg_source_run(reread->query, grovepg_source_receiver_lazy(NULL, spool_row, &visit));
	else if (whole)
		rows = grovepg_source_run(reread->query, grovepg_source_receiver_lazy(NULL, deliver_row, &visit));
	else
	{
		AttrNumber *places = palloc(sizeof(AttrNumber) * Max(n, 1));

		for (int i = 0; i < n; i++)
			places[i] = i + 1;
		visit.columns = places;
		rows = grovepg_source_run(narrow_query(reread, n, columns),
								  grovepg_source_receiver_lazy(NULL, deliver_row, &visit));
	}
	if (reread->rows >= 0 && rows != reread->rows)
		grovepg_reread_changed();
	reread->rows = rows;
}

void
grovepg_reread_end(GroveReread *reread)
{
	if (reread->store != NULL)
		tuplestore_end(reread->store);
	reread->store = NULL;
}

void
grovepg_reread_changed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("source gave other rows when it was read again"),
			 errhint("Store its rows in a table first, or write the source as a SELECT, which is read once.")));
}
