/*
 * prune_units.h: the sampling units of an exact-size design.
 *
 * A unit is a distinct key within a cell; its rows live and die together.
 * Kept are 16 bytes a unit, never the row: in memory up to work_mem, then in
 * temporary files.  Keys with one 64-bit hash count as one unit: integers
 * never collide, among 10^9 other keys one pair does with probability 0.03,
 * and a design with such a pair is as exact as any other, with one unit less.
 */
#ifndef GROVE_PRUNE_UNITS_H
#define GROVE_PRUNE_UNITS_H

#include "../core/prune.h"

typedef struct PruneUnits PruneUnits;

extern PruneUnits *grovepg_units_begin(void);

extern void grovepg_units_add(PruneUnits *units, uint32 cell, uint64 hash);

/* After the last row: fills cells[].units. */
extern void grovepg_units_count(PruneUnits *units, GrovePruneCell *cells, uint32 n_cells);

/* After the last row: do all units of one key lie in one cell? */
extern bool grovepg_units_agree(PruneUnits *units);

/* cutoffs[cell]: the hash of the last unit that a cell takes, where it takes some. */
extern void grovepg_units_cut(PruneUnits *units, const GrovePruneCell *cells, uint32 n_cells, uint64 *cutoffs);

extern void grovepg_units_end(PruneUnits *units);

#endif							/* GROVE_PRUNE_UNITS_H */
