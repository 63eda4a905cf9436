/*
 * fn_features.c: features(): a target and its features as one value, what
 * train_agg() takes.
 *
 * Values are named f1, f2, ... since a function does not learn the names of its
 * arguments; a row brings the names of its columns.  What the columns are does
 * not change from row to row, so the head of the value is kept with the call
 * site, for rows as long as the identity of the row type stays the same.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/transam.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "arguments.h"
#include "train_rows.h"

PG_FUNCTION_INFO_V1(grove_features);

/* What one call site remembers. */
typedef struct FeaturesCall
{
	bool		is_row;			/* the only argument behind the target is a row */
	MemoryContext context;		/* of what follows */
	uint64		identity;		/* of the row type; 0: nothing known yet */
	int			n;				/* columns, the target among them */
	GroveFeatureType *types;	/* [n] */
	StringInfoData head;

	/* is_row */
	TupleDesc	desc;
	Datum	   *values;			/* [desc->natts] */
	bool	   *nulls;
} FeaturesCall;

static void
reject_count(int n)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("row has %d features", n),
			 errdetail("A model can use at most %d.", GROVE_MAX_FEATURES),
			 errhint("Pass fewer columns.")));
}

static void
describe_column(FeaturesCall *call, GroveTrainRowsColumn *columns, const char *name, Oid type)
{
	GroveTrainRowsColumn *column = &columns[call->n];
	GroveFeatureType *feature = &call->types[call->n];

	if (!OidIsValid(type) || !grovepg_feature_type(type, feature))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s \"%s\" has type %s", call->n == 0 ? "argument" : "feature", name, format_type_be(type)),
				 errhint("Cast it to a number, date, timestamp, text, boolean, enum or uuid.")));
	column->name = pstrdup(name);
	column->kind = feature->kind;
	column->type = feature->type;
	if (feature->type >= FirstGenbkiObjectId)
	{
		column->type = InvalidOid;
		column->type_name = grovepg_feature_type_name(type);
	}
	call->n++;
}

/* Makes the types and the head; desc: of the row, or NULL. */
static void
describe(FeaturesCall *call, FunctionCallInfo fcinfo, TupleDesc desc)
{
	int			most = desc ? desc->natts + 1 : PG_NARGS();
	GroveTrainRowsColumn *columns = palloc0(most * sizeof(GroveTrainRowsColumn));

	call->n = 0;
	call->types = palloc(most * sizeof(GroveFeatureType));
	describe_column(call, columns, GROVE_TRAIN_ROWS_TARGET, get_fn_expr_argtype(fcinfo->flinfo, 0));
	for (int i = 1; i < most; i++)
	{
		Form_pg_attribute attribute = desc ? TupleDescAttr(desc, i - 1) : NULL;

		if (attribute && attribute->attisdropped)
			continue;
		if (attribute && strcmp(NameStr(attribute->attname), GROVE_TRAIN_ROWS_TARGET) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("row of features has a column \"%s\"", GROVE_TRAIN_ROWS_TARGET),
					 errhint("The first argument has this name; leave the target out of the row, or rename the column.")));
		describe_column(call, columns, attribute ? NameStr(attribute->attname) : psprintf("f%d", i),
						attribute ? attribute->atttypid : get_fn_expr_argtype(fcinfo->flinfo, i));
	}
	if (call->n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("row of features has no columns"),
				 errhint("Pass at least one column behind the target.")));
	if (call->n - 1 > GROVE_MAX_FEATURES)
		reject_count(call->n - 1);
	initStringInfo(&call->head);
	call->head.len = VARHDRSZ;
	grovepg_train_rows_head(&call->head, columns, call->n);
}

static FeaturesCall *
make_call(FunctionCallInfo fcinfo)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	FeaturesCall *call = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(FeaturesCall));

	if (get_fn_expr_variadic(flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("features() does not take an array of features"),
				 errhint("Pass the values one by one, or a row.")));
	call->context = AllocSetContextCreate(flinfo->fn_mcxt, "grove features", ALLOCSET_SMALL_SIZES);
	call->is_row = PG_NARGS() == 2 && type_is_rowtype(get_fn_expr_argtype(flinfo, 1));
	if (!call->is_row)
	{
		MemoryContext old = MemoryContextSwitchTo(call->context);

		describe(call, fcinfo, NULL);
		MemoryContextSwitchTo(old);
	}
	flinfo->fn_extra = call;
	return call;
}

/* Deforms the row; what is known of its type is made again when that has changed. */
static void
deform_row(FeaturesCall *call, FunctionCallInfo fcinfo)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(1);
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	uint64		identity = assign_record_type_identifier(type, typmod);
	HeapTupleData tuple;

	if (identity != call->identity)
	{
		MemoryContext old = MemoryContextSwitchTo(call->context);

		call->identity = 0;
		MemoryContextReset(call->context);
		call->desc = lookup_rowtype_tupdesc_copy(type, typmod);
		call->values = palloc(Max(call->desc->natts, 1) * sizeof(Datum));
		call->nulls = palloc(Max(call->desc->natts, 1) * sizeof(bool));
		describe(call, fcinfo, call->desc);
		call->identity = identity;
		MemoryContextSwitchTo(old);
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, call->desc, call->values, call->nulls);
}

static void
append_value(StringInfo out, GroveFeatureType *type, Datum value, bool null)
{
	GroveText	label;

	if (type->kind == GROVE_FEATURE_NUMERIC)
		grovepg_train_rows_number(out, null ? NAN : grovepg_feature_number(type, value));
	else if (null)
		grovepg_train_rows_label(out, NULL);
	else
	{
		label = grovepg_feature_label(type, value);
		grovepg_train_rows_label(out, &label);
	}
}

/* features(target "any", VARIADIC features "any") RETURNS feature_rows */
Datum
grove_features(PG_FUNCTION_ARGS)
{
	FeaturesCall *call = fcinfo->flinfo->fn_extra ? fcinfo->flinfo->fn_extra : make_call(fcinfo);
	StringInfoData out;
	int			k = 1;

	if (PG_ARGISNULL(0))
		grovepg_argument_reject_null("target");
	if (call->is_row)
	{
		if (PG_ARGISNULL(1))
			grovepg_argument_reject_null("features");
		deform_row(call, fcinfo);
	}
	initStringInfo(&out);
	appendBinaryStringInfo(&out, call->head.data, call->head.len);
	append_value(&out, &call->types[0], PG_GETARG_DATUM(0), false);
	if (call->is_row)
	{
		for (int i = 0; i < call->desc->natts; i++)
		{
			if (!TupleDescAttr(call->desc, i)->attisdropped)
				append_value(&out, &call->types[k++], call->values[i], call->nulls[i]);
		}
	}
	else
	{
		for (; k < call->n; k++)
			append_value(&out, &call->types[k], PG_GETARG_DATUM(k), PG_ARGISNULL(k));
	}
	SET_VARSIZE(out.data, out.len);
	PG_RETURN_POINTER(out.data);
}
