/*
 * fn_prune_train.c: grove.prune_train, how far a training set can be pruned.
 *
 * Round 0 trains on every row of the pool.  Each further round prunes the pool
 * to the next share of the schedule, trains with the same options, and judges
 * the model beside that of round 0 on a hold-out that nobody prunes.  The
 * rounds end at the first that is not accepted, which keeps the chance of
 * accepting any model that loses more than max_loss at 1 - confidence
 * (core/paired.h).  Probabilities of every round are of the whole pool, never
 * of the survivors of the round before, so they are exact and do not
 * compound.  The last accepted model is judged once more on the sealed part.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "model_cache.h"
#include "prune_train_job.h"
#include "rowtype.h"

PG_FUNCTION_INFO_V1(grove_prune_train);

#define RESULT_COLUMNS	11

typedef struct Loop
{
	LoopRequest *request;
	LoopRows   *rows;
	Tuplestorestate *store;
	TupleDesc	desc;
	const GroveModel *full;
	bytea	   *full_bytes;
	LoopJudge  *judge;

	/* the last accepted round */
	bytea	   *accepted;
	int			accepted_round;
	uint64		accepted_rows;
	double		accepted_ms;
} Loop;

/* One result row; NaN is NULL. */
static void
put_result(Loop *loop, int round, uint64 rows, const GrovePairedTest *test, double milliseconds,
		   const char *decision, bytea *model)
{
	Datum		values[RESULT_COLUMNS];
	bool		nulls[RESULT_COLUMNS] = {false};
	double		numbers[4] = {test->value[0], test->value[1], test->difference, test->upper};

	values[0] = Int32GetDatum(round);
	values[1] = Int64GetDatum((int64) rows);
	values[2] = Float8GetDatum((double) rows / (double) loop->rows->pool.rows);
	values[3] = CStringGetTextDatum(grovepg_judge_metric(loop->judge));
	for (int i = 0; i < 4; i++)
	{
		values[4 + i] = Float8GetDatum(numbers[i]);
		nulls[4 + i] = isnan(numbers[i]);
	}
	values[8] = Float8GetDatum(milliseconds);
	nulls[8] = isnan(milliseconds);
	values[9] = CStringGetTextDatum(decision);
	values[10] = PointerGetDatum(model);
	nulls[10] = model == NULL;
	tuplestore_putvalues(loop->store, loop->desc, values, nulls);
}

/* Says how many rows would decide. */
static void
report_inconclusive(const Loop *loop, const char *what, const GrovePairedTest *test)
{
	const char *unit = strcmp(grovepg_judge_metric(loop->judge), "auc") == 0 ? "positive rows" : "values of split_by";

	if (isnan(test->needed) || isinf(test->needed) || test->small)
		ereport(NOTICE,
				(errmsg("%s has too few rows to decide: " UINT64_FORMAT " %s", what, test->units, unit)));
	else
		ereport(NOTICE,
				(errmsg("%s has too few rows to decide: " UINT64_FORMAT " %s, about %.0f are needed for a loss of %g",
						what, test->units, unit, test->needed, loop->request->max_loss)));
}

/* Round 0. */
static void
train_on_everything(Loop *loop)
{
	LoopRound  *round = grovepg_loop_prune(loop->request, loop->rows, false, true, 1);
	GrovePairedTest test = {{0}};
	double		milliseconds;

	loop->full_bytes = grovepg_loop_train(loop->request, round, &milliseconds);
	loop->full = grovepg_model_get(PointerGetDatum(loop->full_bytes), CurrentMemoryContext);
	loop->judge = grovepg_judge_begin(loop->request, &loop->rows->holdout, loop->full);
	test.value[0] = test.value[1] = grovepg_judge_full(loop->judge);
	test.upper = NAN;
	put_result(loop, 0, round->rows, &test, milliseconds, "reference", loop->full_bytes);
	grovepg_loop_release(round);
}

/* Whether what is left can be trained on: two leaves' worth of rows, and some of each class. */
static bool
is_enough(Loop *loop, LoopRound *round)
{
	uint64		count[2];

	if (round->rows < 2 * (uint64) Max(loop->request->min_rows, 1))
		return false;
	if (loop->full->task != GROVE_TASK_BINARY)
		return true;
	grovepg_loop_classes(loop->request, loop->full, round, count);
	return Min(count[0], count[1]) >= GROVE_PAIRED_MIN_CLASS;
}

/* Prunes, trains, tests; true when the next round may follow. */
static bool
run_round(Loop *loop, int number, double share)
{
	static const char *const decisions[] = {"accepted", "rejected", "inconclusive"};
	LoopRound  *round = grovepg_loop_prune(loop->request, loop->rows, loop->full->task == GROVE_TASK_BINARY, false, share);
	GrovePairedTest test;
	GrovePairedDecision decision;
	double		milliseconds;
	double		calibration;
	uint64		rows = round->rows;
	bytea	   *model;

	if (!is_enough(loop, round))
	{
		test.value[0] = grovepg_judge_full(loop->judge);
		test.value[1] = test.difference = test.upper = NAN;
		put_result(loop, number, rows, &test, NAN, "stopped", NULL);
		grovepg_loop_release(round);
		return false;
	}
	model = grovepg_loop_train(loop->request, round, &milliseconds);
	grovepg_loop_release(round);
	decision = grovepg_judge_compare(loop->judge, grovepg_model_get(PointerGetDatum(model), CurrentMemoryContext),
									 &test, &calibration);
	if (decision == GROVE_PAIRED_INCONCLUSIVE)
		report_inconclusive(loop, "hold-out", &test);
	if (decision == GROVE_PAIRED_REJECTED && fabs(calibration - 1) > loop->request->calibration)
		ereport(NOTICE,
				(errmsg("mean prediction of round %d is %.3f times that of the model on everything", number, calibration)));
	put_result(loop, number, rows, &test, milliseconds, decisions[decision], model);
	if (decision != GROVE_PAIRED_ACCEPTED)
		return false;
	loop->accepted = model;
	loop->accepted_round = number;
	loop->accepted_rows = rows;
	loop->accepted_ms = milliseconds;
	return true;
}

/* The last accepted model on rows that nothing before has touched; the model on everything stands in unless it is confirmed. */
static void
judge_sealed(Loop *loop)
{
	GrovePairedTest test;
	GrovePairedDecision decision;
	double		calibration;

	loop->judge = grovepg_judge_begin(loop->request, &loop->rows->sealed, loop->full);
	decision = grovepg_judge_compare(loop->judge,
									 grovepg_model_get(PointerGetDatum(loop->accepted), CurrentMemoryContext),
									 &test, &calibration);
	if (decision == GROVE_PAIRED_INCONCLUSIVE)
		report_inconclusive(loop, "sealed part", &test);
	put_result(loop, loop->accepted_round, loop->accepted_rows, &test, loop->accepted_ms,
			   decision == GROVE_PAIRED_ACCEPTED ? "confirmed" : "unconfirmed",
			   decision == GROVE_PAIRED_ACCEPTED ? loop->accepted : loop->full_bytes);
}

/*
 * prune_train(source, target, key, schedule, max_loss, confidence, method,
 *			   split_by, validation, params, seed)
 */
Datum
grove_prune_train(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext previous;
	Loop		loop = {0};

	loop.store = grovepg_rowtype_store(fcinfo, &loop.desc);
	context = AllocSetContextCreate(CurrentMemoryContext, "grove prune_train", ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(context);
	loop.request = grovepg_loop_request(fcinfo);
	loop.rows = grovepg_loop_read(loop.request);
	train_on_everything(&loop);
	for (int i = 0; i < loop.request->n_rounds; i++)
	{
		if (!run_round(&loop, i + 1, loop.request->schedule[i]))
			break;
	}
	if (loop.accepted != NULL)
		judge_sealed(&loop);
	tuplestore_end(loop.rows->pool.store);
	tuplestore_end(loop.rows->stop.store);
	tuplestore_end(loop.rows->holdout.store);
	tuplestore_end(loop.rows->sealed.store);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
	return (Datum) 0;
}
