/*
 * train_constraints.c: options that name features -> the trainer's tables.
 */
#include "pg_grove.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "nearest.h"
#include "train.h"

static Jsonb *
parse_json(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

static void
reject_form(const char *option, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\"", option),
			 errhint("%s", hint)));
}

/* Index of the feature of this name. */
static int
find_feature(const GroveTraining *tr, const char *option, const JsonbValue *name)
{
	const GroveIntake *in = tr->intake;
	char	   *wanted = pnstrdup(name->val.string.val, name->val.string.len);
	const char **names;
	int			i;

	names = palloc(in->n_features * sizeof(char *));
	for (i = 0; i < in->n_features; i++)
	{
		if (strcmp(in->features[i].name, wanted) == 0)
			return i;
		names[i] = in->features[i].name;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("option \"%s\" names \"%s\", which is not a feature", option, wanted),
			 errhint("%s", grovepg_nearest_hint(wanted, names, in->n_features, "feature"))));
}

static void
set_direction(GroveTraining *tr, int feature, int8 direction)
{
	int			i;

	for (i = 0; i < tr->intake->n_cuts; i++)
	{
		if (tr->intake->cuts[i].feature == feature)
			tr->trainer.monotone[i] = direction;
	}
}

/* All columns of the matrix that a feature has belong to its groups. */
static void
add_to_group(GroveTraining *tr, int feature, int group)
{
	int			i;

	for (i = 0; i < tr->intake->n_cuts; i++)
	{
		if (tr->intake->cuts[i].feature == feature)
			tr->trainer.groups[i] |= UINT64CONST(1) << group;
	}
}

static void
set_monotone(GroveTraining *tr)
{
	const char *option = "monotone_constraints";
	const char *form = "Write an object such as {\"price\": -1, \"income\": 1}; the values are -1, 0 and 1.";
	Jsonb	   *json;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	int			feature = 0;

	if (tr->params.monotone_constraints == NULL)
		return;
	json = parse_json(tr->params.monotone_constraints);
	if (!JB_ROOT_IS_OBJECT(json))
		reject_form(option, form);
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		double		direction;

		if (token == WJB_KEY)
			feature = find_feature(tr, option, &item);
		if (token != WJB_VALUE)
			continue;
		if (item.type != jbvNumeric)
			reject_form(option, form);
		direction = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(item.val.numeric)));
		if (direction != -1.0 && direction != 0.0 && direction != 1.0)
			reject_form(option, form);
		if (direction != 0.0 && tr->intake->features[feature].levels)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"%s\" names \"%s\", which is categorical", option, tr->intake->features[feature].name),
					 errhint("Categories have no order; cast the column to a number if it has one.")));
		set_direction(tr, feature, (int8) direction);
	}
	if (tr->task == GROVE_TASK_MULTICLASS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" needs a regression or binary target", option),
				 errdetail("With several classes a rising margin does not mean a rising probability."),
				 errhint("Leave the option out, or train one binary model for each class.")));
}

static void
set_interaction(GroveTraining *tr)
{
	const char *option = "interaction_constraints";
	const char *form = "Write an array of arrays of feature names, such as [[\"price\", \"income\"], [\"age\"]].";
	Jsonb	   *json;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	item;
	int			depth = 0;
	int			group = -1;

	if (tr->params.interaction_constraints == NULL)
		return;
	json = parse_json(tr->params.interaction_constraints);
	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json))
		reject_form(option, form);
	iterator = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&iterator, &item, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_ARRAY && ++depth == 2 && ++group >= GROVE_MAX_GROUPS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("option \"%s\" has more than %d groups", option, GROVE_MAX_GROUPS),
					 errhint("Merge groups that overlap.")));
		else if (token == WJB_END_ARRAY)
			depth--;
		else if (token == WJB_ELEM && depth == 2 && item.type == jbvString)
			add_to_group(tr, find_feature(tr, option, &item), group);
		else if (token != WJB_BEGIN_ARRAY || depth > 2)
			reject_form(option, form);
	}
}

void
grovepg_train_constraints(GroveTraining *tr)
{
	set_monotone(tr);
	set_interaction(tr);
}
