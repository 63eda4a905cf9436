/*
 * prune_class.c: the positive class of method negatives.
 *
 * Classes are told apart by the type rule of features: numbers by value,
 * everything else by its label's bytes.  That is also what "sorts last"
 * means, so that a collation cannot turn the classes round.
 */
#include "pg_grove.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "feature.h"
#include "levels.h"
#include "prune_job.h"

#define MAX_LISTED	10			/* classes in a hint */

struct PruneClass
{
	GroveReread *source;
	AttrNumber	target;
	Oid			output;			/* function of its type */
	const char *column;
	GroveFeatureType type;
	MemoryContext context;		/* of the label */
	bool		known;			/* a class was asked for or met */
	double		number;			/* numeric target */
	char	   *label;			/* other target */
	uint32		length;
};

/* A class is a value; a row without one belongs to neither side. */
static double
checked_number(const PruneClass *class, Datum value, bool null)
{
	double		number = 0;

	if (!null && class->type.kind == GROVE_FEATURE_NUMERIC)
		number = grovepg_feature_number(&class->type, value);
	if (null || isnan(number))
		ereport(ERROR,
				(errcode(null ? ERRCODE_NULL_VALUE_NOT_ALLOWED : ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" is %s", class->column, null ? "null" : "NaN"),
				 errhint("Leave out the rows without a target.")));
	return number;
}

/* Order of a value and the class at hand: by number, or by the bytes of the labels. */
static int
compare_class(const PruneClass *class, Datum value, bool null)
{
	double		number = checked_number(class, value, null);
	GroveText	label;
	int			order;

	if (class->type.kind == GROVE_FEATURE_NUMERIC)
		return number < class->number ? -1 : number > class->number;
	label = grovepg_feature_label(unconstify(GroveFeatureType *, &class->type), value);
	order = memcmp(label.data, class->label, Min(label.length, class->length));
	if (order == 0)
		order = label.length < class->length ? -1 : label.length > class->length;
	return order;
}

static void
set_class(PruneClass *class, Datum value)
{
	if (class->type.kind == GROVE_FEATURE_NUMERIC)
		class->number = checked_number(class, value, false);
	else
	{
		GroveText	label = grovepg_feature_label(&class->type, value);

		if (class->label != NULL)
			pfree(class->label);
		class->label = MemoryContextAlloc(class->context, Max(label.length, 1));
		memcpy(class->label, label.data, label.length);
		class->length = label.length;
	}
	class->known = true;
}

static void
keep_last(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneClass *class = arg;
	bool		null;
	Datum		value = slot_getattr(slot, places[0], &null);

	(void) checked_number(class, value, null);
	if (!class->known || compare_class(class, value, false) > 0)
		set_class(class, value);
}

typedef struct ClassList
{
	const PruneClass *class;
	GroveLevels *labels;
	FmgrInfo	output;			/* of the type of the target */
} ClassList;

static void
list_class(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	ClassList  *list = arg;
	bool		null;
	Datum		value = slot_getattr(slot, places[0], &null);
	GroveText	label;

	if (null)
		return;
	if (list->class->type.kind == GROVE_FEATURE_CATEGORICAL)
		label = grovepg_feature_label(unconstify(GroveFeatureType *, &list->class->type), value);
	else
	{
		label.data = OutputFunctionCall(&list->output, value);
		label.length = strlen(label.data);
	}
	/* of very many only some are told */
	(void) grovepg_levels_code(list->labels, label, grovepg_levels_count(list->labels) >= GROVE_MAX_CLASSES);
}

/* The values of the target, the first ones by bytes. */
static char *
list_classes(const PruneClass *class)
{
	ClassList	list;
	StringInfoData text;
	uint32	   *order;
	uint32		n;

	list.class = class;
	list.labels = grovepg_levels_make(CurrentMemoryContext);
	fmgr_info(class->output, &list.output);
	grovepg_reread_visit(class->source, 1, &class->target, false, list_class, &list);
	n = grovepg_levels_count(list.labels);
	order = grovepg_levels_rank(list.labels, false);
	initStringInfo(&text);
	for (uint32 i = 0; i < Min(n, MAX_LISTED); i++)
	{
		GroveText	label = grovepg_levels_get(list.labels, order[i])->label;

		appendStringInfo(&text, "%s\"%.*s\"", i == 0 ? "" : i == n - 1 ? " and " : ", ", (int) label.length, label.data);
	}
	if (n > MAX_LISTED)
		appendStringInfoString(&text, " and others");
	return text.data;
}

void
grovepg_class_missing(const PruneClass *positive, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"positive_class\" names no class: \"%s\"", wanted),
			 errhint("The classes in target column \"%s\" are %s.", positive->column, list_classes(positive))));
}

/* The class that a text names as train() names it: a number, or a label. */
static void
read_class(PruneClass *class, const char *text)
{
	bool		truth;
	char	   *end;

	if (class->type.kind == GROVE_FEATURE_NUMERIC)
	{
		class->number = strtod(text, &end);
		if (end == text || *end != '\0' || isnan(class->number))
			grovepg_class_missing(class, text);
	}
	else if (class->type.type == BOOLOID)
	{
		if (!parse_bool(text, &truth))
			grovepg_class_missing(class, text);
		text = truth ? "true" : "false";
	}
	class->label = pstrdup(text);
	class->length = strlen(text);
	class->known = true;
}

PruneClass *
grovepg_class_positive(PruneRequest *request)
{
	Form_pg_attribute target = TupleDescAttr(request->columns, request->target - 1);
	PruneClass *class = palloc0(sizeof(PruneClass));
	bool		varlena;

	class->column = NameStr(target->attname);
	class->context = CurrentMemoryContext;
	if (!grovepg_feature_type(target->atttypid, &class->type) ||
		(class->type.kind == GROVE_FEATURE_NUMERIC && !grovepg_feature_is_number(&class->type)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" has type %s, which has no classes", class->column,
						format_type_be(target->atttypid)),
				 errhint("Cast it to text, boolean or a number.")));
	getTypeOutputInfo(target->atttypid, &class->output, &varlena);
	class->source = request->source;
	class->target = request->target;
	if (request->positive_class != NULL)
		read_class(class, request->positive_class);
	else
		grovepg_reread_visit(request->source, 1, &request->target, false, keep_last, class);
	return class;
}

bool
grovepg_class_equal(const PruneClass *positive, Datum value, bool null)
{
	return compare_class(positive, value, null) == 0;
}
