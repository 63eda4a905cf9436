/*
 * fn_curves.c: roc_curve, lift_curve, calibration and confusion_matrix: rows
 * to plot, or to read, of a scored source.
 *
 * The three curves read the source into a sorted metric state and walk it once
 * or twice; confusion_matrix lets the server group.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "../core/curve.h"
#include "agg_metric.h"
#include "arguments.h"
#include "judge_source.h"
#include "rowtype.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_roc_curve);
PG_FUNCTION_INFO_V1(grove_lift_curve);
PG_FUNCTION_INFO_V1(grove_calibration);
PG_FUNCTION_INFO_V1(grove_confusion_matrix);

/* A curve function at work: its scored rows and where its result goes. */
typedef struct CurveJob
{
	MemoryContext context;
	MemoryContext previous;
	Tuplestorestate *store;
	TupleDesc	desc;
	GroveMetricState *scores;
	double		total[2];		/* weights of the negatives and positives */
} CurveJob;

/* Reads the source that the first four arguments tell. */
static void
begin_curve(FunctionCallInfo fcinfo, CurveJob *job)
{
	GroveRankedCurve curve;
	char	   *source = grovepg_argument_text(fcinfo, 0, "source");
	char	   *truth = grovepg_argument_text(fcinfo, 1, "truth");
	char	   *score = grovepg_argument_text(fcinfo, 2, "score");

	job->store = grovepg_rowtype_store(fcinfo, &job->desc);
	job->context = AllocSetContextCreate(CurrentMemoryContext, "grove curve", ALLOCSET_DEFAULT_SIZES);
	job->previous = MemoryContextSwitchTo(job->context);
	job->scores = grovepg_judge_read(source, truth, score,
									 PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)));
	grovepg_metric_curve(job->scores, &curve);
	job->total[0] = grovepg_metric_checked(grove_ranked_sum_value(&curve.above[0]));
	job->total[1] = grovepg_metric_checked(grove_ranked_sum_value(&curve.above[1]));
}

static Datum
end_curve(CurveJob *job)
{
	MemoryContextSwitchTo(job->previous);
	MemoryContextDelete(job->context);
	return (Datum) 0;
}

/* One result row of numbers, NaN being NULL; those from the first real one on are float8, the others integers. */
static void
put_numbers(CurveJob *job, const double *numbers, int first_real)
{
	Datum		values[6];
	bool		nulls[6];
	int			i;

	for (i = 0; i < job->desc->natts; i++)
	{
		nulls[i] = isnan(numbers[i]);
		values[i] = i < first_real ? Int32GetDatum((int32) numbers[i]) : Float8GetDatum(numbers[i]);
	}
	tuplestore_putvalues(job->store, job->desc, values, nulls);
}

static void
put_point(CurveJob *job, const GroveCurvePoint *point)
{
	double		numbers[3];

	numbers[0] = point->threshold;
	numbers[1] = point->false_positive;
	numbers[2] = point->true_positive;
	put_numbers(job, numbers, 0);
}

/* roc_curve(source text, truth text, score text, weight text) returns table (threshold, false_positive_rate, true_positive_rate) */
Datum
grove_roc_curve(PG_FUNCTION_ARGS)
{
	CurveJob	job;
	GroveCurveRoc roc;
	GroveCurvePoint point;
	GroveRankedGroup group;
	Size		start;

	begin_curve(fcinfo, &job);
	grove_curve_roc_init(&roc, job.total);
	for (start = 0; start < job.scores->n_rows; start = group.end)
	{
		if (start == 0)
		{
			grove_curve_roc_first(&roc, &point);
			put_point(&job, &point);
		}
		grove_ranked_group(job.scores->rows, job.scores->n_rows, start, &group);
		if (grove_curve_roc_add(&roc, &group, &point))
			put_point(&job, &point);
		CHECK_FOR_INTERRUPTS();
	}
	if (grove_curve_roc_last(&roc, &point))
		put_point(&job, &point);
	return end_curve(&job);
}

/* Argument 4, the number of buckets or bins. */
static uint32
get_parts(FunctionCallInfo fcinfo, const char *name)
{
	if (PG_ARGISNULL(4))
		grovepg_argument_reject_null(name);
	if (PG_GETARG_INT32(4) < 1 || PG_GETARG_INT32(4) > GROVE_CURVE_MAX_PARTS)
		grovepg_argument_reject(name, PG_GETARG_INT32(4), psprintf("between 1 and %d", GROVE_CURVE_MAX_PARTS));
	return (uint32) PG_GETARG_INT32(4);
}

/*
 * lift_curve(source text, truth text, score text, weight text, buckets integer)
 * returns table (bucket, share, lowest_score, rate, lift, gain)
 */
Datum
grove_lift_curve(PG_FUNCTION_ARGS)
{
	CurveJob	job;
	GroveCurveLift lift;
	GroveCurveBucket bucket;
	GroveRankedGroup group;
	uint32		buckets = get_parts(fcinfo, "buckets");
	Size		start;

	begin_curve(fcinfo, &job);
	grove_curve_lift_init(&lift, job.total, buckets);
	for (start = 0; start < job.scores->n_rows; start = group.end)
	{
		grove_ranked_group(job.scores->rows, job.scores->n_rows, start, &group);
		while (grove_curve_lift_next(&lift, &group, &bucket))
		{
			double		numbers[6];

			numbers[0] = lift.done;
			numbers[1] = (double) lift.done / buckets;
			numbers[2] = bucket.lowest;
			numbers[3] = bucket.rate;
			numbers[4] = bucket.lift;
			numbers[5] = bucket.gain;
			put_numbers(&job, numbers, 1);
		}
		grove_curve_lift_add(&lift, &group);
		CHECK_FOR_INTERRUPTS();
	}
	return end_curve(&job);
}

/*
 * calibration(source text, truth text, score text, weight text, bins integer)
 * returns table (bin, weight_sum, mean_score, observed, lower, upper)
 */
Datum
grove_calibration(PG_FUNCTION_ARGS)
{
	CurveJob	job;
	GroveCurveBin *parts;
	GroveRankedSum above = {0, 0};
	GroveRankedGroup group;
	uint32		bins = get_parts(fcinfo, "bins");
	uint32		i;
	Size		start;

	begin_curve(fcinfo, &job);
	parts = palloc0(sizeof(GroveCurveBin) * bins);
	for (start = 0; start < job.scores->n_rows; start = group.end)
	{
		grove_ranked_group(job.scores->rows, job.scores->n_rows, start, &group);
		if (!(group.score >= 0 && group.score <= 1))
			grovepg_metric_report(GROVE_METRIC_BAD_PROBABILITY, 0, group.score, 1);
		i = grove_curve_bin(job.total[0] + job.total[1], grove_ranked_sum_value(&above), &group, bins);
		/* merged rows stand for so many rows of weight 1 */
		grove_curve_bin_add(&parts[i], &group, job.scores->separate ? group.square[0] + group.square[1] :
							group.weight[0] + group.weight[1]);
		grove_ranked_sum_add(&above, group.weight[0] + group.weight[1]);
		CHECK_FOR_INTERRUPTS();
	}
	for (i = 0; i < bins; i++)
	{
		double		weight = grove_ranked_sum_value(&parts[i].weight);
		double		numbers[6];

		if (weight == 0)
			continue;
		numbers[0] = i + 1;
		numbers[1] = weight;
		numbers[2] = grove_ranked_sum_value(&parts[i].score) / weight;
		grove_curve_bin_rate(&parts[i], &numbers[3], &numbers[4], &numbers[5]);
		put_numbers(&job, numbers, 1);
	}
	return end_curve(&job);
}

/* Receiver of the grouped query: nothing to prepare. */
static void
start_groups(TupleDesc desc, void *arg)
{
}

/* Receiver of the grouped query: its columns are those of the result. */
static void
add_group(GroveSlot *slot, void *arg)
{
	CurveJob   *job = arg;

	slot_getallattrs(slot);
	tuplestore_putvalues(job->store, job->desc, slot->tts_values, slot->tts_isnull);
}

/* confusion_matrix(source text, truth text, predicted text) returns table (truth_label text, predicted_label text, rows bigint) */
Datum
grove_confusion_matrix(PG_FUNCTION_ARGS)
{
	CurveJob	job = {0};
	char	   *query = grovepg_source_query(grovepg_argument_text(fcinfo, 0, "source"), NULL);
	const char *truth = grovepg_argument_text(fcinfo, 1, "truth");
	const char *predicted = grovepg_argument_text(fcinfo, 2, "predicted");
	TupleDesc	columns = grovepg_source_columns(query);
	StringInfoData grouped;

	grovepg_source_column(columns, truth, "truth");
	grovepg_source_column(columns, predicted, "predicted");
	truth = quote_identifier(truth);
	predicted = quote_identifier(predicted);
	initStringInfo(&grouped);
	appendStringInfo(&grouped,
					 "SELECT CAST(g.t AS pg_catalog.text), CAST(g.p AS pg_catalog.text), g.n FROM ("
					 "SELECT q.%s AS t, q.%s AS p, pg_catalog.count(*) AS n FROM (%s\n) AS q "
					 "WHERE q.%s IS NOT NULL AND q.%s IS NOT NULL GROUP BY 1, 2) AS g ORDER BY g.t, g.p",
					 truth, predicted, query, truth, predicted);
	job.store = grovepg_rowtype_store(fcinfo, &job.desc);
	grovepg_source_run(grouped.data, grovepg_source_receiver_lazy(start_groups, add_group, &job));
	return (Datum) 0;
}
