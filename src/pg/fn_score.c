/*
 * fn_score.c: grove.score, the rows of a source with their scores.
 *
 * The source runs once, to its end, so that its plan may be parallel.  Rows
 * are collected until a tile is full, scored together, and go to a tuplestore
 * within work_mem.  Handing out row by row would save nothing: the executor
 * puts what a function in FROM returns into a tuplestore anyway.
 */
#include "pg_grove.h"

#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "../core/predict.h"
#include "arguments.h"
#include "model_cache.h"
#include "registry.h"
#include "rowtype.h"
#include "scorer.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_score);

typedef struct ScoreJob
{
	FunctionCallInfo fcinfo;
	MemoryContext context;		/* of the call */
	MemoryContext tile_context; /* of the rows of one tile */
	const GroveModel *model;
	GroveTile  *tile;
	GroveRowType *type;
	Tuplestorestate *store;
	TupleDesc	desc;			/* of the result */
	Datum		rows[GROVE_BATCH_ROWS];	/* the rows in the tile */
} ScoreJob;

/* Receiver: the columns of the source are known. */
static void
start_rows(TupleDesc desc, void *arg)
{
	ScoreJob   *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->context);

	job->type = grovepg_rowtype_map(grovepg_rowtype_argument(job->fcinfo, 0, desc), desc);
	job->tile = grovepg_scorer_tile(grovepg_scorer_make(job->model, desc));
	MemoryContextSwitchTo(previous);
}

static void
put_tile(ScoreJob *job)
{
	uint32		n = grovepg_scorer_tile_run(job->tile);
	bool		nulls[2] = {false, false};

	for (uint32 i = 0; i < n; i++)
	{
		Datum		values[2];

		values[0] = job->rows[i];
		values[1] = Float8GetDatum(grove_predict_value(job->model, grovepg_scorer_tile_margins(job->tile, i)));
		tuplestore_putvalues(job->store, job->desc, values, nulls);
	}
	MemoryContextReset(job->tile_context);
}

/* Receiver: one row of the source. */
static void
add_row(GroveSlot *slot, void *arg)
{
	ScoreJob   *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->tile_context);
	bool		full;

	job->rows[job->tile->n] = grovepg_rowtype_datum(job->type, slot);
	full = grovepg_scorer_tile_add(job->tile, slot);
	MemoryContextSwitchTo(previous);
	if (full)
		put_tile(job);
}

/* score(row_type anyelement, model bytea or name text, source text) returns table (scored anyelement, score float8) */
Datum
grove_score(PG_FUNCTION_ARGS)
{
	ScoreJob   *job;
	char	   *source;
	MemoryContext context;
	MemoryContext previous;

	if (PG_ARGISNULL(1))
		grovepg_argument_reject_null("model");
	source = grovepg_argument_text(fcinfo, 2, "source");
	context = AllocSetContextCreate(CurrentMemoryContext, "grove score", ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(context);
	job = palloc0(sizeof(ScoreJob));
	job->fcinfo = fcinfo;
	job->context = context;
	job->tile_context = AllocSetContextCreate(context, "grove score tile", ALLOCSET_DEFAULT_SIZES);
	job->store = grovepg_rowtype_store(fcinfo, &job->desc);
	job->model = grovepg_model_get(grovepg_registry_argument(fcinfo, 1), context);
	grovepg_source_run(grovepg_source_query(source, NULL),
					   grovepg_source_receiver_lazy(start_rows, add_row, job));
	put_tile(job);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
	return (Datum) 0;
}
