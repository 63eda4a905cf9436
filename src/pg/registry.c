/*
 * registry.c: looking a name up.
 *
 * A look-up is one probe of the index of current versions, without SPI: a
 * statement with parameters that scores one row makes it once and should not
 * pay for a query.  The table's policy is applied here by the same rule that
 * it is made of.
 */
#include "pg_grove.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "registry.h"

/* Columns of grove.models. */
#define ATTRIBUTE_NAME			1
#define ATTRIBUTE_VERSION		2
#define ATTRIBUTE_MODEL			3
#define ATTRIBUTE_OWNER			10
#define ATTRIBUTE_IS_CURRENT	12
#define ATTRIBUTE_READERS		13

/* What a look-up's answer depends on besides the name. */
typedef struct Visibility
{
	Oid			role;
	SubTransactionId subtransaction;	/* its rollback hides rows that it saved */
	CommandId	command;
	TransactionId xmin;
	TransactionId xmax;
	uint32		n_running;		/* those between xmin and xmax only get fewer */
	int32		n_running_below;	/* on a standby all of them are here */
} Visibility;

struct GroveNameSite
{
	MemoryContext owner;
	text	   *name;			/* NULL: none yet */
	Visibility	visibility;
	Datum		model;
};

static bool
may_use(Oid owner, const Oid *readers, int n_readers)
{
	Oid			role = GetUserId();

	if (has_privs_of_role(role, owner))
		return true;
	for (int i = 0; i < n_readers; i++)
	{
		if (readers[i] == ACL_ID_PUBLIC || has_privs_of_role(role, readers[i]))
			return true;
	}
	return false;
}

/* The elements of an oid[] or regrole[] without nulls. */
static const Oid *
array_oids(Datum array, int *n)
{
	ArrayType  *readers = DatumGetArrayTypeP(array);

	if (ARR_NDIM(readers) > 1 || ARR_HASNULL(readers))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("readers must be an array of one dimension without nulls"),
				 errhint("Pass an array of roles such as '{10,16384}'.")));
	*n = ArrayGetNItems(ARR_NDIM(readers), ARR_DIMS(readers));
	return (const Oid *) ARR_DATA_PTR(readers);
}

PG_FUNCTION_INFO_V1(grove_may_use_model);

/* may_use_model(owner oid, readers oid[]) */
Datum
grove_may_use_model(PG_FUNCTION_ARGS)
{
	int			n;
	const Oid  *readers = array_oids(PG_GETARG_DATUM(1), &n);

	PG_RETURN_BOOL(may_use(PG_GETARG_OID(0), readers, n));
}

static Datum
get_column(HeapTuple tuple, AttrNumber attribute, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attribute, desc, &isnull);

	Assert(!isnull);
	return value;
}

static bool
is_wanted(HeapTuple tuple, TupleDesc desc, int version)
{
	int			n;
	const Oid  *readers;

	if (version > 0 ? DatumGetInt32(get_column(tuple, ATTRIBUTE_VERSION, desc)) != version :
		!DatumGetBool(get_column(tuple, ATTRIBUTE_IS_CURRENT, desc)))
		return false;
	readers = array_oids(get_column(tuple, ATTRIBUTE_READERS, desc), &n);
	return may_use(DatumGetObjectId(get_column(tuple, ATTRIBUTE_OWNER, desc)), readers, n);
}

/* Finds a version under a snapshot; false when there is none. */
static bool
find_model(Datum name, int version, Snapshot snapshot, Datum *model)
{
	Oid			schema = get_namespace_oid("grove", false);
	Relation	models = table_open(get_relname_relid("models", schema), AccessShareLock);
	Oid			index = get_relname_relid(version > 0 ? "models_pkey" : "models_current", schema);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyEntryInitialize(&key, 0, ATTRIBUTE_NAME, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID, F_TEXTEQ, name);
	scan = systable_beginscan(models, index, OidIsValid(index), snapshot, 1, &key);
	while (!found && (tuple = systable_getnext(scan)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_wanted(tuple, RelationGetDescr(models), version))
		{
			*model = datumCopy(get_column(tuple, ATTRIBUTE_MODEL, RelationGetDescr(models)), false, -1);
			found = true;
		}
	}
	systable_endscan(scan);
	table_close(models, AccessShareLock);
	return found;
}

static Datum
get_model(Datum name, int version)
{
	bool		pushed = !ActiveSnapshotSet();
	Datum		model;
	bool		found;

	if (pushed)
		PushActiveSnapshot(GetTransactionSnapshot());
	found = find_model(name, version, GetActiveSnapshot(), &model);
	if (pushed)
		PopActiveSnapshot();
	if (!found && version > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" has no version %d", TextDatumGetCString(name), version),
				 errhint("The table grove.models lists the models that you may use.")));
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" does not exist", TextDatumGetCString(name)),
				 errhint("The table grove.models lists the models that you may use.  A model given as a literal needs a cast to bytea.")));
	return model;
}

Datum
grovepg_registry_model(const char *name, int version)
{
	return get_model(CStringGetTextDatum(name), version);
}

bool
grovepg_registry_is_name(FunctionCallInfo fcinfo, int argument)
{
	return get_fn_expr_argtype(fcinfo->flinfo, argument) == TEXTOID;
}

Datum
grovepg_registry_argument(FunctionCallInfo fcinfo, int argument)
{
	Datum		value = PG_GETARG_DATUM(argument);

	return grovepg_registry_is_name(fcinfo, argument) ? get_model(value, 0) : value;
}

GroveNameSite *
grovepg_registry_site(MemoryContext owner)
{
	GroveNameSite *site = MemoryContextAllocZero(owner, sizeof(GroveNameSite));

	site->owner = owner;
	return site;
}

static inline void
get_visibility(Visibility *visibility)
{
	Snapshot	snapshot = ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot();

	visibility->role = GetUserId();
	visibility->subtransaction = GetCurrentSubTransactionId();
	visibility->command = snapshot->curcid;
	visibility->xmin = snapshot->xmin;
	visibility->xmax = snapshot->xmax;
	visibility->n_running = snapshot->xcnt;
	visibility->n_running_below = snapshot->subxcnt;
}

static inline bool
same_visibility(const Visibility *a, const Visibility *b)
{
	return a->command == b->command && a->subtransaction == b->subtransaction && a->xmax == b->xmax &&
		a->xmin == b->xmin && a->n_running == b->n_running &&
		a->n_running_below == b->n_running_below && a->role == b->role;
}

static inline bool
same_name(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

Datum
grovepg_registry_lookup(GroveNameSite *site, Datum name)
{
	text	   *wanted = DatumGetTextPP(name);
	Visibility	visibility;
	MemoryContext previous;

	get_visibility(&visibility);
	if (site->name != NULL && same_name(site->name, wanted) && same_visibility(&site->visibility, &visibility))
		return site->model;
	previous = MemoryContextSwitchTo(site->owner);
	if (site->name != NULL)
	{
		pfree(site->name);
		pfree(DatumGetPointer(site->model));
		site->name = NULL;
	}
	site->model = get_model(PointerGetDatum(wanted), 0);
	site->name = (text *) DatumGetPointer(datumCopy(PointerGetDatum(wanted), false, -1));
	site->visibility = visibility;
	MemoryContextSwitchTo(previous);
	return site->model;
}

PG_FUNCTION_INFO_V1(grove_model);

/* model(name text, version int) returns bytea */
Datum
grove_model(PG_FUNCTION_ARGS)
{
	int			version = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(1))
	{
		version = PG_GETARG_INT32(1);
		if (version < 1)
			grovepg_argument_reject("version", version, "at least 1");
	}
	PG_RETURN_DATUM(get_model(PG_GETARG_DATUM(0), version));
}
