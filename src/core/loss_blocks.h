/*
 * loss_blocks.h: the families of losses, as loss.c calls them: for a block of
 * at most GROVE_LOSS_BLOCK rows from first on, gradients and hessians without
 * weights, and values of the loss.  Loops without libm, in a form that
 * compilers turn into vector code.
 */
#ifndef GROVE_LOSS_BLOCKS_H
#define GROVE_LOSS_BLOCKS_H

#include "loss.h"

#define GROVE_LOSS_BLOCK	512

/* loss_regression.c: squared, absolute, quantile, Huber. */
extern void grove_loss_regression_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
											uint32_t n, float *g, float *h);
extern void grove_loss_regression_values(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
										 uint32_t n, double *loss);

/* loss_class.c: logistic, softmax, share; gradients of output k. */
extern void grove_loss_class_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
									   uint32_t n, uint32_t k, float *g, float *h);
extern void grove_loss_class_values(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
									uint32_t n, double *loss);

/* loss_count.c: Poisson, gamma, Tweedie; log link, the value is the deviance. */
extern void grove_loss_count_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
									   uint32_t n, float *g, float *h);
extern void grove_loss_count_values(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
									uint32_t n, double *loss);

#endif							/* GROVE_LOSS_BLOCKS_H */
