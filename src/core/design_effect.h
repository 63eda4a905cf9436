/*
 * design_effect.h: how much worse a sample of whole blocks is than one of
 * rows: h = 1 + (b - 1) * rho.
 *
 * rho is the intra-block correlation of a value and b the mean number of rows
 * in a block; h is b * (sum of squares between blocks) / (total sum of
 * squares).  h = 1: blocks are as good as random rows; h = b: each block is
 * constant.  It is the h_D of CorgiPile's convergence bound (Xu et al., SIGMOD
 * 2022) and the design effect of cluster sampling.
 */
#ifndef GROVE_DESIGN_EFFECT_H
#define GROVE_DESIGN_EFFECT_H

#include "exactsum.h"
#include "tally.h"

/* Above this blocks mislead: a sample of them is worth less than half of as many rows. */
#define GROVE_DESIGN_HARM	2.0

/*
 * Adds a finite value to the sum of its block, which takes room for a cell,
 * and its square to squares.  False, and nothing is added, when the square
 * overflows; squares below the doubles' range count as 0.
 */
extern bool grove_design_add(GroveTally *blocks, GroveExactSum *squares, int64_t block, double value);

/*
 * The effect, from the n cells of grove_tally_sorted().  False: there is none,
 * for want of two blocks or because the value does not vary; a variance below
 * 2^-90 of the mean's square counts as none.
 */
extern bool grove_design_effect(const GroveTallyCell *cells, uint64_t n, GroveExactSum *squares, double *effect);

#endif							/* GROVE_DESIGN_EFFECT_H */
