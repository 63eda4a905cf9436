/*
 * fn_retrain.c: retrain(), the line that a scheduler runs every night.
 *
 * It trains the next version from the source that was stored with the current
 * one, on the columns and options that the current one was trained with.  The
 * stored query runs as the caller, who must be the owner of the name: run by
 * another role, a superuser say, it would gain rights.
 *
 * A share of the rows is held out of this training to judge both models.  Which
 * rows is decided by a hash of their key with a fixed seed, so they are the same
 * rows every night, a larger share contains a smaller one, and no version that
 * came from retrain() has seen them.  A version trained elsewhere, or with a
 * smaller share, may have; a NOTICE says so where the judgement decides.
 *
 * The metric is the log-loss of classes, the root mean square error of values,
 * NDCG of the first ten of rankings.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "arguments.h"
#include "model_cache.h"
#include "registry.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_retrain);

#define HOLDOUT_SEED	1
#define NDCG_ITEMS		10

typedef struct Retraining
{
	const char *name;
	const GroveModel *model;	/* the current version */
	const GroveRecipe *recipe;
	const char *target;
	double		share;			/* held out */
	const char *metric;
	bool		higher_is_better;
} Retraining;

static void
choose_metric(Retraining *job)
{
	switch (job->model->task)
	{
		case GROVE_TASK_RANKING:
			job->metric = "ndcg";
			job->higher_is_better = true;
			if (job->recipe->group_by == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("model \"%s\" was saved without its \"group_by\" column", job->name),
						 errhint("Save it again with grove.save(..., group_by => ...).")));
			break;
		case GROVE_TASK_REGRESSION:
			job->metric = "rmse";
			break;
		default:
			job->metric = "log_loss";
			break;
	}
}

static void
add_column(List **names, const char *name)
{
	ListCell   *cell;

	if (name == NULL)
		return;
	foreach(cell, *names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return;
	}
	*names = lappend(*names, unconstify(char *, name));
}

static List *
feature_names(const GroveModel *model)
{
	List	   *names = NIL;

	for (uint32 i = 0; i < model->n_features; i++)
		names = lappend(names, grovepg_model_text(model->features[i].name));
	return names;
}

static char *
list_columns(List *names)
{
	StringInfoData text;
	ListCell   *cell;

	initStringInfo(&text);
	foreach(cell, names)
		appendStringInfo(&text, "%sq.%s", text.len > 0 ? ", " : "", quote_identifier(lfirst(cell)));
	return text.data;
}

/*
 * What the hold-out is decided by: the key of the recipe, the query of a
 * ranking, or all features as one row, whose hash does not depend on settings
 * as its text would.
 */
static char *
key_expression(const Retraining *job)
{
	List	   *names = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (job->recipe->key != NULL)
	{
		deconstruct_array(job->recipe->key, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (!nulls[i])
				names = lappend(names, TextDatumGetCString(elements[i]));
		}
	}
	if (names == NIL && job->recipe->group_by != NULL)
		names = list_make1(job->recipe->group_by);
	if (names == NIL)
		return psprintf("ROW(%s)", list_columns(feature_names(job->model)));
	return list_columns(names);
}

/* The columns that training looks at, of the rows that are held out or of the others. */
static char *
part_query(const Retraining *job, bool held)
{
	List	   *names = feature_names(job->model);

	add_column(&names, job->target);
	add_column(&names, job->recipe->weight);
	add_column(&names, job->recipe->base_margin);
	add_column(&names, job->recipe->group_by);
	add_column(&names, job->recipe->validation);
	return psprintf("SELECT %s FROM (%s\n) AS q WHERE %sgrove.keep(%.17g, %d, %s)", list_columns(names),
					grovepg_source_query(job->recipe->source, NULL), held ? "" : "NOT ", job->share, HOLDOUT_SEED,
					key_expression(job));
}

/*
 * One row of a query with parameters; its first column.  Under the snapshot of
 * the calling statement, so that training and both judgements see the same rows
 * whatever is committed meanwhile.
 */
static Datum
query_value(const char *text, int n, Oid *types, Datum *values, const char *nulls, bool *isnull)
{
	int			result = SPI_execute_with_args(text, n, types, values, nulls, true, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(result));
	*isnull = true;
	return SPI_processed == 0 ? (Datum) 0 :
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, isnull);
}

static Datum
train(const Retraining *job)
{
	const char *roles[] = {job->recipe->weight, job->recipe->base_margin, job->recipe->group_by, job->recipe->validation};
	static const char *const tasks[] = {
		[GROVE_TASK_REGRESSION] = "regression", [GROVE_TASK_BINARY] = "binary",
		[GROVE_TASK_MULTICLASS] = "multiclass", [GROVE_TASK_RANKING] = "ranking"
	};
	Oid			types[9] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID};
	Datum		values[9];
	char		nulls[10] = "         ";
	bool		isnull;
	Datum		model;

	values[0] = CStringGetTextDatum(part_query(job, false));
	values[1] = CStringGetTextDatum(job->target);
	values[2] = CStringGetTextDatum(grovepg_model_text(job->model->params));
	values[3] = CStringGetTextDatum(tasks[job->model->task]);
	for (int i = 0; i < 4; i++)
	{
		nulls[4 + i] = roles[i] == NULL ? 'n' : ' ';
		values[4 + i] = roles[i] == NULL ? (Datum) 0 : CStringGetTextDatum(roles[i]);
	}
	values[8] = Int64GetDatum(job->recipe->seed);
	model = query_value("SELECT grove.train($1, $2, params => $3::pg_catalog.jsonb, task => $4, weight => $5, base_margin => $6,"
						" group_by => $7, validation => $8, seed => $9)", 9, types, values, nulls, &isnull);
	return datumCopy(model, false, -1);
}

/* The metric of a model on the rows held out. */
static double
judge(const Retraining *job, Datum model)
{
	Oid			types[4] = {BYTEAOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[4] = {model, CStringGetTextDatum(part_query(job, true)), CStringGetTextDatum(job->metric)};
	char		nulls[5] = "    ";
	bool		isnull;
	Datum		value;

	nulls[3] = job->recipe->weight == NULL ? 'n' : ' ';
	if (job->recipe->weight != NULL)
		values[3] = CStringGetTextDatum(job->recipe->weight);
	if (job->model->task == GROVE_TASK_RANKING)
		value = query_value(psprintf("SELECT grove.ndcg(h.%s, h.%s::pg_catalog.float8, grove.predict($1, h), %d) FROM (%s) AS h",
									 quote_identifier(job->recipe->group_by), quote_identifier(job->target),
									 NDCG_ITEMS, part_query(job, true)),
							1, types, values, nulls, &isnull);
	else
		value = query_value("SELECT e.value FROM grove.evaluate($1, $2, $4) AS e WHERE e.metric OPERATOR(pg_catalog.=) $3",
							4, types, values, nulls, &isnull);
	if (isnull || isnan(DatumGetFloat8(value)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the rows held out give no %s of model \"%s\"", job->metric, job->name),
				 errhint("There may be too few of them: raise \"holdout\".")));
	return DatumGetFloat8(value);
}

/* A current version from elsewhere, or from a smaller hold-out, may know the rows that it is judged on. */
static void
check_honesty(const Retraining *job)
{
	if (job->recipe->held_out >= job->share)
		return;
	ereport(NOTICE,
			(errmsg("current version of model \"%s\" may have been trained on rows that it is now judged on", job->name),
			 errdetail("It looks better than it is, so that a better version may not be deployed."),
			 errhint("grove.retrain(..., only_if_better => false) makes a version that has not seen them.")));
}

static int64
count_held(const Retraining *job)
{
	bool		isnull;
	Datum		n = query_value(psprintf("SELECT pg_catalog.count(*) FROM (%s) AS h", part_query(job, true)),
								0, NULL, NULL, NULL, &isnull);

	return DatumGetInt64(n);
}

/* retrain(name, only_if_better, holdout) returns (version, deployed, metric, current_value, new_value, holdout_rows) */
Datum
grove_retrain(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Retraining	job = {0};
	Datum		current;
	Datum		next;
	double		values_of[2];
	bool		deployed;
	int64		held;
	char	   *note;
	char	   *target;
	int			version;
	TupleDesc	desc;
	Datum		values[6];
	bool		nulls[6] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	job.name = grovepg_argument_text(fcinfo, 0, "name");
	if (PG_ARGISNULL(1))
		grovepg_argument_reject_null("only_if_better");
	job.share = grovepg_argument_float(fcinfo, 2, "holdout", 0.001, 0.9);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	grovepg_registry_lock(fcinfo, job.name);
	job.recipe = grovepg_registry_recipe(job.name, &current, &target);
	job.target = target;
	if (job.recipe->source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" was saved without a source", job.name),
				 errhint("Save it again with grove.save(..., source => ...).")));
	job.model = grovepg_model_get(current, CurrentMemoryContext);
	choose_metric(&job);
	if (PG_GETARG_BOOL(1))
		check_honesty(&job);
	next = train(&job);
	held = count_held(&job);
	values_of[0] = judge(&job, current);
	values_of[1] = judge(&job, next);
	deployed = !PG_GETARG_BOOL(1) ||
		(job.higher_is_better ? values_of[1] >= values_of[0] : values_of[1] <= values_of[0]);
	note = psprintf("{\"metric\": \"%s\", \"current_value\": %.17g, \"new_value\": %.17g, \"holdout\": %.17g, \"holdout_rows\": " INT64_FORMAT ", \"deployed\": %s}",
					job.metric, values_of[0], values_of[1], job.share, held, deployed ? "true" : "false");
	version = grovepg_registry_insert(job.name, next, job.recipe, deployed, note);
	SPI_finish();

	MemoryContextSwitchTo(caller);
	values[0] = Int32GetDatum(version);
	values[1] = BoolGetDatum(deployed);
	values[2] = CStringGetTextDatum(job.metric);
	values[3] = Float8GetDatum(values_of[0]);
	values[4] = Float8GetDatum(values_of[1]);
	values[5] = Int64GetDatum(held);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
