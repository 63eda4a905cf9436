/*
 * units.h: sampling units, a hash and a cell each, sorted by hash.
 *
 * In order of the hash one walk over all units meets the units of every cell
 * in order too, so counting distinct units and finding the k-th lowest hash
 * of each cell need no order by cell.
 */
#ifndef GROVE_UNITS_H
#define GROVE_UNITS_H

#include "grove_core.h"

typedef struct GroveUnit
{
	uint64_t	hash;			/* of the unit's key */
	uint32_t	cell;
	uint32_t	spare;			/* not looked at */
} GroveUnit;

#define GROVE_UNITS_PARTS	256

/* Moves units so that the leading byte of the hash ascends; those of byte b are then from start[b] to start[b + 1]. */
extern void grove_units_split(GroveUnit *units, size_t n_units, size_t start[GROVE_UNITS_PARTS + 1]);

/* Sorts by hash, then cell; leading bytes, as many as skip says, are known to be equal. */
extern void grove_units_sort(GroveUnit *units, size_t n_units, int skip);

/* Leaves one of equal neighbours; returns how many units are left. */
extern size_t grove_units_distinct(GroveUnit *units, size_t n_units);

#endif							/* GROVE_UNITS_H */
