/*
 * naive_rank.h: the rows of a query in the slow way; see lambdarank.h for what
 * is computed.
 */
#ifndef NAIVE_RANK_H
#define NAIVE_RANK_H

#include "../../src/core/lambdarank.h"

/* Discounted gain of the first ranks in the best order of the labels. */
extern double naive_rank_best(const GroveRankGroup *group, uint32_t ranks);

/* Gradients and hessians by row, of a group whose order is filled in. */
extern void naive_rank_gradients(const GroveLossShape *shape, const GroveRankGroup *group, double *g, double *h);

/* 1 - NDCG; needs no order. */
extern double naive_rank_loss(const GroveRankGroup *group);

#endif							/* NAIVE_RANK_H */
