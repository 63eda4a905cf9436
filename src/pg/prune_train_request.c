/*
 * prune_train_request.c: the arguments of grove.prune_train.
 *
 * "params" holds the options of the loop itself, those of prune() in an
 * object "prune", and for the rest those of train(), which checks them.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "../core/params.h"
#include "arguments.h"
#include "nearest.h"
#include "options.h"
#include "prune_train_job.h"
#include "source.h"

/* Order of the arguments in SQL. */
enum
{
	ARG_SOURCE, ARG_TARGET, ARG_KEY, ARG_SCHEDULE, ARG_MAX_LOSS, ARG_CONFIDENCE, ARG_METHOD, ARG_SPLIT_BY,
	ARG_VALIDATION, ARG_PARAMS, ARG_SEED
};

#define MAX_ROUNDS	1000

static const char *const methods[] = {"surprise", "gradient", "random", "stratified", "inverse", "negatives", "weighted"};
static const char *const metrics[] = {"auc", "log_loss", "rmse", "mae"};
static const char *const extra_columns[] = {"grove_weight", "grove_log_offset", "grove_validation"};

/* ------------------------------------------------------------ loop's options */

/* Takes an option out of the params; NULL when it is not there. */
static JsonbValue *
take_option(LoopRequest *request, const char *name, enum jbvType type, const char *wanted)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&request->training->root, name, (int) strlen(name), NULL);

	if (value == NULL)
		return NULL;
	if (value->type != type)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("wrong JSON type for option \"%s\"", name),
				 errhint("\"%s\" takes %s.", name, wanted)));
	request->training = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(request->training),
														   PointerGetDatum(cstring_to_text(name))));
	return value;
}

static double
take_number(LoopRequest *request, const char *name, double otherwise, double low, double high)
{
	JsonbValue *value = take_option(request, name, jbvNumeric, "a number");
	double		number;

	if (value == NULL)
		return otherwise;
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!(number >= low && number <= high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range: %g", name, number),
				 errhint("It must be between %g and %g.", low, high)));
	return number;
}

static char *
take_string(LoopRequest *request, const char *name)
{
	JsonbValue *value = take_option(request, name, jbvString, "a string");

	return value == NULL ? NULL : pnstrdup(value->val.string.val, value->val.string.len);
}

static List *
take_names(LoopRequest *request, const char *name)
{
	JsonbValue *value = take_option(request, name, jbvBinary, "an array of column names");
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	List	   *names = NIL;

	if (value == NULL)
		return NIL;
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		char	   *column;

		if (token == WJB_BEGIN_ARRAY || token == WJB_END_ARRAY)
			continue;
		if (token != WJB_ELEM || element.type != jbvString)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("wrong JSON type for option \"%s\"", name),
					 errhint("\"%s\" takes an array of column names.", name)));
		column = pnstrdup(element.val.string.val, element.val.string.len);
		(void) grovepg_source_column(request->columns, column, name);
		names = lappend(names, column);
	}
	return names;
}

static void
read_metric(LoopRequest *request)
{
	char	   *name = take_string(request, "metric");

	if (name == NULL)
		return;
	for (int i = 0; i < (int) lengthof(metrics); i++)
	{
		if (strcmp(name, metrics[i]) == 0)
			request->metric = (LoopMetric) (i + 1);
	}
	if (request->metric == LOOP_METRIC_DEFAULT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized metric \"%s\"", name),
				 errhint("%s", grovepg_nearest_hint(name, metrics, lengthof(metrics), "metric"))));
}

static void
read_params(FunctionCallInfo fcinfo, LoopRequest *request)
{
	JsonbValue *pruning;
	GroveParams params;

	if (PG_ARGISNULL(ARG_PARAMS))
		grovepg_argument_reject_null("params");
	request->training = PG_GETARG_JSONB_P(ARG_PARAMS);
	if (!JB_ROOT_IS_OBJECT(request->training))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"params\" must be a JSON object"),
				 errhint("Write for example {\"num_iterations\": 100}.")));
	request->holdout = take_number(request, "holdout", 0.2, 0.01, 0.9);
	request->sealed = take_number(request, "sealed", 0.2, 0.01, 0.9);
	if (request->holdout + request->sealed > 0.95)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"holdout\" and \"sealed\" leave too little to train on"),
				 errhint("Their sum must be at most 0.95.")));
	request->calibration = take_number(request, "calibration", 0.05, 0, 1e6);
	request->readmit = take_number(request, "readmit", 0, 0, 1);
	request->gamma = take_number(request, "gamma", 1, 0, 10);
	request->by = take_names(request, "by");
	request->ignore = take_names(request, "ignore");
	request->task = take_string(request, "task");
	read_metric(request);
	pruning = take_option(request, "prune", jbvBinary, "an object, the options of prune()");
	if (pruning != NULL)
		request->pruning = JsonbValueToJsonb(pruning);
	/* what is left is for train(): complain before the source is read */
	grove_params_init(&params);
	grovepg_options_parse(request->training, &params);
	request->boosted = params.algorithm == GROVE_PARAM_ALGORITHM_GBDT;
	request->early = params.early_stopping_rounds > 0;
	request->min_rows = (int) params.min_data_in_leaf;
}

/* ---------------------------------------------------------------- arguments */

static void
read_schedule(FunctionCallInfo fcinfo, LoopRequest *request)
{
	Datum	   *elements;
	bool	   *nulls;

	if (PG_ARGISNULL(ARG_SCHEDULE))
		grovepg_argument_reject_null("schedule");
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(ARG_SCHEDULE), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, &nulls, &request->n_rounds);
	if (request->n_rounds > MAX_ROUNDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"schedule\" has %d rounds", request->n_rounds),
				 errhint("It must have at most %d.", MAX_ROUNDS)));
	request->schedule = palloc(sizeof(double) * Max(request->n_rounds, 1));
	for (int i = 0; i < request->n_rounds; i++)
	{
		double		share = nulls[i] ? 0 : DatumGetFloat8(elements[i]);

		if (nulls[i])
			grovepg_argument_reject_null("schedule");
		if (!(share > 0 && share < 1))
			grovepg_argument_reject("schedule", share, "shares above 0 and below 1");
		if (i > 0 && share >= request->schedule[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"schedule\" does not fall: %g after %g", share, request->schedule[i - 1]),
					 errhint("Rounds are tested from the mildest on, until the first that loses too much.")));
		request->schedule[i] = share;
	}
}

static void
read_method(FunctionCallInfo fcinfo, LoopRequest *request)
{
	request->method = grovepg_argument_text(fcinfo, ARG_METHOD, "method");
	for (int i = 0; i < (int) lengthof(methods); i++)
	{
		if (strcmp(request->method, methods[i]) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized method \"%s\"", request->method),
			 errhint("%s", grovepg_nearest_hint(request->method, methods, lengthof(methods), "method"))));
}

static List *
read_split_by(FunctionCallInfo fcinfo, LoopRequest *request)
{
	int			n;
	AttrNumber *numbers;
	List	   *names = NIL;

	if (PG_ARGISNULL(ARG_SPLIT_BY))
		return request->key;
	numbers = grovepg_source_column_list(request->columns, PG_GETARG_ARRAYTYPE_P(ARG_SPLIT_BY), "split_by", &n);
	for (int i = 0; i < n; i++)
		names = lappend(names, NameStr(TupleDescAttr(request->columns, numbers[i] - 1)->attname));
	return names == NIL ? request->key : names;
}

LoopRequest *
grovepg_loop_request(FunctionCallInfo fcinfo)
{
	LoopRequest *request = palloc0(sizeof(LoopRequest));
	Oid			relation;
	ListCell   *lc;

	request->query = grovepg_source_query(grovepg_argument_text(fcinfo, ARG_SOURCE, "source"), &relation);
	request->columns = grovepg_source_columns(request->query);
	request->target = grovepg_argument_text(fcinfo, ARG_TARGET, "target");
	(void) grovepg_source_column(request->columns, request->target, "target");
	request->key = grovepg_key_columns(PG_ARGISNULL(ARG_KEY) ? NULL : PG_GETARG_ARRAYTYPE_P(ARG_KEY), relation);
	foreach(lc, request->key)
		(void) grovepg_source_column(request->columns, lfirst(lc), "key");
	read_schedule(fcinfo, request);
	request->max_loss = grovepg_argument_float(fcinfo, ARG_MAX_LOSS, "max_loss", 0, 1);
	request->confidence = grovepg_argument_float(fcinfo, ARG_CONFIDENCE, "confidence", 0.5, 0.9999);
	read_method(fcinfo, request);
	request->split_by = read_split_by(fcinfo, request);
	if (!PG_ARGISNULL(ARG_VALIDATION))
	{
		int			attno;

		request->validation = text_to_cstring(PG_GETARG_TEXT_PP(ARG_VALIDATION));
		attno = grovepg_source_column(request->columns, request->validation, "validation");
		if (getBaseType(TupleDescAttr(request->columns, attno - 1)->atttypid) != BOOLOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("validation column \"%s\" is not boolean", request->validation),
					 errhint("It is true in the rows that are not trained on, as in \"day >= date '2026-01-01' AS later\".")));
	}
	read_params(fcinfo, request);
	if (request->by == NIL && (strcmp(request->method, "stratified") == 0 || strcmp(request->method, "inverse") == 0 ||
							   strcmp(request->method, "weighted") == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"%s\" needs the option \"by\"", request->method),
				 errhint("Name its columns, as in params => '{\"by\": [\"item\"]}'.")));
	request->seed = grovepg_argument_int64(fcinfo, ARG_SEED, "seed", PG_INT64_MIN, PG_INT64_MAX);
	for (int i = 0; i < request->columns->natts; i++)
	{
		for (int k = 0; k < (int) lengthof(extra_columns); k++)
		{
			if (strcmp(NameStr(TupleDescAttr(request->columns, i)->attname), extra_columns[k]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("source must not have a column \"%s\"", extra_columns[k]),
						 errdetail("The loop adds a column of that name."),
						 errhint("Give the column of the source another name.")));
		}
	}
	return request;
}
