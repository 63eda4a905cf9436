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

/* y is the label, s the score, m = exp(s) the mean of a loss with log link. */
typedef enum GroveLossKind
{
	GROVE_LOSS_SQUARED,			/* g = s - y, h = 1 */
	GROVE_LOSS_LOGISTIC,		/* g = p - y, h = p (1 - p); y is 0 or 1 */
	GROVE_LOSS_SOFTMAX,			/* K scores a row, y is the class; h = K / (K - 1) p (1 - p) */
	GROVE_LOSS_SHARE,			/* K scores a row, y is the class: squared error of its indicators, g = s - (y = k), h = 1 */
	GROVE_LOSS_ABSOLUTE,		/* g = sign(s - y), h = 1; a leaf is the median of its residuals */
	GROVE_LOSS_QUANTILE,		/* g = 1 - alpha from y on, else -alpha, h = 1; a leaf is the quantile of its residuals */
	GROVE_LOSS_HUBER,			/* g = s - y cut to +-delta, h = 1 */
	GROVE_LOSS_POISSON,			/* g = m - y, h = m exp(poisson_step); y >= 0 */
	GROVE_LOSS_GAMMA,			/* g = 1 - y / m, h = y / m; y > 0 */
	GROVE_LOSS_TWEEDIE,			/* g = m^(2-p) - y m^(1-p), h = (2-p) m^(2-p) - (1-p) y m^(1-p); y >= 0 */
	GROVE_LOSS_LAMBDARANK		/* of whole groups, see lambdarank.h; y is an integer from 0 to 31 */
} GroveLossKind;

/* What a loss has beside its kind; only the members of the kind at hand count. */
typedef struct GroveLossShape
{
	double		quantile_alpha; /* inside (0,1) */
	double		huber_delta;	/* > 0 */
	double		poisson_step;	/* >= 0 */
	double		tweedie_power;	/* inside (1,2) */
	double		rank_sigma;		/* > 0 */
	uint32_t	rank_truncation;	/* pairs have one row among so many best, 1 to GROVE_RANK_TRUNCATION */
	bool		rank_norm;
} GroveLossShape;

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
	const GroveLossShape *shape;	/* NULL: the loss has none */
	const float *gradient;		/* lambdarank: what the groups gave, without the weight */
	const float *hessian;
	const float *factor;		/* by which gradients and hessians are multiplied, >= 0; NULL: 1 */
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

/* h = 1 for every row, times its weight. */
static inline bool
grove_loss_constant_hessian(GroveLossKind kind)
{
	return kind == GROVE_LOSS_SQUARED || kind == GROVE_LOSS_SHARE || kind == GROVE_LOSS_ABSOLUTE ||
		kind == GROVE_LOSS_QUANTILE || kind == GROVE_LOSS_HUBER;
}

/* The score is the logarithm of the mean. */
static inline bool
grove_loss_log_link(GroveLossKind kind)
{
	return kind == GROVE_LOSS_POISSON || kind == GROVE_LOSS_GAMMA || kind == GROVE_LOSS_TWEEDIE;
}

/* Gradients (and hessians that are not constant) have no bound that is known beforehand: their maxima are measured. */
static inline bool
grove_loss_measured(GroveLossKind kind)
{
	return kind == GROVE_LOSS_SQUARED || kind == GROVE_LOSS_HUBER || kind == GROVE_LOSS_LAMBDARANK ||
		grove_loss_log_link(kind);
}

/* Leaves are quantiles of residuals, not Newton steps. */
static inline bool
grove_loss_renewed(GroveLossKind kind)
{
	return kind == GROVE_LOSS_ABSOLUTE || kind == GROVE_LOSS_QUANTILE;
}

/* The smallest accumulator that holds gradients of this loss; rows chosen by their gradients have factors, other hessians than 1. */
static inline GroveHistMode
grove_loss_mode(GroveLossKind kind, bool weighted, bool by_gradient)
{
	if (!weighted && !by_gradient && grove_loss_constant_hessian(kind))
		return GROVE_HIST_CONSTANT;
	if (!weighted && (kind == GROVE_LOSS_LOGISTIC || kind == GROVE_LOSS_SOFTMAX))
		return GROVE_HIST_PACKED;
	return GROVE_HIST_WIDE;
}

/*
 * Integer gradients of output k, times weight and factor: g[i] as
 * GroveEntry.g wants it, and in wide mode the hessian in h[i].
 */
extern void grove_loss_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t k,
								 const GroveRounding *rounding, int32_t *g, int32_t *h);

/*
 * Raises *g to the largest absolute gradient and, unless hessians are
 * constant, *h to the largest hessian of the rows, times scaled weight.
 */
extern void grove_loss_maxima(GroveLossKind kind, const GroveLossRows *rows, float weight_scale, float *g, float *h);

#define GROVE_LOSS_UNIT	4194304.0
#define GROVE_LOSS_CAP	33554432.0

/*
 * Sum over the rows of weight * loss * loss_scale, each row rounded to a step
 * of 1 / GROVE_LOSS_UNIT and cut at GROVE_LOSS_CAP, so that a chunk of rows
 * cannot overflow.  The loss is log-loss, squared or absolute error, the check
 * loss of a quantile, Huber's (with the factor 1/2), or the deviance; 0 for
 * lambdarank, whose loss is one of groups.
 */
extern int64_t grove_loss_sum(GroveLossKind kind, const GroveLossRows *rows);

/* Largest loss of a row, without weight and scale. */
extern double grove_loss_max(GroveLossKind kind, const GroveLossRows *rows);

#endif							/* GROVE_LOSS_H */
