/*
 * prune_units.c: counting distinct keys and finding the k-th lowest hash of
 * every cell, with one sort.
 *
 * The sort gets a single datum a row: with one cell the hash as a bigint
 * whose sign bit is turned, so that its order is that of the unsigned hash;
 * with several a uuid that holds the cell and the hash, high bytes first,
 * because the server sorts uuids by their first eight bytes as integers and
 * looks at the rest only when these are equal.
 */
#include "pg_grove.h"

#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "prune_units.h"

#define SIGN_BIT	UINT64CONST(0x8000000000000000)

struct PruneUnits
{
	bool		one_cell;
	Tuplesortstate *sort;
};

PruneUnits *
grovepg_units_begin(bool one_cell)
{
	PruneUnits *units = palloc(sizeof(PruneUnits));
	Oid			type = one_cell ? INT8OID : UUIDOID;

	units->one_cell = one_cell;
	units->sort = tuplesort_begin_datum(type, lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr, InvalidOid,
										false, work_mem, NULL, GROVEPG_SORT_REWIND);
	return units;
}

void
grovepg_units_add(PruneUnits *units, uint32 cell, uint64 hash)
{
	pg_uuid_t	packed;
	uint32		high = pg_hton32(cell);
	uint64		low = pg_hton64(hash);

	if (units->one_cell)
	{
		tuplesort_putdatum(units->sort, Int64GetDatum((int64) (hash ^ SIGN_BIT)), false);
		return;
	}
	memset(&packed, 0, sizeof(packed));
	memcpy(packed.data, &high, sizeof(high));
	memcpy(packed.data + sizeof(high), &low, sizeof(low));
	tuplesort_putdatum(units->sort, UUIDPGetDatum(&packed), false);
}

/* The next row in order of cell and hash. */
static bool
next_unit(PruneUnits *units, uint32 *cell, uint64 *hash)
{
	Datum		value;
	bool		null;
	uint32		high;
	uint64		low;

	if (!grovepg_sorted_datum(units->sort, &value, &null))
		return false;
	if (units->one_cell)
	{
		*cell = 0;
		*hash = (uint64) DatumGetInt64(value) ^ SIGN_BIT;
		return true;
	}
	memcpy(&high, DatumGetUUIDP(value)->data, sizeof(high));
	memcpy(&low, DatumGetUUIDP(value)->data + sizeof(high), sizeof(low));
	*cell = pg_ntoh32(high);
	*hash = pg_ntoh64(low);
	grovepg_sorted_free(value);
	return true;
}

void
grovepg_units_count(PruneUnits *units, GrovePruneCell *cells)
{
	uint32		cell;
	uint64		hash;
	uint32		last_cell = 0;
	uint64		last_hash = 0;
	bool		first = true;

	tuplesort_performsort(units->sort);
	while (next_unit(units, &cell, &hash))
	{
		CHECK_FOR_INTERRUPTS();
		if (first || cell != last_cell || hash != last_hash)
			cells[cell].units++;
		first = false;
		last_cell = cell;
		last_hash = hash;
	}
}

void
grovepg_units_cut(PruneUnits *units, const GrovePruneCell *cells, uint64 *cutoffs)
{
	uint32		cell;
	uint64		hash;
	uint32		last_cell = 0;
	uint64		last_hash = 0;
	uint64		met = 0;		/* units of this cell so far */

	tuplesort_rescan(units->sort);
	while (next_unit(units, &cell, &hash))
	{
		CHECK_FOR_INTERRUPTS();
		if (met == 0 || cell != last_cell)
			met = 1;
		else if (hash != last_hash)
			met++;
		last_cell = cell;
		last_hash = hash;
		if (met == cells[cell].take)
			cutoffs[cell] = hash;
	}
}

void
grovepg_units_end(PruneUnits *units)
{
	tuplesort_end(units->sort);
	pfree(units);
}
