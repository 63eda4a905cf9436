/*
 * options.c: the params argument of train(), a JSON object, and back.
 *
 * Nothing is silently ignored: an option that does not exist, has another
 * JSON type, is out of range, stands there under two names, or has no effect
 * under the chosen algorithm is an ERROR, and the hint says what is valid.
 * Numbers are numbers: "31" in quotes is refused rather than guessed at.
 */
#include "pg_grove.h"

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "options.h"

/* A user's string for an error message, cut at a length that a log can bear. */
static char *
clip_text(const char *data, int length)
{
	int			kept = pg_mbcliplen(data, length, NAMEDATALEN);

	return psprintf("%s%s", pnstrdup(data, kept), kept < length ? "..." : "");
}

/* Appends the choices of an enum option: "a", "b" or "c". */
static void
append_choices(StringInfo text, const char *choices)
{
	appendStringInfoChar(text, '"');
	for (; *choices != '\0'; choices++)
	{
		if (*choices != '|')
			appendStringInfoChar(text, *choices);
		else if (strchr(choices + 1, '|') != NULL)
			appendStringInfoString(text, "\", \"");
		else
			appendStringInfoString(text, "\" or \"");
	}
	appendStringInfoChar(text, '"');
}

/* What an option takes, for the end of a sentence: 'an integer from 2 to 32768'. */
static char *
describe_values(const GroveParamInfo *info)
{
	StringInfoData text;

	initStringInfo(&text);
	switch (info->type)
	{
		case GROVE_PARAM_INT:
			appendStringInfo(&text, "an integer from %.0f to %.0f", info->min, info->max);
			break;
		case GROVE_PARAM_REAL:
			appendStringInfo(&text, "a number from %g to %g", info->min, info->max);
			break;
		case GROVE_PARAM_BOOL:
			appendStringInfoString(&text, "true or false");
			break;
		case GROVE_PARAM_ENUM:
			append_choices(&text, info->choices);
			break;
		case GROVE_PARAM_TEXT:
			appendStringInfo(&text, "a string of 1 to %d bytes", GROVE_PARAM_TEXT_BYTES);
			break;
		case GROVE_PARAM_JSON:
			appendStringInfo(&text, "%s", info->help);
			break;
	}
	return text.data;
}

static void report_unknown(const char *name) pg_attribute_noreturn();

static void
report_unknown(const char *name)
{
	const char *nearest = grove_params_nearest(name);
	const GroveParamInfo *info = grove_params_find(nearest);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized option \"%s\"", name),
			 strcmp(nearest, info->name) == 0 ?
			 errhint("The nearest option is \"%s\", which takes %s.", nearest, describe_values(info)) :
			 errhint("The nearest option is \"%s\", another name of \"%s\", which takes %s.",
					 nearest, info->name, describe_values(info))));
}

static const char *
json_type_name(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "string";
		case jbvNumeric:
			return "number";
		case jbvBool:
			return "boolean";
		default:
			break;
	}
	if (value->type == jbvArray ||
		(value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data)))
		return "array";
	return "object";
}

static void
report_type(const char *name, const GroveParamInfo *info, const JsonbValue *value)
{
	bool		quoted = value->type == jbvString && info->type != GROVE_PARAM_ENUM;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("wrong JSON type for option \"%s\"", name),
			 quoted ?
			 errdetail("The value is the string \"%s\".",
					   clip_text(value->val.string.val, value->val.string.len)) :
			 errdetail("The value is of JSON type %s.", json_type_name(value)),
			 quoted ?
			 errhint("\"%s\" takes %s, written without quotes.", name, describe_values(info)) :
			 errhint("\"%s\" takes %s.", name, describe_values(info))));
}

static void
report_value(const char *name, const GroveParamInfo *info, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value %s for option \"%s\"", value, name),
			 errhint("\"%s\" takes %s.", name, describe_values(info))));
}

/* Stores a number; one beyond the doubles becomes an infinity, which is out of every range. */
static void
set_number(GroveParams *params, const char *name, const GroveParamInfo *info, Numeric number)
{
	Datum		datum = NumericGetDatum(number);
	double		value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, datum));

	if (grove_params_set(params, info, value) != GROVE_OK)
	{
		char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, datum));

		if (value >= info->min && value <= info->max)
			report_value(name, info, clip_text(digits, strlen(digits)));
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value %s is out of range for option \"%s\"",
						clip_text(digits, strlen(digits)), name),
				 errhint("\"%s\" takes %s.", name, describe_values(info))));
	}
}

/* Stores a choice or a text. */
static void
set_string(GroveParams *params, const char *name, const GroveParamInfo *info, const char *data, int length)
{
	GroveStatus status;

	if (info->type == GROVE_PARAM_ENUM)
		status = grove_params_set(params, info, grove_params_choice(info, pnstrdup(data, length)));
	else
		status = grove_params_set_text(params, info, data, length);
	if (status != GROVE_OK)
		report_value(name, info, psprintf("\"%s\"", clip_text(data, length)));
}

/* Checks and stores one value that is not null. */
static void
set_option(GroveParams *params, const char *name, const GroveParamInfo *info, const JsonbValue *value)
{
	static const enum jbvType json_types[] = {
		[GROVE_PARAM_INT] = jbvNumeric,
		[GROVE_PARAM_REAL] = jbvNumeric,
		[GROVE_PARAM_BOOL] = jbvBool,
		[GROVE_PARAM_ENUM] = jbvString,
		[GROVE_PARAM_TEXT] = jbvString
	};

	if (info->type == GROVE_PARAM_JSON)
	{
		Jsonb	   *json = JsonbValueToJsonb(unconstify(JsonbValue *, value));

		grove_params_set_json(params, info, JsonbToCString(NULL, &json->root, VARSIZE(json)));
		return;
	}
	if (value->type != json_types[info->type])
		report_type(name, info, value);
	if (value->type == jbvNumeric)
		set_number(params, name, info, value->val.numeric);
	else if (value->type == jbvBool)
		grove_params_set(params, info, value->val.boolean);
	else
		set_string(params, name, info, value->val.string.val, value->val.string.len);
}

static void
report_no_effect(const char *name, const char *algorithms)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" has no effect under the chosen \"algorithm\"", name),
			 errhint("Leave it out, or set \"algorithm\" to %s.", algorithms)));
}

/* LightGBM's name of two things; under these objectives it is not the one that it is an alias of. */
static void
check_alpha(const GroveParams *params, const char *lambda_l1_name)
{
	bool		quantile = params->objective == GROVE_OBJECTIVE_QUANTILE;

	if (lambda_l1_name == NULL || strcmp(lambda_l1_name, "alpha") != 0 ||
		(!quantile && params->objective != GROVE_OBJECTIVE_HUBER))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"alpha\" is ambiguous under the objective \"%s\"", quantile ? "quantile" : "huber"),
			 errhint("Write \"%s\" for the %s, or \"lambda_l1\" for L1 regularisation.",
					 quantile ? "quantile_alpha" : "huber_delta", quantile ? "quantile" : "bound of the residuals")));
}

/* Options that the algorithm would not look at must not be set to anything but their default. */
static void
check_algorithm(const GroveParams *params)
{
	GroveParams defaults;

	if (params->algorithm != GROVE_PARAM_ALGORITHM_TREE && params->ccp_alpha > 0.0)
		report_no_effect("ccp_alpha", "\"tree\"");
	if (params->algorithm != GROVE_PARAM_ALGORITHM_TREE && params->ccp_folds > 0)
		report_no_effect("ccp_folds", "\"tree\"");
	if (params->ccp_folds == 0 && params->ccp_rule != GROVE_PARAM_CCP_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"ccp_rule\" needs \"ccp_folds\"")));
	if (params->ccp_folds == 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"ccp_folds\" must be 0 or at least 2")));
	if (params->ccp_folds > 0 && params->ccp_alpha > 0.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"ccp_alpha\" and \"ccp_folds\" exclude each other"),
				 errhint("\"ccp_folds\" chooses the value of \"ccp_alpha\".")));
	if (params->algorithm == GROVE_PARAM_ALGORITHM_GBDT)
		return;
	grove_params_init(&defaults);
	if (params->learning_rate != defaults.learning_rate)
		report_no_effect("learning_rate", "\"gbdt\"");
	if (params->bagging_freq != defaults.bagging_freq)
		report_no_effect("bagging_freq", "\"gbdt\"");
	if (params->data_sample_strategy != defaults.data_sample_strategy)
		report_no_effect("data_sample_strategy", "\"gbdt\"");
	if (params->early_stopping_rounds != defaults.early_stopping_rounds)
		report_no_effect("early_stopping_rounds", "\"gbdt\"");
	if (params->log_training)
		report_no_effect("log_training", "\"gbdt\"");
	if (params->algorithm == GROVE_PARAM_ALGORITHM_TREE &&
		params->num_iterations != GROVE_AUTO && params->num_iterations != 1)
		report_no_effect("num_iterations", "\"gbdt\" or \"forest\"");
}

/* An option of another data_sample_strategy must not be set to anything but its default. */
static void
check_sampling_option(const GroveParams *params, const char *name, bool looked_at)
{
	const GroveParamInfo *info = grove_params_find(name);

	if (!looked_at && grove_params_get(params, info) != info->def)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" has no effect under the chosen \"data_sample_strategy\"", name),
				 errhint("Leave it out, or choose another \"data_sample_strategy\".")));
}

/* What each way to draw rows needs, and what it does not look at. */
static void
check_sampling(const GroveParams *params)
{
	bool		goss = params->data_sample_strategy == GROVE_PARAM_SAMPLE_GOSS;
	bool		mvs = params->data_sample_strategy == GROVE_PARAM_SAMPLE_MVS;

	check_sampling_option(params, "top_rate", goss);
	check_sampling_option(params, "other_rate", goss);
	check_sampling_option(params, "mvs_reg", mvs);
	check_sampling_option(params, "bagging_freq", !goss && !mvs);
	if (goss && params->bagging_fraction != GROVE_AUTO && params->bagging_fraction < 1.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"bagging_fraction\" below 1 does not go with the data_sample_strategy \"goss\""),
				 errhint("The options \"top_rate\" and \"other_rate\" tell how many rows are drawn.")));
	if (goss && params->top_rate + params->other_rate > 1.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"top_rate\" and \"other_rate\" add up to more than 1")));
	if (mvs && (params->bagging_fraction == GROVE_AUTO || params->bagging_fraction == 1.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("data_sample_strategy \"mvs\" needs the option \"bagging_fraction\" below 1"),
				 errhint("Write for example \"bagging_fraction\": 0.5.")));
}

void
grovepg_options_parse(Jsonb *options, GroveParams *params)
{
	const GroveParamInfo *table;
	const char **given;			/* by option: the name it was given under */
	int			count;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;

	grove_params_init(params);
	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options must be a JSON object"),
				 errhint("Write for example {\"num_leaves\": 63}, or {} for the defaults.")));

	table = grove_params_table(&count);
	given = palloc0(count * sizeof(char *));
	iterator = JsonbIteratorInit(&options->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		const GroveParamInfo *info;
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = pnstrdup(item.val.string.val, item.val.string.len);
		info = grove_params_find(name);
		if (info == NULL)
			report_unknown(clip_text(name, strlen(name)));
		if (given[info - table] != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" is given twice", info->name),
					 errdetail("\"%s\" and \"%s\" are names of one option.", given[info - table], name),
					 errhint("Keep one of them.")));
		given[info - table] = name;

		(void) JsonbIteratorNext(&iterator, &item, true);	/* its value */
		if (item.type != jbvNull)
			set_option(params, name, info, &item);
	}
	check_alpha(params, given[grove_params_find("lambda_l1") - table]);
	check_algorithm(params);
	check_sampling(params);
	pfree(given);
}

/* Appends the value of an option as JSON. */
static void
append_value(StringInfo json, const GroveParams *params, const GroveParamInfo *info)
{
	double		value = grove_params_get(params, info);

	if (info->type == GROVE_PARAM_TEXT)
	{
		if (grove_params_get_text(params, info)[0] == '\0')
			appendStringInfoString(json, "null");
		else
			escape_json(json, grove_params_get_text(params, info));
	}
	else if (info->type == GROVE_PARAM_JSON)
		appendStringInfoString(json, grove_params_get_json(params, info) ? grove_params_get_json(params, info) : "null");
	else if (info->type == GROVE_PARAM_BOOL)
		appendStringInfoString(json, value != 0 ? "true" : "false");
	else if (info->type == GROVE_PARAM_ENUM)
	{
		const char *choice = info->choices;
		int			skip;

		for (skip = 0; skip < (int) value; skip++)
			choice = strchr(choice, '|') + 1;
		appendStringInfo(json, "\"%.*s\"", (int) strcspn(choice, "|"), choice);
	}
	else if (value == GROVE_AUTO)
		appendStringInfoString(json, "null");
	else if (info->type == GROVE_PARAM_INT)
		appendStringInfo(json, "%.0f", value);
	else
	{
		/* shortest form that reads back as the same double, whatever extra_float_digits is */
		char	   *digits = double_to_shortest_decimal(value);

		appendStringInfoString(json, digits);
		pfree(digits);
	}
}

char *
grovepg_options_json(const GroveParams *params)
{
	const GroveParamInfo *table;
	int			count;
	int			i;
	StringInfoData json;

	table = grove_params_table(&count);
	initStringInfo(&json);
	for (i = 0; i < count; i++)
	{
		appendStringInfoString(&json, i == 0 ? "{" : ", ");
		escape_json(&json, table[i].name);
		appendStringInfoString(&json, ": ");
		append_value(&json, params, &table[i]);
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}
