/*
 * loss.h: gradients and hessians of the objectives, rounded to integers.
 *
 * In packed mode, whose steps are thousandths, rounding is stochastic:
 * floor(x + u) with u uniform in [0,1) from a hash of (seed, tree, row
 * identity), so it is unbiased and does not depend on who computes it.
 * Rounding to nearest would lose every gradient below half a step, which is
 * what rare positives look like.  The other modes have 30 bits and round to
 * nearest: a row that weighs less than 2^-31 of the heaviest does not count.
 */
#ifndef GROVE_LOSS_H
#define GROVE_LOSS_H

#include "hist.h"

typedef enum GroveLossKind
{
	GROVE_LOSS_SQUARED,			/* g = score - y, h = 1 */
	GROVE_LOSS_LOGISTIC,		/* g = p - y, h = p (1 - p); y is 0 or 1 */
	GROVE_LOSS_SOFTMAX,			/* K scores a row, y is the class; h = K / (K - 1) p (1 - p) */
	GROVE_LOSS_SHARE			/* K scores a row, y is the class: squared error of its indicators, g = score - (y = k), h = 1 */
} GroveLossKind;

/* What a block of rows needs; arrays of the rows at hand. */
typedef struct GroveLossRows
{
	const float *label;
	const float *weight;		/* NULL: 1 */
	const float *score;			/* [n]; softmax: [n_outputs][stride] */
	const uint32_t *identity;	/* 32 random bits of each row */
	uint32_t	n;
	uint32_t	stride;
	uint32_t	n_outputs;
	double		loss_scale;		/* what grove_loss_sum() multiplies a row's loss with */
} GroveLossRows;

/* How gradients become integers. */
typedef struct GroveRounding
{
	GroveHistMode mode;
	float		weight_scale;	/* weights are multiplied by this power of two, so that none exceeds 1; no weights: 1 */
	float		g_scale;		/* steps for a gradient of 1, of a row whose scaled weight is 1 */
	float		h_scale;
	uint32_t	key;			/* of this tree */
} GroveRounding;

/*
 * Integer gradients of output k: g[i] as GroveEntry.g wants it, and in wide
 * mode the hessian in h[i].
 */
extern void grove_loss_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t k,
								 const GroveRounding *rounding, int32_t *g, int32_t *h);

/* Largest absolute gradient (squared loss, times scaled weight) of the rows. */
extern float grove_loss_max_gradient(const GroveLossRows *rows, float weight_scale);

#define GROVE_LOSS_UNIT	4194304.0

/*
 * Sum over the rows of weight * loss * loss_scale in steps of
 * 1 / GROVE_LOSS_UNIT, each row cut at 1024, so that 2^31 rows cannot
 * overflow.  The loss is log-loss or squared error.
 */
extern int64_t grove_loss_sum(GroveLossKind kind, const GroveLossRows *rows);

#endif							/* GROVE_LOSS_H */
