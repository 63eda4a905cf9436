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

#include "prune.h"

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

/*
 * Contradiction of a row by the probabilities of a model that has not seen it
 * (confident learning: Northcutt, Jiang and Chuang, JAIR 2021).  A model is
 * confident of a class when its probability is at least threshold[class], the
 * mean over the rows labelled so.  0: of the classes that it is confident of
 * the row's own is the likeliest, or there is none; else 1 + p(that class) -
 * p(own class), in (0,2), rounded to a grid of 1 / GROVE_GUIDE_CONTRADICTIONS.
 */
#define GROVE_GUIDE_CONTRADICTIONS	1024
extern double grove_guide_contradiction(const double *probabilities, const double *threshold, uint32_t n, uint32_t own);

/*
 * Method noise: the most contradicted cells go, whole ones, as long as no
 * more than what is not to be kept is removed, nor more than class_cap of a
 * class.  Fills keep and pi of the cells, 0 or 1, and kept and scale, the
 * smallest contradiction that is removed, of the design.
 */
extern GroveStatus grove_guide_noise(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells,
									 const uint32_t *order, GrovePpsShare *shares);

#endif							/* GROVE_GUIDE_H */
