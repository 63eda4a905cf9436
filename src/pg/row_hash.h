/*
 * row_hash.h: hashing whole rows of one named type, fast.
 */
#ifndef GROVE_ROW_HASH_H
#define GROVE_ROW_HASH_H

#include "../core/rng.h"

typedef struct GroveRowHash GroveRowHash;

/* In the current memory context; ERROR 42804 when a column has a type without canonical bytes. */
extern GroveRowHash *grovepg_row_hash_make(Oid type);

/*
 * Hash of a row, not NULL, under a key of grove_rng_key().  It depends on the
 * values of the columns in their order and on nothing else: not on the name
 * of the type, dropped columns, storage, or the width of integers.
 */
extern uint64 grovepg_row_hash(GroveRowHash *row, uint64 rng_key, Datum value);

#endif							/* GROVE_ROW_HASH_H */
