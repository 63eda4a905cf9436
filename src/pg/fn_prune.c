/*
 * fn_prune.c: grove.prune, the rows of a source that a design keeps, each with
 * its inclusion probability; grove.prune_plan, what the design would do.
 *
 * The source is only read.  Which rows stay is a function of their keys, the
 * seed and the counts of the source, so it is the same whatever order they
 * arrive in.  Method duplicates has no design: every group of equal rows keeps
 * one.  Kept rows go to a tuplestore within work_mem in the order in
 * which the source delivers them.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "prune_job.h"
#include "rowtype.h"

PG_FUNCTION_INFO_V1(grove_prune);
PG_FUNCTION_INFO_V1(grove_prune_plan);

typedef struct PruneOutput
{
	PruneCells *cells;
	PruneGroups *groups;		/* method duplicates, instead of cells */
	bool		flatten;		/* no row weighs more than another */
	GroveRowType *rows;
	Tuplestorestate *store;
	TupleDesc	desc;
} PruneOutput;

static void
put_kept(const PruneOutput *output, TupleTableSlot *slot, double pi, double weight, double log_offset)
{
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	values[0] = grovepg_rowtype_datum(output->rows, slot);
	values[1] = Float8GetDatum(pi);
	values[2] = Float8GetDatum(weight);
	values[3] = Float8GetDatum(log_offset);
	tuplestore_putvalues(output->store, output->desc, values, nulls);
}

static void
put_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneOutput *output = arg;
	PruneFate	fate;

	grovepg_prune_decide(output->cells, slot, places, &fate);
	if (fate.kept)
		put_kept(output, slot, fate.pi, output->flatten ? 1 : 1 / fate.pi, fate.log_offset);
}

static void
put_group(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneOutput *output = arg;
	uint64		weight = grovepg_prune_groups_weight(output->groups, slot);

	if (weight > 0)
		put_kept(output, slot, 1, (double) weight, 0);
}

Datum
grove_prune(PG_FUNCTION_ARGS)
{
	PruneRequest *request = grovepg_prune_request(fcinfo);
	PruneOutput output;

	output.rows = grovepg_rowtype_map(grovepg_rowtype_argument(fcinfo, 0, request->columns), request->columns);
	output.flatten = request->flatten;
	if (request->merge)
		output.groups = grovepg_prune_groups(request, true);
	else
		output.cells = grovepg_prune_cells(request, false);
	output.store = grovepg_rowtype_store(fcinfo, &output.desc);
	grovepg_reread_visit(request->source, request->n_columns, request->deciding, true,
						 request->merge ? put_group : put_row, &output);
	if (request->merge)
		grovepg_prune_groups_check(output.groups);
	else
		grovepg_prune_check(output.cells);
	grovepg_reread_end(request->source);
	return (Datum) 0;
}

/* A number that may not exist. */
static void
set_float(Datum *value, bool *null, double number)
{
	*null = isnan(number);
	*value = Float8GetDatum(number);
}

Datum
grove_prune_plan(PG_FUNCTION_ARGS)
{
	PruneRequest *request = grovepg_prune_request(fcinfo);
	const GrovePruneDesign *design = &request->design;
	GrovePruneSummary summary;
	int64		units = -1;
	int64		n_strata = -1;
	TupleDesc	desc;
	Datum		values[14];
	bool		nulls[14] = {false};

	(void) grovepg_rowtype_map(grovepg_rowtype_argument(fcinfo, 0, request->columns), request->columns);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("function returning record called in context that cannot accept type record")));
	if (request->merge)
	{
		grovepg_prune_groups_summarize(grovepg_prune_groups(request, false), &summary);
		values[0] = CStringGetTextDatum(psprintf("%s, at most %d bins", request->method, request->training.max_bin));
	}
	else
	{
		grovepg_prune_summarize(grovepg_prune_cells(request, true), &summary, &units, &n_strata);
		values[0] = CStringGetTextDatum(design->method == GROVE_PRUNE_NOISE ? request->method :
										psprintf("%s, %s", request->method, design->exact ? "exact size" : "Poisson"));
	}
	values[1] = Int64GetDatum((int64) summary.rows);
	values[2] = Int64GetDatum(units);
	nulls[2] = units < 0;
	values[3] = Int64GetDatum(n_strata);
	nulls[3] = n_strata < 0;
	values[4] = Float8GetDatum(summary.kept_rows);
	values[5] = Float8GetDatum(summary.sum_weights);
	values[6] = Float8GetDatum(summary.effective_size);
	set_float(&values[7], &nulls[7], request->merge ? NAN : design->scale);
	set_float(&values[8], &nulls[8], request->merge ? NAN : design->readmit_scale);
	set_float(&values[9], &nulls[9], request->merge ? NAN : design->beta);
	set_float(&values[10], &nulls[10], summary.pi_low);
	set_float(&values[11], &nulls[11], summary.pi_high);
	values[12] = Int64GetDatum((int64) summary.zero_rows);
	values[13] = Int64GetDatum((int64) summary.certainty_rows);
	grovepg_reread_end(request->source);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
