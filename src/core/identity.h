/*
 * identity.h: 32 random bits for each training row that do not depend on its
 * place.
 *
 * Rows are told apart by the 64-bit hash of their content; equal rows are
 * numbered among themselves.  Which of them gets which number depends on the
 * order of arrival, but as they are equal in everything, the set of (row,
 * identity) pairs does not.  So bagging and rounding treat equal rows
 * independently and still give the same model for any order.
 */
#ifndef GROVE_IDENTITY_H
#define GROVE_IDENTITY_H

#include "hist.h"

/* identity[i] from hash[i]; a and b: room for n entries each. */
extern void grove_identity_assign(const uint64_t *hash, uint32_t n, GroveEntry *a, GroveEntry *b,
								  uint32_t *identity);

#endif							/* GROVE_IDENTITY_H */
