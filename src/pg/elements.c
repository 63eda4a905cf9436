/*
 * elements.c: hashing, comparing and keeping values of any type.
 *
 * A sampling aggregate sees millions of values and keeps few, so a value is
 * hashed as it comes and copied only when it can matter.
 *
 * Kept values are copies as they are stored: compressed ones stay compressed
 * and values in a TOAST table stay there until the result is made, under the
 * snapshot of the same query.  Places are cut from blocks and, once released,
 * reused for values of about the same size; palloc() alone would round a row
 * of 270 bytes up to 512.  Everything belongs to the aggregate's context and
 * goes with it.
 */
#include "pg_grove.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "elements.h"
#include "value_hash.h"

#define PLACE_STEP		16		/* places are multiples of this */
#define PLACE_LISTS		128		/* larger values have memory of their own */
#define FIRST_BLOCK		1024
#define LARGEST_BLOCK	(256 * 1024)

#define SPARE_ROWS		(16 * 1024)	/* wide, and rarely repeated */
#define SPARE_OTHER		(64 * 1024)

struct GroveElementType
{
	Oid			type;
	MemoryContext context;
	int16		length;
	bool		byval;
	char		align;
	bool		row;
	FmgrInfo	compare_rows;	/* rows only */
	GroveValueHash *hash;		/* made with the first hash */
};

GroveElementType *
grovepg_element_type(Oid oid, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	GroveElementType *type = palloc0(sizeof(GroveElementType));

	if (oid == RECORDOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("elements of an anonymous row type cannot be sampled"),
				 errhint("Sample rows of a table or view, or cast the row to a named composite type.")));
	type->type = oid;
	type->context = context;
	get_typlenbyvalalign(oid, &type->length, &type->byval, &type->align);
	type->row = type_is_rowtype(oid);
	if (type->row)
		fmgr_info_cxt(F_BTRECORDIMAGECMP, &type->compare_rows, context);
	MemoryContextSwitchTo(old);
	return type;
}

Oid
grovepg_element_oid(const GroveElementType *type)
{
	return type->type;
}

uint64
grovepg_element_spare(const GroveElementType *type)
{
	return type->row ? SPARE_ROWS : SPARE_OTHER;
}

uint64
grovepg_element_hash(GroveElementType *type, uint64 rng_key, Datum value, bool null)
{
	if (type->hash == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(type->context);

		type->hash = grovepg_value_hash_make(type->type, false);
		MemoryContextSwitchTo(old);
	}
	return null ? grovepg_value_hash_null(rng_key) : grovepg_value_hash(type->hash, rng_key, value);
}

/* Order of two varlena values by their contents, whatever their headers and however they are compressed. */
static int
compare_varlena(Datum a, Datum b)
{
	struct varlena *left = PG_DETOAST_DATUM_PACKED(a);
	struct varlena *right = PG_DETOAST_DATUM_PACKED(b);
	Size		left_length = VARSIZE_ANY_EXHDR(left);
	Size		right_length = VARSIZE_ANY_EXHDR(right);
	int			order = memcmp(VARDATA_ANY(left), VARDATA_ANY(right), Min(left_length, right_length));

	if (order == 0 && left_length != right_length)
		order = left_length < right_length ? -1 : 1;
	if ((Pointer) left != DatumGetPointer(a))
		pfree(left);
	if ((Pointer) right != DatumGetPointer(b))
		pfree(right);
	return order;
}

int
grovepg_element_compare(GroveElementType *type, Datum a, Datum b)
{
	if (type->byval)
		return a == b ? 0 : a < b ? -1 : 1;
	if (type->row)
		return DatumGetInt32(FunctionCall2(&type->compare_rows, a, b));
	if (type->length == -1)
		return compare_varlena(a, b);
	if (type->length == -2)
		return strcmp(DatumGetCString(a), DatumGetCString(b));
	return memcmp(DatumGetPointer(a), DatumGetPointer(b), type->length);
}

Datum
grovepg_element_array(const GroveElementType *type, Datum *values, bool *nulls, int n)
{
	int			dims[1] = {n};
	int			lower_bounds[1] = {1};

	if (n == 0)
		return PointerGetDatum(construct_empty_array(type->type));
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lower_bounds, type->type,
											  type->length, type->byval, type->align));
}

/* Memory for a value of this size in the elements' context, with the size class that release_place() needs to know. */
static void *
take_place(GroveElements *elements, Size size)
{
	Size		list = (size + PLACE_STEP - 1) / PLACE_STEP;
	void	   *place;

	if (list >= PLACE_LISTS)
	{
		place = MemoryContextAllocHuge(elements->context, size);
		elements->bytes += GetMemoryChunkSpace(place);
		return place;
	}
	if (elements->free != NULL && elements->free[list] != NULL)
	{
		place = elements->free[list];
		elements->free[list] = *(void **) place;
		return place;
	}
	if (elements->block_size - elements->block_used < list * PLACE_STEP)
	{
		Size		block_size = Min(Max(2 * elements->block_size, FIRST_BLOCK), LARGEST_BLOCK);

		block_size = Max(block_size, list * PLACE_STEP);
		elements->block = MemoryContextAlloc(elements->context, block_size);
		elements->bytes += GetMemoryChunkSpace(elements->block);
		elements->block_size = block_size;
		elements->block_used = 0;
	}
	place = elements->block + elements->block_used;
	elements->block_used += list * PLACE_STEP;
	return place;
}

static void
release_place(GroveElements *elements, void *place, Size size)
{
	Size		list = (size + PLACE_STEP - 1) / PLACE_STEP;

	if (list >= PLACE_LISTS)
	{
		elements->bytes -= GetMemoryChunkSpace(place);
		pfree(place);
		return;
	}
	if (elements->free == NULL)
	{
		elements->free = MemoryContextAllocZero(elements->context, PLACE_LISTS * sizeof(void *));
		elements->bytes += GetMemoryChunkSpace(elements->free);
	}
	*(void **) place = elements->free[list];
	elements->free[list] = place;
}

Datum
grovepg_elements_keep(GroveElements *elements, Datum value)
{
	const GroveElementType *type = elements->type;
	Pointer		source = DatumGetPointer(value);
	Size		size;
	void	   *place;

	if (type->byval)
		return value;

	/* what lives only as long as the current row must be copied in full */
	if (type->length == -1 && VARATT_IS_EXTERNAL(source) && !VARATT_IS_EXTERNAL_ONDISK(source))
		source = (Pointer) detoast_external_attr((struct varlena *) source);
	size = datumGetSize(PointerGetDatum(source), false, type->length);
	place = take_place(elements, size);
	memcpy(place, source, size);
	if (source != DatumGetPointer(value))
		pfree(source);
	return PointerGetDatum(place);
}

void
grovepg_elements_release(GroveElements *elements, Datum kept)
{
	if (!elements->type->byval)
		release_place(elements, DatumGetPointer(kept), datumGetSize(kept, false, elements->type->length));
}

Size
grovepg_element_size(const GroveElementType *type, Datum value)
{
	return type->byval ? 0 : sizeof(Size) + datumGetSize(value, false, type->length);
}

void
grovepg_elements_write(const GroveElementType *type, StringInfo buffer, Datum value)
{
	Size		size;

	if (type->byval)
		return;
	size = datumGetSize(value, false, type->length);
	appendBinaryStringInfo(buffer, (char *) &size, sizeof(size));
	appendBinaryStringInfo(buffer, DatumGetPointer(value), (int) size);
}

Datum
grovepg_elements_read(GroveElements *elements, StringInfo buffer, Datum value)
{
	Size		size;
	void	   *place;

	if (elements->type->byval)
		return value;
	memcpy(&size, pq_getmsgbytes(buffer, sizeof(size)), sizeof(size));
	place = take_place(elements, size);
	memcpy(place, pq_getmsgbytes(buffer, (int) size), size);
	return PointerGetDatum(place);
}
