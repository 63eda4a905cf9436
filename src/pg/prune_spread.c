/*
 * prune_spread.c: standard deviation of a column in every stratum.
 *
 * Allocations must not depend on the order in which rows arrive, so sums are
 * integers: the first visit finds the range of the column, the second one
 * adds up values that are rounded to 2^-30 of that range, and their squares.
 * That is far finer than an allocation can use.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "utils/float.h"
#include "utils/memutils.h"

#include "feature.h"
#include "prune_job.h"

#define STEPS	1073741824.0	/* 2^30; squares fit in 60 bits */

typedef struct SpreadSums
{
	uint64		sum;			/* of up to 2^33 values of 31 bits */
	uint64		squares_low;	/* lower 32 bits of the squares */
	uint64		squares_high;	/* the rest */
} SpreadSums;

typedef struct Spread
{
	const PruneCells *cells;
	const char *column;
	GroveFeatureType type;
	int			n_by;
	Datum	   *values;			/* of the by columns */
	bool	   *nulls;
	double		low;
	double		high;
	SpreadSums *sums;
} Spread;

static double
spread_value(const Spread *spread, TupleTableSlot *slot, AttrNumber place)
{
	bool		null;
	Datum		value = slot_getattr(slot, place, &null);
	double		number = null ? 0 : grovepg_feature_number(&spread->type, value);

	/* an infinite value comes as the largest finite one */
	if (null || !(fabs(number) < DBL_MAX))
		ereport(ERROR,
				(errcode(null ? ERRCODE_NULL_VALUE_NOT_ALLOWED : ERRCODE_DATA_EXCEPTION),
				 errmsg("spread column \"%s\" must not be null or infinite", spread->column),
				 errhint("Leave out such rows, or replace the value in the source.")));
	return number;
}

static void
widen_range(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	Spread	   *spread = arg;
	double		value = spread_value(spread, slot, places[0]);

	if (value < spread->low)
		spread->low = value;
	if (value > spread->high)
		spread->high = value;
}

static void
add_value(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	Spread	   *spread = arg;
	double		value = spread_value(spread, slot, places[spread->n_by]);
	SpreadSums *sums;
	uint64		steps;

	for (int i = 0; i < spread->n_by; i++)
		spread->values[i] = slot_getattr(slot, places[i], &spread->nulls[i]);
	sums = &spread->sums[grovepg_prune_stratum(spread->cells, spread->values, spread->nulls)];
	/* halves first: the range of large values can exceed the doubles */
	steps = (uint64) rint((value / 2 - spread->low / 2) / (spread->high / 2 - spread->low / 2) * STEPS);
	sums->sum += steps;
	sums->squares_low += (steps * steps) & PG_UINT32_MAX;
	sums->squares_high += (steps * steps) >> 32;
}

/* In steps: only proportions count. */
static double
standard_deviation(const SpreadSums *sums, double n)
{
	double		mean = (double) sums->sum / n;
	double		squares = (double) sums->squares_high * 4294967296.0 + (double) sums->squares_low;
	double		variance = (squares / n - mean * mean) * n / (n - 1);

	return n > 1 && variance > 0 ? sqrt(variance) : 0;
}

void
grovepg_prune_spread(PruneRequest *request, const PruneCells *cells, uint32 n_strata, GrovePruneCell *strata)
{
	Spread		spread;
	AttrNumber *columns = palloc(sizeof(AttrNumber) * (request->n_by + 1));
	Form_pg_attribute attribute = TupleDescAttr(request->columns, request->spread - 1);

	memset(&spread, 0, sizeof(spread));
	spread.cells = cells;
	spread.column = NameStr(attribute->attname);
	spread.n_by = request->n_by;
	spread.low = get_float8_infinity();
	spread.high = -get_float8_infinity();
	(void) grovepg_feature_type(attribute->atttypid, &spread.type);
	grovepg_reread_visit(request->source, 1, &request->spread, false, widen_range, &spread);
	if (!(spread.low < spread.high))
		return;

	spread.values = palloc(sizeof(Datum) * request->n_by);
	spread.nulls = palloc(sizeof(bool) * request->n_by);
	spread.sums = palloc_extended(n_strata * sizeof(SpreadSums), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	memcpy(columns, request->deciding + request->n_key, sizeof(AttrNumber) * request->n_by);
	columns[request->n_by] = request->spread;
	grovepg_reread_visit(request->source, request->n_by + 1, columns, false, add_value, &spread);
	for (uint32 i = 0; i < n_strata; i++)
		strata[i].spread = standard_deviation(&spread.sums[i], (double) strata[i].rows);
	pfree(spread.sums);
}
