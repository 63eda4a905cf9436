/*
 * pilot.c: see pilot.h.
 *
 * The rows that the models learn from are copied into a tuplestore once, with
 * the fold of each beside it; every training reads them from there.  Which
 * rows these are is decided by a hash of the key that has nothing to do with
 * the fold, nor with what is kept later.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "keys.h"
#include "model_cache.h"
#include "pilot.h"
#include "train.h"

struct GrovePilot
{
	GroveKey   *key;			/* NULL: there is one model for all rows */
	int			n_key;
	const AttrNumber *key_columns;
	Datum	   *values;			/* [n_key] of the row at hand */
	bool	   *nulls;
	uint64		fold_key;		/* of the hash that decides the fold */
	int			n_parts;
	GrovePilotPart *parts;
};

/* The rows that the models learn from. */
typedef struct PilotRows
{
	GrovePilot *pilot;
	TupleDesc	columns;
	MemoryContext context;
	uint64		count;			/* of the source */
	double		share;			/* of its rows that are taken */
	Tuplestorestate *store;
	uint8	   *fold;			/* [n] */
	uint64		n;
	uint64		capacity;
	int			left_out;		/* fold that the model at hand does not see */
} PilotRows;

static uint64
hash_key(GrovePilot *pilot, TupleTableSlot *slot)
{
	for (int i = 0; i < pilot->n_key; i++)
		pilot->values[i] = slot_getattr(slot, pilot->key_columns[i], &pilot->nulls[i]);
	return grovepg_key_hash(pilot->key, pilot->fold_key, pilot->values, pilot->nulls);
}

static int
fold_of(const GrovePilot *pilot, uint64 hash)
{
	return (int) grove_rng_range(hash, (uint64) pilot->n_parts);
}

/* --------------------------------------------------------------------- rows */

static void
count_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PilotRows  *rows = arg;

	rows->count++;
}

static void
take_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PilotRows  *rows = arg;
	uint64		hash = hash_key(rows->pilot, slot);

	if (!grove_rng_below(grove_rng_hash(rows->pilot->fold_key, hash), rows->share))
		return;
	if (rows->n == rows->capacity)
	{
		rows->capacity *= 2;
		rows->fold = repalloc_huge(rows->fold, rows->capacity);
	}
	rows->fold[rows->n++] = (uint8) fold_of(rows->pilot, hash);
	tuplestore_puttupleslot(rows->store, slot);
}

static void
take_rows(PilotRows *rows, const GrovePilotPlan *plan)
{
	grovepg_reread_visit(plan->source, 0, NULL, false, count_row, rows);
	rows->share = rows->count > (uint64) plan->rows ? (double) plan->rows / (double) rows->count : 1;
	rows->capacity = 1024;
	rows->fold = palloc(rows->capacity);
	rows->store = tuplestore_begin_heap(false, false, work_mem);
	grovepg_reread_visit(plan->source, plan->n_key, plan->key, true, take_row, rows);
}

/* Gives a training the rows of all folds but one. */
static void
visit_others(void *arg, void (*row) (TupleTableSlot *slot, void *arg), void *row_arg)
{
	PilotRows  *rows = arg;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(rows->columns, &TTSOpsMinimalTuple);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "grove row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = CurrentMemoryContext;
	uint64		i = 0;

	tuplestore_rescan(rows->store);
	while (tuplestore_gettupleslot(rows->store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (rows->fold[i++] == rows->left_out)
			continue;
		MemoryContextSwitchTo(row_context);
		slot_getallattrs(slot);
		row(slot, row_arg);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
	ExecDropSingleTupleTableSlot(slot);
}

/* ------------------------------------------------------------------- models */

static void
bind_model(GrovePilotPart *part, Datum model, TupleDesc columns)
{
	part->model = grovepg_model_get(model, CurrentMemoryContext);
	part->scorer = grovepg_scorer_make(part->model, columns);
	grovepg_truth_bind(&part->truth, part->model, columns);
}

/* What a training needs to begin. */
typedef struct PilotRun
{
	PilotRows  *rows;
	GroveIntakeRoles roles;
} PilotRun;

static GroveIntake *
begin_intake(GroveTraining *training, void *arg)
{
	PilotRun   *run = arg;

	return grovepg_intake_begin_rows(run->rows->columns, visit_others, run->rows, &run->roles, &training->progress);
}

static void
name_training(void *arg)
{
	const PilotRows *rows = arg;

	errcontext("training of pilot %d of %d", rows->left_out + 1, rows->pilot->n_parts);
}

static bytea *
train_model(const GrovePilotPlan *plan, PilotRun *run)
{
	GroveTraining *training = palloc0(sizeof(GroveTraining));
	ErrorContextCallback callback;
	bytea	   *model;

	callback.callback = name_training;
	callback.arg = run->rows;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	training->params = plan->params;
	training->seed = (uint64) plan->seed;
	grovepg_train_parse_task(training, plan->task);
	grovepg_objective_begin(training, &run->roles);
	model = grovepg_train_run(training, begin_intake, run);
	error_context_stack = callback.previous;
	return model;
}

static void
set_roles(const GrovePilotPlan *plan, TupleDesc columns, GroveIntakeRoles *roles)
{
	ListCell   *lc;

	memset(roles, 0, sizeof(*roles));
	roles->target = plan->target;
	roles->ignore = palloc(sizeof(Datum) * (plan->n_key + list_length(plan->ignore)));
	for (int i = 0; i < plan->n_key; i++)
		roles->ignore[roles->n_ignore++] =
			CStringGetTextDatum(NameStr(TupleDescAttr(columns, plan->key[i] - 1)->attname));
	foreach(lc, plan->ignore)
		roles->ignore[roles->n_ignore++] = CStringGetTextDatum((char *) lfirst(lc));
}

static GrovePilot *
make_pilot(int n_parts)
{
	GrovePilot *pilot = palloc0(sizeof(GrovePilot));

	pilot->n_parts = n_parts;
	pilot->parts = palloc0(sizeof(GrovePilotPart) * n_parts);
	return pilot;
}

GrovePilot *
grovepg_pilot_train(const GrovePilotPlan *plan)
{
	GrovePilot *pilot = make_pilot(plan->folds);
	Oid		   *types = palloc(sizeof(Oid) * plan->n_key);
	PilotRows	rows = {0};
	PilotRun	run;

	rows.pilot = pilot;
	rows.columns = grovepg_reread_columns(plan->source);
	for (int i = 0; i < plan->n_key; i++)
		types[i] = TupleDescAttr(rows.columns, plan->key[i] - 1)->atttypid;
	pilot->key = grovepg_key_make(plan->n_key, types);
	pilot->n_key = plan->n_key;
	pilot->values = palloc(sizeof(Datum) * plan->n_key);
	pilot->nulls = palloc(sizeof(bool) * plan->n_key);
	pilot->key_columns = plan->key;
	pilot->fold_key = grove_rng_key((uint64) plan->seed, GROVE_PURPOSE_PILOT);

	run.rows = &rows;
	set_roles(plan, rows.columns, &run.roles);
	take_rows(&rows, plan);
	for (rows.left_out = 0; rows.left_out < pilot->n_parts; rows.left_out++)
		bind_model(&pilot->parts[rows.left_out], PointerGetDatum(train_model(plan, &run)), rows.columns);
	tuplestore_end(rows.store);
	pfree(rows.fold);
	return pilot;
}

GrovePilot *
grovepg_pilot_take(Datum model, TupleDesc columns)
{
	GrovePilot *pilot = make_pilot(1);

	bind_model(&pilot->parts[0], model, columns);
	return pilot;
}

const GroveModel *
grovepg_pilot_model(const GrovePilot *pilot)
{
	return pilot->parts[0].model;
}

GrovePilotPart *
grovepg_pilot_score(GrovePilot *pilot, TupleTableSlot *slot)
{
	GrovePilotPart *part = &pilot->parts[pilot->key == NULL ? 0 : fold_of(pilot, hash_key(pilot, slot))];

	grovepg_scorer_run(part->scorer, slot);
	return part;
}
