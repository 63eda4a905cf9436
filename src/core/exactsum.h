/*
 * exactsum.h: sums of doubles without any rounding.
 *
 * A sum of floating-point numbers depends on the order in which they arrive,
 * and a parallel plan delivers them in any order.  This accumulator is a
 * fixed-point number wide enough for every finite double and for 2^60 of
 * them: adding is exact, so the order and the way in which partial sums are
 * merged cannot matter, and the only rounding is the one when the sum is
 * read.  (The idea of a small superaccumulator: R. M. Neal, "Fast exact
 * summation using small and large superaccumulators", 2015.)
 */
#ifndef GROVE_EXACTSUM_H
#define GROVE_EXACTSUM_H

#include "grove_core.h"

#define GROVE_EXACTSUM_CHUNKS	67
#define GROVE_EXACTSUM_BYTES	(3 + 4 * (GROVE_EXACTSUM_CHUNKS + 1))	/* packed, at most */

/*
 * The value is the sum over i of chunk[i] * 2^(32 i - 1074).  Chunks overlap:
 * each takes 32 new bits an addition, and carries are moved up only when
 * `pending` says that one could overflow.
 */
typedef struct GroveExactSum
{
	int64_t		chunk[GROVE_EXACTSUM_CHUNKS];
	int64_t		pending;		/* additions since carries were moved; |chunk| < (pending + 1) * 2^32 */
} GroveExactSum;

extern void grove_exactsum_init(GroveExactSum *sum);

/* value must be finite. */
extern void grove_exactsum_add(GroveExactSum *sum, double value);

/* Adds a * b exactly, unless bits of it lie below 2^-1074; false and nothing added when it overflows. */
extern bool grove_exactsum_add_product(GroveExactSum *sum, double a, double b);

/* Adds the other sum. */
extern void grove_exactsum_merge(GroveExactSum *sum, GroveExactSum *other);

/* The double nearest to the sum, ties to even; an infinity beyond the largest double. */
extern double grove_exactsum_round(GroveExactSum *sum);

/* The sum as high + low with 106 correct bits: high is the rounded sum, low the rounded rest. */
extern void grove_exactsum_round2(GroveExactSum *sum, double *high, double *low);

/*
 * square - 2 m cross + m^2 unit, that is the sum of (x - m y)^2 from the sums
 * of x^2, x y and y^2: the terms cancel without loss down to 2^-100 of their
 * size.  An infinity when a term is beyond the doubles.
 */
extern double grove_exactsum_quadratic(GroveExactSum *square, GroveExactSum *cross, GroveExactSum *unit, double m);

/* Writes the sum in its one canonical form, little-endian, for storage; returns the bytes written. */
extern size_t grove_exactsum_pack(GroveExactSum *sum, uint8_t bytes[GROVE_EXACTSUM_BYTES]);

/* Reads a packed sum; *used gets its bytes.  GROVE_ERR_DATA when they are not what pack writes. */
extern GroveStatus grove_exactsum_unpack(GroveExactSum *sum, const uint8_t *bytes, size_t available, size_t *used);

#endif							/* GROVE_EXACTSUM_H */
