/*
 * evaluator.c: see evaluator.h.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"

#include "../core/predict.h"
#include "agg_metric.h"
#include "evaluator.h"
#include "model_cache.h"
#include "source.h"

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
grovepg_truth_bind(GroveTruthColumn *target, const GroveModel *model, TupleDesc desc)
{
	const char *trained = grovepg_model_text(model->target_type);
	Oid			type;

	memset(target, 0, sizeof(*target));
	target->model = model;
	target->name = grovepg_model_text(model->target);
	target->column.attno = (AttrNumber) grovepg_source_column(desc, target->name, "target");
	type = TupleDescAttr(desc, target->column.attno - 1)->atttypid;
	if (!grovepg_feature_type(type, &target->column.type) ||
		(model->n_classes == 0 && target->column.type.kind != GROVE_FEATURE_NUMERIC))
		grovepg_judge_reject_type("target", target->name, type, psprintf("The model was trained with type %s.", trained));
	/* dates and times have units of their own */
	if (target->column.type.kind == GROVE_FEATURE_NUMERIC &&
		(is_time_name(trained) || !grovepg_feature_is_number(&target->column.type)) &&
		strcmp(grovepg_feature_type_name(type), trained) != 0)
		grovepg_judge_reject_type("target", target->name, type, psprintf("Cast it to %s, with which the model was trained.", trained));
	if (model->n_classes > 0 && target->column.type.kind == GROVE_FEATURE_NUMERIC)
		target->class_value = class_values(model);
}

/* Index of the class that a value of the target column is, or -1. */
static int
find_class(GroveTruthColumn *target, Datum value)
{
	const GroveModel *model = target->model;
	GroveText	label = {NULL, 0};
	double		number = NAN;
	uint32		i;

	if (target->class_value != NULL)
		number = grovepg_feature_number(&target->column.type, value);
	else
		label = grovepg_feature_label(&target->column.type, value);
	for (i = 0; i < model->n_classes; i++)
	{
		if (target->class_value != NULL ? target->class_value[i] == number :
			(model->classes[i].length == label.length && memcmp(model->classes[i].data, label.data, label.length) == 0))
			return (int) i;
	}
	return -1;
}

static void
report_unknown_label(GroveTruthColumn *target, Datum value)
{
	char	   *text;

	if (target->class_value != NULL)
		text = psprintf("%.15g", grovepg_feature_number(&target->column.type, value));
	else
	{
		GroveText	label = grovepg_feature_label(&target->column.type, value);

		text = pnstrdup(label.data, label.length);
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("value \"%s\" of target column \"%s\" is not a class of the model", text, target->name),
			 errhint("The classes are \"%s\" and \"%s\".",
					 grovepg_model_text(target->model->classes[0]), grovepg_model_text(target->model->classes[1]))));
}

bool
grovepg_truth_read(GroveTruthColumn *target, TupleTableSlot *slot, double *truth)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, target->column.attno, &isnull);

	if (isnull)
		return false;
	if (target->model->n_classes == 0)
		return grovepg_judge_number(&target->column, slot, truth);
	*truth = find_class(target, value);
	if (*truth < 0 && target->model->task == GROVE_TASK_BINARY)
		report_unknown_label(target, value);
	return true;
}

void
grovepg_evaluator_require(const GroveModel *model)
{
	if (model->task == GROVE_TASK_RANKING)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a ranking model has no metrics of single rows"),
				 errhint("evaluate() judges it by its lists: name the column whose rows are ranked against each other, as in group_by => 'query_id'.")));
}

void
grovepg_evaluator_init(GroveEvaluator *evaluator, const GroveModel *model, bool weighted)
{
	grovepg_evaluator_require(model);
	evaluator->model = model;
	evaluator->scores = NULL;
	evaluator->probabilities = palloc(sizeof(double) * Max(model->n_classes, 1));
	grove_evaluate_init(&evaluator->evaluation, model->task, model->base[0]);
	if (model->task == GROVE_TASK_BINARY)
	{
		evaluator->scores = grovepg_metric_state_make(GROVE_RANKED_SINGLE, CurrentMemoryContext);
		evaluator->scores->separate = weighted;
	}
}

void
grovepg_evaluator_add(GroveEvaluator *evaluator, const double *margins, double truth, double weight)
{
	const GroveModel *model = evaluator->model;
	double	   *probabilities = evaluator->probabilities;
	double		score = 0;
	GroveMetricFault fault;

	grove_predict_probabilities(model, margins, probabilities);
	if (model->task == GROVE_TASK_BINARY)
	{
		fault = grove_evaluate_binary(&evaluator->evaluation, truth == 1, probabilities[1], weight);
		if (fault == GROVE_METRIC_FINE)
			grovepg_metric_add_single(evaluator->scores, truth, probabilities[1], weight);
	}
	else if (model->task == GROVE_TASK_MULTICLASS)
		fault = grove_evaluate_multiclass(&evaluator->evaluation, truth < 0 ? 0 : probabilities[(uint32) truth],
										  truth == grove_predict_best(model, margins), weight);
	else
	{
		score = grove_predict_value(model, margins);
		fault = grove_evaluate_regression(&evaluator->evaluation, truth, score, weight);
	}
	if (fault != GROVE_METRIC_FINE)
		grovepg_metric_report(fault, truth, score, weight);
}

/* DeLong's variance from the kept scores, after their curve. */
static void
walk_variance(const GroveMetricState *scores, const GroveRankedCurve *curve, GroveRankedVariance *variance)
{
	Size		start;
	GroveRankedGroup group;

	grove_ranked_variance_init(variance, curve);
	for (start = 0; start < scores->n_rows; start = group.end)
	{
		grove_ranked_group(scores->rows, scores->n_rows, start, &group);
		/* merged rows stand for so many rows of weight 1 */
		grove_ranked_variance_add(variance, group.weight, scores->separate ? group.square : group.weight);
		CHECK_FOR_INTERRUPTS();
	}
}

int
grovepg_evaluator_results(GroveEvaluator *evaluator, GroveEvaluated results[GROVE_EVALUATE_RESULTS])
{
	GroveRankedCurve curve;
	GroveRankedVariance variance;

	if (evaluator->scores != NULL)
	{
		grovepg_metric_state_sort(evaluator->scores);
		grovepg_metric_curve(evaluator->scores, &curve);
		walk_variance(evaluator->scores, &curve, &variance);
	}
	return grove_evaluate_results(&evaluator->evaluation, &curve, &variance, results);
}
