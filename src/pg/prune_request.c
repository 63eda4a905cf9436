/*
 * prune_request.c: the arguments of grove.prune and grove.prune_plan.
 *
 * Everything that can be known without reading a row is checked here, so that
 * a long scan never ends in a complaint about an argument.
 */
#include "pg_grove.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "arguments.h"
#include "feature.h"
#include "nearest.h"
#include "prune_job.h"
#include "source.h"

/* Order of the arguments in SQL. */
enum
{
	ARG_ROW_TYPE, ARG_SOURCE, ARG_KEEP, ARG_N, ARG_METHOD, ARG_KEY, ARG_BY, ARG_READMIT, ARG_GAMMA,
	ARG_TARGET, ARG_MODEL, ARG_EXACT, ARG_SEED, ARG_PARAMS
};

#define GAMMA_MAX 10			/* frequencies of 2^31 to this power are far from the ends of the doubles */

static const char *const methods[] = {"random", "stratified", "inverse", "negatives"};
static const char *const guided[] = {"surprise", "gradient", "noise", "duplicates"};
static const char *const allocations[] = {"proportional", "equal", "power", "neyman"};
static const char *const options[] = {"allocation", "spread", "pi_min", "positive_class"};

/* Index of a name in a list, or -1. */
static int
find_name(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	return -1;
}

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

	request->method = text_argument(fcinfo, ARG_METHOD, "method");
	found = find_name(request->method, methods, lengthof(methods));
	if (found >= 0)
	{
		request->design.method = (GrovePruneMethod) found;
		return;
	}
	if (find_name(request->method, guided, lengthof(guided)) >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("method \"%s\" is not available in this version", request->method),
				 errhint("Methods are \"random\", \"stratified\", \"inverse\" and \"negatives\".")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized method \"%s\"", request->method),
			 errhint("The nearest method is \"%s\"; there are \"random\", \"stratified\", \"inverse\" and \"negatives\".",
					 grovepg_nearest_name(request->method, methods, lengthof(methods)))));
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

/* An option that only one method has. */
static void
reject_option(const PruneRequest *request, const char *option, const char *owner)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" has no effect with method \"%s\"", option, request->method),
			 errhint("It belongs to method \"%s\".", owner)));
}

static void
reject_type(const char *option, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("wrong JSON type for option \"%s\"", option),
			 errhint("\"%s\" takes %s.", option, wanted)));
}

static char *
string_option(const char *option, const JsonbValue *value)
{
	if (value->type != jbvString)
		reject_type(option, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static void
set_allocation(PruneRequest *request, const char *name)
{
	int			found = find_name(name, allocations, lengthof(allocations));

	if (request->design.method != GROVE_PRUNE_STRATIFIED)
		reject_option(request, "allocation", "stratified");
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized allocation \"%s\"", name),
				 errhint("The nearest is \"%s\"; there are \"proportional\", \"equal\", \"power\" and \"neyman\".",
						 grovepg_nearest_name(name, allocations, lengthof(allocations)))));
	request->design.allocation = (GrovePruneAllocation) found;
}

static void
set_pi_min(PruneRequest *request, const JsonbValue *value)
{
	double		number;

	if (request->design.method != GROVE_PRUNE_INVERSE)
		reject_option(request, "pi_min", "inverse");
	if (value->type != jbvNumeric)
		reject_type("pi_min", "a number");
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(value->val.numeric)));
	if (!(number >= 0 && number <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"pi_min\" is out of range: %g", number),
				 errhint("It must be between 0 and 1.")));
	request->design.pi_min = number;
}

static void
set_spread(PruneRequest *request, const char *column)
{
	GroveFeatureType type;

	if (request->design.method != GROVE_PRUNE_STRATIFIED)
		reject_option(request, "spread", "stratified");
	request->spread = grovepg_source_column(request->columns, column, "spread");
	if (!grovepg_feature_type(TupleDescAttr(request->columns, request->spread - 1)->atttypid, &type) ||
		type.kind != GROVE_FEATURE_NUMERIC)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("spread column \"%s\" is not numeric", column),
				 errhint("Neyman allocation needs a column that has a standard deviation.")));
}

static void
set_option(PruneRequest *request, const char *name, const JsonbValue *value)
{
	switch (find_name(name, options, lengthof(options)))
	{
		case 0:
			set_allocation(request, string_option(name, value));
			break;
		case 1:
			set_spread(request, string_option(name, value));
			break;
		case 2:
			set_pi_min(request, value);
			break;
		case 3:
			if (request->design.method != GROVE_PRUNE_NEGATIVES)
				reject_option(request, name, "negatives");
			request->positive_class = string_option(name, value);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized option \"%s\"", name),
					 errhint("The nearest option is \"%s\".",
							 grovepg_nearest_name(name, options, lengthof(options)))));
	}
}

static void
read_options(FunctionCallInfo fcinfo, PruneRequest *request)
{
	Jsonb	   *params;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *name = NULL;

	if (PG_ARGISNULL(ARG_PARAMS))
		return;
	params = PG_GETARG_JSONB_P(ARG_PARAMS);
	if (!JB_ROOT_IS_OBJECT(params))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"params\" must be a JSON object")));
	iterator = JsonbIteratorInit(&params->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			set_option(request, name, &value);
	}
	if ((request->design.allocation == GROVE_ALLOCATE_NEYMAN) != (request->spread != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("allocation \"neyman\" and option \"spread\" go together"),
				 errhint("\"spread\" names the numeric column whose standard deviation counts.")));
}

/* What a method cannot do without, and what it has no use for. */
static void
check_roles(FunctionCallInfo fcinfo, const PruneRequest *request)
{
	GrovePruneMethod method = request->design.method;

	if (request->n_by == 0 &&
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
	if (!PG_ARGISNULL(ARG_MODEL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" does not use a model", request->method)));
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
	read_size(fcinfo, request);
	request->design.readmit = grovepg_argument_float(fcinfo, ARG_READMIT, "readmit", 0, 1);
	request->design.gamma = grovepg_argument_float(fcinfo, ARG_GAMMA, "gamma", 0, GAMMA_MAX);
	request->design.exact = boolean_argument(fcinfo, ARG_EXACT, "exact");
	request->seed = grovepg_argument_int64(fcinfo, ARG_SEED, "seed", PG_INT64_MIN, PG_INT64_MAX);

	query = grovepg_source_query(text_argument(fcinfo, ARG_SOURCE, "source"), &relation);
	request->source = grovepg_reread_begin(query, relation);
	request->columns = grovepg_reread_columns(request->source);
	read_columns(fcinfo, request, relation);
	read_options(fcinfo, request);
	check_roles(fcinfo, request);
	return request;
}
