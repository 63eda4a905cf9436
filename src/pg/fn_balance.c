/*
 * fn_balance.c: grove.balance, how well kept rows stand for the full set, a
 * row of numbers for each column.
 *
 * One column at a time: its values are sorted on both sides, within work_mem
 * each, and merged into one ascending walk, so that memory does not depend on
 * rows, columns or levels.  A table is read once a column; a query is run
 * once and read back.  A number is sorted as the integer that has its order,
 * a label as a 64-bit hash, since levels need no order but their equality:
 * two of a million levels share a hash with probability 10^-7.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "access/tupdesc.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#include "../core/balance.h"
#include "../core/exactsum.h"
#include "../core/rng.h"
#include "arguments.h"
#include "feature.h"
#include "reread.h"
#include "rowtype.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_balance);

/* One side: a source, the column at hand, and its values in order. */
typedef struct BalanceSide
{
	GroveReread *source;
	TupleDesc	columns;
	AttrNumber	weight;			/* 0: none */
	GroveFeatureType weight_type;
	GroveFeatureType type;		/* of the column at hand */
	Tuplesortstate *sort;
	TupleTableSlot *slot;		/* key and weight; not used without weights */
	double		rows;			/* with a value */
	double		missing;		/* without */
	GroveExactSum present_weight;	/* sums that do not depend on the order of the rows */
	GroveExactSum missing_weight;
	bool		more;			/* key and its weight are at hand */
	int64		key;
	double		key_weight;
} BalanceSide;

/* A double as an integer of the same order; the two zeros are one. */
static int64
ordered_key(double value)
{
	int64		bits;

	if (value == 0)
		value = 0;
	memcpy(&bits, &value, sizeof(bits));
	return bits < 0 ? bits ^ PG_INT64_MAX : bits;
}

static double
value_of_key(int64 key)
{
	double		value;

	if (key < 0)
		key ^= PG_INT64_MAX;
	memcpy(&value, &key, sizeof(value));
	return value;
}

static double
row_weight(BalanceSide *side, TupleTableSlot *slot, AttrNumber place)
{
	bool		null;
	Datum		value = slot_getattr(slot, place, &null);
	double		weight;

	if (null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("weight must not be null"),
				 errhint("Use coalesce() to give those rows a weight, or leave them out.")));
	weight = grovepg_feature_number(&side->weight_type, value);
	/* an infinite value comes as the largest finite one */
	if (!(weight >= 0 && weight < DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("weight must be finite and not negative"),
				 errhint("Leave such rows out, or give them the weight 0.")));
	return weight;
}

/* The key of a value; false when it is missing. */
static bool
row_key(BalanceSide *side, TupleTableSlot *slot, AttrNumber place, int64 *key)
{
	bool		null;
	Datum		value = slot_getattr(slot, place, &null);

	if (null)
		return false;
	if (side->type.kind == GROVE_FEATURE_NUMERIC)
	{
		double		number = grovepg_feature_number(&side->type, value);

		if (isnan(number))
			return false;
		/* so that there is no mean where there is an infinite value */
		if (fabs(number) >= DBL_MAX)
			number = number > 0 ? HUGE_VAL : -HUGE_VAL;
		*key = ordered_key(number);
		return true;
	}
	else
	{
		GroveText	label = grovepg_feature_label(&side->type, value);

		*key = (int64) grove_rng_bytes(grove_rng_key(0, GROVE_PURPOSE_HASH), (const uint8 *) label.data, label.length);
		return true;
	}
}

static void
sort_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	BalanceSide *side = arg;
	double		weight = side->weight != 0 ? row_weight(side, slot, places[1]) : 0;
	int64		key;

	if (!row_key(side, slot, places[0], &key))
	{
		side->missing++;
		grove_exactsum_add(&side->missing_weight, weight);
		return;
	}
	side->rows++;
	if (side->weight == 0)
	{
		tuplesort_putdatum(side->sort, Int64GetDatum(key), false);
		return;
	}
	grove_exactsum_add(&side->present_weight, weight);
	ExecClearTuple(side->slot);
	side->slot->tts_values[0] = Int64GetDatum(key);
	side->slot->tts_values[1] = Float8GetDatum(weight);
	side->slot->tts_isnull[0] = side->slot->tts_isnull[1] = false;
	ExecStoreVirtualTuple(side->slot);
	tuplesort_puttupleslot(side->sort, side->slot);
}

static void
next_key(BalanceSide *side)
{
	Datum		value;
	bool		null;

	if (side->weight == 0)
	{
		side->more = grovepg_tuplesort_getdatum(side->sort, &value, &null);
		if (side->more)
			side->key = DatumGetInt64(value);
		return;
	}
	side->more = tuplesort_gettupleslot(side->sort, true, false, side->slot, NULL);
	if (side->more)
	{
		side->key = DatumGetInt64(slot_getattr(side->slot, 1, &null));
		side->key_weight = DatumGetFloat8(slot_getattr(side->slot, 2, &null));
	}
}

/* With weights sorted by both: equal keys add up in one order whatever order they came in. */
static Tuplesortstate *
begin_sort(TupleDesc desc, bool weighted)
{
	AttrNumber	columns[2] = {1, 2};
	Oid			operators[2];
	Oid			collations[2] = {InvalidOid, InvalidOid};
	bool		nulls_first[2] = {false, false};

	operators[0] = lookup_type_cache(INT8OID, TYPECACHE_LT_OPR)->lt_opr;
	operators[1] = lookup_type_cache(FLOAT8OID, TYPECACHE_LT_OPR)->lt_opr;
	if (!weighted)
		return tuplesort_begin_datum(INT8OID, operators[0], InvalidOid, false, work_mem, NULL, false);
	return tuplesort_begin_heap(desc, 2, columns, operators, collations, nulls_first, work_mem, NULL, false);
}

static void
sort_column(BalanceSide *side, AttrNumber column, const GroveFeatureType *type, TupleDesc desc)
{
	AttrNumber	columns[2];

	columns[0] = column;
	columns[1] = side->weight;
	side->type = *type;
	side->rows = side->missing = 0;
	grove_exactsum_init(&side->present_weight);
	grove_exactsum_init(&side->missing_weight);
	side->slot = MakeSingleTupleTableSlot(desc, &TTSOpsVirtual);
	side->sort = begin_sort(desc, side->weight != 0);
	grovepg_reread_visit(side->source, side->weight != 0 ? 2 : 1, columns, false, sort_row, side);
	tuplesort_performsort(side->sort);
	ExecDropSingleTupleTableSlot(side->slot);
	side->slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

static void
end_column(BalanceSide *side)
{
	ExecDropSingleTupleTableSlot(side->slot);
	tuplesort_end(side->sort);
}

/* Rows and weight of one key, which is then passed. */
static double
take_key(BalanceSide *side, int64 key, double *weight)
{
	double		rows = 0;

	while (side->more && side->key == key)
	{
		CHECK_FOR_INTERRUPTS();
		rows++;
		*weight += side->key_weight;
		next_key(side);
	}
	return rows;
}

/* Walks both sides together, one key after the other. */
static void
compare_column(BalanceSide *whole, BalanceSide *part, GroveBalanceResult *result)
{
	GroveBalance balance;
	GroveBalanceCounts present = {whole->rows, part->rows, grove_exactsum_round(&part->present_weight)};
	GroveBalanceCounts missing = {whole->missing, part->missing, grove_exactsum_round(&part->missing_weight)};

	grove_balance_begin(&balance, whole->type.kind == GROVE_FEATURE_CATEGORICAL, present, missing);
	next_key(whole);
	next_key(part);
	while (whole->more || part->more)
	{
		GroveBalanceCounts counts = {0, 0, 0};
		int64		key;
		double		ignored = 0;

		if (whole->more && part->more)
			key = Min(whole->key, part->key);
		else
			key = whole->more ? whole->key : part->key;
		counts.whole = take_key(whole, key, &ignored);
		counts.part = take_key(part, key, &counts.weight);
		grove_balance_add(&balance, value_of_key(key), counts);
	}
	grove_balance_end(&balance, result);
}

static void
set_number(Datum *value, bool *null, double number)
{
	*null = !isfinite(number);
	*value = Float8GetDatum(number);
}

static void
put_column(Tuplestorestate *store, TupleDesc desc, const char *name, const BalanceSide *whole,
		   const BalanceSide *part, const GroveBalanceResult *result)
{
	Datum		values[15];
	bool		nulls[15] = {false};
	double		whole_rows = whole->rows + whole->missing;
	double		part_rows = part->rows + part->missing;

	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(whole->type.kind == GROVE_FEATURE_NUMERIC ? "numeric" : "categorical");
	values[2] = Int64GetDatum((int64) whole_rows);
	values[3] = Int64GetDatum((int64) part_rows);
	set_number(&values[4], &nulls[4], whole->missing / whole_rows);
	set_number(&values[5], &nulls[5], part->missing / part_rows);
	for (int i = 0; i < 3; i++)
		set_number(&values[6 + i], &nulls[6 + i], result->mean[i]);
	for (int i = 0; i < 2; i++)
	{
		set_number(&values[9 + i], &nulls[9 + i], result->smd[i]);
		set_number(&values[11 + i], &nulls[11 + i], result->psi[i]);
		set_number(&values[13 + i], &nulls[13 + i], result->ks[i]);
	}
	tuplestore_putvalues(store, desc, values, nulls);
}

static void
open_side(BalanceSide *side, FunctionCallInfo fcinfo, int argument, const char *name)
{
	Oid			relation;
	char	   *query;

	if (PG_ARGISNULL(argument))
		grovepg_argument_reject_null(name);
	query = grovepg_source_query(text_to_cstring(PG_GETARG_TEXT_PP(argument)), &relation);
	memset(side, 0, sizeof(*side));
	side->source = grovepg_reread_begin(query, relation);
	side->columns = grovepg_reread_columns(side->source);
}

/* The type of a column to compare, and where it stands in the kept rows. */
static AttrNumber
match_column(const BalanceSide *whole, const BalanceSide *part, AttrNumber column, GroveFeatureType *type)
{
	Form_pg_attribute attribute = TupleDescAttr(whole->columns, column - 1);
	const char *name = NameStr(attribute->attname);
	AttrNumber	other = grovepg_source_column(part->columns, name, "kept");
	GroveFeatureType other_type;

	if (!grovepg_feature_type(attribute->atttypid, type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, which cannot be compared", name, format_type_be(attribute->atttypid)),
				 errhint("Leave it out with ignore => '{%s}', or cast it.", name)));
	if (!grovepg_feature_type(TupleDescAttr(part->columns, other - 1)->atttypid, &other_type) ||
		other_type.type != type->type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has type %s, but type %s among the kept rows", name,
						format_type_be(attribute->atttypid),
						format_type_be(TupleDescAttr(part->columns, other - 1)->atttypid)),
				 errhint("Cast it in one of the sources, or leave it out with ignore => '{%s}'.", name)));
	return other;
}

static void
find_weight(BalanceSide *part, FunctionCallInfo fcinfo, int argument)
{
	const char *name;

	if (PG_ARGISNULL(argument))
		return;
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	part->weight = grovepg_source_column(part->columns, name, "weight");
	if (!grovepg_feature_type(TupleDescAttr(part->columns, part->weight - 1)->atttypid, &part->weight_type) ||
		!grovepg_feature_is_number(&part->weight_type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("weight column \"%s\" is not numeric", name),
				 errhint("Name the column with the weights that grove.prune() gives to kept rows.")));
}

static bool
is_among(AttrNumber column, const AttrNumber *columns, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (columns[i] == column)
			return true;
	}
	return false;
}

Datum
grove_balance(PG_FUNCTION_ARGS)
{
	BalanceSide whole;
	BalanceSide part;
	AttrNumber *ignored;
	int			n_ignored;
	TupleDesc	sorted = CreateTemplateTupleDesc(2);
	TupleDesc	desc;
	Tuplestorestate *store;
	AttrNumber *others;
	GroveFeatureType *types;

	open_side(&whole, fcinfo, 0, "source");
	open_side(&part, fcinfo, 1, "kept");
	find_weight(&part, fcinfo, 2);
	ignored = grovepg_source_column_list(whole.columns, PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3),
										 "ignore", &n_ignored);
	others = palloc(sizeof(AttrNumber) * Max(whole.columns->natts, 1));
	types = palloc(sizeof(GroveFeatureType) * Max(whole.columns->natts, 1));
	for (int i = 0; i < whole.columns->natts; i++)
	{
		if (!is_among(i + 1, ignored, n_ignored))
			others[i] = match_column(&whole, &part, i + 1, &types[i]);
	}

	TupleDescInitEntry(sorted, 1, "key", INT8OID, -1, 0);
	TupleDescInitEntry(sorted, 2, "weight", FLOAT8OID, -1, 0);
	store = grovepg_rowtype_store(fcinfo, &desc);
	for (int i = 0; i < whole.columns->natts; i++)
	{
		GroveBalanceResult result;

		if (is_among(i + 1, ignored, n_ignored))
			continue;
		sort_column(&whole, i + 1, &types[i], sorted);
		sort_column(&part, others[i], &types[i], sorted);
		compare_column(&whole, &part, &result);
		put_column(store, desc, NameStr(TupleDescAttr(whole.columns, i)->attname), &whole, &part, &result);
		end_column(&whole);
		end_column(&part);
	}
	grovepg_reread_end(whole.source);
	grovepg_reread_end(part.source);
	return (Datum) 0;
}
