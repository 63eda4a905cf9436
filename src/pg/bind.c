/*
 * bind.c: which argument, column or key is which feature.
 *
 * The answer depends on the model and on the types of the arguments.  It is
 * worked out once and kept with the call site's use of the model; for rows it
 * is kept with the identity of the row type, which changes when the type is
 * altered.  After that a row is converted value by value.
 */
#include "pg_grove.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "bind.h"
#include "convert.h"

#define HINT_NAMES	20			/* features that a hint lists */

typedef enum ArgumentShape
{
	SHAPE_VALUES,
	SHAPE_ARRAY,
	SHAPE_ROW,
	SHAPE_JSON
} ArgumentShape;

struct GroveArguments
{
	ArgumentShape shape;
	int			first;
	int			count;
	Oid		   *types;			/* [count]; SHAPE_ARRAY: of the elements */
	int16		element_length;	/* SHAPE_ARRAY */
	bool		element_by_value;
	char		element_align;
	bool		json_text;		/* SHAPE_JSON: json, not jsonb */
};

/* How the arguments become rows of one model. */
typedef struct Binding
{
	double	   *row;			/* [n_features] */
	GroveConverter *converters; /* [n_features] */

	/* SHAPE_ROW: valid for the row type with this identity */
	uint64		row_identity;	/* 0: none yet */
	MemoryContext row_context;
	int		   *columns;		/* [n_features] from 0 */
	TupleDesc	desc;
	Datum	   *values;			/* [desc->natts] */
	bool	   *nulls;
} Binding;

GroveArguments *
grovepg_bind_arguments(FunctionCallInfo fcinfo, int first)
{
	MemoryContext previous = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	GroveArguments *arguments = palloc0(sizeof(GroveArguments));

	arguments->first = first;
	arguments->count = PG_NARGS() - first;
	arguments->types = palloc(sizeof(Oid) * Max(arguments->count, 1));
	for (int i = 0; i < arguments->count; i++)
	{
		arguments->types[i] = get_fn_expr_argtype(fcinfo->flinfo, first + i);
		if (!OidIsValid(arguments->types[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("could not determine the type of argument %d", first + i + 1),
					 errhint("Cast it, as in $1::double precision.")));
	}
	if (get_fn_expr_variadic(fcinfo->flinfo))
	{
		arguments->shape = SHAPE_ARRAY;
		arguments->types[0] = get_base_element_type(arguments->types[0]);
		if (!OidIsValid(arguments->types[0]))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("argument after VARIADIC must be an array"),
					 errhint("Pass an array, or leave out VARIADIC.")));
		get_typlenbyvalalign(arguments->types[0], &arguments->element_length,
							 &arguments->element_by_value, &arguments->element_align);
	}
	else if (arguments->count == 1 && type_is_rowtype(arguments->types[0]))
		arguments->shape = SHAPE_ROW;
	else if (arguments->count == 1)
	{
		Oid			type = getBaseType(arguments->types[0]);

		if (type == JSONBOID || type == JSONOID)
			arguments->shape = SHAPE_JSON;
		arguments->json_text = type == JSONOID;
	}
	MemoryContextSwitchTo(previous);
	return arguments;
}

/* "age, price, ..." for a hint. */
static char *
list_features(const GroveModel *model)
{
	StringInfoData list;

	initStringInfo(&list);
	for (uint32 i = 0; i < model->n_features && i < HINT_NAMES; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", grovepg_model_text(model->features[i].name));
	if (model->n_features > HINT_NAMES)
		appendStringInfoString(&list, ", ...");
	return list.data;
}

static void
check_count(const GroveModel *model, int count)
{
	if (count == (int) model->n_features)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("wrong number of feature values: expected %u, found %d", model->n_features, count),
			 errhint("Pass the values of %s in this order, or a row or jsonb object that has them by name.",
					 list_features(model))));
}

static Binding *
make_binding(const GroveArguments *arguments, GroveModelUse *use)
{
	const GroveModel *model = use->model;
	Binding    *binding = palloc0(sizeof(Binding));

	binding->row = palloc(sizeof(double) * model->n_features);
	binding->converters = palloc0(sizeof(GroveConverter) * model->n_features);
	switch (arguments->shape)
	{
		case SHAPE_VALUES:
			check_count(model, arguments->count);
			for (uint32 i = 0; i < model->n_features; i++)
				grovepg_convert_init_type(&binding->converters[i], &model->features[i], arguments->types[i]);
			break;
		case SHAPE_ARRAY:
			for (uint32 i = 0; i < model->n_features; i++)
				grovepg_convert_init_type(&binding->converters[i], &model->features[i], arguments->types[0]);
			break;
		case SHAPE_JSON:
			for (uint32 i = 0; i < model->n_features; i++)
				grovepg_convert_init(&binding->converters[i], &model->features[i]);
			break;
		case SHAPE_ROW:
			binding->row_context = AllocSetContextCreate(use->context, "pg_grove row type", ALLOCSET_SMALL_SIZES);
			for (uint32 i = 0; i < model->n_features; i++)
				grovepg_convert_init(&binding->converters[i], &model->features[i]);
			break;
	}
	return binding;
}

static void
fill_missing(const GroveModel *model, Binding *binding)
{
	for (uint32 i = 0; i < model->n_features; i++)
		binding->row[i] = grovepg_convert_null(&binding->converters[i]);
}

static void
bind_values(const GroveArguments *arguments, FunctionCallInfo fcinfo, Binding *binding)
{
	const NullableDatum *values = fcinfo->args + arguments->first;

	for (int i = 0; i < arguments->count; i++)
		binding->row[i] = grovepg_convert_value(&binding->converters[i], values[i].value, values[i].isnull);
}

static void
bind_array(const GroveArguments *arguments, FunctionCallInfo fcinfo, const GroveModel *model, Binding *binding)
{
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (PG_ARGISNULL(arguments->first))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array of features must not be null"),
				 errhint("Pass an array with one element for each feature; null elements are missing values.")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arguments->first), arguments->types[0], arguments->element_length,
					  arguments->element_by_value, arguments->element_align, &elements, &nulls, &count);
	check_count(model, count);
	for (int i = 0; i < count; i++)
		binding->row[i] = grovepg_convert_value(&binding->converters[i], elements[i], nulls[i]);
}

/* The column with the name of a feature, from 0, or -1. */
static int
find_column(TupleDesc desc, GroveText name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped && strlen(NameStr(column->attname)) == name.length &&
			memcmp(NameStr(column->attname), name.data, name.length) == 0)
			return i;
	}
	return -1;
}

/* Whether the columns have only the names that ROW(...) gives them. */
static bool
is_anonymous(TupleDesc desc)
{
	if (desc->tdtypeid != RECORDOID)
		return false;
	for (int i = 0; i < desc->natts; i++)
	{
		char		name[16];

		snprintf(name, sizeof(name), "f%d", i + 1);
		if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) != 0)
			return false;
	}
	return true;
}

/* Finds the columns of the features by name, else by position. */
static void
find_columns(const GroveModel *model, Binding *binding)
{
	TupleDesc	desc = binding->desc;

	for (uint32 i = 0; i < model->n_features; i++)
	{
		binding->columns[i] = find_column(desc, model->features[i].name);
		if (binding->columns[i] >= 0)
			continue;
		if (!is_anonymous(desc))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("row has no column \"%s\"", grovepg_model_text(model->features[i].name)),
					 errdetail("The model was trained with it as a feature."),
					 errhint("A row needs the columns %s.", list_features(model))));
		check_count(model, desc->natts);
		for (uint32 column = 0; column < model->n_features; column++)
			binding->columns[column] = (int) column;
		return;
	}
}

/* Makes the binding fit a row type. */
static void
bind_row_type(const GroveModel *model, Binding *binding, Oid type, int32 typmod, uint64 identity)
{
	MemoryContext previous;
	TupleDesc	shared;

	binding->row_identity = 0;
	MemoryContextReset(binding->row_context);
	shared = lookup_rowtype_tupdesc(type, typmod);
	previous = MemoryContextSwitchTo(binding->row_context);
	binding->desc = CreateTupleDescCopy(shared);
	ReleaseTupleDesc(shared);
	binding->columns = palloc(sizeof(int) * model->n_features);
	binding->values = palloc(sizeof(Datum) * Max(binding->desc->natts, 1));
	binding->nulls = palloc(sizeof(bool) * Max(binding->desc->natts, 1));
	find_columns(model, binding);
	for (uint32 i = 0; i < model->n_features; i++)
		grovepg_convert_init_type(&binding->converters[i], &model->features[i],
								  TupleDescAttr(binding->desc, binding->columns[i])->atttypid);
	MemoryContextSwitchTo(previous);
	binding->row_identity = identity;
}

static void
bind_row(const GroveArguments *arguments, FunctionCallInfo fcinfo, const GroveModel *model, Binding *binding)
{
	HeapTupleHeader header;
	HeapTupleData tuple;
	uint64		identity;
	Oid			type;
	int32		typmod;

	if (PG_ARGISNULL(arguments->first))
	{
		fill_missing(model, binding);
		return;
	}
	header = PG_GETARG_HEAPTUPLEHEADER(arguments->first);
	type = HeapTupleHeaderGetTypeId(header);
	typmod = HeapTupleHeaderGetTypMod(header);
	identity = assign_record_type_identifier(type, typmod);
	if (identity != binding->row_identity)
		bind_row_type(model, binding, type, typmod, identity);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, binding->desc, binding->values, binding->nulls);
	for (uint32 i = 0; i < model->n_features; i++)
	{
		int			column = binding->columns[i];

		binding->row[i] = grovepg_convert_value(&binding->converters[i], binding->values[column], binding->nulls[column]);
	}
}

static void
bind_json(const GroveArguments *arguments, FunctionCallInfo fcinfo, const GroveModel *model, Binding *binding)
{
	Jsonb	   *document;
	Datum		value;

	if (PG_ARGISNULL(arguments->first))
	{
		fill_missing(model, binding);
		return;
	}
	value = PG_GETARG_DATUM(arguments->first);
	if (arguments->json_text)
		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(value)));
	document = DatumGetJsonbP(value);
	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("features must be a JSON object"),
				 errhint("The model needs the keys %s.", list_features(model))));
	for (uint32 i = 0; i < model->n_features; i++)
	{
		GroveText	name = model->features[i].name;
		JsonbValue	found;

		if (!getKeyJsonValueFromContainer(&document->root, name.data, (int) name.length, &found))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("JSON object has no key \"%s\"", grovepg_model_text(name)),
					 errdetail("The model was trained with it as a feature."),
					 errhint("Give null for a value that is not known.")));
		binding->row[i] = grovepg_convert_json(&binding->converters[i], &found);
	}
}

const double *
grovepg_bind_row(GroveArguments *arguments, FunctionCallInfo fcinfo, GroveModelUse *use)
{
	Binding    *binding = use->work;

	if (!binding)
	{
		MemoryContext previous = MemoryContextSwitchTo(use->context);

		binding = make_binding(arguments, use);
		MemoryContextSwitchTo(previous);
		use->work = binding;
	}
	switch (arguments->shape)
	{
		case SHAPE_VALUES:
			bind_values(arguments, fcinfo, binding);
			break;
		case SHAPE_ARRAY:
			bind_array(arguments, fcinfo, use->model, binding);
			break;
		case SHAPE_ROW:
			bind_row(arguments, fcinfo, use->model, binding);
			break;
		case SHAPE_JSON:
			bind_json(arguments, fcinfo, use->model, binding);
			break;
	}
	return binding->row;
}
