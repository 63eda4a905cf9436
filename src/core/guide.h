/*
 * guide.h: sizes of rows for the pruning methods that a model guides.
 *
 * A method gives a row a probability that grows with its size: how far the
 * prediction of a model that has not seen the row lies from its target.
 * Predictions are rounded to a grid first, so that rows fall into cells of
 * one size (prune.h) and no row has to be remembered.  Rounding costs
 * nothing: a cell's probability, and the log-odds offset between the cells of
 * the two classes at one prediction, are exact for whatever score the grid
 * gives, and the score is only a guess to begin with.
 *
 * With two classes the grid has the log-odds of the prediction, since the
 * offset needs the size of the same row under either class.  Otherwise it has
 * the size itself, by its leading bits.
 */
#ifndef GROVE_GUIDE_H
#define GROVE_GUIDE_H

#include "grove_core.h"

#define GROVE_GUIDE_MANTISSA	4	/* bits of a size behind its leading one: steps of 3 to 6 % */
#define GROVE_GUIDE_LOGIT_MAX	16	/* log-odds beyond count as these: p = 10^-7 */
#define GROVE_GUIDE_LOGIT_STEPS 16	/* steps of the grid for 1 of log-odds: p known to 6 % of itself */

/* Cell of a probability in [0,1], and the probability that the cell stands for. */
extern uint32_t grove_guide_class_code(double probability);
extern double grove_guide_class_probability(uint32_t code);

/* Cell of a size that is finite and not negative, and the size it stands for, which is positive. */
extern uint32_t grove_guide_size_code(double size);
extern double grove_guide_size(uint32_t code);

/* sqrt(g^2 + lambda h^2) of the log-loss of two classes at this probability of the row's other class. */
extern double grove_guide_gradient(double surprise, double lambda);

/* The same of the softmax loss with n classes; own: index of the row's class, or n when the model does not know it. */
extern double grove_guide_gradient_classes(const double *probabilities, uint32_t n, uint32_t own, double lambda);

/* ln(pi(x,1) / pi(x,0)): what sampling adds to the log-odds of a row; 0 where nothing is kept. */
extern double grove_guide_offset(double pi_positive, double pi_negative);

#endif							/* GROVE_GUIDE_H */
