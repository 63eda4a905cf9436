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

#include <string.h>

#include "hist.h"

/* One step of the chain that makes the hash of a row out of the bits of its values. */
static inline uint64_t
grove_identity_step(uint64_t chain, uint64_t bits)
{
	uint64_t	x = (chain ^ bits) * UINT64_C(0x9fb21c651e98df25);

	return x ^ (x >> 32);
}

/* The bits that stand for a number: 0 and -0 have the same, and so have all NaN. */
static inline uint64_t
grove_identity_bits(double number)
{
	uint64_t	bits;

	number += 0.0;
	memcpy(&bits, &number, sizeof(bits));
	return number != number ? UINT64_C(0x7ff8000000000000) : bits;
}

/* The step for n numbers, each of a row of its own. */
extern void grove_identity_numbers(const double *numbers, uint64_t *chains, uint32_t n);

/* Whether there is an infinite one among n numbers. */
extern bool grove_identity_infinite(const double *numbers, uint32_t n);

/* identity[i] from hash[i]; a and b: room for n entries each. */
extern void grove_identity_assign(const uint64_t *hash, uint32_t n, GroveEntry *a, GroveEntry *b,
								  uint32_t *identity);

#endif							/* GROVE_IDENTITY_H */
