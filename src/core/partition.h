/*
 * partition.h: the rows of a leaf sent to its two children.
 *
 * Order within a child is free: sums of integers do not see it.
 */
#ifndef GROVE_PARTITION_H
#define GROVE_PARTITION_H

#include "hist.h"

/*
 * Moves n entries from in to out, rows that go left to its start, the others
 * to its end; returns how many went left.  column: bins of the split feature
 * for all rows; table: grove_split_table().
 */
extern uint32_t grove_partition_rows(const uint8_t *column, const uint8_t *table,
									 const GroveEntry *in, GroveEntry *out, uint32_t n);

#endif							/* GROVE_PARTITION_H */
