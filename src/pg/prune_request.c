/*
 * prune_request.c: the arguments of grove.prune and grove.prune_plan.
 *
 * Everything that can be known without reading a row is checked here, so that
 * a long scan never ends in a complaint about an argument.
 */
#include "pg_grove.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "arguments.h"
#include "nearest.h"
#include "prune_job.h"
#include "source.h"

/* Order of the arguments in SQL. */
enum
{
	ARG_ROW_TYPE, ARG_SOURCE, ARG_KEEP, ARG_N, ARG_METHOD, ARG_KEY, ARG_BY, ARG_READMIT, ARG_GAMMA,
	ARG_TARGET, ARG_MODEL, ARG_EXACT, ARG_SEED, ARG_PARAMS
};

#define CLASS_CAP 0.2			/* default of the option class_cap */
#define GAMMA_MAX 10			/* frequencies of 2^31 to this power are far from the ends of the doubles */

/* The methods that sample, in the order of GrovePruneMethod, and the one that does not. */
static const char *const methods[] = {
	"random", "stratified", "inverse", "negatives", "weighted", "surprise", "gradient", "noise", "duplicates"
};

#define METHOD_DUPLICATES	8

static char *
text_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static bool
boolean_argument(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null(name);
	return PG_GETARG_BOOL(i);
}

static void
read_method(FunctionCallInfo fcinfo, PruneRequest *request)
{
	int			found;

	if (PG_ARGISNULL(ARG_METHOD))
		request->method = PG_ARGISNULL(ARG_TARGET) ? "random" : "surprise";
	else
		request->method = text_to_cstring(PG_GETARG_TEXT_PP(ARG_METHOD));
	found = grovepg_prune_find_name(request->method, methods, lengthof(methods));
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized method \"%s\"", request->method),
				 errhint("%s", grovepg_nearest_hint(request->method, methods, lengthof(methods), "method"))));
	request->merge = found == METHOD_DUPLICATES;
	if (!request->merge)
		request->design.method = (GrovePruneMethod) found;
	request->guided = !request->merge && request->design.method >= GROVE_PRUNE_SURPRISE;
}

/* How much to keep: a share or a number, one of the two. */
static void
read_size(FunctionCallInfo fcinfo, PruneRequest *request)
{
	if (PG_ARGISNULL(ARG_KEEP) == PG_ARGISNULL(ARG_N))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("one of \"keep\" and \"n\" must be given, %s",
						PG_ARGISNULL(ARG_N) ? "not none" : "not both"),
				 errhint("\"keep\" is the share of rows to keep, \"n\" their number.")));
	request->design.counted = !PG_ARGISNULL(ARG_N);
	if (request->design.counted)
		request->design.n = (uint64_t) grovepg_argument_int64(fcinfo, ARG_N, "n", 0, PG_INT64_MAX);
	else
		request->design.keep = grovepg_argument_float(fcinfo, ARG_KEEP, "keep", 0, 1);
}

/* Merging draws nothing: no argument of a sampling design may be given. */
static void
check_merge(FunctionCallInfo fcinfo, const PruneRequest *request)
{
	const char *unused = !PG_ARGISNULL(ARG_KEEP) ? "keep" :
		!PG_ARGISNULL(ARG_N) ? "n" :
		!PG_ARGISNULL(ARG_BY) ? "by" :
		request->design.readmit != 0 ? "readmit" :
		request->design.gamma != 1 ? "gamma" :
		!request->design.exact ? "exact" : NULL;

	if (unused != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" has no effect with method \"duplicates\"", unused),
				 errhint("It keeps one row of each group of equal rows; how many there are follows from the source.")));
	if (request->target == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"duplicates\" needs a target"),
				 errhint("Name the column that training is to predict, as in target => 'bought'.")));
}

/* What a model says of a row decides; there is nothing to spread over or to draw back. */
static void
check_guided(FunctionCallInfo fcinfo, const PruneRequest *request)
{
	const char *unused = !PG_ARGISNULL(ARG_BY) ? "by" :
		request->design.readmit != 0 ? "readmit" :
		request->design.gamma != 1 ? "gamma" :
		!request->design.exact && request->design.method == GROVE_PRUNE_NOISE ? "exact" : NULL;

	if (unused != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" has no effect with method \"%s\"", unused, request->method),
				 errhint("Which rows it keeps follows from what a model says of them.")));
	if (request->target == 0 && !request->has_model)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" needs a target", request->method),
				 errhint("Name the column that training is to predict, as in target => 'bought'.")));
}

/* The weights decide; no value is frequent or rare, so nothing can be drawn back for being rare. */
static void
check_weighted(const PruneRequest *request)
{
	const char *unused = request->design.readmit != 0 ? "readmit" : request->design.gamma != 1 ? "gamma" : NULL;

	if (unused != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" has no effect with method \"weighted\"", unused),
				 errhint("The \"by\" column is a weight there, not a value whose frequency counts; to draw some rows back, add to their weight.")));
	if (request->n_by != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"weighted\" needs one \"by\" column, not %d", request->n_by),
				 errhint("Name the numeric column with the weights, as in by => '{amount}'.")));
}

/* What a method cannot do without, and what it has no use for. */
static void
check_roles(FunctionCallInfo fcinfo, const PruneRequest *request)
{
	GrovePruneMethod method = request->design.method;

	if (request->merge)
		check_merge(fcinfo, request);
	else if (request->guided)
		check_guided(fcinfo, request);
	else if (method == GROVE_PRUNE_WEIGHTED)
		check_weighted(request);
	else if (request->n_by == 0 &&
		(method == GROVE_PRUNE_STRATIFIED || method == GROVE_PRUNE_INVERSE || request->design.readmit > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 request->design.readmit > 0 ?
				 errmsg("readmission needs \"by\" columns") :
				 errmsg("method \"%s\" needs \"by\" columns", request->method),
				 errhint("Name the columns whose values %s, as in by => '{item}'.",
						 method == GROVE_PRUNE_STRATIFIED ? "make the strata" : "are counted")));
	if (method == GROVE_PRUNE_NEGATIVES && request->target == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"negatives\" needs a target"),
				 errhint("Name the column with the classes, as in target => 'bought'.")));
	if (request->has_model && !request->guided)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" does not use a model", request->method),
				 errhint("Leave out \"model\", or use the method \"surprise\", \"gradient\" or \"noise\".")));
}

/* Puts the columns of all roles into one list. */
static void
read_columns(FunctionCallInfo fcinfo, PruneRequest *request, Oid relation)
{
	List	   *key = grovepg_key_columns(PG_ARGISNULL(ARG_KEY) ? NULL : PG_GETARG_ARRAYTYPE_P(ARG_KEY), relation);
	AttrNumber *by = grovepg_source_column_list(request->columns,
												PG_ARGISNULL(ARG_BY) ? NULL : PG_GETARG_ARRAYTYPE_P(ARG_BY),
												"by", &request->n_by);
	ListCell   *lc;

	if (!PG_ARGISNULL(ARG_TARGET))
		request->target = grovepg_source_column(request->columns,
												text_argument(fcinfo, ARG_TARGET, "target"), "target");
	request->deciding = palloc(sizeof(AttrNumber) * (list_length(key) + request->n_by + 1));
	foreach(lc, key)
		request->deciding[request->n_key++] = grovepg_source_column(request->columns, lfirst(lc), "key");
	for (int i = 0; i < request->n_by; i++)
		request->deciding[request->n_key + i] = by[i];
	request->n_columns = request->n_key + request->n_by;
	if (request->design.method == GROVE_PRUNE_NEGATIVES)
		request->deciding[request->n_columns++] = request->target;
}

PruneRequest *
grovepg_prune_request(FunctionCallInfo fcinfo)
{
	PruneRequest *request = palloc0(sizeof(PruneRequest));
	char	   *query;
	Oid			relation;

	read_method(fcinfo, request);
	if (!request->merge)
		read_size(fcinfo, request);
	request->design.readmit = grovepg_argument_float(fcinfo, ARG_READMIT, "readmit", 0, 1);
	request->design.gamma = grovepg_argument_float(fcinfo, ARG_GAMMA, "gamma", 0, GAMMA_MAX);
	request->design.exact = boolean_argument(fcinfo, ARG_EXACT, "exact");
	request->seed = grovepg_argument_int64(fcinfo, ARG_SEED, "seed", PG_INT64_MIN, PG_INT64_MAX);

	request->design.class_cap = CLASS_CAP;
	request->has_model = !PG_ARGISNULL(ARG_MODEL);
	if (request->has_model)
		request->model = PG_GETARG_DATUM(ARG_MODEL);

	query = grovepg_source_query(text_argument(fcinfo, ARG_SOURCE, "source"), &relation);
	request->query = query;
	request->source = grovepg_reread_begin(query, relation);
	request->columns = grovepg_reread_columns(request->source);
	read_columns(fcinfo, request, relation);
	grovepg_prune_options(request, PG_ARGISNULL(ARG_PARAMS) ? NULL : PG_GETARG_JSONB_P(ARG_PARAMS));
	check_roles(fcinfo, request);
	if (request->guided && request->design.method == GROVE_PRUNE_NOISE)
		request->design.exact = false;	/* nothing is drawn, so no keys need be counted */
	return request;
}
