/*
 * prune_refuse.c: a design that asks for the impossible, and which number
 * would do.
 */
#include "pg_grove.h"

#include <math.h>

#include "prune_job.h"

/* Units of the cells that must be kept, or of the others. */
static uint64
sum_units(const GrovePruneCell *cells, uint32 n_cells, bool certain)
{
	uint64		sum = 0;

	for (uint32 i = 0; i < n_cells; i++)
	{
		if ((cells[i].certain || isinf(cells[i].size)) == certain)
			sum += cells[i].units;
	}
	return sum;
}

static void
refuse_strata(uint32 n_strata)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"n\" is less than the number of strata"),
			 errdetail("There are %u strata, and each keeps at least one row.", n_strata),
			 errhint("Ask for more rows, or name fewer \"by\" columns.")));
}

static void
refuse_negatives(uint64 positive, uint64 negative)
{
	if (negative == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target has one class only"),
				 errhint("Method \"negatives\" needs rows that are not of the positive class.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("nothing is left for the negative class"),
			 errdetail("%llu of %llu rows are positive, and all of them are kept.",
					   (unsigned long long) positive, (unsigned long long) (positive + negative)),
			 errhint("Keep more rows; as many negative as positive rows need keep => %.3g.",
					 Min(1.0, 2.0 * (double) positive / (double) (positive + negative)))));
}

static void
refuse_weights(const PruneRequest *request, uint64 certain, uint64 others)
{
	const GrovePruneDesign *design = &request->design;
	double		wanted = design->counted ? (double) design->n : design->keep * (double) (certain + others);

	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("more weights are infinite than rows are to be kept"),
			 errdetail("%llu rows have an infinite weight in column \"%s\" and are certain to be kept, but only %.0f were asked for.",
					   (unsigned long long) certain,
					   NameStr(TupleDescAttr(request->columns, request->deciding[request->n_key] - 1)->attname), wanted),
			 errhint("Keep more rows, or make some of these weights finite.")));
}

void
grovepg_prune_refuse(const PruneRequest *request, GroveStatus status, const GrovePruneCell *cells, uint32 n_cells,
					 uint32 n_strata)
{
	uint64		certain = sum_units(cells, n_cells, true);
	uint64		others = sum_units(cells, n_cells, false);

	if (status != GROVE_ERR_RANGE)
		grovepg_error_status(status, NULL, 0);
	switch (request->design.method)
	{
		case GROVE_PRUNE_STRATIFIED:
			refuse_strata(n_strata);
			break;
		case GROVE_PRUNE_NEGATIVES:
			refuse_negatives(certain, others);
			break;
		case GROVE_PRUNE_WEIGHTED:
			refuse_weights(request, certain, others);
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"pi_min\" alone keeps more rows than asked for"),
					 errhint("Keep more rows, or choose a smaller \"pi_min\".")));
	}
}
