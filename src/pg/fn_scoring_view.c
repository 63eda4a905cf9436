/*
 * fn_scoring_view.c: create_scoring_view(), a view whose score is an ordinary
 * column, for tools that know tables only.
 *
 * The view asks for the model by name, so it shows the scores of whatever
 * version is current.  It belongs to the caller: who reads it needs the right
 * to the view and to the model's name, the owner that to the table.
 */
#include "pg_grove.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"

#include "arguments.h"
#include "model_cache.h"
#include "registry.h"
#include "scorer.h"

PG_FUNCTION_INFO_V1(grove_create_scoring_view);

/* ERROR when the model cannot score rows of the table. */
static void
check_columns(const char *name, Oid table)
{
	const GroveModel *model = grovepg_model_get(grovepg_registry_model(name, 0), CurrentMemoryContext);
	Relation	relation = table_open(table, AccessShareLock);

	(void) grovepg_scorer_make(model, RelationGetDescr(relation));
	table_close(relation, NoLock);
}

/* create_scoring_view(name text, source regclass, view text, score text) returns regclass */
Datum
grove_create_scoring_view(PG_FUNCTION_ARGS)
{
	char	   *name = grovepg_argument_text(fcinfo, 0, "name");
	char	   *score = grovepg_argument_text(fcinfo, 3, "score");
	Oid			table;
	char	   *table_name;
	char	   *view;
	char	   *statement;
	Oid			created;

	if (PG_ARGISNULL(1))
		grovepg_argument_reject_null("source");
	table = PG_GETARG_OID(1);
	table_name = get_rel_name(table);
	if (table_name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table),
				 errhint("Pass the name of a table, as in 'public.orders'.")));
	check_columns(name, table);
	if (PG_ARGISNULL(2))
		view = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), psprintf("%s_scored", table_name));
	else
		view = text_to_cstring(PG_GETARG_TEXT_PP(2));
	/* the text is a name as in SQL, "schema.view": nothing else gets into the statement */
	view = NameListToQuotedString(grovepg_name_list(view));
	statement = psprintf("CREATE VIEW %s AS SELECT t.*, grove.predict(%s::pg_catalog.text, t) AS %s FROM %s AS t",
						 view, quote_literal_cstr(name), quote_identifier(score),
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), table_name));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	if (SPI_execute(statement, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create view %s", view);
	SPI_finish();
	created = DatumGetObjectId(DirectFunctionCall1(to_regclass, CStringGetTextDatum(view)));
	PG_RETURN_OID(created);
}
