/*
 * fn_registry.c: save, deploy, drop_model, grant_model, revoke_model: what
 * changes a name.
 *
 * Roles have no right to write into grove.models.  These functions check that
 * the caller has the privileges of the name's owner and then run a fixed
 * statement, with nothing but parameters in it, as the owner of the table and
 * with an empty search path: as the server does for foreign keys.  Who comes
 * first saves a name and owns it.
 *
 * Whoever changes a name holds a lock on it to the end of the transaction;
 * another one waits.  A transaction with a snapshot of its own (repeatable
 * read) then gets a serialization failure if it changes the same rows.
 */
#include "pg_grove.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "arguments.h"
#include "model_cache.h"
#include "registry.h"

PG_FUNCTION_INFO_V1(grove_save);
PG_FUNCTION_INFO_V1(grove_deploy);
PG_FUNCTION_INFO_V1(grove_drop_model);
PG_FUNCTION_INFO_V1(grove_grant_model);
PG_FUNCTION_INFO_V1(grove_revoke_model);

#define NAME_LENGTH	256			/* bytes */

/* A statement about the registry. */
typedef struct Statement
{
	const char *text;
	int			n;
	Oid			types[12];
	Datum		values[12];
	char		nulls[13];		/* 'n' or ' ', as SPI takes them */
} Statement;

static void
add_value(Statement *statement, Oid type, Datum value, bool isnull)
{
	Assert(statement->n < (int) lengthof(statement->types));
	statement->types[statement->n] = type;
	statement->values[statement->n] = value;
	statement->nulls[statement->n++] = isnull ? 'n' : ' ';
}

static void
add_text(Statement *statement, const char *text)
{
	add_value(statement, TEXTOID, text == NULL ? (Datum) 0 : CStringGetTextDatum(text), text == NULL);
}

static Oid
registry_table(void)
{
	return get_relname_relid("models", get_namespace_oid("grove", false));
}

static Oid
table_owner(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table grove.models does not exist"),
				 errhint("Create the extension again: it makes that table.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * Runs a statement as the owner of the table.  Needs an SPI connection, whose
 * memory the result lives in.  What an ERROR leaves is put back by the abort
 * of the (sub)transaction.
 */
static uint64
run_as_owner(Statement *statement)
{
	Oid			role;
	int			context;
	int			nest;
	int			result;

	GetUserIdAndSecContext(&role, &context);
	SetUserIdAndSecContext(table_owner(registry_table()), context | SECURITY_LOCAL_USERID_CHANGE);
	nest = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute_with_args(statement->text, statement->n, statement->types, statement->values,
								   statement->nulls, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	AtEOXact_GUC(true, nest);
	SetUserIdAndSecContext(role, context);
	return SPI_processed;
}

static Datum
result_value(int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, isnull);
}

void
grovepg_registry_lock(FunctionCallInfo fcinfo, const char *name)
{
	/* before the lock, which a standby has no such mode of */
	PreventCommandIfReadOnly(psprintf("%s()", get_func_name(fcinfo->flinfo->fn_oid)));
	LockDatabaseObject(registry_table(), DatumGetUInt32(hash_any((const unsigned char *) name, (int) strlen(name))),
					   0, ExclusiveLock);
}

/* The owner of a name, InvalidOid when nobody has it; ERROR when it is not the caller's. */
static Oid
check_owner(const char *name)
{
	Statement	statement = {"SELECT owner FROM grove.models WHERE name = $1 ORDER BY version DESC LIMIT 1"};
	Oid			owner;
	bool		isnull;

	add_text(&statement, name);
	if (run_as_owner(&statement) == 0)
		return InvalidOid;
	owner = DatumGetObjectId(result_value(1, &isnull));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of model \"%s\"", name),
				 errhint("Ask its owner, or save the model under a name of your own.")));
	return owner;
}

static Oid
require_owner(const char *name)
{
	Oid			owner = check_owner(name);

	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", name),
				 errhint("The table grove.models lists the models that you may use.")));
	return owner;
}

static char *
name_argument(FunctionCallInfo fcinfo)
{
	char	   *name = grovepg_argument_text(fcinfo, 0, "name");

	if (name[0] == '\0' || strlen(name) > NAME_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("name of a model must have 1 to %d bytes", NAME_LENGTH),
				 errhint("Choose a name of that length.")));
	return name;
}

static void
begin_change(FunctionCallInfo fcinfo, const char *name)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	grovepg_registry_lock(fcinfo, name);
}

int
grovepg_registry_insert(const char *name, Datum model, const GroveRecipe *recipe, bool deploy, const char *note)
{
	Oid			owner = check_owner(name);
	Statement	insert = {
		"INSERT INTO grove.models (name, version, model, target, task, source, params, metrics, rows, owner, is_current, readers, recipe)"
		" SELECT $1, last.version + 1, $2, d ->> 'target', d ->> 'task', $3, d -> 'params',"
		" CASE WHEN $4 IS NULL THEN d -> 'metrics' ELSE (d -> 'metrics') || jsonb_build_object('retrain', $4::jsonb) END,"
		" (d ->> 'rows')::bigint, $5::regrole, $6, last.readers, jsonb_strip_nulls(jsonb_build_object("
		"'weight', $7, 'base_margin', $8, 'group_by', $9, 'validation', $10, 'key', $11, 'seed', $12))"
		" FROM grove.describe($2) AS d, (SELECT coalesce(max(m.version), 0) AS version,"
		" coalesce((SELECT r.readers FROM grove.models AS r WHERE r.name = $1 ORDER BY r.version DESC LIMIT 1), '{}') AS readers"
		" FROM grove.models AS m WHERE m.name = $1) AS last"
		" RETURNING version"
	};
	bool		isnull;

	if (deploy)
	{
		Statement	retire = {"UPDATE grove.models SET is_current = false WHERE name = $1 AND is_current"};

		add_text(&retire, name);
		run_as_owner(&retire);
	}
	add_text(&insert, name);
	add_value(&insert, BYTEAOID, model, false);
	add_text(&insert, recipe->source);
	add_text(&insert, note);
	add_value(&insert, OIDOID, ObjectIdGetDatum(OidIsValid(owner) ? owner : GetUserId()), false);
	add_value(&insert, BOOLOID, BoolGetDatum(deploy), false);
	add_text(&insert, recipe->weight);
	add_text(&insert, recipe->base_margin);
	add_text(&insert, recipe->group_by);
	add_text(&insert, recipe->validation);
	add_value(&insert, TEXTARRAYOID, PointerGetDatum(recipe->key), recipe->key == NULL);
	add_value(&insert, INT8OID, Int64GetDatum(recipe->seed), false);
	run_as_owner(&insert);
	return DatumGetInt32(result_value(1, &isnull));
}

static char *
text_or_null(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* save(name, model, source, weight, base_margin, group_by, validation, key, seed, deploy) returns the version */
Datum
grove_save(PG_FUNCTION_ARGS)
{
	GroveRecipe recipe = {0};
	char	   *name = name_argument(fcinfo);
	int			version;

	if (PG_ARGISNULL(1))
		grovepg_argument_reject_null("model");
	if (PG_ARGISNULL(8))
		grovepg_argument_reject_null("seed");
	if (PG_ARGISNULL(9))
		grovepg_argument_reject_null("deploy");
	/* hostile bytes must not get further than this */
	(void) grovepg_model_get(PG_GETARG_DATUM(1), CurrentMemoryContext);
	recipe.source = text_or_null(fcinfo, 2);
	recipe.weight = text_or_null(fcinfo, 3);
	recipe.base_margin = text_or_null(fcinfo, 4);
	recipe.group_by = text_or_null(fcinfo, 5);
	recipe.validation = text_or_null(fcinfo, 6);
	recipe.key = PG_ARGISNULL(7) ? NULL : PG_GETARG_ARRAYTYPE_P(7);
	recipe.seed = PG_GETARG_INT64(8);
	begin_change(fcinfo, name);
	version = grovepg_registry_insert(name, PG_GETARG_DATUM(1), &recipe, PG_GETARG_BOOL(9), NULL);
	SPI_finish();
	PG_RETURN_INT32(version);
}

static void
require_version(const char *name, int version)
{
	Statement	statement = {"SELECT is_current FROM grove.models WHERE name = $1 AND version = $2"};

	add_text(&statement, name);
	add_value(&statement, INT4OID, Int32GetDatum(version), false);
	if (run_as_owner(&statement) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", name, version),
				 errhint("The table grove.models lists the versions of each model.")));
}

/* deploy(name, version) */
Datum
grove_deploy(PG_FUNCTION_ARGS)
{
	char	   *name = name_argument(fcinfo);
	Statement	retire = {"UPDATE grove.models SET is_current = false WHERE name = $1 AND is_current"};
	Statement	deploy = {"UPDATE grove.models SET is_current = true WHERE name = $1 AND version = $2"};

	begin_change(fcinfo, name);
	require_owner(name);
	require_version(name, PG_GETARG_INT32(1));
	add_text(&retire, name);
	run_as_owner(&retire);
	add_text(&deploy, name);
	add_value(&deploy, INT4OID, PG_GETARG_DATUM(1), false);
	run_as_owner(&deploy);
	SPI_finish();
	PG_RETURN_VOID();
}

/* drop_model(name, version) returns the number of versions */
Datum
grove_drop_model(PG_FUNCTION_ARGS)
{
	char	   *name = name_argument(fcinfo);
	Statement	drop = {"DELETE FROM grove.models WHERE name = $1 AND ($2 IS NULL OR version = $2)"};
	bool		isnull;
	uint64		n;

	begin_change(fcinfo, name);
	require_owner(name);
	if (!PG_ARGISNULL(1))
	{
		require_version(name, PG_GETARG_INT32(1));
		if (DatumGetBool(result_value(1, &isnull)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("version %d of model \"%s\" is current", PG_GETARG_INT32(1), name),
					 errhint("Deploy another version first, or drop the model with all its versions.")));
	}
	add_text(&drop, name);
	add_value(&drop, INT4OID, PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	n = run_as_owner(&drop);
	SPI_finish();
	PG_RETURN_INT32((int32) n);
}

/* Changes the readers of a name by a statement with the parameters name and role. */
static void
change_readers(FunctionCallInfo fcinfo, const char *update)
{
	char	   *name = name_argument(fcinfo);
	char	   *role = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Oid			reader = strcmp(role, "public") == 0 ? ACL_ID_PUBLIC : get_role_oid(role, false);
	Statement	statement = {update};

	begin_change(fcinfo, name);
	require_owner(name);
	add_text(&statement, name);
	add_value(&statement, OIDOID, ObjectIdGetDatum(reader), false);
	run_as_owner(&statement);
	SPI_finish();
}

/* grant_model(name, role) */
Datum
grove_grant_model(PG_FUNCTION_ARGS)
{
	change_readers(fcinfo, "UPDATE grove.models SET readers = array_append(array_remove(readers, $2::regrole), $2::regrole) WHERE name = $1");
	PG_RETURN_VOID();
}

/* revoke_model(name, role) */
Datum
grove_revoke_model(PG_FUNCTION_ARGS)
{
	change_readers(fcinfo, "UPDATE grove.models SET readers = array_remove(readers, $2::regrole) WHERE name = $1");
	PG_RETURN_VOID();
}

static char *
result_text(int column)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

GroveRecipe *
grovepg_registry_recipe(const char *name, Datum *model, char **target)
{
	GroveRecipe *recipe = palloc0(sizeof(GroveRecipe));
	Statement	statement = {
		"SELECT source, recipe ->> 'weight', recipe ->> 'base_margin', recipe ->> 'group_by', recipe ->> 'validation',"
		" CASE WHEN recipe ? 'key' THEN ARRAY(SELECT jsonb_array_elements_text(recipe -> 'key')) END,"
		" (recipe ->> 'seed')::bigint, model, target, coalesce((metrics -> 'retrain' ->> 'holdout')::float8, 0)"
		" FROM grove.models WHERE name = $1 AND is_current"
	};
	Oid			owner;
	bool		isnull;
	Datum		value;

	owner = require_owner(name);
	/* a stored query must not get rights that it did not have when it was stored */
	if (owner != GetUserId())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the query of model \"%s\" runs as its owner only", name),
				 errhint("SET ROLE %s first.", quote_identifier(GetUserNameFromId(owner, false)))));
	add_text(&statement, name);
	if (run_as_owner(&statement) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no current version", name),
				 errhint("Deploy one with grove.deploy().")));
	recipe->source = result_text(1);
	recipe->weight = result_text(2);
	recipe->base_margin = result_text(3);
	recipe->group_by = result_text(4);
	recipe->validation = result_text(5);
	value = result_value(6, &isnull);
	recipe->key = isnull ? NULL : DatumGetArrayTypePCopy(value);
	recipe->seed = DatumGetInt64(result_value(7, &isnull));
	*model = PointerGetDatum(PG_DETOAST_DATUM_COPY(result_value(8, &isnull)));
	*target = result_text(9);
	recipe->held_out = DatumGetFloat8(result_value(10, &isnull));
	return recipe;
}
