/*
 * prune_weight.c: the weight of a row, for method weighted: what the "by"
 * column says.
 *
 * Weights are doubles, whatever the type of the column: rows of one double are
 * a cell (prune_cells.c), so 2 and 2.00 are one weight.  An infinite weight
 * stays infinite, it means that the row is certain to be kept.
 */
#include "pg_grove.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "feature.h"
#include "prune_job.h"

struct PruneWeight
{
	GroveFeatureType type;
	const char *column;
};

PruneWeight *
grovepg_weight_begin(const PruneRequest *request)
{
	Form_pg_attribute attribute = TupleDescAttr(request->columns, request->deciding[request->n_key] - 1);
	PruneWeight *weight = palloc0(sizeof(PruneWeight));

	weight->column = NameStr(attribute->attname);
	if (!grovepg_feature_type(attribute->atttypid, &weight->type) || !grovepg_feature_is_number(&weight->type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("weight column \"%s\" has type %s, which is not a number", weight->column,
						format_type_be(attribute->atttypid)),
				 errhint("Method \"weighted\" keeps rows in proportion to a number; name its column in \"by\".")));
	return weight;
}

double
grovepg_weight_read(const PruneWeight *weight, Datum value, bool null)
{
	double		number;

	if (null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("weight column \"%s\" contains null values", weight->column),
				 errhint("Use coalesce() to give those rows a weight, or leave them out.")));
	number = grovepg_feature_unbounded(&weight->type, value);
	if (!(number >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("weight must not be negative or NaN, but it is %g in column \"%s\"", number, weight->column),
				 errhint("Leave such rows out, or give them the weight 0.")));
	return number == 0 ? 0 : number;	/* -0 is 0 */
}

void
grovepg_weight_differs(const PruneWeight *weight)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("rows of one key have different weights in column \"%s\"", weight->column),
			 errdetail("Rows of one key are kept or removed together, so they need one probability."),
			 errhint("Give them one weight, for example sum(%s) OVER (PARTITION BY the key), or name a key that identifies a row.",
					 quote_identifier(weight->column))));
}
