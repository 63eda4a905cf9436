/*
 * prune_guide.c: the methods that a model guides: which cell a row is in.
 *
 * Two classes: a cell is a prediction, rounded (core/guide.h), and a class.
 * Other targets: a cell is a size, rounded: how surprised the model is, 1 - p
 * of the row's class or the distance of a number, or the length of the row's
 * gradient.  From there on a guided method is like any other: the
 * core turns cells into probabilities, the hashes of keys choose in each.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "../core/guide.h"
#include "../core/predict.h"
#include "pilot.h"
#include "model_cache.h"
#include "prune_job.h"

struct PruneGuide
{
	PruneRequest *request;
	GrovePilot *pilot;
	GroveTask	task;
	bool		noise;
	double	   *threshold;		/* noise: [n_classes], core/guide.h */
	uint64	   *sum;			/* noise: [n_classes] of probabilities, in 2^-32 */
	uint64	   *rows;			/* noise: [n_classes] */
};

#define CONTRADICTION_CODES	(2 * GROVE_GUIDE_CONTRADICTIONS + 1)	/* of one class; 0: not contradicted */

/* What the theory has no answer for is not done. */
static void
reject_ranking(const PruneRequest *request)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("method \"%s\" cannot prune for a ranking", request->method),
			 errdetail("The loss of a ranking looks at pairs of rows, so no weight of single rows restores it."),
			 errhint("Keep whole queries: method \"random\" with the column of the query as \"key\".")));
}

static void
check_model(const PruneRequest *request, const GroveModel *model)
{
	if (model->task == GROVE_TASK_RANKING)
		reject_ranking(request);
	if (request->target != 0 &&
		strcmp(grovepg_model_text(model->target), NameStr(TupleDescAttr(request->columns, request->target - 1)->attname)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model predicts \"%s\", but the target is \"%s\"", grovepg_model_text(model->target),
						NameStr(TupleDescAttr(request->columns, request->target - 1)->attname)),
				 errhint("Pass a model of this target, or name its target.")));
}

static GrovePilot *
train_pilot(const PruneRequest *request)
{
	GrovePilotPlan plan = {0};

	if (strcmp(request->task, "ranking") == 0 || request->training.objective == GROVE_OBJECTIVE_LAMBDARANK)
		reject_ranking(request);
	plan.source = request->source;
	plan.n_key = request->n_key;
	plan.key = request->deciding;
	plan.target = NameStr(TupleDescAttr(request->columns, request->target - 1)->attname);
	plan.task = request->task;
	plan.ignore = request->ignore;
	plan.params = request->training;
	if (plan.params.num_iterations == GROVE_AUTO && plan.params.algorithm == GROVE_PARAM_ALGORITHM_GBDT)
		plan.params.num_iterations = GROVE_PILOT_ROUNDS;
	plan.folds = request->folds;
	plan.rows = request->pilot_rows;
	plan.seed = request->seed;
	return grovepg_pilot_train(&plan);
}

uint32
grovepg_guide_classes(const PruneGuide *guide)
{
	return guide->task == GROVE_TASK_BINARY && !guide->noise ? 2 : 1;
}

/* ------------------------------------------------------------------ one row */

/* The number or the class of a row; -1: a class that the model does not know. */
static double
read_target(GrovePilotPart *part, TupleTableSlot *slot)
{
	double		truth;

	if (!grovepg_truth_read(&part->truth, slot, &truth))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target column \"%s\" is null", part->truth.name),
				 errhint("Leave out the rows without a target.")));
	return truth;
}

/* Size of a row of a target with more than two classes, or without classes. */
static double
row_size(const PruneGuide *guide, GrovePilotPart *part, double truth)
{
	const double *p = part->scorer->probabilities;
	uint32		n = part->model->n_classes;

	if (guide->task == GROVE_TASK_REGRESSION)
	{
		if (!isfinite(truth))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("target column \"%s\" contains a value that is not finite", part->truth.name),
					 errhint("Leave out rows whose target is NaN or infinite.")));
		return Min(fabs(truth - grove_predict_value(part->model, part->scorer->margins)), DBL_MAX);
	}
	if (guide->request->design.method == GROVE_PRUNE_GRADIENT)
		return grove_guide_gradient_classes(p, n, truth < 0 ? n : (uint32) truth, guide->request->lambda);
	return truth < 0 ? 1 : 1 - p[(uint32) truth];
}

/* ------------------------------------------------------------------- noise */

/* Class of a row, which every model must know. */
static uint32
known_class(PruneGuide *guide, GrovePilotPart *part, double truth)
{
	if (truth < 0 || part->model->n_classes != grovepg_pilot_model(guide->pilot)->n_classes)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("a class of target column \"%s\" is too rare for method \"noise\"", part->truth.name),
				 errdetail("A model that has not seen its rows does not know it at all."),
				 errhint("Leave out or merge classes of few rows.")));
	return (uint32) truth;
}

static void
add_confidence(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneGuide *guide = arg;
	GrovePilotPart *part = grovepg_pilot_score(guide->pilot, slot);
	uint32		class = known_class(guide, part, read_target(part, slot));

	guide->sum[class] += (uint64) (part->scorer->probabilities[class] * 4294967296.0);
	guide->rows[class]++;
}

/* Mean probability of each class over its own rows. */
static void
find_thresholds(PruneGuide *guide)
{
	PruneRequest *request = guide->request;
	uint32		n = grovepg_pilot_model(guide->pilot)->n_classes;

	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"noise\" needs a target with classes"),
				 errhint("A number that is a class needs {\"task\": \"multiclass\"} in \"params\".")));
	guide->sum = palloc0(sizeof(uint64) * n);
	guide->rows = palloc0(sizeof(uint64) * n);
	guide->threshold = palloc(sizeof(double) * n);
	grovepg_reread_visit(request->source, request->n_columns, request->deciding, true, add_confidence, guide);
	for (uint32 i = 0; i < n; i++)
		guide->threshold[i] = guide->rows[i] > 0 ? (double) guide->sum[i] / 4294967296.0 / (double) guide->rows[i] : 1;
}

/* Class and contradiction in one number. */
static uint32
noise_code(PruneGuide *guide, GrovePilotPart *part, double truth)
{
	uint32		class = known_class(guide, part, truth);
	double		size = grove_guide_contradiction(part->scorer->probabilities, guide->threshold,
												 part->model->n_classes, class);

	return class * CONTRADICTION_CODES + (size > 0 ? 1 + (uint32) (size * GROVE_GUIDE_CONTRADICTIONS) : 0);
}

void
grovepg_guide_row(PruneGuide *guide, TupleTableSlot *slot, PruneGuideRow *row)
{
	GrovePilotPart *part = grovepg_pilot_score(guide->pilot, slot);
	double		truth = read_target(part, slot);

	row->class = 0;
	if (guide->noise)
	{
		row->code = noise_code(guide, part, truth);
		return;
	}
	if (guide->task != GROVE_TASK_BINARY)
	{
		row->code = grove_guide_size_code(row_size(guide, part, truth));
		return;
	}
	row->class = (uint32) truth;
	row->code = grove_guide_class_code(part->scorer->probabilities[1]);
}

/* ---------------------------------------------------------------- the cells */

double
grovepg_guide_size(const PruneGuide *guide, uint32 code, uint32 class)
{
	double		p;

	if (guide->noise)
		return (double) (code % CONTRADICTION_CODES) / GROVE_GUIDE_CONTRADICTIONS;
	if (guide->task != GROVE_TASK_BINARY)
		return grove_guide_size(code);
	p = grove_guide_class_probability(class == 1 ? 2 * grove_guide_class_code(0.5) - code : code);
	return guide->request->design.method == GROVE_PRUNE_GRADIENT ? grove_guide_gradient(p, guide->request->lambda) : p;
}

uint32
grovepg_guide_group(const PruneGuide *guide, uint32 code)
{
	return guide->noise ? code / CONTRADICTION_CODES : 0;
}

/*
 * A gradient of the squared error is a distance in units of the target, its
 * hessian is 1: they are made comparable by the mean distance.
 */
void
grovepg_guide_finish(const PruneGuide *guide, GrovePruneCell *cells, uint32 n_cells, const uint32 *order)
{
	double		sum = 0;
	double		lost = 0;
	double		rows = 0;
	double		mean;

	if (guide->task != GROVE_TASK_REGRESSION || guide->request->design.method != GROVE_PRUNE_GRADIENT)
		return;
	for (uint32 i = 0; i < n_cells; i++)
	{
		const GrovePruneCell *cell = &cells[order[i]];

		grove_pps_add(&sum, &lost, (double) cell->rows * cell->size);
		rows += (double) cell->rows;
	}
	mean = (sum + lost) / Max(rows, 1);
	for (uint32 i = 0; i < n_cells; i++)
	{
		double		relative = mean > 0 ? cells[i].size / mean : 0;

		cells[i].size = sqrt(relative * relative + guide->request->lambda);
	}
}

PruneGuide *
grovepg_guide_begin(PruneRequest *request)
{
	PruneGuide *guide = palloc0(sizeof(PruneGuide));

	guide->request = request;
	guide->pilot = request->has_model ? grovepg_pilot_take(request->model, request->columns) : train_pilot(request);
	check_model(request, grovepg_pilot_model(guide->pilot));
	guide->task = grovepg_pilot_model(guide->pilot)->task;
	guide->noise = request->design.method == GROVE_PRUNE_NOISE;
	if (guide->noise)
		find_thresholds(guide);
	return guide;
}
