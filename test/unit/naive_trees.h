/*
 * naive_trees.h: a slow tree learner that decides what the engine must do.
 *
 * It works on raw rows: each candidate of a split walks over all rows of the
 * leaf and asks which way they go.  No bins, no histograms, no subtraction, no
 * packing, no tasks.  It shares with the engine what is defined to be shared:
 * the edges, the rounding of gradients to integers, which rows a bag holds.
 * Gains are computed in doubles by the formula of split.h, so that ties break
 * as its comment says.
 */
#ifndef NAIVE_TREES_H
#define NAIVE_TREES_H

#include "engine_kit.h"

typedef struct NaiveLearner
{
	const KitCase *kase;
	float	   *score;			/* [n_outputs][n_rows] */
	int64_t    *g;				/* [n_outputs][n_rows] */
	int64_t    *h;
	uint32_t	n_trees;
	uint32_t	n_splits;
	uint32_t	n_categorical;	/* splits by a set */
	uint32_t	n_missing;		/* splits of features with missing rows */
	uint32_t	n_groups;		/* whose gradients were compared */
	char		message[200];	/* the first disagreement; empty: none */
} NaiveLearner;

extern void naive_make(NaiveLearner *learner, const KitCase *kase);
extern void naive_free(NaiveLearner *learner);

/* A KitTreeHook whose argument is the learner: grows its own tree and compares node by node. */
extern void naive_check_tree(void *learner, const GroveTrainer *trainer, const KitTree *tree);

/* Gradient and hessian of a row, times its weight, as real numbers; losses of classes and the squared error. */
extern void naive_gradient(const KitCase *kase, const float *score, uint32_t row, uint32_t k, double *g, double *h);

/* Loss of a row without its weight. */
extern double naive_loss(const KitCase *kase, const float *score, uint32_t row);

/* How far the engine's mean may be off: it cuts each row's loss down to a step of its fixed point. */
extern double naive_loss_error(const KitCase *kase, bool validation);

/* Mean loss of the training rows, or of the validation rows, each row's cut as loss.h says. */
extern double naive_mean_loss(const KitCase *kase, const float *score, bool validation);

/* The alpha-quantile of label - score over n entries, as renew.h defines it. */
extern double naive_quantile(const KitCase *kase, const float *score, const float *factor, const uint32_t *rows,
							 uint32_t n, double alpha);

/* Start of the scores of output k. */
extern double naive_base(const KitCase *kase, uint32_t k);

#endif							/* NAIVE_TREES_H */
