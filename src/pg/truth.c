/*
 * truth.c: see truth.h.
 */
#include "pg_grove.h"

#include <math.h>

#include "model_cache.h"
#include "source.h"
#include "truth.h"

/* The labels of the model as numbers. */
static double *
class_values(const GroveModel *model)
{
	double	   *values = palloc(sizeof(double) * model->n_classes);
	uint32		i;

	for (i = 0; i < model->n_classes; i++)
	{
		char	   *label = grovepg_model_text(model->classes[i]);
		char	   *end;

		values[i] = strtod(label, &end);
		if (end == label || *end != '\0')
			values[i] = NAN;
	}
	return values;
}

static bool
is_time_name(const char *type_name)
{
	return strcmp(type_name, "date") == 0 || strncmp(type_name, "timestamp", strlen("timestamp")) == 0;
}

void
grovepg_truth_bind(GroveTruth *truth, const GroveModel *model, TupleDesc desc)
{
	const char *trained = grovepg_model_text(model->target_type);
	Oid			type;

	truth->model = model;
	truth->name = grovepg_model_text(model->target);
	truth->column.attno = (AttrNumber) grovepg_source_column(desc, truth->name, "target");
	type = TupleDescAttr(desc, truth->column.attno - 1)->atttypid;
	if (!grovepg_feature_type(type, &truth->column.type) ||
		(model->n_classes == 0 && truth->column.type.kind != GROVE_FEATURE_NUMERIC))
		grovepg_judge_reject_type("target", truth->name, type, psprintf("The model was trained with type %s.", trained));
	/* dates and times have units of their own */
	if (truth->column.type.kind == GROVE_FEATURE_NUMERIC &&
		(is_time_name(trained) || !grovepg_judge_is_number(truth->column.type.type)) &&
		strcmp(grovepg_feature_type_name(type), trained) != 0)
		grovepg_judge_reject_type("target", truth->name, type, psprintf("Cast it to %s, with which the model was trained.", trained));
	if (model->n_classes > 0 && truth->column.type.kind == GROVE_FEATURE_NUMERIC)
		truth->class_value = class_values(model);
}

int
grovepg_truth_class(GroveTruth *truth, Datum value)
{
	const GroveModel *model = truth->model;
	GroveText	label = {NULL, 0};
	double		number = NAN;
	uint32		i;

	if (truth->class_value != NULL)
		number = grovepg_feature_number(&truth->column.type, value);
	else
		label = grovepg_feature_label(&truth->column.type, value);
	for (i = 0; i < model->n_classes; i++)
	{
		if (truth->class_value != NULL ? truth->class_value[i] == number :
			(model->classes[i].length == label.length && memcmp(model->classes[i].data, label.data, label.length) == 0))
			return (int) i;
	}
	return -1;
}

void
grovepg_truth_unknown(GroveTruth *truth, Datum value)
{
	const GroveModel *model = truth->model;
	char	   *text;

	if (truth->class_value != NULL)
		text = psprintf("%.15g", grovepg_feature_number(&truth->column.type, value));
	else
	{
		GroveText	label = grovepg_feature_label(&truth->column.type, value);

		text = pnstrdup(label.data, label.length);
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("value \"%s\" of target column \"%s\" is not a class of the model", text, truth->name),
			 errhint("The classes are \"%s\" and \"%s\".",
					 grovepg_model_text(model->classes[0]), grovepg_model_text(model->classes[1]))));
}
