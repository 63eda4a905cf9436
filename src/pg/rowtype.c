/*
 * rowtype.c: rows of a source as rows of a named type.
 *
 * A row that is stored as the wanted type wants it is copied in one piece;
 * only other rows are taken apart and built again.  A tuple with fewer
 * columns than its type (a column was added later with a default) counts as
 * different, because such a column's value stands in the catalog and would
 * be lost in a copy.
 */
#include "pg_grove.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "rowtype.h"

TupleDesc
grovepg_rowtype_argument(FunctionCallInfo fcinfo, int argument, TupleDesc source)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	if (type == RECORDOID)
		return BlessTupleDesc(CreateTupleDescCopy(source));
	if (!OidIsValid(type) || get_typtype(type) != TYPTYPE_COMPOSITE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the first argument must be a row type, not %s",
						OidIsValid(type) ? format_type_be(type) : "unknown"),
				 errhint("Pass a null of the table's row type, as in NULL::my_table.")));
	return BlessTupleDesc(lookup_rowtype_tupdesc_copy(type, -1));
}

/* The column of the source for one column of the wanted type. */
static AttrNumber
match_column(Form_pg_attribute wanted, TupleDesc source)
{
	Form_pg_attribute found = NULL;

	for (int i = 0; i < source->natts; i++)
	{
		Form_pg_attribute candidate = TupleDescAttr(source, i);

		if (candidate->attisdropped ||
			strcmp(NameStr(candidate->attname), NameStr(wanted->attname)) != 0)
			continue;
		if (found != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_AMBIGUOUS_COLUMN),
					 errmsg("column \"%s\" is ambiguous", NameStr(wanted->attname)),
					 errdetail("The source has more than one column of that name."),
					 errhint("Give every column of the query a name of its own.")));
		found = candidate;
	}
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the source has no column \"%s\"", NameStr(wanted->attname)),
				 errdetail("The row type needs it with type %s.",
						   format_type_with_typemod(wanted->atttypid, wanted->atttypmod)),
				 errhint("Select every column of the row type, or pass the row type of what you select.")));
	if (found->atttypid != wanted->atttypid ||
		(wanted->atttypmod != -1 && found->atttypmod != wanted->atttypmod))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the source has type %s, but the row type has %s",
						NameStr(wanted->attname),
						format_type_with_typemod(found->atttypid, found->atttypmod),
						format_type_with_typemod(wanted->atttypid, wanted->atttypmod)),
				 errhint("Cast the column in the source.")));
	return found->attnum;
}

GroveRowType *
grovepg_rowtype_map(TupleDesc desc, TupleDesc source)
{
	GroveRowType *map = palloc(sizeof(GroveRowType));

	map->desc = desc;
	map->source = palloc0(sizeof(AttrNumber) * Max(desc->natts, 1));
	map->same = desc->natts == source->natts;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute wanted = TupleDescAttr(desc, i);

		if (!wanted->attisdropped)
			map->source[i] = match_column(wanted, source);
		if (map->source[i] != i + 1)
			map->same = false;
	}
	return map;
}

void
grovepg_rowtype_values(const GroveRowType *map, TupleTableSlot *slot, Datum *values, bool *nulls)
{
	slot_getallattrs(slot);
	for (int i = 0; i < map->desc->natts; i++)
	{
		AttrNumber	column = map->source[i];

		values[i] = column > 0 ? slot->tts_values[column - 1] : (Datum) 0;
		nulls[i] = column > 0 ? slot->tts_isnull[column - 1] : true;
	}
}

Datum
grovepg_rowtype_datum(const GroveRowType *map, TupleTableSlot *slot)
{
	Datum	   *values;
	bool	   *nulls;
	HeapTuple	tuple;

	if (map->same && !TTS_IS_VIRTUAL(slot))
	{
		bool		free_tuple;
		Datum		result = (Datum) 0;

		tuple = ExecFetchSlotHeapTuple(slot, false, &free_tuple);
		if (HeapTupleHeaderGetNatts(tuple->t_data) == map->desc->natts)
			result = heap_copy_tuple_as_datum(tuple, map->desc);
		if (free_tuple)
			heap_freetuple(tuple);
		if (result != (Datum) 0)
			return result;
	}

	values = palloc(sizeof(Datum) * Max(map->desc->natts, 1));
	nulls = palloc(sizeof(bool) * Max(map->desc->natts, 1));
	grovepg_rowtype_values(map, slot, values, nulls);
	tuple = heap_form_tuple(map->desc, values, nulls);
	return HeapTupleGetDatum(tuple);
}

Tuplestorestate *
grovepg_rowtype_store(FunctionCallInfo fcinfo, TupleDesc *desc)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext previous;
	Tuplestorestate *store;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));

	previous = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	switch (get_call_result_type(fcinfo, NULL, desc))
	{
		case TYPEFUNC_COMPOSITE:
			*desc = BlessTupleDesc(CreateTupleDescCopy(*desc));
			break;
		case TYPEFUNC_RECORD:
			if (result->expectedDesc != NULL)
			{
				*desc = BlessTupleDesc(CreateTupleDescCopy(result->expectedDesc));
				break;
			}
			/* FALLTHROUGH */
		default:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("function returning record called in context that cannot accept type record")));
	}
	store = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = store;
	result->setDesc = *desc;
	MemoryContextSwitchTo(previous);
	return store;
}
