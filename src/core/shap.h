/*
 * shap.h: how much each feature of one row adds to its margins: exact Shapley
 * values of the path-dependent expectation.
 *
 * The game: for a set S of features, v(S) is what a tree gives when the
 * features in S are those of the row and every split on another one sends the
 * row both ways, in proportion to the cover of the two children.  v(no
 * feature) is the tree's mean, v(all) its prediction, and the contributions of
 * the features share out the difference.  Of several trees they add up.  All
 * columns of windows of one categorical feature are that one feature here.
 *
 * Cover is the sum of hessians that training stored in the node: it counts
 * rows by their weight, so that the rows of a pruned set stand for those that
 * were removed; with a constant hessian it is the weight itself.  The share of
 * a child is taken of its own and its sibling's cover, not of the parent's,
 * so that shares add up to 1 whatever was rounded; two children without cover
 * count alike.
 */
#ifndef GROVE_SHAP_H
#define GROVE_SHAP_H

#include "model.h"

typedef struct GroveShap GroveShap;

/* Memory for grove_shap_init(); false when it does not fit a size_t.  Bounded by the nodes of the largest tree. */
extern bool grove_shap_size(const GroveModel *model, size_t *size);

/* In memory aligned to 8, which has to live as long as the result; so has the model. */
extern GroveShap *grove_shap_init(const GroveModel *model, void *memory);

/*
 * The expected margin of an output: the base of the model and the means of its
 * trees.  Goes through all its nodes.
 */
extern double grove_shap_expected(GroveShap *shap, uint32_t output);

/* Steps of one tree, at least 1. */
extern uint32_t grove_shap_steps(const GroveShap *shap);

/*
 * Adds to contributions[n_features] what one step of a tree finds for a row
 * (predict.h); after all steps of a tree they are complete.  A step visits
 * each node of the tree once.
 */
extern void grove_shap_step(GroveShap *shap, uint32_t tree, uint32_t step, const double *row, double *contributions);

#endif							/* GROVE_SHAP_H */
