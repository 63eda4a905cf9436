/*
 * shuffle_sort.h: rows in the order of a hash each, beyond memory in files.
 */
#ifndef GROVE_SHUFFLE_SORT_H
#define GROVE_SHUFFLE_SORT_H

#include "access/htup_details.h"

typedef struct GroveShuffleSort GroveShuffleSort;

/* In the current memory context; rows, what sorts them and buffers of files keep within limit bytes, or 1 MB when that is more. */
extern GroveShuffleSort *grovepg_shuffle_sort_begin(Size limit);

/* Copies a row.  Rows with equal hashes are ordered by their keys, as bytes; key is NULL when the hash says it all. */
extern void grovepg_shuffle_sort_add(GroveShuffleSort *sort, uint64 hash, const bytea *key, MinimalTuple row);

/* Visits all rows in ascending order, once; a row is there during its visit only. */
extern void grovepg_shuffle_sort_visit(GroveShuffleSort *sort, void (*visit) (MinimalTuple row, void *arg), void *arg);

extern void grovepg_shuffle_sort_end(GroveShuffleSort *sort);

#endif							/* GROVE_SHUFFLE_SORT_H */
