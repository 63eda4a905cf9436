/*
 * boost.h: the rounds of a training run.
 *
 * The leader alternates grove_boost_next() with running the tasks of the phase
 * that it set up:
 *
 *	grove_boost_begin(&boost, &trainer);
 *	while ((event = grove_boost_next(&boost)) != GROVE_BOOST_DONE)
 *		if (event == GROVE_BOOST_TASKS)
 *			run tasks 0 .. shared->n_tasks - 1 of trainer.shared->phase, each once
 *		else if (event == GROVE_BOOST_TREE)
 *			copy shared->n_nodes nodes and shared->n_sets sets, they will be reused
 *		else
 *			a round has ended; its losses can be read when they are measured
 */
#ifndef GROVE_BOOST_H
#define GROVE_BOOST_H

#include "trainer.h"

typedef enum GroveBoostEvent
{
	GROVE_BOOST_TASKS,
	GROVE_BOOST_TREE,
	GROVE_BOOST_ROUND,
	GROVE_BOOST_DONE
} GroveBoostEvent;

typedef struct GroveBoost
{
	GroveTrainer *trainer;
	int			state;
	uint32_t	round;			/* rounds that are complete */
	uint32_t	output;
	uint32_t	splits;			/* in the round at hand */
	uint32_t	redraws;		/* of its bag */
	bool		stopped;		/* by grove_boost_stop() */
	bool		score_pending;	/* the last tree is not in the scores yet */
	uint32_t	best_rounds;	/* rounds to keep: all, or up to the best validation loss */
	double		best_loss;
	double		train_weight;	/* sums of weights; lambdarank: groups */
	double		validation_weight;
	double		train_loss;		/* mean of the loss, see grove_loss_sum(), when it was measured last; lambdarank: 1 - NDCG */
	double		validation_loss;
} GroveBoost;

/*
 * Computes the start of the scores from labels, weights and the margins that
 * score holds when has_margin, adds it, and returns it in base[n_outputs].
 * Without from_average the start is origin: where the target's 0 lies on the
 * scale of label.
 */
extern void grove_boost_begin(GroveBoost *boost, GroveTrainer *trainer, bool from_average, double origin,
							  bool has_margin, double *base);

extern GroveBoostEvent grove_boost_next(GroveBoost *boost);

/* After GROVE_BOOST_ROUND: no more rounds; training still measures the model before it is done. */
extern void grove_boost_stop(GroveBoost *boost);

#endif							/* GROVE_BOOST_H */
