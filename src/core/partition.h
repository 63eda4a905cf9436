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
 * to its end; returns how many went left.  codes: the column of the split
 * feature for all rows; by_code: 1 for the codes that go left, else 0.
 */
extern uint32_t grove_partition_entries(const uint8_t *codes, const uint8_t *by_code,
										const GroveEntry *in, GroveEntry *out, uint32_t n);

/* The same for rows without gradients. */
extern uint32_t grove_partition_rows(const uint8_t *codes, const uint8_t *by_code,
									 const uint32_t *in, uint32_t *out, uint32_t n);

/* Both for a column of windows. */
extern uint32_t grove_partition_entries_wide(const uint16_t *codes, const uint8_t *by_code,
											 const GroveEntry *in, GroveEntry *out, uint32_t n);
extern uint32_t grove_partition_rows_wide(const uint16_t *codes, const uint8_t *by_code,
										  const uint32_t *in, uint32_t *out, uint32_t n);

#endif							/* GROVE_PARTITION_H */
