/*
 * predict.h: margins of one row, and the link from margins to predictions.
 *
 * A row is an array of n_features doubles: a numeric feature holds its value
 * (NaN = missing), a categorical one its ordinal as a whole number (0 = missing
 * or unseen).  Leaves are added to the base in tree order in every path, so
 * that all paths give bit-equal margins.
 */
#ifndef GROVE_PREDICT_H
#define GROVE_PREDICT_H

#include "model.h"

/* margins[n_outputs] of one row. */
extern void grove_predict_margins(const GroveModel *model, const double *row, double *margins);

/* leaves[n_trees]: for every tree the index, within the tree, of the leaf that the row falls into. */
extern void grove_predict_leaves(const GroveModel *model, const double *row, uint32_t *leaves);

/* probabilities[n_classes] from margins (binary: negative, positive); models without classes have none. */
extern void grove_predict_probabilities(const GroveModel *model, const double *margins, double *probabilities);

/* What grove.predict returns: value, probability of the positive class, ranking score; multiclass: of the likeliest class. */
extern double grove_predict_value(const GroveModel *model, const double *margins);

/* Index into classes[] of the likeliest class, ties to the lower index; binary: 1 when p >= 0.5. */
extern uint32_t grove_predict_best(const GroveModel *model, const double *margins);

#endif							/* GROVE_PREDICT_H */
