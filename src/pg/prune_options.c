/*
 * prune_options.c: the argument "params" of grove.prune: options that only one
 * method has.  An option that the method does not look at is an ERROR.
 */
#include "pg_grove.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/numeric.h"

#include "feature.h"
#include "nearest.h"
#include "options.h"
#include "pilot.h"
#include "prune_job.h"
#include "source.h"

static const char *const allocations[] = {"proportional", "equal", "power", "neyman"};
static const char *const options[] = {
	"allocation", "spread", "pi_min", "positive_class", "ignore", "max_bin", "min_data_per_level",
	"pilot", "task", "folds", "pilot_rows", "lambda", "class_cap", "weights"
};

#define GUIDED		"the methods \"surprise\", \"gradient\" and \"noise\""
#define LAMBDA_MAX	1e6

int
grovepg_prune_find_name(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	return -1;
}

/* An option that other methods have. */
static void
reject_option(const PruneRequest *request, const char *option, const char *owners)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" has no effect with method \"%s\"", option, request->method),
			 errhint("It belongs to %s.", owners)));
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

/* Beyond the doubles it is infinite. */
static double
number_option(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

static void
set_allocation(PruneRequest *request, const char *name)
{
	int			found = grovepg_prune_find_name(name, allocations, lengthof(allocations));

	if (request->design.method != GROVE_PRUNE_STRATIFIED)
		reject_option(request, "allocation", "method \"stratified\"");
	if (found < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized allocation \"%s\"", name),
				 errhint("%s", grovepg_nearest_hint(name, allocations, lengthof(allocations), "allocation"))));
	request->design.allocation = (GrovePruneAllocation) found;
}

static void
set_pi_min(PruneRequest *request, const JsonbValue *value)
{
	double		number;

	if (request->design.method != GROVE_PRUNE_INVERSE)
		reject_option(request, "pi_min", "method \"inverse\"");
	if (value->type != jbvNumeric)
		reject_type("pi_min", "a number");
	number = number_option(value);
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
		reject_option(request, "spread", "method \"stratified\"");
	request->spread = grovepg_source_column(request->columns, column, "spread");
	if (!grovepg_feature_type(TupleDescAttr(request->columns, request->spread - 1)->atttypid, &type) ||
		type.kind != GROVE_FEATURE_NUMERIC)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("spread column \"%s\" is not numeric", column),
				 errhint("Neyman allocation needs a column that has a standard deviation.")));
}

/* Names of columns that are no features. */
static void
set_ignore(PruneRequest *request, const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;

	if (!request->merge && !request->guided)
		reject_option(request, "ignore", "the methods \"surprise\", \"gradient\", \"noise\" and \"duplicates\"");
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		reject_type("ignore", "an array of column names");
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE)
	{
		char	   *column;

		if (token != WJB_ELEM)
			continue;
		if (element.type != jbvString)
			reject_type("ignore", "an array of column names");
		column = pnstrdup(element.val.string.val, element.val.string.len);
		if (grovepg_source_column(request->columns, column, "ignored") == request->target)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"ignore\" names the target column \"%s\"", column),
					 errhint("Leave it out there; the target is never a feature.")));
		request->ignore = lappend(request->ignore, column);
	}
}

/* An option that means what it means to train(). */
static void
set_training_option(PruneRequest *request, const char *name, const JsonbValue *value)
{
	const GroveParamInfo *info = grove_params_find(name);
	double		number;

	if (!request->merge)
		reject_option(request, name, "method \"duplicates\"");
	if (value->type != jbvNumeric)
		reject_type(name, "a number");
	number = number_option(value);
	if (grove_params_set(&request->training, info, number) != GROVE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range: %g", name, number),
				 errhint("It must be an integer between %.0f and %.0f.", info->min, info->max)));
}

/* A number of a guided method. */
static double
guided_number(const PruneRequest *request, const char *name, const JsonbValue *value, double low, double high,
			  bool whole)
{
	double		number;

	if (value->type != jbvNumeric)
		reject_type(name, "a number");
	number = number_option(value);
	if (!(number >= low && number <= high) || (whole && number != floor(number)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" is out of range: %g", name, number),
				 errhint("It must be %s between %g and %g.", whole ? "an integer" : "a number", low, high)));
	return number;
}

/* An option of the methods that a model guides. */
static void
set_guided_option(PruneRequest *request, const char *name, JsonbValue *value)
{
	if (!request->guided)
		reject_option(request, name, GUIDED);
	if (strcmp(name, "lambda") == 0)
	{
		if (request->design.method != GROVE_PRUNE_GRADIENT)
			reject_option(request, name, "method \"gradient\"");
		request->lambda = guided_number(request, name, value, 0, LAMBDA_MAX, false);
		return;
	}
	if (strcmp(name, "class_cap") == 0)
	{
		if (request->design.method != GROVE_PRUNE_NOISE)
			reject_option(request, name, "method \"noise\"");
		request->design.class_cap = guided_number(request, name, value, 0, 1, false);
		return;
	}
	if (request->has_model)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" has no effect when a model is given", name),
				 errhint("It is about the pilots that are trained without one.")));
	if (strcmp(name, "task") == 0)
		request->task = string_option(name, value);
	else if (strcmp(name, "folds") == 0)
		request->folds = (int) guided_number(request, name, value, 2, GROVE_PILOT_FOLDS_MAX, true);
	else if (strcmp(name, "pilot_rows") == 0)
		request->pilot_rows = (int64) guided_number(request, name, value, 1, GROVE_MAX_ROWS, true);
	else if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		reject_type(name, "an object of options of train()");
	else
		grovepg_options_parse(JsonbValueToJsonb(value), &request->training);
}

/* What the weights of kept rows are for. */
static void
set_weights(PruneRequest *request, const char *name)
{
	if (request->guided || request->merge || request->design.method != GROVE_PRUNE_INVERSE)
		reject_option(request, "weights", "method \"inverse\"");
	if (strcmp(name, "restore") != 0 && strcmp(name, "flatten") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized value of option \"weights\": \"%s\"", name),
				 errhint("\"restore\" gives kept rows the weight 1/pi, which restores the source; \"flatten\" gives them the weight 1, so that rare values count more than in the source.")));
	request->flatten = strcmp(name, "flatten") == 0;
}

static void
set_option(PruneRequest *request, const char *name, JsonbValue *value)
{
	switch (grovepg_prune_find_name(name, options, lengthof(options)))
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
				reject_option(request, name, "method \"negatives\"");
			request->positive_class = string_option(name, value);
			break;
		case 4:
			set_ignore(request, value);
			break;
		case 5:
		case 6:
			set_training_option(request, name, value);
			break;
		case 7:
		case 8:
		case 9:
		case 10:
		case 11:
		case 12:
			set_guided_option(request, name, value);
			break;
		case 13:
			set_weights(request, string_option(name, value));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized option \"%s\"", name),
					 errhint("%s", grovepg_nearest_hint(name, options, lengthof(options), "option"))));
	}
}

void
grovepg_prune_options(PruneRequest *request, Jsonb *params)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *name = "";		/* a key comes before every value */

	grove_params_init(&request->training);
	request->task = "auto";
	request->folds = GROVE_PILOT_FOLDS;
	request->pilot_rows = GROVE_PILOT_ROWS;
	request->lambda = 1;
	if (params == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(params))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"params\" must be a JSON object"),
				 errhint("Write for example {\"positive_class\": \"yes\"}.")));
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
