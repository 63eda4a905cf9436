/*
 * prune_units.h: the sampling units of an exact-size design, sorted.
 *
 * A unit is a distinct key within a cell; its rows live and die together.
 * What is sorted is cell and hash, 16 bytes a row, never the row itself.
 * Keys with one 64-bit hash count as one unit: integers never collide, of
 * 10^9 other keys two do with probability 0.03, and a design with such a pair
 * is as exact as any other, with one unit less.
 */
#ifndef GROVE_PRUNE_UNITS_H
#define GROVE_PRUNE_UNITS_H

#include "../core/prune.h"

typedef struct PruneUnits PruneUnits;

/* One cell, or many; sorts within work_mem, on disk beyond it. */
extern PruneUnits *grovepg_units_begin(bool one_cell);

extern void grovepg_units_add(PruneUnits *units, uint32 cell, uint64 hash);

/* After the last row: fills cells[].units. */
extern void grovepg_units_count(PruneUnits *units, GrovePruneCell *cells);

/* cutoffs[cell]: the hash of the last unit that a cell takes, where it takes some but not all. */
extern void grovepg_units_cut(PruneUnits *units, const GrovePruneCell *cells, uint64 *cutoffs);

extern void grovepg_units_end(PruneUnits *units);

#endif							/* GROVE_PRUNE_UNITS_H */
