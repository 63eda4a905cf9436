/*
 * prune_class.c: the positive class of method negatives.
 *
 * Classes are told apart by the type rule of features: numbers by value,
 * everything else by its label's bytes.  That is also what "sorts last"
 * means, so that a collation cannot turn the classes round.
 */
#include "pg_grove.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "feature.h"
#include "prune_job.h"

struct PruneClass
{
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

PruneClass *
grovepg_class_positive(PruneRequest *request)
{
	Form_pg_attribute target = TupleDescAttr(request->columns, request->target - 1);
	PruneClass *class = palloc0(sizeof(PruneClass));

	class->column = NameStr(target->attname);
	class->context = CurrentMemoryContext;
	if (!grovepg_feature_type(target->atttypid, &class->type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("target column \"%s\" has type %s, which has no classes", class->column,
						format_type_be(target->atttypid)),
				 errhint("Cast it to text, boolean or a number.")));
	if (request->positive_class != NULL)
	{
		Oid			input;
		Oid			parameter;

		getTypeInputInfo(target->atttypid, &input, &parameter);
		set_class(class, OidInputFunctionCall(input, pstrdup(request->positive_class), parameter,
											  target->atttypmod));
	}
	else
		grovepg_reread_visit(request->source, 1, &request->target, false, keep_last, class);
	return class;
}

bool
grovepg_class_equal(const PruneClass *positive, Datum value, bool null)
{
	return compare_class(positive, value, null) == 0;
}

void
grovepg_class_missing(const PruneClass *positive)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("no row has the positive class in target column \"%s\"", positive->column),
			 errhint("Option \"positive_class\" must be a value of that column.")));
}
