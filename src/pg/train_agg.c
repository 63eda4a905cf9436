/*
 * train_agg.c: train_agg(): one model for each group.
 *
 * A training may read its rows twice, so the aggregate keeps them; the model is
 * made by the final function, from the same intake and with the same bytes as
 * train() has for the same rows.  Neither depends on the order of rows, and
 * therefore parts of a group may come from several processes.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "arguments.h"
#include "train_rows.h"
#include "train.h"

PG_FUNCTION_INFO_V1(grove_train_agg_trans);
PG_FUNCTION_INFO_V1(grove_train_agg_combine);
PG_FUNCTION_INFO_V1(grove_train_agg_final);

/* The rows of a group as an intake visits them. */
typedef struct GroupRows
{
	GroveTrainRows rows;
	GroveIntakeRoles roles;
	GroveTrainRowsColumn *columns;
	TupleDesc	desc;
} GroupRows;

/* ------------------------------------------------------------------- params */

/* Takes a key out of the options; false when it is not there or null. */
static bool
take_option(Jsonb **params, const char *name, JsonbValue *value)
{
	if (!JB_ROOT_IS_OBJECT(*params) ||
		getKeyJsonValueFromContainer(&(*params)->root, name, strlen(name), value) == NULL)
		return false;
	*params = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete, JsonbPGetDatum(*params), CStringGetTextDatum(name)));
	return value->type != jbvNull;
}

static void
reject_option(const char *name, const char *range)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\"", name),
			 errhint("It must be %s.", range)));
}

/* A string option, or NULL. */
static char *
take_text(Jsonb **params, const char *name)
{
	JsonbValue	value;

	if (!take_option(params, name, &value))
		return NULL;
	if (value.type != jbvString)
		reject_option(name, "a string");
	return pnstrdup(value.val.string.val, value.val.string.len);
}

static int64
take_seed(Jsonb **params)
{
	JsonbValue	value;
	Datum		number;

	if (!take_option(params, "seed", &value))
		return 0;
	if (value.type != jbvNumeric)
		reject_option("seed", "an integer");
	/* out of range is an error of the cast */
	number = DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, DirectFunctionCall1(int8_numeric, number),
										  NumericGetDatum(value.val.numeric))))
		reject_option("seed", "an integer");
	return DatumGetInt64(number);
}

static void
take_ignore(Jsonb **params, GroveIntakeRoles *roles)
{
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;

	if (!take_option(params, "ignore", &value))
		return;
	if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		reject_option("ignore", "an array of names");
	roles->ignore = palloc(JsonContainerSize(value.val.binary.data) * sizeof(Datum));
	iterator = JsonbIteratorInit(value.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (value.type != jbvString)
			reject_option("ignore", "an array of names");
		roles->ignore[roles->n_ignore++] =
			PointerGetDatum(cstring_to_text_with_len(value.val.string.val, value.val.string.len));
	}
}

/* The options of a training, and those that are arguments of train(). */
static void
read_params(Jsonb *params, GroveTraining *tr, GroveIntakeRoles *roles)
{
	char	   *task = take_text(&params, "task");

	memset(roles, 0, sizeof(*roles));
	roles->target = GROVE_TRAIN_ROWS_TARGET;
	roles->weight = take_text(&params, "weight");
	roles->margin = take_text(&params, "base_margin");
	roles->validation = take_text(&params, "validation");
	take_ignore(&params, roles);
	tr->seed = (uint64) take_seed(&params);
	grovepg_train_parse_task(tr, task ? task : "auto");
	grovepg_options_parse(params, &tr->params);
	if ((!tr->task_auto && tr->task == GROVE_TASK_RANKING) || tr->params.objective == GROVE_OBJECTIVE_LAMBDARANK)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("train_agg() cannot train a ranking"),
				 errhint("Use grove.train(), whose argument \"group_by\" names the column of the queries.")));
	grovepg_objective_begin(tr, roles);
}

/* ---------------------------------------------------------------- aggregate */

/* train_agg_trans(feature_rows, features feature_rows, params jsonb) RETURNS feature_rows */
Datum
grove_train_agg_trans(PG_FUNCTION_ARGS)
{
	GroveTrainRows row;
	Jsonb	   *params;

	if (PG_ARGISNULL(1))
		grovepg_argument_reject_null("features");
	if (PG_ARGISNULL(2))
		grovepg_argument_reject_null("params");
	params = PG_GETARG_JSONB_P(2);
	if (PG_ARGISNULL(0))
	{
		/* a wrong option is to be found before all rows have been read */
		GroveTraining *tr = palloc0(sizeof(GroveTraining));
		GroveIntakeRoles roles;

		read_params(params, tr, &roles);
	}
	grovepg_train_rows_open(PG_GETARG_DATUM(1), &row);
	return grovepg_train_rows_append(fcinfo, &row, params);
}

/* train_agg_combine(feature_rows, feature_rows) RETURNS feature_rows */
Datum
grove_train_agg_combine(PG_FUNCTION_ARGS)
{
	GroveTrainRows other;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	grovepg_train_rows_open(PG_GETARG_DATUM(1), &other);
	return grovepg_train_rows_append(fcinfo, &other, NULL);
}

static void
visit_rows(void *arg, void (*row) (TupleTableSlot *slot, void *arg), void *row_arg)
{
	GroupRows  *group = arg;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "grove group row", ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(group->desc, &TTSOpsVirtual);
	MemoryContext previous = MemoryContextSwitchTo(context);
	const uint8 *next = group->rows.rows;

	for (uint64 i = 0; i < group->rows.n_rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		next = grovepg_train_rows_store(next, group->columns, slot);
		row(slot, row_arg);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(previous);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(context);
}

/* Values arrive as float8, text or bool; an enum's name stands in the column. */
static void
settle_column(const GroupRows *group, GroveIntakeColumn *column)
{
	const GroveTrainRowsColumn *from;

	if (column->attno == 0)
		return;
	from = &group->columns[column->attno - 1];
	if (from->type_name)
		column->type_name = from->type_name;
	if (from->type != BOOLOID)
		column->type.type = from->kind == GROVE_FEATURE_NUMERIC ? FLOAT8OID : TEXTOID;
}

static GroveIntake *
begin_group(GroveTraining *tr, void *arg)
{
	GroupRows  *group = arg;
	GroveIntake *in;
	int			n;

	group->columns = grovepg_train_rows_columns(&group->rows, &n);
	group->desc = grovepg_train_rows_desc(group->columns, n);
	in = grovepg_intake_begin_rows(group->desc, visit_rows, group, &group->roles, &tr->progress);
	settle_column(group, &in->target);
	settle_column(group, &in->weight);
	settle_column(group, &in->margin);
	settle_column(group, &in->validation);
	for (int i = 0; i < in->n_features; i++)
		settle_column(group, &in->features[i]);
	return in;
}

/* train_agg_final(feature_rows) RETURNS bytea */
Datum
grove_train_agg_final(PG_FUNCTION_ARGS)
{
	GroveTraining *tr = palloc0(sizeof(GroveTraining));
	GroupRows	group = {{0}};

	grovepg_train_rows_open(PG_GETARG_DATUM(0), &group.rows);
	if (group.rows.params == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("feature rows do not come from train_agg()"),
				 errhint("Pass what grove.features() gives.")));
	read_params(group.rows.params, tr, &group.roles);
	tr->rows_size = group.rows.rows_size;
	PG_RETURN_BYTEA_P(grovepg_train_run(tr, begin_group, &group));
}
