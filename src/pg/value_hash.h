/*
 * value_hash.h: hashing values of any one type, rows among them, fast.
 */
#ifndef GROVE_VALUE_HASH_H
#define GROVE_VALUE_HASH_H

#include "../core/rng.h"

typedef struct GroveValueHash GroveValueHash;

/* In the current memory context, which has to live as long as the hash is used. */
extern GroveValueHash *grovepg_value_hash_make(Oid type);

/*
 * Hash of a value, not NULL, under a key of grove_rng_key().  It depends on
 * what the value is and on nothing else: not on storage, the width of
 * integers, the name of a row type or its dropped columns.
 */
extern uint64 grovepg_value_hash(GroveValueHash *hash, uint64 rng_key, Datum value);

/* The hash of NULL. */
static inline uint64
grovepg_value_hash_null(uint64 rng_key)
{
	return grove_rng_mix(~rng_key);
}

#endif							/* GROVE_VALUE_HASH_H */
