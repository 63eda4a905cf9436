/*
 * keys.h: the canonical hash of SQL values, shared by everything that decides
 * at random about a row.
 *
 * int2, int4 and int8 of one value hash alike; every other type has a
 * canonical byte string (docs/sampling.md) that does not depend on collation,
 * encoding, server version or byte order.  Several columns are hashed in
 * order, each with its type tag and length.
 */
#ifndef GROVE_KEYS_H
#define GROVE_KEYS_H

#include "nodes/pg_list.h"
#include "utils/array.h"

#include "../core/rng.h"

typedef struct GroveKey GroveKey;	/* how to hash the columns of one call site */

/*
 * Prepares n columns of these types in the current memory context; ERROR 42804
 * with a hint for a type without canonical bytes (float types have them: -0
 * is 0, every NaN alike).
 */
extern GroveKey *grovepg_key_make(int n, const Oid *types);

/* Is it one integer column?  Then different keys have different hashes. */
extern bool grovepg_key_is_integer(const GroveKey *key);

/* Hash under a key of grove_rng_key(seed, purpose).  A NULL is ERROR 22004. */
extern uint64 grovepg_key_hash(GroveKey *key, uint64 rng_key, const Datum *values, const bool *nulls);

/* The same, but a NULL is a value of its own (elements of sampling aggregates, strata, row content). */
extern uint64 grovepg_key_hash_nulls(GroveKey *key, uint64 rng_key, const Datum *values, const bool *nulls);

/*
 * Canonical bytes of the columns, palloc'd: equal exactly when the values are
 * the same; breaks ties of hashes and identifies strata.
 */
extern bytea *grovepg_key_bytes(GroveKey *key, const Datum *values, const bool *nulls);

/*
 * The names in a "key text[]" argument, or, when there is none (NULL), the
 * primary key of the relation in the order of the table's columns: a list of
 * palloc'd char *.  ERROR 22023 that asks for a key when there is neither,
 * ERROR 22004 for a NULL name.
 */
extern List *grovepg_key_columns(ArrayType *key, Oid relation);

#endif							/* GROVE_KEYS_H */
