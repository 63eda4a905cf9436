/*
 * loss.c: row loops without libm, in single precision, in a form that
 * compilers turn into vector code.
 */
#include "loss.h"

#include "fmath.h"

#define LOSS_CAP	1024.0
#define LOSS_BLOCK	512

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

/* Writes the integers of n <= LOSS_BLOCK rows whose gradients are in gf, hessians in hf. */
static void
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
			h[i] = round_wide(hf[i] * hs);
		}
	}
}

static inline float
sigmoid(float x)
{
	return 1.0f / (1.0f + grove_expf(-x));
}

/* p of class k for n <= LOSS_BLOCK rows from first on. */
static void
softmax_block(const GroveLossRows *rows, uint32_t first, uint32_t n, uint32_t k, float *p)
{
	float		top[LOSS_BLOCK];
	float		sum[LOSS_BLOCK];
	uint32_t	i,
				c;

	for (i = 0; i < n; i++)
	{
		top[i] = rows->score[first + i];
		sum[i] = 0.0f;
	}
	for (c = 1; c < rows->n_outputs; c++)
	{
		const float *s = rows->score + (size_t) c * rows->stride + first;

		for (i = 0; i < n; i++)
			top[i] = s[i] > top[i] ? s[i] : top[i];
	}
	for (c = 0; c < rows->n_outputs; c++)
	{
		const float *s = rows->score + (size_t) c * rows->stride + first;

		for (i = 0; i < n; i++)
		{
			float		e = grove_expf(s[i] - top[i]);

			sum[i] += e;
			if (c == k)
				p[i] = e;
		}
	}
	for (i = 0; i < n; i++)
		p[i] /= sum[i];
}

/* Gradients and hessians, times scaled weight, of n <= LOSS_BLOCK rows from first on. */
static void
gradient_block(GroveLossKind kind, const GroveLossRows *rows, float weight_scale, uint32_t first, uint32_t n,
			   uint32_t k, float *gf, float *hf)
{
	const float *label = rows->label + first;
	const float *score = rows->score + first;
	uint32_t	i;

	if (kind == GROVE_LOSS_SQUARED)
	{
		for (i = 0; i < n; i++)
		{
			gf[i] = score[i] - label[i];
			hf[i] = 1.0f;
		}
	}
	else if (kind == GROVE_LOSS_LOGISTIC)
	{
		for (i = 0; i < n; i++)
		{
			float		p = sigmoid(score[i]);

			gf[i] = p - label[i];
			hf[i] = p * (1.0f - p);
		}
	}
	else if (kind == GROVE_LOSS_SHARE)
	{
		const float *s = score + (size_t) k * rows->stride;

		for (i = 0; i < n; i++)
		{
			gf[i] = s[i] - (label[i] == (float) k ? 1.0f : 0.0f);
			hf[i] = 1.0f;
		}
	}
	else
	{
		const float factor = (float) rows->n_outputs / (float) (rows->n_outputs - 1);
		float		p[LOSS_BLOCK];

		softmax_block(rows, first, n, k, p);
		for (i = 0; i < n; i++)
		{
			gf[i] = p[i] - (label[i] == (float) k ? 1.0f : 0.0f);
			hf[i] = factor * p[i] * (1.0f - p[i]);
		}
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

void
grove_loss_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t k,
					 const GroveRounding *rounding, int32_t *g, int32_t *h)
{
	float		gf[LOSS_BLOCK];
	float		hf[LOSS_BLOCK];
	uint32_t	first;

	for (first = 0; first < rows->n; first += LOSS_BLOCK)
	{
		uint32_t	n = rows->n - first < LOSS_BLOCK ? rows->n - first : LOSS_BLOCK;

		gradient_block(kind, rows, rounding->weight_scale, first, n, k, gf, hf);
		round_block(rounding, gf, hf, rows->identity + first, n, g + first, h ? h + first : NULL);
	}
}

float
grove_loss_max_gradient(const GroveLossRows *rows, float weight_scale)
{
	float		top = 0.0f;
	uint32_t	i;

	for (i = 0; i < rows->n; i++)
	{
		float		g = rows->score[i] - rows->label[i];

		if (rows->weight)
			g *= rows->weight[i] * weight_scale;
		g = g < 0.0f ? -g : g;
		top = g > top ? g : top;
	}
	return top;
}

/* Log-loss of one row from its scores. */
static double
softmax_loss(const GroveLossRows *rows, uint32_t i)
{
	float		top = rows->score[i];
	float		sum = 0.0f;
	uint32_t	c;

	for (c = 1; c < rows->n_outputs; c++)
	{
		float		s = rows->score[(size_t) c * rows->stride + i];

		top = s > top ? s : top;
	}
	for (c = 0; c < rows->n_outputs; c++)
		sum += grove_expf(rows->score[(size_t) c * rows->stride + i] - top);
	return grove_log((double) sum) + (double) top -
		(double) rows->score[(size_t) rows->label[i] * rows->stride + i];
}

/* Squared error of one row's class indicators. */
static double
share_loss(const GroveLossRows *rows, uint32_t i)
{
	double		sum = 0.0;
	uint32_t	c;

	for (c = 0; c < rows->n_outputs; c++)
	{
		double		d = (double) rows->score[(size_t) c * rows->stride + i] - (rows->label[i] == (float) c ? 1.0 : 0.0);

		sum += d * d;
	}
	return sum;
}

int64_t
grove_loss_sum(GroveLossKind kind, const GroveLossRows *rows)
{
	int64_t		sum = 0;
	uint32_t	i;

	for (i = 0; i < rows->n; i++)
	{
		double		loss;

		if (kind == GROVE_LOSS_SQUARED)
		{
			loss = (double) rows->score[i] - (double) rows->label[i];
			loss *= loss;
		}
		else if (kind == GROVE_LOSS_LOGISTIC)
		{
			/* log(1 + exp(-m)) with m the margin in favour of the label */
			float		m = rows->label[i] > 0.5f ? rows->score[i] : -rows->score[i];

			loss = grove_log(1.0 + (double) grove_expf(m < 0.0f ? m : -m)) + (m < 0.0f ? -(double) m : 0.0);
		}
		else if (kind == GROVE_LOSS_SHARE)
			loss = share_loss(rows, i);
		else
			loss = softmax_loss(rows, i);
		if (rows->weight)
			loss *= (double) rows->weight[i];
		loss *= rows->loss_scale;
		loss = loss < LOSS_CAP ? loss : LOSS_CAP;
		sum += (int64_t) (loss * GROVE_LOSS_UNIT);
	}
	return sum;
}
