/*
 * source.c: one read-only statement, or the name of a table, run as the caller.
 *
 * The text is parsed before anything else happens to it, so that what runs is
 * exactly one SELECT: SPI would run every statement of a text into the same
 * receiver, and a text pasted into "FROM (...)" could close the parenthesis.
 * What passed the raw parser on its own can do neither.  SPI then analyses,
 * rewrites and plans it as the current user, which is what makes privileges,
 * row security, views, partitions and foreign tables work, and runs it to its
 * end in one go, which is the condition for parallel plans.
 *
 * A function that is called by the statement may still write; that is the
 * caller's own doing, as in any SELECT.
 */
#include "pg_grove.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/scansup.h"
#include "storage/lmgr.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "nearest.h"
#include "source.h"

#define SOURCE_HINT "A source is one SELECT statement or the name of a table."

typedef struct SourceReceiver
{
	DestReceiver pub;
	void		(*start) (TupleDesc desc, void *arg);
	void		(*row) (GroveSlot *slot, void *arg);
	void	   *arg;
	bool		deform;			/* all attributes before row() */
	MemoryContext row_context;	/* reset after each row */
	ResourceOwner owner;		/* of the caller: what row() opens outlives the portal that runs the query */
} SourceReceiver;

/* A syntax error in the text points into the text, not into the statement that passed it. */
static void
point_into_source(void *arg)
{
	const char *source = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(source);
	}
	errcontext("source of rows");
}

/* First character that is neither white space nor part of a comment. */
static const char *
skip_blank(const char *p)
{
	for (;;)
	{
		if (scanner_isspace(*p))
			p++;
		else if (p[0] == '-' && p[1] == '-')
			p += strcspn(p, "\n\r");
		else if (p[0] == '/' && p[1] == '*')
		{
			int			depth = 0;

			do
			{
				if (p[0] == '/' && p[1] == '*')
				{
					depth++;
					p += 2;
				}
				else if (p[0] == '*' && p[1] == '/')
				{
					depth--;
					p += 2;
				}
				else if (*p++ == '\0')
					return p - 1;
			} while (depth > 0);
		}
		else
			return p;
	}
}

/* Does the text begin like a statement?  An identifier of that name has to be quoted. */
static bool
begins_like_statement(const char *p)
{
	static const char *const words[] = {"select", "with", "values", "table"};

	if (*p == '(')
		return true;
	for (int i = 0; i < (int) lengthof(words); i++)
	{
		size_t		length = strlen(words[i]);
		unsigned char next;

		if (pg_strncasecmp(p, words[i], length) != 0)
			continue;
		next = (unsigned char) p[length];
		if (!isalnum(next) && next != '_' && next != '$' && next < 128)
			return true;
	}
	return false;
}

static void
refuse(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("source must not contain %s", what),
			 errhint("A source only reads: one SELECT, WITH, VALUES or TABLE statement, or the name of a table.")));
}

/* Looks for what changes data or locks rows, at any depth of a raw parse tree. */
static bool
refuse_writing(Node *node, void *context)
{
	if (node == NULL)
		return false;
	check_stack_depth();
	if (IsA(node, SelectStmt))
	{
		SelectStmt *stmt = (SelectStmt *) node;

		if (stmt->intoClause != NULL)
			refuse("SELECT INTO");
		if (stmt->lockingClause != NIL)
			refuse("row locks");
	}
	else if (IsA(node, CommonTableExpr) &&
			 !IsA(((CommonTableExpr *) node)->ctequery, SelectStmt))
		refuse("a data-modifying WITH clause");
	return raw_expression_tree_walker(node, refuse_writing, context);
}

/* The text of its only statement, without the semicolon behind it. */
static char *
checked_statement(const char *source)
{
	List	   *statements = pg_parse_query(source);
	RawStmt    *raw;
	int			length;

	if (list_length(statements) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source must be exactly one statement, not %d", list_length(statements)),
				 errhint(SOURCE_HINT)));
	raw = linitial_node(RawStmt, statements);
	if (!IsA(raw->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source is neither a SELECT statement nor the name of a table"),
				 errhint("A source only reads: one SELECT, WITH, VALUES or TABLE statement, or the name of a table.")));
	(void) refuse_writing(raw->stmt, NULL);

	length = raw->stmt_len > 0 ? raw->stmt_len : (int) strlen(source + raw->stmt_location);
	return pnstrdup(source + raw->stmt_location, length);
}

/* The table that a list of identifiers names, locked against renaming. */
static Oid
named_relation(List *names, const char *source)
{
	Oid			relation = RangeVarGetRelid(makeRangeVarFromNameList(names), AccessShareLock, true);

	if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", NameListToString(names)),
				 errhint(SOURCE_HINT)));
	switch (get_rel_relkind(relation))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not a table, view or foreign table", NameListToString(names)),
					 errhint(SOURCE_HINT)));
	}
	return relation;
}

char *
grovepg_source_query(const char *source, Oid *relation)
{
	ErrorContextCallback context;
	const char *text = skip_blank(source);
	List	   *parts = NIL;
	char	   *query = NULL;

	if (relation != NULL)
		*relation = InvalidOid;
	if (*text == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source is empty"),
				 errhint(SOURCE_HINT)));

	context.callback = point_into_source;
	context.arg = unconstify(char *, source);
	context.previous = error_context_stack;
	error_context_stack = &context;

	/* SplitIdentifierString scribbles on its input and lets its result point into it */
	if (!begins_like_statement(text) &&
		SplitIdentifierString(pstrdup(text), '.', &parts))
	{
		List	   *names = NIL;
		ListCell   *lc;
		Oid			found;

		foreach(lc, parts)
			names = lappend(names, makeString(lfirst(lc)));
		found = named_relation(names, source);
		query = psprintf("SELECT * FROM %s",
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(found)),
													get_rel_name(found)));
		if (relation != NULL)
			*relation = found;
	}
	else
		query = checked_statement(source);

	error_context_stack = context.previous;
	return query;
}

/* The tuplestore that queries can read; its name is NULL when there is none. */
static EphemeralNamedRelationData shown;

void
grovepg_source_show(char *name, TupleDesc columns, Tuplestorestate *store, uint64 rows)
{
	if (shown.md.name != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("grove.report and grove.prune_train cannot run within each other"),
				 errdetail("A source that one of them runs calls the other."),
				 errhint("Store the result of the inner call in a table first.")));
	shown.md.name = name;
	shown.md.reliddesc = InvalidOid;
	shown.md.tupdesc = columns;
	shown.md.enrtype = ENR_NAMED_TUPLESTORE;
	shown.md.enrtuples = (double) rows;
	shown.reldata = store;
}

void
grovepg_source_hide(void)
{
	shown.md.name = NULL;
}

double
grovepg_source_rows(const char *source)
{
	const char *text = skip_blank(source);
	List	   *parts = NIL;
	List	   *names = NIL;
	ListCell   *lc;
	HeapTuple	tuple;
	Oid			relation;
	double		rows;

	if (begins_like_statement(text) || !SplitIdentifierString(pstrdup(text), '.', &parts) ||
		parts == NIL || list_length(parts) > 2)
		return -1;
	foreach(lc, parts)
		names = lappend(names, makeString(lfirst(lc)));
	relation = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);
	tuple = OidIsValid(relation) ? SearchSysCache1(RELOID, ObjectIdGetDatum(relation)) : NULL;
	if (!HeapTupleIsValid(tuple))
		return -1;
	rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
	ReleaseSysCache(tuple);
	return rows > 0 ? rows : -1;	/* 0 also means that nobody has counted */
}

/* SPI is left by SPI_finish() or by the abort of the transaction. */
static void
connect_spi(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (shown.md.name != NULL && SPI_register_relation(&shown) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register a relation with SPI");
}

TupleDesc
grovepg_source_columns(const char *query)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext spi_context;
	SPIPlanPtr	plan;
	CachedPlanSource *plan_source;
	TupleDesc	columns;

	connect_spi();
	plan = SPI_prepare(query, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	plan_source = linitial(SPI_plan_get_plan_sources(plan));
	spi_context = MemoryContextSwitchTo(caller);
	columns = CreateTupleDescCopy(plan_source->resultDesc);
	MemoryContextSwitchTo(spi_context);
	SPI_finish();
	return columns;
}

#ifdef GROVEPG_SPI_HAS_RECEIVER

static uint64
run_into(const char *query, DestReceiver *dest)
{
	SPIExecuteOptions options;
	int			result;

	memset(&options, 0, sizeof(options));
	options.read_only = true;
	options.dest = dest;
	result = SPI_execute_extended(query, &options);
	/* a private receiver makes it report SPI_OK_UTILITY */
	if (result < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

#else

/* A portal that is run to its end in one call may use a parallel plan, one that is fetched from may not. */
static uint64
run_into(const char *query, DestReceiver *dest)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK | CURSOR_OPT_NO_SCROLL);
	QueryCompletion completion;
	Portal		portal;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	InitializeQueryCompletion(&completion);
	PortalRun(portal, FETCH_ALL, false, true, dest, dest, &completion);
	SPI_cursor_close(portal);
	return completion.nprocessed;
}

#endif

uint64
grovepg_source_run(const char *query, DestReceiver *dest)
{
	uint64		rows;

	connect_spi();
	rows = run_into(query, dest);
	SPI_finish();
	return rows;
}

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	SourceReceiver *receiver = (SourceReceiver *) self;

	receiver->row_context = AllocSetContextCreate(CurrentMemoryContext, "grove source row",
												  ALLOCSET_DEFAULT_SIZES);
	if (receiver->start != NULL)
		receiver->start(desc, receiver->arg);
}

static bool
receiver_receive(TupleTableSlot *slot, DestReceiver *self)
{
	SourceReceiver *receiver = (SourceReceiver *) self;
	MemoryContext previous = MemoryContextSwitchTo(receiver->row_context);
	ResourceOwner executor = CurrentResourceOwner;

	if (receiver->deform)
		slot_getallattrs(slot);
	CurrentResourceOwner = receiver->owner;
	receiver->row(slot, receiver->arg);
	CurrentResourceOwner = executor;
	MemoryContextSwitchTo(previous);
	MemoryContextReset(receiver->row_context);
	return true;
}

static void
receiver_shutdown(DestReceiver *self)
{
	SourceReceiver *receiver = (SourceReceiver *) self;

	MemoryContextDelete(receiver->row_context);
	receiver->row_context = NULL;
}

static void
receiver_destroy(DestReceiver *self)
{
	pfree(self);
}

DestReceiver *
grovepg_source_receiver_lazy(void (*start) (TupleDesc desc, void *arg),
							 void (*row) (GroveSlot *slot, void *arg), void *arg)
{
	SourceReceiver *receiver = palloc0(sizeof(SourceReceiver));

	receiver->pub.receiveSlot = receiver_receive;
	receiver->pub.rStartup = receiver_startup;
	receiver->pub.rShutdown = receiver_shutdown;
	receiver->pub.rDestroy = receiver_destroy;
	receiver->pub.mydest = DestNone;
	receiver->start = start;
	receiver->row = row;
	receiver->arg = arg;
	receiver->owner = CurrentResourceOwner;
	return &receiver->pub;
}

DestReceiver *
grovepg_source_receiver(void (*start) (TupleDesc desc, void *arg),
						void (*row) (GroveSlot *slot, void *arg), void *arg)
{
	DestReceiver *receiver = grovepg_source_receiver_lazy(start, row, arg);

	((SourceReceiver *) receiver)->deform = true;
	return receiver;
}

static char *
hint_at_columns(TupleDesc desc, const char *name)
{
	const char **names = palloc(sizeof(char *) * Max(desc->natts, 1));
	int			n = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			names[n++] = NameStr(TupleDescAttr(desc, i)->attname);
	}
	return grovepg_nearest_hint(name, names, n, "column");
}

int
grovepg_source_column(TupleDesc desc, const char *name, const char *role)
{
	int			found = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (found != 0)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("%s column \"%s\" is ambiguous", role, name),
					 errdetail("The source has more than one column of that name."),
					 errhint("Give every column of the query a name of its own.")));
		found = i + 1;
	}
	if (found != 0)
		return found;

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("%s column \"%s\" does not exist in the source", role, name),
			 errhint("%s", hint_at_columns(desc, name))));
}

AttrNumber *
grovepg_source_column_list(TupleDesc desc, ArrayType *names, const char *role, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	AttrNumber *columns;

	*count = 0;
	if (names == NULL)
		return NULL;
	deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
	columns = palloc(sizeof(AttrNumber) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
	{
		char	   *name;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("column name in argument \"%s\" must not be null", role),
					 errhint("Leave the null out of the array.")));
		name = TextDatumGetCString(elements[i]);
		columns[i] = grovepg_source_column(desc, name, role);
		for (int j = 0; j < i; j++)
		{
			if (columns[j] == columns[i])
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("argument \"%s\" names column \"%s\" twice", role, name),
						 errhint("Name every column once.")));
		}
	}
	return columns;
}
