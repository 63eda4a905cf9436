/*
 * fn_report.c: grove.report, what a model is and does as one HTML page.
 *
 * The page stands alone: no script, no link, plots as inline SVG, every text
 * from outside escaped; it is well-formed XML, too.  Its numbers come from
 * the SQL functions that a user would call (evaluate, roc_curve, ...), which
 * find model and scores under names that only these queries see.
 */
#include "pg_grove.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "arguments.h"
#include "evaluator.h"
#include "model_cache.h"
#include "report_svg.h"
#include "scorer.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_report);

#define MAX_COLUMNS		16
#define MAX_IMPORTANCE	30		/* features that are listed */
#define MAX_ROWS		100000	/* of a curve */

/* The rows of a query as texts and numbers. */
typedef struct ReportRows
{
	MemoryContext context;
	int			n_columns;
	char	   *names[MAX_COLUMNS];
	FmgrInfo	output[MAX_COLUMNS];
	bool		real[MAX_COLUMNS];	/* of type float8: tables show five digits */
	int			n;
	int			capacity;
	char	 ***cells;			/* [column][row]; NULL: null */
} ReportRows;

/* Scores of a binary model on the source. */
typedef struct ScoreJob
{
	MemoryContext context;
	const GroveModel *model;
	GroveScorer *scorer;
	GroveTruthColumn truth;
	TupleDesc	columns;		/* of what is stored */
	Tuplestorestate *store;
	uint64		rows;
} ScoreJob;

static void
start_rows(TupleDesc desc, void *arg)
{
	ReportRows *rows = arg;
	MemoryContext previous = MemoryContextSwitchTo(rows->context);

	rows->n_columns = Min(desc->natts, MAX_COLUMNS);
	rows->cells = palloc(sizeof(char **) * MAX_COLUMNS);
	rows->capacity = 64;
	for (int i = 0; i < rows->n_columns; i++)
	{
		Oid			function;
		bool		varlena;

		getTypeOutputInfo(TupleDescAttr(desc, i)->atttypid, &function, &varlena);
		fmgr_info_cxt(function, &rows->output[i], rows->context);
		rows->real[i] = TupleDescAttr(desc, i)->atttypid == FLOAT8OID;
		rows->names[i] = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
		rows->cells[i] = palloc(sizeof(char *) * rows->capacity);
	}
	MemoryContextSwitchTo(previous);
}

static void
add_row(GroveSlot *slot, void *arg)
{
	ReportRows *rows = arg;
	MemoryContext previous;

	CHECK_FOR_INTERRUPTS();
	if (rows->n >= MAX_ROWS)
		return;
	previous = MemoryContextSwitchTo(rows->context);
	if (rows->n == rows->capacity)
	{
		rows->capacity *= 2;
		for (int i = 0; i < rows->n_columns; i++)
			rows->cells[i] = repalloc(rows->cells[i], sizeof(char *) * rows->capacity);
	}
	for (int i = 0; i < rows->n_columns; i++)
		rows->cells[i][rows->n] = slot->tts_isnull[i] ? NULL : OutputFunctionCall(&rows->output[i], slot->tts_values[i]);
	rows->n++;
	MemoryContextSwitchTo(previous);
}

/* Runs a query that finds a tuplestore under this name. */
static ReportRows *
run_query(const char *query, char *name, TupleDesc columns, Tuplestorestate *store, uint64 n)
{
	ReportRows *rows = palloc0(sizeof(ReportRows));

	rows->context = CurrentMemoryContext;
	grovepg_source_show(name, columns, store, n);
	PG_TRY();
	{
		grovepg_source_run(query, grovepg_source_receiver(start_rows, add_row, rows));
	}
	PG_FINALLY();
	{
		grovepg_source_hide();
	}
	PG_END_TRY();
	return rows;
}

/* A column of numbers; what is none is NaN. */
static double *
numbers_of(const ReportRows *rows, const char *name)
{
	double	   *numbers = palloc(sizeof(double) * Max(rows->n, 1));
	int			column = -1;

	for (int i = 0; i < rows->n_columns; i++)
	{
		if (strcmp(rows->names[i], name) == 0)
			column = i;
	}
	if (column < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" is missing in argument \"pruning\"", name),
				 errhint("It is a query over the rows of grove.prune_train().")));
	for (int i = 0; i < rows->n; i++)
	{
		char	   *end;
		const char *cell = rows->cells[column][i];

		numbers[i] = cell == NULL ? NAN : strtod(cell, &end);
		if (cell != NULL && end == cell)
			numbers[i] = NAN;
	}
	return numbers;
}

static void
put_heading(StringInfo out, const char *text)
{
	appendStringInfo(out, "<h2>%s</h2>\n", text);
}

static void
put_table(StringInfo out, const ReportRows *rows)
{
	appendStringInfoString(out, "<table><tr>");
	for (int i = 0; i < rows->n_columns; i++)
	{
		appendStringInfoString(out, "<th>");
		grovepg_svg_text(out, rows->names[i]);
		appendStringInfoString(out, "</th>");
	}
	appendStringInfoString(out, "</tr>\n");
	for (int k = 0; k < rows->n; k++)
	{
		appendStringInfoString(out, "<tr>");
		for (int i = 0; i < rows->n_columns; i++)
		{
			appendStringInfoString(out, "<td>");
			if (rows->cells[i][k] != NULL && rows->real[i])
				appendStringInfo(out, "%.5g", strtod(rows->cells[i][k], NULL));
			else if (rows->cells[i][k] != NULL)
				grovepg_svg_text(out, rows->cells[i][k]);
			appendStringInfoString(out, "</td>");
		}
		appendStringInfoString(out, "</tr>\n");
	}
	appendStringInfoString(out, "</table>\n");
}

static double
largest(int n, const double *values, double least)
{
	for (int i = 0; i < n; i++)
		least = isfinite(values[i]) && values[i] > least ? values[i] : least;
	return least;
}

static double
smallest(int n, const double *values, double most)
{
	for (int i = 0; i < n; i++)
		most = isfinite(values[i]) && values[i] < most ? values[i] : most;
	return most;
}

/* ------------------------------------------------------------ scores, binary */

static void
start_scores(TupleDesc desc, void *arg)
{
	ScoreJob   *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->context);

	job->scorer = grovepg_scorer_make(job->model, desc);
	grovepg_truth_bind(&job->truth, job->model, desc);
	MemoryContextSwitchTo(previous);
}

static void
add_score(GroveSlot *slot, void *arg)
{
	ScoreJob   *job = arg;
	Datum		values[2];
	bool		nulls[2] = {false, false};
	double		class;

	CHECK_FOR_INTERRUPTS();
	if (!grovepg_truth_read(&job->truth, slot, &class))
		return;
	grovepg_scorer_run(job->scorer, slot);
	values[0] = BoolGetDatum(class == 1);
	values[1] = Float8GetDatum(job->scorer->probabilities[1]);
	tuplestore_putvalues(job->store, job->columns, values, nulls);
	job->rows++;
}

static ReportRows *
run_scores(const ScoreJob *job, const char *what)
{
	return run_query(psprintf("SELECT * FROM grove.%s('SELECT * FROM grove_report_scores', 'truth', 'score')", what),
					 "grove_report_scores", job->columns, job->store, job->rows);
}

static void
put_curves(StringInfo out, const GroveModel *model, const char *query)
{
	static const double diagonal[2] = {0, 1};
	static const double even[2] = {1, 1};
	ScoreJob	job = {0};
	ReportRows *rows;
	GrovePlot	plot;
	double	   *x;
	double	   *y;
	double	   *low;
	double	   *high;
	double		top;

	job.context = CurrentMemoryContext;
	job.model = model;
	job.columns = CreateTemplateTupleDesc(2);
	TupleDescInitEntry(job.columns, 1, "truth", BOOLOID, -1, 0);
	TupleDescInitEntry(job.columns, 2, "score", FLOAT8OID, -1, 0);
	job.store = tuplestore_begin_heap(true, false, work_mem);
	grovepg_source_run(query, grovepg_source_receiver_lazy(start_scores, add_score, &job));

	put_heading(out, "ROC, calibration and lift");
	appendStringInfoString(out, "<div class=\"plots\">\n");
	rows = run_scores(&job, "roc_curve");
	grovepg_svg_begin(&plot, out, "ROC", "false positive rate", "true positive rate", 0, 1, 0, 1);
	grovepg_svg_line(&plot, "guide", 2, diagonal, diagonal);
	grovepg_svg_line(&plot, "curve", rows->n, numbers_of(rows, "false_positive_rate"), numbers_of(rows, "true_positive_rate"));
	grovepg_svg_end(&plot);

	rows = run_scores(&job, "calibration");
	x = numbers_of(rows, "mean_score");
	y = numbers_of(rows, "observed");
	low = numbers_of(rows, "lower");
	high = numbers_of(rows, "upper");
	top = fmax(largest(rows->n, x, 0), largest(rows->n, high, 0));
	grovepg_svg_begin(&plot, out, "Calibration", "mean prediction", "observed share", 0, top, 0, top);
	grovepg_svg_line(&plot, "guide", 2, plot.x, plot.x);
	for (int i = 0; i < rows->n; i++)
		grovepg_svg_point(&plot, x[i], y[i], low[i], high[i]);
	grovepg_svg_end(&plot);

	rows = run_scores(&job, "lift_curve");
	x = numbers_of(rows, "share");
	y = numbers_of(rows, "lift");
	grovepg_svg_begin(&plot, out, "Lift", "share of rows, highest scores first", "lift", 0, 1, 0, largest(rows->n, y, 1));
	grovepg_svg_line(&plot, "guide", 2, diagonal, even);
	grovepg_svg_line(&plot, "curve", rows->n, x, y);
	for (int i = 0; i < rows->n; i++)
		grovepg_svg_point(&plot, x[i], y[i], NAN, NAN);
	grovepg_svg_end(&plot);
	appendStringInfoString(out, "</div>\n");
	tuplestore_end(job.store);
}

/* ------------------------------------------------------- what the model knows */

/* One row that holds the model. */
typedef struct ModelTable
{
	TupleDesc	columns;
	Tuplestorestate *store;
} ModelTable;

static ReportRows *
run_model(const ModelTable *table, const char *query)
{
	return run_query(query, "grove_report_model", table->columns, table->store, 1);
}

static void
put_importance(StringInfo out, const ModelTable *table)
{
	ReportRows *rows = run_model(table, psprintf("SELECT i.feature, i.gain, i.splits FROM grove_report_model AS m, "
												 "grove.importance(m.model) AS i LIMIT %d", MAX_IMPORTANCE));
	double	   *gain = numbers_of(rows, "gain");
	double		most = largest(rows->n, gain, 0);

	put_heading(out, "Importance");
	appendStringInfoString(out, "<table><tr><th>feature</th><th>gain</th><th>splits</th><th></th></tr>\n");
	for (int i = 0; i < rows->n; i++)
	{
		appendStringInfoString(out, "<tr><td>");
		grovepg_svg_text(out, rows->cells[0][i]);
		appendStringInfo(out, "</td><td>%.4g</td><td>%s</td><td><svg xmlns=\"http://www.w3.org/2000/svg\" class=\"bar\" viewBox=\"0 0 200 12\">"
						 "<rect x=\"0\" y=\"1\" width=\"%.1f\" height=\"10\"/></svg></td></tr>\n",
						 gain[i], rows->cells[2][i], most > 0 ? 200 * gain[i] / most : 0);
	}
	appendStringInfoString(out, "</table>\n");
}

static void
put_learning_curve(StringInfo out, const ModelTable *table)
{
	ReportRows *rows = run_model(table,
								 "SELECT h.round, h.loss FROM grove_report_model AS m, "
								 "pg_catalog.jsonb_array_elements_text(grove.metrics(m.model) OPERATOR(pg_catalog.->) 'validation_history'::pg_catalog.text) "
								 "WITH ORDINALITY AS h(loss, round)");
	GrovePlot	plot;
	double	   *loss;

	put_heading(out, "Learning curve");
	if (rows->n == 0)
	{
		appendStringInfoString(out, "<p>The model was trained without a validation column: there is none.</p>\n");
		return;
	}
	loss = numbers_of(rows, "loss");
	grovepg_svg_begin(&plot, out, "Learning curve", "round", "validation loss", 1, rows->n,
					  smallest(rows->n, loss, INFINITY), largest(rows->n, loss, -INFINITY));
	grovepg_svg_line(&plot, "curve", rows->n, numbers_of(rows, "round"), loss);
	grovepg_svg_end(&plot);
}

/* Share kept against the metric, with the one-sided bound of the loss; and against the time of training. */
static void
put_pruning(StringInfo out, const ModelTable *table, const char *query)
{
	ReportRows *rows = run_model(table, psprintf("SELECT p.round, p.rows, p.share, p.metric, p.full_value, p.pruned_value, p.difference, "
												 "p.upper, p.train_ms, p.decision FROM (%s\n) AS p", query));
	double	   *share = numbers_of(rows, "share");
	double	   *difference = numbers_of(rows, "difference");
	double	   *upper = numbers_of(rows, "upper");
	double	   *time = numbers_of(rows, "train_ms");
	GrovePlot	plot;

	put_heading(out, "Pruning");
	appendStringInfoString(out, "<p>Loss against training on everything, on rows that nobody pruned, with its upper confidence bound.</p>\n<div class=\"plots\">\n");
	grovepg_svg_begin(&plot, out, "Pruning curve", "share of rows kept", "loss", 0, 1,
					  fmin(0, smallest(rows->n, difference, 0)), largest(rows->n, upper, largest(rows->n, difference, 0)));
	for (int i = 0; i < rows->n; i++)
		grovepg_svg_point(&plot, share[i], difference[i], difference[i], upper[i]);
	grovepg_svg_end(&plot);
	grovepg_svg_begin(&plot, out, "Time of training", "share of rows kept", "milliseconds", 0, 1, 0, largest(rows->n, time, 0));
	for (int i = 0; i < rows->n; i++)
		grovepg_svg_point(&plot, share[i], time[i], NAN, NAN);
	grovepg_svg_end(&plot);
	appendStringInfoString(out, "</div>\n");
	put_table(out, rows);
}

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}"
	"h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #ccc}"
	"table{border-collapse:collapse}th,td{text-align:left;padding:.15rem .8rem .15rem 0;border-bottom:1px solid #eee}"
	"figure{margin:0;display:inline-block;width:20rem}.plots{display:flex;flex-wrap:wrap;gap:.5rem}svg{width:100%}"
	".bar{width:12rem;height:.8rem}.bar rect{fill:#2a6f97}"
	".frame{fill:none;stroke:#999}.tick{font-size:11px;fill:#555}.label{font-size:12px}"
	".curve{fill:none;stroke:#2a6f97;stroke-width:2}.guide{fill:none;stroke:#bbb;stroke-dasharray:4 3}"
	".interval{stroke:#2a6f97;stroke-width:1.5}circle{fill:#2a6f97}";

static void
put_page(StringInfo out, const GroveModel *model, const ModelTable *table, const char *title, const char *query, const char *pruning)
{
	appendStringInfoString(out, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\"><head><meta charset=\"utf-8\"/>"
						   "<meta name=\"viewport\" content=\"width=device-width\"/><title>");
	grovepg_svg_text(out, title);
	appendStringInfo(out, "</title><style>%s</style></head><body>\n<h1>", style);
	grovepg_svg_text(out, title);
	appendStringInfoString(out, "</h1>\n");
	put_heading(out, "Model");
	put_table(out, run_model(table,
							 "SELECT d.key AS what, d.value FROM grove_report_model AS m, pg_catalog.jsonb_each_text(grove.describe(m.model)) AS d "
							 "WHERE d.key OPERATOR(pg_catalog.<>) ALL ('{features,params,metrics}'::pg_catalog.text[])"));
	put_heading(out, "Data");
	put_table(out, run_model(table,
							 "SELECT f.name AS feature, f.type, f.kind, f.levels FROM grove_report_model AS m, "
							 "pg_catalog.jsonb_to_recordset(grove.describe(m.model) OPERATOR(pg_catalog.->) 'features'::pg_catalog.text) "
							 "AS f(name pg_catalog.text, type pg_catalog.text, kind pg_catalog.text, levels pg_catalog.int8)"));
	if (model->task != GROVE_TASK_RANKING)
	{
		put_heading(out, "Metrics");
		put_table(out, run_model(table, psprintf("SELECT e.metric, e.value, e.lower, e.upper FROM grove_report_model AS m, grove.evaluate(m.model, %s) AS e",
												 quote_literal_cstr(query))));
	}
	if (model->task == GROVE_TASK_BINARY)
		put_curves(out, model, query);
	put_importance(out, table);
	put_learning_curve(out, table);
	if (pruning != NULL)
		put_pruning(out, table, pruning);
	put_heading(out, "Options");
	put_table(out, run_model(table,
							 "SELECT p.key AS option, p.value FROM grove_report_model AS m, "
							 "pg_catalog.jsonb_each_text(grove.describe(m.model) OPERATOR(pg_catalog.->) 'params'::pg_catalog.text) AS p "
							 "WHERE p.value IS NOT NULL"));
	appendStringInfoString(out, "</body></html>\n");
}

/* report(model bytea, source text, title text, pruning text) returns text */
Datum
grove_report(PG_FUNCTION_ARGS)
{
	const GroveModel *model;
	ModelTable	table;
	StringInfoData out;
	char	   *query;
	char	   *pruning = NULL;
	Datum		value;
	bool		isnull = false;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	query = grovepg_source_query(grovepg_argument_text(fcinfo, 1, "source"), NULL);
	if (!PG_ARGISNULL(3))
		pruning = grovepg_source_query(text_to_cstring(PG_GETARG_TEXT_PP(3)), NULL);
	value = PG_GETARG_DATUM(0);
	model = grovepg_model_get(value, CurrentMemoryContext);
	table.columns = CreateTemplateTupleDesc(1);
	TupleDescInitEntry(table.columns, 1, "model", BYTEAOID, -1, 0);
	table.store = tuplestore_begin_heap(true, false, work_mem);
	tuplestore_putvalues(table.store, table.columns, &value, &isnull);
	initStringInfo(&out);
	put_page(&out, model, &table,
			 PG_ARGISNULL(2) ? psprintf("Model of %s", grovepg_model_text(model->target)) : text_to_cstring(PG_GETARG_TEXT_PP(2)),
			 query, pruning);
	tuplestore_end(table.store);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
