/*
 * loss.c: gradients in blocks that stay in the nearest cache: the family of
 * the loss fills them in single precision, weights multiply them, and they
 * become integers.
 */
#include "loss_blocks.h"

#include <string.h>

#include "clones.h"

/* A uniform in [0,1) from a row's identity and the tree's key. */
static inline float
rounding_offset(uint32_t identity, uint32_t key)
{
	uint32_t	x = identity ^ key;

	x *= UINT32_C(0x7feb352d);
	x ^= x >> 15;
	x *= UINT32_C(0x846ca68b);
	x ^= x >> 16;
	return (float) (int32_t) (x >> 8) * (1.0f / 16777216.0f);
}

/* floor(v) as an integer for |v| < 2^31. */
static inline int32_t
floor_int(float v)
{
	int32_t		i = (int32_t) v;

	return i - (v < (float) i);
}

/* Rounds g and h of one row into the layout of the mode. */
static inline int32_t
round_packed(float g, float h, float u)
{
	int32_t		gi = floor_int(g + u);
	int32_t		hi = floor_int(h + u);

	gi = gi > GROVE_PACKED_G_MAX ? GROVE_PACKED_G_MAX : gi;
	gi = gi < -GROVE_PACKED_G_MAX ? -GROVE_PACKED_G_MAX : gi;
	hi = hi > GROVE_PACKED_H_MAX ? GROVE_PACKED_H_MAX : hi;
	return gi * 65536 + hi;
}

static inline int32_t
round_wide(float v)
{
	int32_t		i;

	v = v > (float) GROVE_WIDE_MAX - 64.0f ? (float) GROVE_WIDE_MAX - 64.0f : v;
	v = v < -((float) GROVE_WIDE_MAX - 64.0f) ? -((float) GROVE_WIDE_MAX - 64.0f) : v;
	i = floor_int(v + 0.5f);
	return i;
}

/* Writes the integers of n <= GROVE_LOSS_BLOCK rows whose gradients are in gf, hessians in hf. */
GROVE_CLONES static void
round_block(const GroveRounding *r, const float *gf, const float *hf, const uint32_t *identity,
			uint32_t n, int32_t *g, int32_t *h)
{
	const float gs = r->g_scale;
	const float hs = r->h_scale;
	const uint32_t key = r->key;
	uint32_t	i;

	if (r->mode == GROVE_HIST_PACKED)
	{
		for (i = 0; i < n; i++)
			g[i] = round_packed(gf[i] * gs, hf[i] * hs, rounding_offset(identity[i], key));
	}
	else if (r->mode == GROVE_HIST_CONSTANT)
	{
		for (i = 0; i < n; i++)
			g[i] = round_wide(gf[i] * gs);
	}
	else
	{
		for (i = 0; i < n; i++)
		{
			g[i] = round_wide(gf[i] * gs);
			h[i] = round_wide(hf[i] * hs);	/* NOLINT: NULL only where the hessian is constant */
		}
	}
}

/* Gradients and hessians, times scaled weight, of n <= GROVE_LOSS_BLOCK rows from first on. */
static void
gradient_block(GroveLossKind kind, const GroveLossRows *rows, float weight_scale, uint32_t first, uint32_t n,
			   uint32_t k, float *gf, float *hf)
{
	uint32_t	i;

	switch (kind)
	{
		case GROVE_LOSS_SQUARED:
		case GROVE_LOSS_ABSOLUTE:
		case GROVE_LOSS_QUANTILE:
		case GROVE_LOSS_HUBER:
			grove_loss_regression_gradients(kind, rows, first, n, gf, hf);
			break;
		case GROVE_LOSS_LOGISTIC:
		case GROVE_LOSS_SOFTMAX:
		case GROVE_LOSS_SHARE:
			grove_loss_class_gradients(kind, rows, first, n, k, gf, hf);
			break;
		case GROVE_LOSS_POISSON:
		case GROVE_LOSS_GAMMA:
		case GROVE_LOSS_TWEEDIE:
			grove_loss_count_gradients(kind, rows, first, n, gf, hf);
			break;
		case GROVE_LOSS_LAMBDARANK:
			memcpy(gf, rows->gradient + first, n * sizeof(float));
			memcpy(hf, rows->hessian + first, n * sizeof(float));
			break;
	}
	if (rows->weight)
	{
		const float *weight = rows->weight + first;

		for (i = 0; i < n; i++)
		{
			gf[i] *= weight[i] * weight_scale;
			hf[i] *= weight[i] * weight_scale;
		}
	}
}

/* Multiplies what gradient_block() gave; a factor of 0 makes any gradient 0. */
static void
apply_factors(const float *factor, uint32_t n, float *gf, float *hf)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		gf[i] = factor[i] > 0.0f ? gf[i] * factor[i] : 0.0f;
		hf[i] = factor[i] > 0.0f ? hf[i] * factor[i] : 0.0f;
	}
}

/* Losses, without weight, of n <= GROVE_LOSS_BLOCK rows from first on. */
static void
value_block(GroveLossKind kind, const GroveLossRows *rows, uint32_t first, uint32_t n, double *loss)
{
	switch (kind)
	{
		case GROVE_LOSS_SQUARED:
		case GROVE_LOSS_ABSOLUTE:
		case GROVE_LOSS_QUANTILE:
		case GROVE_LOSS_HUBER:
			grove_loss_regression_values(kind, rows, first, n, loss);
			break;
		case GROVE_LOSS_LOGISTIC:
		case GROVE_LOSS_SOFTMAX:
		case GROVE_LOSS_SHARE:
			grove_loss_class_values(kind, rows, first, n, loss);
			break;
		case GROVE_LOSS_POISSON:
		case GROVE_LOSS_GAMMA:
		case GROVE_LOSS_TWEEDIE:
			grove_loss_count_values(kind, rows, first, n, loss);
			break;
		case GROVE_LOSS_LAMBDARANK:
			memset(loss, 0, n * sizeof(double));
			break;
	}
}

static uint32_t
block_rows(const GroveLossRows *rows, uint32_t first)
{
	return rows->n - first < GROVE_LOSS_BLOCK ? rows->n - first : GROVE_LOSS_BLOCK;
}

void
grove_loss_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t k,
					 const GroveRounding *rounding, int32_t *g, int32_t *h)
{
	float		gf[GROVE_LOSS_BLOCK];
	float		hf[GROVE_LOSS_BLOCK];
	uint32_t	first;

	for (first = 0; first < rows->n; first += GROVE_LOSS_BLOCK)
	{
		uint32_t	n = block_rows(rows, first);

		gradient_block(kind, rows, rounding->weight_scale, first, n, k, gf, hf);
		if (rows->factor)
			apply_factors(rows->factor + first, n, gf, hf);
		round_block(rounding, gf, hf, rows->identity + first, n, g + first, h ? h + first : NULL);
	}
}

void
grove_loss_maxima(GroveLossKind kind, const GroveLossRows *rows, float weight_scale, float *g, float *h)
{
	bool		constant = grove_loss_constant_hessian(kind);
	float		top_g = *g;
	float		top_h = *h;
	float		gf[GROVE_LOSS_BLOCK];
	float		hf[GROVE_LOSS_BLOCK];
	uint32_t	first;
	uint32_t	i;

	for (first = 0; first < rows->n; first += GROVE_LOSS_BLOCK)
	{
		uint32_t	n = block_rows(rows, first);

		gradient_block(kind, rows, weight_scale, first, n, 0, gf, hf);
		for (i = 0; i < n; i++)
		{
			float		size = gf[i] < 0.0f ? -gf[i] : gf[i];

			top_g = size > top_g ? size : top_g;
		}
		for (i = 0; i < n && !constant; i++)
			top_h = hf[i] > top_h ? hf[i] : top_h;
	}
	*g = top_g;
	*h = top_h;
}

int64_t
grove_loss_sum(GroveLossKind kind, const GroveLossRows *rows)
{
	double		values[GROVE_LOSS_BLOCK];
	int64_t		sum = 0;
	uint32_t	first;
	uint32_t	i;

	for (first = 0; first < rows->n; first += GROVE_LOSS_BLOCK)
	{
		uint32_t	n = block_rows(rows, first);

		value_block(kind, rows, first, n, values);
		for (i = 0; i < n; i++)
		{
			double		loss = values[i] * (rows->weight ? (double) rows->weight[first + i] : 1.0) * rows->loss_scale;

			loss = loss < GROVE_LOSS_CAP ? loss : GROVE_LOSS_CAP;
			sum += (int64_t) (loss * GROVE_LOSS_UNIT + 0.5);
		}
	}
	return sum;
}

double
grove_loss_max(GroveLossKind kind, const GroveLossRows *rows)
{
	double		values[GROVE_LOSS_BLOCK];
	double		top = 0.0;
	uint32_t	first;
	uint32_t	i;

	for (first = 0; first < rows->n; first += GROVE_LOSS_BLOCK)
	{
		uint32_t	n = block_rows(rows, first);

		value_block(kind, rows, first, n, values);
		for (i = 0; i < n; i++)
			top = values[i] > top ? values[i] : top;
	}
	return top;
}
