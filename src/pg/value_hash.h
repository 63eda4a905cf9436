/*
 * value_hash.h: hashing values of any one type, rows among them, fast.
 */
#ifndef GROVE_VALUE_HASH_H
#define GROVE_VALUE_HASH_H

#include "../core/rng.h"

typedef struct GroveValueHash GroveValueHash;

/*
 * In the current memory context, which has to live as long as the hash is
 * used.  With looks, values that are equal but look different (1.0 and 1.00,
 * 0 and -0) have different hashes.
 */
extern GroveValueHash *grovepg_value_hash_make(Oid type, bool looks);

/*
 * Hash of a value, not NULL, under a key of grove_rng_key().  It depends on
 * what the value is and on nothing else: not on storage, settings, the
 * encoding of client or database, the width of integers, the name of a row
 * type or its dropped columns.  OIDs, also behind names (regclass), are what
 * they are: numbers.
 */
extern uint64 grovepg_value_hash(GroveValueHash *hash, uint64 rng_key, Datum value);

/* The hash of NULL. */
static inline uint64
grovepg_value_hash_null(uint64 rng_key)
{
	return grove_rng_mix(~rng_key);
}

#endif							/* GROVE_VALUE_HASH_H */
