/*
 * fn_support.c: what the planner is told about the functions that score.
 *
 * predict() and its relatives take from one to hundreds of microseconds, by
 * the model.  Where the planner knows the model, as a constant or as a
 * parameter of a custom plan, the cost follows from the counts in its header,
 * of which nothing but the header is fetched; elsewhere it is that of a model
 * of usual size.  A cost too low keeps a query from a parallel plan, one too
 * high starts JIT compilation for few rows.
 *
 * A unit is cpu_operator_cost, taken as 10 ns.
 */
#include "pg_grove.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/pathnodes.h"
#include "nodes/primnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"

#include "../core/model.h"
#include "source.h"

#define COST_CALL		5.0		/* of a call without trees */
#define COST_VALUE		0.5		/* of an argument */
#define COST_LEVEL		0.12	/* of a step down a tree */
#define COST_DEFAULT	115.0	/* 100 trees of 63 leaves, 28 values */

PG_FUNCTION_INFO_V1(grove_predict_support);
PG_FUNCTION_INFO_V1(grove_score_support);

/* An argument as the planner knows it: a Const, or NULL. */
static const Const *
known_argument(PlannerInfo *root, List *arguments, int i)
{
	Node	   *node = list_length(arguments) > i ? list_nth(arguments, i) : NULL;

	if (node != NULL && IsA(node, Param) && root != NULL)
		node = estimate_expression_value(root, node);
	if (node == NULL || !IsA(node, Const) || ((Const *) node)->constisnull)
		return NULL;
	return (const Const *) node;
}

/* Steps that a prediction takes down the trees of a model; false when the bytes are none. */
static bool
count_levels(Datum model, double *levels)
{
	struct varlena *header = (struct varlena *) PG_DETOAST_DATUM_SLICE(model, 0, GROVE_MODEL_HEADER);
	const uint8 *bytes = (const uint8 *) VARDATA_ANY(header);
	uint8		digest[GROVE_DIGEST_BYTES];
	uint64		length;
	uint32		n_trees;
	uint32		n_nodes;

	if (grove_model_peek(bytes, VARSIZE_ANY_EXHDR(header), &length, digest) != GROVE_OK)
		return false;
	grove_model_peek_counts(bytes, &n_trees, &n_nodes);
	*levels = n_trees == 0 ? 0 : n_trees * (1 + log2(Max((double) n_nodes / n_trees, 1)));
	return true;
}

/* Support function of predict(model bytea, ...) and of what takes the same arguments. */
Datum
grove_predict_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *cost;
	List	   *arguments = NIL;
	const Const *model;
	double		levels;

	if (!IsA(request, SupportRequestCost))
		PG_RETURN_POINTER(NULL);
	cost = (SupportRequestCost *) request;
	if (cost->node != NULL && IsA(cost->node, FuncExpr))
		arguments = ((FuncExpr *) cost->node)->args;
	model = known_argument(cost->root, arguments, 0);
	cost->startup = 0;
	if (model != NULL && model->consttype == BYTEAOID && count_levels(model->constvalue, &levels))
		cost->per_tuple = COST_CALL + COST_VALUE * list_length(arguments) + COST_LEVEL * levels;
	else
		cost->per_tuple = COST_DEFAULT;
	cost->per_tuple *= cpu_operator_cost;
	PG_RETURN_POINTER(cost);
}

/* Support function of score(row_type, model, source text): as many rows as the table that source names. */
Datum
grove_score_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestRows *rows;
	const Const *source;
	double		found;

	if (!IsA(request, SupportRequestRows))
		PG_RETURN_POINTER(NULL);
	rows = (SupportRequestRows *) request;
	if (rows->node == NULL || !IsA(rows->node, FuncExpr))
		PG_RETURN_POINTER(NULL);
	source = known_argument(rows->root, ((FuncExpr *) rows->node)->args, 2);
	if (source == NULL || source->consttype != TEXTOID)
		PG_RETURN_POINTER(NULL);
	found = grovepg_source_rows(TextDatumGetCString(source->constvalue));
	if (found < 0)
		PG_RETURN_POINTER(NULL);
	rows->rows = found;
	PG_RETURN_POINTER(rows);
}
