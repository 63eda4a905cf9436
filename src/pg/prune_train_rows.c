/*
 * prune_train_rows.c: the rows of grove.prune_train.
 *
 * The source runs once.  Its rows go to four tuplestores within work_mem, by
 * a hash of the split_by columns, as grove.split() would divide them: the
 * pool, the rows of early stopping, the hold-out and the sealed part.  Each
 * round shows the pool to grove.prune() and what that keeps to grove.train(),
 * under a name that no other query sees.  So a round is what a user gets who
 * calls the two functions, and with one seed the permanent hashes of the keys
 * make later rounds parts of earlier ones wherever probabilities only fall.
 */
#include "pg_grove.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "evaluator.h"
#include "prune_train_job.h"
#include "source.h"

#define EXTRA_COLUMNS	3		/* weight, offset, validation */
#define STOP_FOLDS		8		/* one of so many parts of the pool is for early stopping */

/* What a held-out row costs: its cluster while reading; then words, clusters, orders, placements; clusters' sums. */
#define HELD_ROW_BYTES	(sizeof(uint64) + 5 * sizeof(uint32) + 3 * sizeof(uint64) + 2 * sizeof(double) + 40)

typedef struct ReadJob
{
	LoopRequest *request;
	LoopRows   *rows;
	MemoryContext context;
	GroveKey   *key;
	int			n_columns;
	AttrNumber *columns;		/* of split_by */
	Datum	   *values;
	bool	   *nulls;
	AttrNumber	target;
	AttrNumber	validation;		/* 0: none */
	uint64		split_key;
	uint64		fold_key;
} ReadJob;

/* ------------------------------------------------------------------- reading */

static void
bind_columns(ReadJob *job, TupleDesc desc)
{
	LoopRequest *request = job->request;
	Oid		   *types;
	ListCell   *lc;

	job->n_columns = 0;
	job->columns = palloc(sizeof(AttrNumber) * list_length(request->split_by));
	types = palloc(sizeof(Oid) * list_length(request->split_by));
	foreach(lc, request->split_by)
	{
		AttrNumber	attno = (AttrNumber) grovepg_source_column(desc, lfirst(lc), "split_by");

		types[job->n_columns] = TupleDescAttr(desc, attno - 1)->atttypid;
		job->columns[job->n_columns++] = attno;
	}
	job->values = palloc(sizeof(Datum) * job->n_columns);
	job->nulls = palloc(sizeof(bool) * job->n_columns);
	job->key = grovepg_key_make(job->n_columns, types);
	job->target = (AttrNumber) grovepg_source_column(desc, request->target, "target");
	if (request->validation != NULL)
		job->validation = (AttrNumber) grovepg_source_column(desc, request->validation, "validation");
}

static bool
is_validation(ReadJob *job, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, job->validation, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("validation column \"%s\" contains null values", job->request->validation),
				 errhint("It must be true or false in every row.")));
	return DatumGetBool(value);
}

/* The part that a row belongs to, by the hash of its split_by columns. */
static LoopPart *
choose_part(ReadJob *job, TupleTableSlot *slot)
{
	LoopRequest *request = job->request;
	LoopRows   *rows = job->rows;
	double		train = 1 - request->holdout - request->sealed;
	uint64		hash = grovepg_key_hash(job->key, job->split_key, job->values, job->nulls);

	if (job->validation != 0)
	{
		/* the column says what is held out, the hash what of that is sealed */
		if (is_validation(job, slot))
			return grove_rng_below(hash, request->holdout / (request->holdout + request->sealed)) ?
				&rows->holdout : &rows->sealed;
	}
	else if (!grove_rng_below(hash, train))
		return grove_rng_below(hash, train + request->holdout) ? &rows->holdout : &rows->sealed;
	if (request->early &&
		grove_rng_range(grovepg_key_hash(job->key, job->fold_key, job->values, job->nulls), STOP_FOLDS) == 0)
		return &rows->stop;
	return &rows->pool;
}

/* Remembers the cluster of a held-out row, within the memory that is allowed. */
static void
add_cluster(LoopPart *part, uint64 cluster, MemoryContext context)
{
	if (part->rows == part->capacity)
	{
		uint64		capacity = Max(1024, 2 * part->capacity);

		if (capacity * HELD_ROW_BYTES > grovepg_max_memory())
			capacity = grovepg_max_memory() / HELD_ROW_BYTES;
		if (capacity <= part->rows || capacity > PG_UINT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("hold-out of " UINT64_FORMAT " rows needs more memory than is allowed", part->rows),
					 errhint("Raise \"grove.max_memory\" or \"maintenance_work_mem\", or make the options \"holdout\" and \"sealed\" smaller.")));
		if (part->clusters == NULL)
			part->clusters = MemoryContextAllocHuge(context, capacity * sizeof(uint64));
		else
			part->clusters = repalloc_huge(part->clusters, capacity * sizeof(uint64));
		part->capacity = capacity;
	}
	part->clusters[part->rows] = cluster;
}

/* Receiver: one row of the source. */
static void
add_row(GroveSlot *slot, void *arg)
{
	ReadJob    *job = arg;
	LoopPart   *part;
	bool		isnull;

	CHECK_FOR_INTERRUPTS();
	(void) slot_getattr(slot, job->target, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target column \"%s\" contains null values", job->request->target),
				 errhint("Add WHERE %s IS NOT NULL to the source.", quote_identifier(job->request->target))));
	for (int i = 0; i < job->n_columns; i++)
		job->values[i] = slot_getattr(slot, job->columns[i], &job->nulls[i]);
	part = choose_part(job, slot);
	if (part == &job->rows->holdout || part == &job->rows->sealed)
		add_cluster(part, grovepg_key_hash(job->key, job->split_key, job->values, job->nulls), job->context);
	tuplestore_puttupleslot(part->store, slot);
	part->rows++;
}

LoopRows *
grovepg_loop_read(LoopRequest *request)
{
	LoopRows   *rows = palloc0(sizeof(LoopRows));
	LoopPart   *parts[4] = {&rows->pool, &rows->stop, &rows->holdout, &rows->sealed};
	ReadJob		job = {0};

	job.request = request;
	job.rows = rows;
	job.context = CurrentMemoryContext;
	job.split_key = grove_rng_key((uint64) request->seed, GROVE_PURPOSE_SPLIT);
	job.fold_key = grove_rng_key((uint64) request->seed, GROVE_PURPOSE_FOLD);
	bind_columns(&job, request->columns);
	for (int i = 0; i < (int) lengthof(parts); i++)
		parts[i]->store = tuplestore_begin_heap(true, false, work_mem);
	grovepg_source_run(request->query, grovepg_source_receiver_lazy(NULL, add_row, &job));
	if (rows->pool.rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("source has no rows to train on"),
				 errdetail(UINT64_FORMAT " rows are held out.", rows->holdout.rows + rows->sealed.rows),
				 errhint("Pass more rows, or a column \"validation\" that is false in most of them.")));
	return rows;
}

/* ------------------------------------------------------------ rows of a round */

typedef struct PruneJob
{
	LoopRound  *round;
	TupleDesc	source;
	Datum	   *values;
	bool	   *nulls;
} PruneJob;

static TupleDesc
extend_columns(TupleDesc source)
{
	TupleDesc	desc = CreateTemplateTupleDesc(source->natts + EXTRA_COLUMNS);

	for (int i = 1; i <= source->natts; i++)
		TupleDescCopyEntry(desc, (AttrNumber) i, source, (AttrNumber) i);
	TupleDescInitEntry(desc, (AttrNumber) (source->natts + 1), "grove_weight", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, (AttrNumber) (source->natts + 2), "grove_log_offset", FLOAT8OID, -1, 0);
	TupleDescInitEntry(desc, (AttrNumber) (source->natts + 3), "grove_validation", BOOLOID, -1, 0);
	return desc;
}

/* A row whose first values are in place. */
static void
put_row(PruneJob *job, double weight, double offset, bool validation)
{
	int			n = job->source->natts;

	job->values[n] = Float8GetDatum(weight);
	job->values[n + 1] = Float8GetDatum(offset);
	job->values[n + 2] = BoolGetDatum(validation);
	tuplestore_putvalues(job->round->store, job->round->columns, job->values, job->nulls);
}

/* Copies all rows of a part, as they are. */
static void
copy_part(PruneJob *job, LoopPart *part, bool validation)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(job->source, &TTSOpsMinimalTuple);

	tuplestore_select_read_pointer(part->store, 0);
	tuplestore_rescan(part->store);
	while (tuplestore_gettupleslot(part->store, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		slot_getallattrs(slot);
		memcpy(job->values, slot->tts_values, sizeof(Datum) * job->source->natts);
		memcpy(job->nulls, slot->tts_isnull, sizeof(bool) * job->source->natts);
		put_row(job, 1, 0, validation);
	}
	ExecDropSingleTupleTableSlot(slot);
}

/* Receiver: a row that prune() keeps, as a record, with weight and offset. */
static void
keep_row(GroveSlot *slot, void *arg)
{
	PruneJob   *job = arg;
	HeapTupleHeader header = DatumGetHeapTupleHeader(slot->tts_values[0]);
	HeapTupleData tuple;

	CHECK_FOR_INTERRUPTS();
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, job->source, job->values, job->nulls);
	put_row(job, slot->tts_isnull[1] ? 1 : DatumGetFloat8(slot->tts_values[1]),
			slot->tts_isnull[2] ? 0 : DatumGetFloat8(slot->tts_values[2]), false);
	job->round->rows++;
}

static void
append_names(StringInfo query, const char *argument, List *names)
{
	ListCell   *lc;
	const char *separator = "";

	if (names == NIL)
		return;
	appendStringInfo(query, ", %s => ARRAY[", argument);
	foreach(lc, names)
	{
		appendStringInfo(query, "%s%s", separator, quote_literal_cstr(lfirst(lc)));
		separator = ", ";
	}
	appendStringInfoString(query, "]::pg_catalog.text[]");
}

static bool
needs_target(const LoopRequest *request)
{
	return strcmp(request->method, "negatives") == 0 || strcmp(request->method, "surprise") == 0 ||
		strcmp(request->method, "gradient") == 0;
}

static char *
json_text(Jsonb *json)
{
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

/* Options of a guided method: a pilot must not see what the model does not see. */
static char *
guided_params(const LoopRequest *request)
{
	List	   *names = list_concat(list_copy(request->split_by), request->ignore);
	StringInfoData ignore;
	Datum		params;
	ListCell   *lc;

	if (request->validation != NULL)
		names = lappend(names, request->validation);
	initStringInfo(&ignore);
	appendStringInfoString(&ignore, "{\"ignore\": [");
	foreach(lc, names)
	{
		if (lc != list_head(names))
			appendStringInfoString(&ignore, ", ");
		escape_json(&ignore, lfirst(lc));
	}
	appendStringInfoString(&ignore, "]}");
	params = DirectFunctionCall1(jsonb_in, CStringGetDatum(ignore.data));
	if (request->pruning != NULL)
		params = DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(request->pruning), params);
	return json_text(DatumGetJsonbP(params));
}

/* The call of prune() over the pool. */
static char *
prune_query(const LoopRequest *request, double share)
{
	StringInfoData query;
	bool		guided = needs_target(request) && strcmp(request->method, "negatives") != 0;

	initStringInfo(&query);
	appendStringInfo(&query,
					 "SELECT p.kept, p.weight, p.log_offset FROM grove.prune(NULL::pg_catalog.record, "
					 "'SELECT * FROM grove_loop_rows', keep => %.17g, method => %s, readmit => %.17g, gamma => %.17g, "
					 "seed => " INT64_FORMAT,
					 share, quote_literal_cstr(request->method), request->readmit, request->gamma, request->seed);
	append_names(&query, "key", request->key);
	append_names(&query, "by", request->by);
	if (needs_target(request))
		appendStringInfo(&query, ", target => %s", quote_literal_cstr(request->target));
	if (guided)
		appendStringInfo(&query, ", params => %s::pg_catalog.jsonb",
						 quote_literal_cstr(guided_params(request)));
	else if (request->pruning != NULL)
		appendStringInfo(&query, ", params => %s::pg_catalog.jsonb", quote_literal_cstr(json_text(request->pruning)));
	appendStringInfoString(&query, ") AS p");
	return query.data;
}

static LoopCorrection
choose_correction(const LoopRequest *request, bool binary)
{
	if (strcmp(request->method, "random") == 0 && request->readmit == 0)
		return LOOP_CORRECT_NOTHING;
	if (needs_target(request) && strcmp(request->method, "gradient") != 0 && binary && request->boosted)
		return LOOP_CORRECT_OFFSET;
	return LOOP_CORRECT_WEIGHT;
}

LoopRound *
grovepg_loop_prune(LoopRequest *request, LoopRows *rows, bool binary, bool everything, double share)
{
	LoopRound  *round = palloc0(sizeof(LoopRound));
	PruneJob	job;

	round->columns = extend_columns(request->columns);
	round->store = tuplestore_begin_heap(true, false, work_mem);
	job.round = round;
	job.source = request->columns;
	job.values = palloc(sizeof(Datum) * round->columns->natts);
	job.nulls = palloc0(sizeof(bool) * round->columns->natts);
	if (everything)
	{
		copy_part(&job, &rows->pool, false);
		round->rows = rows->pool.rows;
	}
	else
	{
		round->correction = choose_correction(request, binary);
		grovepg_source_show("grove_loop_rows", request->columns, rows->pool.store, rows->pool.rows);
		PG_TRY();
		{
			grovepg_source_run(prune_query(request, share), grovepg_source_receiver(NULL, keep_row, &job));
		}
		PG_FINALLY();
		{
			grovepg_source_hide();
		}
		PG_END_TRY();
	}
	copy_part(&job, &rows->stop, true);
	return round;
}

void
grovepg_loop_release(LoopRound *round)
{
	tuplestore_end(round->store);
	pfree(round);
}

/* ------------------------------------------------------------------ training */

extern Datum grove_train(PG_FUNCTION_ARGS);

/* Names of the columns that are no features. */
static Datum
ignored_names(const LoopRequest *request, const LoopRound *round)
{
	List	   *names = list_concat(list_concat(list_copy(request->key), request->split_by), request->ignore);
	Datum	   *elements;
	ListCell   *lc;
	int			n = 0;

	if (request->validation != NULL)
		names = lappend(names, request->validation);
	if (round->correction != LOOP_CORRECT_WEIGHT)
		names = lappend(names, "grove_weight");
	if (round->correction != LOOP_CORRECT_OFFSET)
		names = lappend(names, "grove_log_offset");
	if (!request->early)
		names = lappend(names, "grove_validation");
	elements = palloc(sizeof(Datum) * Max(list_length(names), 1));
	foreach(lc, names)
		elements[n++] = CStringGetTextDatum(lfirst(lc));
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
set_text(FunctionCallInfo fcinfo, int i, const char *text)
{
	fcinfo->args[i].isnull = text == NULL;
	fcinfo->args[i].value = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

bytea *
grovepg_loop_train(LoopRequest *request, LoopRound *round, double *milliseconds)
{
	LOCAL_FCINFO(fcinfo, 10);
	instr_time	started;
	instr_time	ended;
	Datum		model = (Datum) 0;

	InitFunctionCallInfoData(*fcinfo, NULL, 10, InvalidOid, NULL, NULL);
	set_text(fcinfo, 0, "SELECT * FROM grove_loop_rows");
	set_text(fcinfo, 1, request->target);
	fcinfo->args[2].isnull = false;
	fcinfo->args[2].value = JsonbPGetDatum(request->training);
	set_text(fcinfo, 3, request->task == NULL ? "auto" : request->task);
	set_text(fcinfo, 4, round->correction == LOOP_CORRECT_WEIGHT ? "grove_weight" : NULL);
	set_text(fcinfo, 5, round->correction == LOOP_CORRECT_OFFSET ? "grove_log_offset" : NULL);
	set_text(fcinfo, 6, NULL);
	set_text(fcinfo, 7, request->early ? "grove_validation" : NULL);
	fcinfo->args[8].isnull = false;
	fcinfo->args[8].value = ignored_names(request, round);
	fcinfo->args[9].isnull = false;
	fcinfo->args[9].value = Int64GetDatum(request->seed);
	grovepg_source_show("grove_loop_rows", round->columns, round->store, round->rows);
	PG_TRY();
	{
		INSTR_TIME_SET_CURRENT(started);
		model = grove_train(fcinfo);
		INSTR_TIME_SET_CURRENT(ended);
	}
	PG_FINALLY();
	{
		grovepg_source_hide();
	}
	PG_END_TRY();
	INSTR_TIME_SUBTRACT(ended, started);
	*milliseconds = INSTR_TIME_GET_MILLISEC(ended);
	return DatumGetByteaP(model);
}

void
grovepg_loop_classes(LoopRequest *request, const GroveModel *model, LoopRound *round, uint64 count[2])
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(round->columns, &TTSOpsMinimalTuple);
	GroveTruthColumn truth = {0};

	count[0] = count[1] = 0;
	grovepg_truth_bind(&truth, model, round->columns);
	tuplestore_select_read_pointer(round->store, 0);
	tuplestore_rescan(round->store);
	while (tuplestore_gettupleslot(round->store, true, false, slot))
	{
		bool		isnull;
		double		class;

		CHECK_FOR_INTERRUPTS();
		if (DatumGetBool(slot_getattr(slot, round->columns->natts, &isnull)))
			continue;
		if (grovepg_truth_read(&truth, slot, &class))
			count[class == 1]++;
	}
	ExecDropSingleTupleTableSlot(slot);
}
