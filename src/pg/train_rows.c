/*
 * train_rows.c: the type grove.feature_rows.
 *
 * Values of features are what training makes of them anyway, doubles and
 * labels, so a row needs neither the types' own formats nor their functions on
 * the other side.  Rows are appended to an array that doubles; nothing is
 * looked at until the training reads them.
 *
 * Bytes: version (1), then the lengths of the head (4) and of the params (4)
 * and the number of rows (8); the head; the params, a JSON text; the rows.
 * The head has, for each column: type (4, 0 for an enum), length of the name
 * (1), name, and for an enum the length of its type's name (2) and that name.
 * A row has, for each column: a number (8, IEEE double), or the length of a
 * label (4, all ones when it is missing) and the label in the encoding of the
 * database.  All numbers are little-endian.
 */
#include "pg_grove.h"

#include <math.h>

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "../core/bytes.h"
#include "train_rows.h"
#include "portable.h"

#define ROWS_VERSION	1
#define FIXED_BYTES		17		/* before the head */
#define MISSING_LABEL	PG_UINT32_MAX
#define FIRST_CAPACITY	8192

PG_FUNCTION_INFO_V1(grove_feature_rows_in);
PG_FUNCTION_INFO_V1(grove_feature_rows_out);
PG_FUNCTION_INFO_V1(grove_feature_rows_recv);
PG_FUNCTION_INFO_V1(grove_feature_rows_send);

/* Rows that grow. */
typedef struct RowsObject
{
	ExpandedObjectHeader header;
	GroveTrainRows parts;		/* all below is in the object's context */
	uint8	   *rows;			/* parts.rows */
	Size		capacity;		/* bytes */
	char	   *params_text;	/* between flat_size() and flatten_into() */
} RowsObject;

/* Bytes that are being checked. */
typedef struct RowsReader
{
	const uint8 *bytes;
	Size		left;
} RowsReader;

/* -------------------------------------------------------------------- flat */

static void
put_fixed(uint8 *bytes, Size head_size, Size params_size, uint64 n_rows)
{
	bytes[0] = ROWS_VERSION;
	grove_bytes_put32(bytes + 1, (uint32) head_size);
	grove_bytes_put32(bytes + 5, (uint32) params_size);
	grove_bytes_put64(bytes + 9, n_rows);
}

static void
append_column(StringInfo out, const GroveTrainRowsColumn *column)
{
	uint8		number[4];
	Size		length = strlen(column->name);

	Assert(length < NAMEDATALEN);
	grove_bytes_put32(number, column->type);
	appendBinaryStringInfo(out, (char *) number, 4);
	appendStringInfoChar(out, (char) length);
	appendBinaryStringInfo(out, column->name, length);
	if (OidIsValid(column->type))
		return;
	length = strlen(column->type_name);
	grove_bytes_put16(number, (uint16) length);
	appendBinaryStringInfo(out, (char *) number, 2);
	appendBinaryStringInfo(out, column->type_name, length);
}

void
grovepg_train_rows_head(StringInfo out, const GroveTrainRowsColumn *columns, int n)
{
	int			start = out->len;
	uint8		fixed[FIXED_BYTES] = {0};

	appendBinaryStringInfo(out, (char *) fixed, FIXED_BYTES);
	for (int i = 0; i < n; i++)
		append_column(out, &columns[i]);
	put_fixed((uint8 *) out->data + start, out->len - start - FIXED_BYTES, 0, 1);
}

void
grovepg_train_rows_number(StringInfo out, double value)
{
	uint8		bytes[8];

	grove_bytes_put_double(bytes, value);
	appendBinaryStringInfo(out, (char *) bytes, 8);
}

void
grovepg_train_rows_label(StringInfo out, const GroveText *label)
{
	uint8		bytes[4];

	grove_bytes_put32(bytes, label ? label->length : MISSING_LABEL);
	appendBinaryStringInfo(out, (char *) bytes, 4);
	if (label)
		appendBinaryStringInfo(out, label->data, label->length);
}

/* ---------------------------------------------------------------- expanded */

static Size
flat_size(ExpandedObjectHeader *header)
{
	RowsObject *object = (RowsObject *) header;
	Size		params = 0;

	if (object->parts.params)
	{
		if (object->params_text == NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(header->eoh_context);

			object->params_text = JsonbToCString(NULL, &object->parts.params->root, VARSIZE(object->parts.params));
			MemoryContextSwitchTo(old);
		}
		params = strlen(object->params_text);
	}
	if (object->parts.rows_size > MaxAllocSize - VARHDRSZ - FIXED_BYTES - object->parts.head_size - params)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of a group are too large for a parallel plan"),
				 errhint("Use grove.train(), or set max_parallel_workers_per_gather to 0.")));
	return VARHDRSZ + FIXED_BYTES + object->parts.head_size + params + object->parts.rows_size;
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated)
{
	RowsObject *object = (RowsObject *) header;
	const GroveTrainRows *parts = &object->parts;
	Size		params = parts->params ? strlen(object->params_text) : 0;
	uint8	   *bytes = (uint8 *) result + VARHDRSZ;

	SET_VARSIZE(result, allocated);
	put_fixed(bytes, parts->head_size, params, parts->n_rows);
	bytes += FIXED_BYTES;
	memcpy(bytes, parts->head, parts->head_size);
	bytes += parts->head_size;
	if (params > 0)
		memcpy(bytes, object->params_text, params);
	memcpy(bytes + params, parts->rows, parts->rows_size);
}

static const ExpandedObjectMethods methods = {flat_size, flatten_into};

static Jsonb *
read_params(const uint8 *bytes, Size length)
{
	if (length == 0)
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup((const char *) bytes, length))));
}

void
grovepg_train_rows_open(Datum datum, GroveTrainRows *parts)
{
	struct varlena *flat;
	const uint8 *bytes;
	Size		params;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)))
	{
		RowsObject *object = (RowsObject *) DatumGetEOHP(datum);

		if (object->header.eoh_methods == &methods)
		{
			*parts = object->parts;
			return;
		}
	}
	flat = PG_DETOAST_DATUM_PACKED(datum);
	bytes = (const uint8 *) VARDATA_ANY(flat);
	parts->head = bytes + FIXED_BYTES;
	parts->head_size = grove_bytes_get32(bytes + 1);
	params = grove_bytes_get32(bytes + 5);
	parts->params = read_params(parts->head + parts->head_size, params);
	parts->n_rows = grove_bytes_get64(bytes + 9);
	parts->rows = parts->head + parts->head_size + params;
	parts->rows_size = VARSIZE_ANY_EXHDR(flat) - (parts->rows - bytes);
}

/* A growing object with the columns and params of a value, but none of its rows. */
static RowsObject *
make_object(MemoryContext parent, const GroveTrainRows *like, const Jsonb *params)
{
	MemoryContext context = AllocSetContextCreate(parent, "grove feature rows", ALLOCSET_START_SMALL_SIZES);
	RowsObject *object = MemoryContextAllocZero(context, sizeof(RowsObject));
	uint8	   *head = MemoryContextAlloc(context, like->head_size);

	EOH_init_header(&object->header, &methods, context);
	memcpy(head, like->head, like->head_size);
	object->parts.head = head;
	object->parts.head_size = like->head_size;
	if (params)
	{
		object->parts.params = MemoryContextAlloc(context, VARSIZE(params));
		memcpy(object->parts.params, params, VARSIZE(params));
	}
	return object;
}

/* Makes room for so many more bytes of rows. */
static void
reserve(RowsObject *object, Size more)
{
	Size		needed = object->parts.rows_size + more;
	Size		capacity = Max(object->capacity, FIRST_CAPACITY);

	if (needed <= object->capacity)
		return;
	while (capacity < needed)
		capacity *= 2;
	/* the last step is no longer than it must be */
	if (capacity > grovepg_max_memory())
		capacity = Max(needed, grovepg_max_memory());
	if (needed > grovepg_max_memory() && needed > FIRST_CAPACITY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rows of a group need more than %zu kB of memory", grovepg_max_memory() / 1024),
				 errhint("Raise \"grove.max_memory\" or \"maintenance_work_mem\", or use grove.train(), which does not keep the rows.")));
	if (object->rows == NULL)
		object->rows = MemoryContextAllocHuge(object->header.eoh_context, capacity);
	else
		object->rows = repalloc_huge(object->rows, capacity);
	object->parts.rows = object->rows;
	object->capacity = capacity;
}

/* Tells how the columns of two values differ. */
static void
reject_columns(const GroveTrainRows *before, const GroveTrainRows *now)
{
	int			n[2];
	GroveTrainRowsColumn *a = grovepg_train_rows_columns(before, &n[0]);
	GroveTrainRowsColumn *b = grovepg_train_rows_columns(now, &n[1]);
	int			i = 0;

	if (n[0] != n[1])
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("rows of a group have different numbers of features: %d and %d", n[0] - 1, n[1] - 1),
				 errhint("Pass the same columns in every row, or group the rows by what they have.")));
	while (i < n[0] - 1 && a[i].type == b[i].type && strcmp(a[i].name, b[i].name) == 0 &&
		   (a[i].type_name == NULL || strcmp(a[i].type_name, b[i].type_name) == 0))
		i++;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("rows of a group have different features"),
			 errdetail("Column \"%s\" has type %s in one row, column \"%s\" at the same place has type %s in another.",
					   a[i].name, a[i].type_name ? a[i].type_name : format_type_be(a[i].type),
					   b[i].name, b[i].type_name ? b[i].type_name : format_type_be(b[i].type)),
			 errhint("Pass the same columns in every row, or group the rows by what they have.")));
}

Datum
grovepg_train_rows_append(FunctionCallInfo fcinfo, const GroveTrainRows *other, Jsonb *params)
{
	RowsObject *object;
	GroveTrainRows *parts;
	MemoryContext context;

	if (params == NULL)
		params = other->params;
	if (!AggCheckCallContext(fcinfo, &context))
		context = CurrentMemoryContext;
	if (PG_ARGISNULL(0))
		object = make_object(context, other, params);
	else if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(PG_GETARG_DATUM(0))))
		object = (RowsObject *) DatumGetEOHP(PG_GETARG_DATUM(0));
	else
	{
		GroveTrainRows flat;

		grovepg_train_rows_open(PG_GETARG_DATUM(0), &flat);
		object = make_object(context, &flat, flat.params);
		reserve(object, flat.rows_size);
		memcpy(object->rows, flat.rows, flat.rows_size);
		object->parts.rows_size = flat.rows_size;
		object->parts.n_rows = flat.n_rows;
	}
	parts = &object->parts;
	if (parts->head_size != other->head_size || memcmp(parts->head, other->head, other->head_size) != 0)
		reject_columns(parts, other);
	if ((parts->params == NULL) != (params == NULL) ||
		(params && (VARSIZE(params) != VARSIZE(parts->params) || memcmp(params, parts->params, VARSIZE(params)) != 0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"params\" must be the same in all rows of a group"),
				 errhint("Write them as a constant, or group the rows by them.")));
	reserve(object, other->rows_size);
	memcpy(object->rows + parts->rows_size, other->rows, other->rows_size);
	parts->rows_size += other->rows_size;
	parts->n_rows += other->n_rows;
	return EOHPGetRWDatum(&object->header);
}

/* ----------------------------------------------------------------- reading */

static void
report_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("value is not feature rows"),
			 errhint("Pass what grove.features() gives.")));
}

static const uint8 *
read_bytes(RowsReader *reader, Size n)
{
	const uint8 *bytes = reader->bytes;

	if (reader->left < n)
		report_damaged();
	reader->bytes += n;
	reader->left -= n;
	return bytes;
}

/* A text of so many bytes, which has to be one of the database's encoding. */
static const char *
read_text(RowsReader *reader, Size length)
{
	const char *text = (const char *) read_bytes(reader, length);

	if (!pg_verifymbstr(text, (int) length, true))
		report_damaged();
	return text;
}

static void
read_column(RowsReader *reader, GroveTrainRowsColumn *column)
{
	GroveFeatureType type;
	Size		length;

	memset(column, 0, sizeof(*column));
	column->type = grove_bytes_get32(read_bytes(reader, 4));
	length = *read_bytes(reader, 1);
	if (length == 0 || length >= NAMEDATALEN)
		report_damaged();
	column->name = pnstrdup(read_text(reader, length), length);
	column->kind = GROVE_FEATURE_CATEGORICAL;
	if (OidIsValid(column->type))
	{
		/* types that are not the server's own have other numbers elsewhere */
		if (column->type >= FirstGenbkiObjectId || !SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(column->type)) ||
			!grovepg_feature_type(column->type, &type) || type.type != column->type)
			report_damaged();
		column->kind = type.kind;
		return;
	}
	length = grove_bytes_get16(read_bytes(reader, 2));
	if (length == 0)
		report_damaged();
	column->type_name = pnstrdup(read_text(reader, length), length);
}

/* Passes over one value, checked. */
static void
skip_value(RowsReader *reader, const GroveTrainRowsColumn *column)
{
	const uint8 *bytes;
	uint32		length;

	if (column->kind == GROVE_FEATURE_NUMERIC)
	{
		if (isinf(grove_bytes_get_double(read_bytes(reader, 8))))
			report_damaged();
		return;
	}
	length = grove_bytes_get32(read_bytes(reader, 4));
	if (length == MISSING_LABEL)
		return;
	bytes = (const uint8 *) read_text(reader, length);
	if (column->type == BOOLOID && !(length == 4 && memcmp(bytes, "true", 4) == 0) &&
		!(length == 5 && memcmp(bytes, "false", 5) == 0))
		report_damaged();
}

static void
check_flat(struct varlena *flat)
{
	RowsReader	reader = {(const uint8 *) VARDATA(flat), VARSIZE(flat) - VARHDRSZ};
	const uint8 *fixed = read_bytes(&reader, FIXED_BYTES);
	Size		head_size = grove_bytes_get32(fixed + 1);
	Size		params_size = grove_bytes_get32(fixed + 5);
	uint64		n_rows = grove_bytes_get64(fixed + 9);
	RowsReader	head = {read_bytes(&reader, head_size), head_size};
	GroveTrainRowsColumn *columns = palloc((GROVE_MAX_FEATURES + 1) * sizeof(GroveTrainRowsColumn));
	int			n = 0;

	if (fixed[0] != ROWS_VERSION)
		report_damaged();
	while (head.left > 0 && n <= GROVE_MAX_FEATURES)
		read_column(&head, &columns[n++]);
	if (head.left > 0 || n < 2)
		report_damaged();
	(void) read_params((const uint8 *) read_text(&reader, params_size), params_size);
	for (uint64 row = 0; row < n_rows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			skip_value(&reader, &columns[i]);
	}
	if (reader.left != 0)
		report_damaged();
}

GroveTrainRowsColumn *
grovepg_train_rows_columns(const GroveTrainRows *parts, int *n)
{
	RowsReader	reader = {parts->head, parts->head_size};
	GroveTrainRowsColumn *columns = palloc((GROVE_MAX_FEATURES + 1) * sizeof(GroveTrainRowsColumn));

	*n = 0;
	while (reader.left > 0)
		read_column(&reader, &columns[(*n)++]);
	return columns;
}

TupleDesc
grovepg_train_rows_desc(const GroveTrainRowsColumn *columns, int n)
{
	TupleDesc	desc = CreateTemplateTupleDesc(n);

	for (int i = 0; i < n; i++)
		TupleDescInitEntry(desc, (AttrNumber) (i + 1), columns[i].name,
						   OidIsValid(columns[i].type) ? columns[i].type : TEXTOID, -1, 0);
	return desc;
}

const uint8 *
grovepg_train_rows_store(const uint8 *row, const GroveTrainRowsColumn *columns, TupleTableSlot *slot)
{
	int			n = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	for (int i = 0; i < n; i++)
	{
		uint32		length;

		slot->tts_isnull[i] = false;
		if (columns[i].kind == GROVE_FEATURE_NUMERIC)
		{
			double		value = grove_bytes_get_double(row);

			row += 8;
			slot->tts_isnull[i] = isnan(value) && i > 0;	/* a target is there, be it no number */
			slot->tts_values[i] = Float8GetDatum(value);
			continue;
		}
		length = grove_bytes_get32(row);
		row += 4;
		slot->tts_isnull[i] = length == MISSING_LABEL;
		if (length == MISSING_LABEL)
			continue;
		slot->tts_values[i] = columns[i].type == BOOLOID ? BoolGetDatum(row[0] == 't') :
			PointerGetDatum(cstring_to_text_with_len((const char *) row, (int) length));
		row += length;
	}
	ExecStoreVirtualTuple(slot);
	return row;
}

/* feature_rows_in(cstring) RETURNS feature_rows */
Datum
grove_feature_rows_in(PG_FUNCTION_ARGS)
{
	return grovepg_portable_in(fcinfo, check_flat);
}

Datum
grove_feature_rows_out(PG_FUNCTION_ARGS)
{
	return grovepg_portable_out(fcinfo);
}

Datum
grove_feature_rows_recv(PG_FUNCTION_ARGS)
{
	return grovepg_portable_recv(fcinfo, check_flat);
}

Datum
grove_feature_rows_send(PG_FUNCTION_ARGS)
{
	return grovepg_portable_send(fcinfo);
}
