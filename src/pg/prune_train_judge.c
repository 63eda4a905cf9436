/*
 * prune_train_judge.c: two models on the same held-out rows.
 *
 * The model on everything scores the rows once; each pruned model scores them
 * again, and what is compared are the two scores of one row.  Rows of one
 * split_by value are one cluster.  Clusters are numbered in the order of their
 * hashes, and the sums of the metrics are exact, so the order in which the
 * source delivers its rows decides nothing.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "port.h"
#include "utils/memutils.h"

#include "../core/metric.h"
#include "../core/predict.h"
#include "agg_metric.h"
#include "evaluator.h"
#include "prune_train_job.h"
#include "scorer.h"

struct LoopJudge
{
	LoopRequest *request;
	LoopPart   *part;
	LoopMetric	metric;
	uint32		n_clusters;
	uint32	   *cluster;		/* [rows] */

	/* sums of the losses; for AUC of the predictions only */
	GroveMetricSums sums[2];
	GroveExactSum predicted[2];	/* of the probability of the positive class */
	GrovePairedCluster *losses; /* [n_clusters], not for AUC */

	/* AUC */
	uint64	   *words;			/* [3 * rows] */
	uint32	   *order;			/* [rows] by the scores at hand */
	double	   *placement[2];	/* [rows] */
	double	   *cluster_sum;	/* [n_clusters] */
	double		total[2];		/* rows of each class */
	double		auc[2];
};

static int
compare_hashes(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	CHECK_FOR_INTERRUPTS();
	return x < y ? -1 : x > y;
}

/* Numbers the clusters by their hashes. */
static void
number_clusters(LoopJudge *judge)
{
	LoopPart   *part = judge->part;
	uint64	   *sorted = MemoryContextAllocHuge(CurrentMemoryContext, Max(part->rows, 1) * sizeof(uint64));
	uint64		key = grove_rng_key((uint64) judge->request->seed, GROVE_PURPOSE_BOOTSTRAP);
	uint64		i;

	if (part->rows > 0)
		memcpy(sorted, part->clusters, part->rows * sizeof(uint64));
	qsort(sorted, part->rows, sizeof(uint64), compare_hashes);
	for (i = 0; i < part->rows; i++)
	{
		if (i == 0 || sorted[i] != sorted[judge->n_clusters - 1])
			sorted[judge->n_clusters++] = sorted[i];
	}
	judge->cluster = MemoryContextAllocHuge(CurrentMemoryContext, Max(part->rows, 1) * sizeof(uint32));
	for (i = 0; i < part->rows; i++)
	{
		uint64	   *found = bsearch(&part->clusters[i], sorted, judge->n_clusters, sizeof(uint64), compare_hashes);

		judge->cluster[i] = (uint32) (found - sorted);
	}
	if (judge->metric != LOOP_METRIC_AUC)
	{
		judge->losses = MemoryContextAllocExtended(CurrentMemoryContext,
												   Max(judge->n_clusters, 1) * sizeof(GrovePairedCluster),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		for (i = 0; i < judge->n_clusters; i++)
			judge->losses[i].hash = grove_rng_hash(key, sorted[i]);
	}
	pfree(sorted);
}

/* The metric that fits the task, or the one that was asked for if it does. */
static void
choose_metric(LoopJudge *judge, const GroveModel *model)
{
	LoopMetric	wanted = judge->request->metric;
	bool		classes = model->task == GROVE_TASK_BINARY || model->task == GROVE_TASK_MULTICLASS;

	if (model->task == GROVE_TASK_RANKING)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the loop does not judge rankings"),
				 errhint("Prune whole queries with grove.prune(), and compare with the aggregate grove.ndcg().")));
	judge->metric = wanted != LOOP_METRIC_DEFAULT ? wanted :
		model->task == GROVE_TASK_BINARY ? LOOP_METRIC_AUC :
		classes ? LOOP_METRIC_LOG_LOSS : LOOP_METRIC_RMSE;
	if ((judge->metric == LOOP_METRIC_AUC && model->task != GROVE_TASK_BINARY) ||
		(judge->metric == LOOP_METRIC_LOG_LOSS && !classes) ||
		(judge->metric >= LOOP_METRIC_RMSE && classes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"metric\" does not fit the task"),
				 errhint("\"auc\" is for two classes, \"log_loss\" for classes, \"rmse\" and \"mae\" are for numbers.")));
}

const char *
grovepg_judge_metric(const LoopJudge *judge)
{
	static const char *const names[] = {"", "auc", "log_loss", "rmse", "mae"};

	return names[judge->metric];
}

static GroveMetric
loss_of(LoopMetric metric)
{
	return metric == LOOP_METRIC_RMSE ? GROVE_METRIC_RMSE :
		metric == LOOP_METRIC_MAE ? GROVE_METRIC_MAE : GROVE_METRIC_LOG_LOSS;
}

/* Adds the loss of a row to a model's sums. */
static void
add_loss(LoopJudge *judge, int which, uint64 row, double loss)
{
	GroveMetricFault fault = grove_metric_add_loss(&judge->sums[which], loss, 1);

	if (fault != GROVE_METRIC_FINE)
		grovepg_metric_report(fault, 0, loss, 1);
	judge->losses[judge->cluster[row]].loss[which] += loss;
}

static void
score_row(LoopJudge *judge, int which, GroveScorer *scorer, GroveTruthColumn *truth, TupleTableSlot *slot, uint64 row)
{
	const GroveModel *model = scorer->model;
	double		number;
	int			class;

	/* reading the source refused rows without a target */
	if (!grovepg_truth_read(truth, slot, &number))
		return;
	class = model->n_classes > 0 ? (int) number : 0;
	grovepg_scorer_run(scorer, slot);
	switch (model->task)
	{
		case GROVE_TASK_BINARY:
			grove_exactsum_add(&judge->predicted[which], scorer->probabilities[1]);
			if (which == 0)
				judge->total[class]++;
			if (judge->metric == LOOP_METRIC_AUC)
			{
				judge->words[3 * row + which] = grove_ranked_key(scorer->margins[0]);
				judge->words[3 * row + 2] = grove_ranked_class(class == 1, 1);
			}
			else
				add_loss(judge, which, row, grove_metric_log_loss(scorer->probabilities[class]));
			break;
		case GROVE_TASK_MULTICLASS:
			add_loss(judge, which, row, grove_metric_log_loss(class < 0 ? 0 : scorer->probabilities[class]));
			break;
		default:
			add_loss(judge, which, row,
					 grove_metric_loss(loss_of(judge->metric), number, grove_predict_value(model, scorer->margins)));
			break;
	}
}

/* Scores all rows with one of the two models. */
static void
score_rows(LoopJudge *judge, int which, const GroveModel *model)
{
	TupleDesc	desc = judge->request->columns;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	GroveScorer *scorer = grovepg_scorer_make(model, desc);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "grove row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = CurrentMemoryContext;
	GroveTruthColumn truth = {0};
	uint64		row = 0;
	uint32		c;

	grovepg_truth_bind(&truth, model, desc);
	grove_exactsum_init(&judge->predicted[which]);
	grove_metric_init(&judge->sums[which], loss_of(judge->metric));
	for (c = 0; judge->losses != NULL && c < judge->n_clusters; c++)
		judge->losses[c].loss[which] = 0;
	tuplestore_select_read_pointer(judge->part->store, 0);
	tuplestore_rescan(judge->part->store);
	while (tuplestore_gettupleslot(judge->part->store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(row_context);
		score_row(judge, which, scorer, &truth, slot, row++);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	ExecDropSingleTupleTableSlot(slot);
}

typedef struct OrderBy
{
	const uint64 *words;
	int			which;
} OrderBy;

static int
compare_scores(const void *a, const void *b, void *arg)
{
	const OrderBy *by = arg;
	uint64		x = by->words[3 * (Size) *(const uint32 *) a + by->which];
	uint64		y = by->words[3 * (Size) *(const uint32 *) b + by->which];

	CHECK_FOR_INTERRUPTS();
	return x < y ? -1 : x > y;
}

/* Placements of one model's scores, and its AUC. */
static void
place_rows(LoopJudge *judge, int which)
{
	OrderBy		by = {judge->words, which};
	GroveRankedCurve curve;
	Size		n = judge->part->rows;
	Size		start;

	for (start = 0; start < n; start++)
		judge->order[start] = (uint32) start;
	qsort_arg(judge->order, n, sizeof(uint32), compare_scores, &by);
	memset(&curve, 0, sizeof(curve));
	judge->auc[which] = NAN;
	if (judge->total[0] == 0 || judge->total[1] == 0)
		return;
	for (start = 0; start < n;)
	{
		start = grove_ranked_place(judge->words, judge->order, n, start, which, judge->total, &curve,
								   judge->placement[which]);
		CHECK_FOR_INTERRUPTS();
	}
	grove_ranked_auc(&curve, &judge->auc[which]);
}

LoopJudge *
grovepg_judge_begin(LoopRequest *request, LoopPart *part, const GroveModel *full)
{
	LoopJudge  *judge = palloc0(sizeof(LoopJudge));
	Size		n = Max(part->rows, 1);

	judge->request = request;
	judge->part = part;
	choose_metric(judge, full);
	number_clusters(judge);
	if (judge->metric == LOOP_METRIC_AUC)
	{
		judge->words = MemoryContextAllocHuge(CurrentMemoryContext, 3 * n * sizeof(uint64));
		judge->order = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(uint32));
		judge->placement[0] = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(double));
		judge->placement[1] = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(double));
		judge->cluster_sum = MemoryContextAllocHuge(CurrentMemoryContext, Max(judge->n_clusters, 1) * sizeof(double));
	}
	score_rows(judge, 0, full);
	if (judge->metric == LOOP_METRIC_AUC)
		place_rows(judge, 0);
	return judge;
}

/* The metric of a model; NaN when there are no rows for it. */
static double
value_of(LoopJudge *judge, int which)
{
	double		value;

	if (judge->metric == LOOP_METRIC_AUC)
		return judge->auc[which];
	return grove_metric_result(&judge->sums[which], &value) ? value : NAN;
}

double
grovepg_judge_full(const LoopJudge *judge)
{
	return value_of(unconstify(LoopJudge *, judge), 0);
}

static void
test_auc(LoopJudge *judge, GrovePairedTest *test)
{
	Size		n = judge->part->rows;
	Size		from;

	place_rows(judge, 1);
	test->difference = judge->auc[0] - judge->auc[1];
	test->units = (uint64) judge->total[1];
	test->small = judge->n_clusters < GROVE_PAIRED_MIN_CLUSTERS ||
		Min(judge->total[0], judge->total[1]) < GROVE_PAIRED_MIN_CLASS;
	memset(judge->cluster_sum, 0, judge->n_clusters * sizeof(double));
	for (from = 0; from < n; from += 4096)
	{
		CHECK_FOR_INTERRUPTS();
		if (isnan(test->difference))
			break;
		grove_paired_auc_add(judge->words, judge->cluster, from, Min(from + 4096, n), judge->placement[0],
							 judge->placement[1], test->difference, judge->total, judge->cluster_sum);
	}
	test->error = isnan(test->difference) ? NAN : grove_paired_auc_error(judge->cluster_sum, judge->n_clusters);
}

static void
test_losses(LoopJudge *judge, GrovePairedTest *test)
{
	GrovePairedMetric metric = judge->metric == LOOP_METRIC_RMSE ? GROVE_PAIRED_ROOT : GROVE_PAIRED_MEAN;
	double	   *replicates = palloc(sizeof(double) * GROVE_PAIRED_REPLICATES);
	double		loss[2] = {0, 0};
	uint32		i;

	for (i = 0; i < judge->n_clusters; i++)
	{
		loss[0] += judge->losses[i].loss[0];
		loss[1] += judge->losses[i].loss[1];
	}
	for (i = 0; i < GROVE_PAIRED_REPLICATES; i++)
	{
		CHECK_FOR_INTERRUPTS();
		replicates[i] = grove_paired_replicate(metric, judge->losses, judge->n_clusters, i);
	}
	test->difference = judge->n_clusters > 0 ? grove_paired_relative(metric, loss) : NAN;
	test->error = grove_paired_spread(replicates, GROVE_PAIRED_REPLICATES);
	test->units = judge->n_clusters;
	test->small = judge->n_clusters < GROVE_PAIRED_MIN_CLUSTERS;
	pfree(replicates);
}

GrovePairedDecision
grovepg_judge_compare(LoopJudge *judge, const GroveModel *pruned, GrovePairedTest *test, double *calibration)
{
	LoopRequest *request = judge->request;
	GrovePairedDecision decision;

	memset(test, 0, sizeof(*test));
	score_rows(judge, 1, pruned);
	test->clusters = judge->n_clusters;
	if (judge->metric == LOOP_METRIC_AUC)
		test_auc(judge, test);
	else
		test_losses(judge, test);
	test->value[0] = value_of(judge, 0);
	test->value[1] = value_of(judge, 1);
	decision = grove_paired_decide(test, request->max_loss, request->confidence);
	*calibration = NAN;
	if (pruned->task == GROVE_TASK_BINARY && judge->part->rows > 0)
	{
		*calibration = grove_exactsum_round(&judge->predicted[1]) / grove_exactsum_round(&judge->predicted[0]);
		if (fabs(*calibration - 1) > request->calibration)
			decision = GROVE_PAIRED_REJECTED;
	}
	return decision;
}
