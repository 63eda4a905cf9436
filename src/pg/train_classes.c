/*
 * train_classes.c: what kind of target it is, its classes in their order, and
 * their weights.
 */
#include "pg_grove.h"

#include "common/shortest_dec.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "train.h"

/* What the target column prints for a number that is a class. */
static char *
number_label(const GroveIntake *in, double value)
{
	char	   *text;

	if (in->target_integer)
		return psprintf(INT64_FORMAT, (int64) value);
	text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
	double_to_shortest_decimal_buf(value, text);
	return text;
}

static int
compare_values(const void *a, const void *b, void *arg)
{
	const double *values = arg;
	double		x = values[*(const uint32 *) a];
	double		y = values[*(const uint32 *) b];

	return x < y ? -1 : x > y;
}

/* Codes of the classes in their order: numbers ascending, labels by bytes. */
static uint32 *
order_classes(const GroveIntake *in, uint32 n)
{
	uint32	   *order;
	uint32		i;

	if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
		return grovepg_levels_rank(in->classes, false);
	order = palloc(n * sizeof(uint32));
	for (i = 0; i < n; i++)
		order[i] = i;
	qsort_arg(order, n, sizeof(uint32), compare_values, in->class_value);
	return order;
}

void
grovepg_train_choose_task(GroveTraining *tr)
{
	const GroveIntake *in = tr->intake;
	uint32		n = grovepg_levels_count(in->classes);

	if (!tr->task_auto)
		return;
	if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
		tr->task = n <= 2 ? GROVE_TASK_BINARY : GROVE_TASK_MULTICLASS;
	else if (in->target_integer && n <= 2)
		tr->task = GROVE_TASK_BINARY;
	else
		tr->task = GROVE_TASK_REGRESSION;
}

static void
check_class_count(const GroveTraining *tr, uint32 n)
{
	const GroveIntake *in = tr->intake;

	if (in->too_many_classes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("target column \"%s\" has more than %d classes", in->target.name, GROVE_MAX_CLASSES),
				 errhint("Merge rare labels, or use the task \"regression\" for a number.")));
	if (n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has only one value", in->target.name),
				 errhint("A classifier needs rows of at least two classes.")));
	if (tr->task == GROVE_TASK_BINARY && n > 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has %u values, but the task is binary", in->target.name, n),
				 errhint("Use the task \"multiclass\", or a boolean target.")));
}

/* Moves the class that is to be the positive one to the end. */
static void
apply_positive_class(GroveTraining *tr)
{
	const char *wanted = tr->params.positive_class.data;
	uint32		i;

	if (wanted[0] == '\0')
		return;
	if (tr->task != GROVE_TASK_BINARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"positive_class\" needs a binary target"),
				 errhint("Leave the option out, or set task => 'binary' for a target of two values.")));
	for (i = 0; i < 2; i++)
	{
		if (tr->classes[i].length == strlen(wanted) &&
			memcmp(tr->classes[i].data, wanted, tr->classes[i].length) == 0)
			break;
	}
	if (i == 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"positive_class\" names no class: \"%s\"", wanted),
				 errhint("The classes are \"%.*s\" and \"%.*s\".",
						 (int) tr->classes[0].length, tr->classes[0].data,
						 (int) tr->classes[1].length, tr->classes[1].data)));
	if (i == 0)
	{
		GroveText	swap = tr->classes[0];
		uint32		code;

		tr->classes[0] = tr->classes[1];
		tr->classes[1] = swap;
		for (code = 0; code < 2; code++)
			tr->class_of[code] = 1 - tr->class_of[code];
	}
}

void
grovepg_train_classes(GroveTraining *tr)
{
	const GroveIntake *in = tr->intake;
	uint32		n = grovepg_levels_count(in->classes);
	uint32	   *order;
	uint32		i;

	if (tr->task == GROVE_TASK_REGRESSION || tr->task == GROVE_TASK_RANKING)
	{
		if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("target column \"%s\" has type %s, but the task is %s", in->target.name, in->target.type_name,
							tr->task == GROVE_TASK_RANKING ? "ranking" : "regression"),
					 errhint("Cast the target to a number, or use the task \"binary\" or \"multiclass\".")));
		if (tr->params.positive_class.data[0] != '\0')
			apply_positive_class(tr);
		return;
	}
	check_class_count(tr, n);
	order = order_classes(in, n);
	tr->n_classes = n;
	tr->classes = palloc(n * sizeof(GroveText));
	tr->class_of = palloc(n * sizeof(uint32));
	for (i = 0; i < n; i++)
	{
		if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
			tr->classes[i] = grovepg_levels_get(in->classes, order[i])->label;
		else
		{
			tr->classes[i].data = number_label(in, in->class_value[order[i]]);
			tr->classes[i].length = strlen(tr->classes[i].data);
		}
		tr->class_of[order[i]] = i;
	}
	apply_positive_class(tr);
}

/* ------------------------------------------------------------ class weights */

/* Index of the class with this label, or -1. */
static int64
find_class(const GroveTraining *tr, const char *data, uint32 length)
{
	uint32		i;

	for (i = 0; i < tr->n_classes; i++)
	{
		if (tr->classes[i].length == length && memcmp(tr->classes[i].data, data, length) == 0)
			return i;
	}
	return -1;
}

/* Every class the same sum, as if rows of weight 1 were dealt evenly. */
static void
balance_classes(GroveTraining *tr)
{
	uint64		rows = tr->intake->n_rows - tr->intake->n_validation;
	uint32		code;

	for (code = 0; code < tr->n_classes; code++)
	{
		uint64		count = Max(grovepg_levels_get(tr->intake->classes, code)->count, 1);

		tr->class_weight[tr->class_of[code]] = (double) rows / ((double) tr->n_classes * (double) count);
	}
}

static void
reject_class_weight(const char *label, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"class_weight\" %s: \"%s\"", what, label),
			 errhint("Write for example {\"label\": 5}, with labels as grove.classes() gives them and numbers from 1e-12 to 1e12, or \"balanced\".")));
}

/* Weights of the classes that the object names. */
static void
read_class_weights(GroveTraining *tr, Jsonb *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue	item;

	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		char	   *label;
		int64		k;
		double		value = 0.0;

		if (token != WJB_KEY)
			continue;
		label = pnstrdup(item.val.string.val, item.val.string.len);
		k = find_class(tr, label, strlen(label));
		if (k < 0)
			reject_class_weight(pnstrdup(label, pg_mbcliplen(label, strlen(label), NAMEDATALEN)), "names no class");
		(void) JsonbIteratorNext(&iterator, &item, true);	/* its value */
		if (item.type == jbvNumeric)
			value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(item.val.numeric)));
		if (!(value >= 1e-12 && value <= 1e12))
			reject_class_weight(label, "has a value that is not a weight");
		tr->class_weight[k] = value;
	}
}

void
grovepg_train_class_weights(GroveTraining *tr)
{
	const GroveParams *p = &tr->params;
	Jsonb	   *given;
	uint32		i;

	if (p->scale_pos_weight != 1.0 && tr->task != GROVE_TASK_BINARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"scale_pos_weight\" needs a binary target"),
				 errhint("Leave the option out; \"class_weight\" weighs the classes of a multiclass target.")));
	if (p->class_weight && tr->n_classes == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"class_weight\" needs a binary or multiclass target"),
				 errhint("Leave the option out, or weigh rows with the argument \"weight\".")));
	if (p->class_weight && p->scale_pos_weight != 1.0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options \"class_weight\" and \"scale_pos_weight\" exclude each other"),
				 errhint("Both multiply the weights of a class; keep one of them.")));
	if (!p->class_weight && p->scale_pos_weight == 1.0)
		return;
	tr->class_weight = palloc(tr->n_classes * sizeof(double));
	for (i = 0; i < tr->n_classes; i++)
		tr->class_weight[i] = 1.0;
	if (!p->class_weight)
	{
		tr->class_weight[1] = p->scale_pos_weight;
		return;
	}
	given = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(p->class_weight)));
	if (JB_ROOT_IS_OBJECT(given))
		read_class_weights(tr, given);
	else if (strcmp(p->class_weight, "\"balanced\"") == 0)
		balance_classes(tr);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"class_weight\""),
				 errhint("It is \"balanced\", or an object such as {\"label\": 5}.")));
}
