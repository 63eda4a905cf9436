/*
 * boost_select.h: what the leader does between the phases that choose rows by
 * their gradients: GRADIENT, (WEIGH,) RATE, DRAW, and GRADIENT once more with
 * the factors of the rows that were kept.
 */
#ifndef GROVE_BOOST_SELECT_H
#define GROVE_BOOST_SELECT_H

#include "boost.h"

/* Whether the trees of this round see a choice of rows; goss begins after 1 / learning_rate rounds. */
extern bool grove_boost_select_round(const GroveTrainer *trainer, uint32_t round);

/* Whether lambda follows from the gradients, so that WEIGH comes before RATE. */
extern bool grove_boost_select_weighs(const GroveTrainer *trainer);

/* Before RATE: lambda, and empty histograms. */
extern void grove_boost_select_prepare(GroveTrainer *trainer);

/* After RATE: the rule by which rows are kept. */
extern void grove_boost_select_rule(GroveTrainer *trainer);

/* After DRAW: rows count factor times, and steps become so wide that the largest gradient fits. */
extern void grove_boost_select_finish(GroveTrainer *trainer);

#endif							/* GROVE_BOOST_SELECT_H */
