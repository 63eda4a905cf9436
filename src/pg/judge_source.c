/*
 * judge_source.c: see judge_source.h.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "agg_metric.h"
#include "judge_source.h"
#include "source.h"

typedef struct ReadJob
{
	MemoryContext context;
	const char *truth_name;
	const char *score_name;
	const char *weight_name;
	GroveNumberColumn truth;
	GroveNumberColumn score;
	GroveNumberColumn weight;
	GroveMetricState *state;
} ReadJob;

void
grovepg_judge_reject_type(const char *role, const char *name, Oid type, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s column \"%s\" has type %s", role, name, grovepg_feature_type_name(type)),
			 errhint("%s", hint)));
}

void
grovepg_judge_bind(TupleDesc desc, const char *name, const char *role, bool boolean, GroveNumberColumn *column)
{
	Oid			type;

	column->attno = (AttrNumber) grovepg_source_column(desc, name, role);
	type = TupleDescAttr(desc, column->attno - 1)->atttypid;
	if (!grovepg_feature_type(type, &column->type) ||
		!(grovepg_feature_is_number(&column->type) || (boolean && column->type.type == BOOLOID)))
		grovepg_judge_reject_type(role, name, type,
								  boolean ? "It must be boolean, or a number that is 0 or 1." : "It must be a number.");
}

bool
grovepg_judge_number(GroveNumberColumn *column, TupleTableSlot *slot, double *number)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, column->attno, &isnull);

	if (isnull)
		return false;
	if (column->type.type == BOOLOID)
		*number = DatumGetBool(value);
	else
		*number = grovepg_feature_number(&column->type, value);
	/* features know no infinities, metrics do */
	if (fabs(*number) == DBL_MAX)
		*number = *number > 0 ? INFINITY : -INFINITY;
	return true;
}

/* Receiver: the columns of the source are known. */
static void
start_rows(TupleDesc desc, void *arg)
{
	ReadJob    *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->context);

	grovepg_judge_bind(desc, job->truth_name, "truth", true, &job->truth);
	grovepg_judge_bind(desc, job->score_name, "score", false, &job->score);
	if (job->weight_name != NULL)
		grovepg_judge_bind(desc, job->weight_name, "weight", false, &job->weight);
	MemoryContextSwitchTo(previous);
}

/* Receiver: one row of the source. */
static void
add_row(GroveSlot *slot, void *arg)
{
	ReadJob    *job = arg;
	double		truth;
	double		score;
	double		weight = 1;

	CHECK_FOR_INTERRUPTS();
	if (!grovepg_judge_number(&job->truth, slot, &truth) ||
		!grovepg_judge_number(&job->score, slot, &score) ||
		(job->weight_name != NULL && !grovepg_judge_number(&job->weight, slot, &weight)))
		return;
	grovepg_metric_add_single(job->state, truth, score, weight);
}

GroveMetricState *
grovepg_judge_read(const char *source, const char *truth, const char *score, const char *weight)
{
	ReadJob		job = {0};

	job.context = CurrentMemoryContext;
	job.truth_name = truth;
	job.score_name = score;
	job.weight_name = weight;
	job.state = grovepg_metric_state_make(GROVE_RANKED_SINGLE, CurrentMemoryContext);
	job.state->separate = weight != NULL;
	grovepg_source_run(grovepg_source_query(source, NULL), grovepg_source_receiver_lazy(start_rows, add_row, &job));
	grovepg_metric_state_sort(job.state);
	return job.state;
}
