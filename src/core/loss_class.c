/*
 * loss_class.c: losses of class memberships.
 */
#include "loss_blocks.h"

#include "clones.h"
#include "fmath.h"

static inline float
sigmoid(float x)
{
	return 1.0f / (1.0f + grove_expf(-x));
}

/* p of class k for n <= GROVE_LOSS_BLOCK rows from first on. */
static void
softmax_block(const GroveLossRows *rows, uint32_t first, uint32_t n, uint32_t k, float *p)
{
	float		top[GROVE_LOSS_BLOCK];
	float		sum[GROVE_LOSS_BLOCK];
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
		p[i] /= sum[i];			/* NOLINT: set above, k is one of the outputs */
}

GROVE_CLONES static void
class_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t first, uint32_t n, uint32_t k, float *g, float *h)
{
	const float *label = rows->label + first;
	const float *score = rows->score + first;
	uint32_t	i;

	if (kind == GROVE_LOSS_LOGISTIC)
	{
		for (i = 0; i < n; i++)
		{
			float		p = sigmoid(score[i]);

			g[i] = p - label[i];
			h[i] = p * (1.0f - p);
		}
	}
	else if (kind == GROVE_LOSS_SHARE)
	{
		const float *s = score + (size_t) k * rows->stride;

		for (i = 0; i < n; i++)
		{
			g[i] = s[i] - (label[i] == (float) k ? 1.0f : 0.0f);
			h[i] = 1.0f;
		}
	}
	else
	{
		const float factor = (float) rows->n_outputs / (float) (rows->n_outputs - 1);
		float		p[GROVE_LOSS_BLOCK];

		softmax_block(rows, first, n, k, p);
		for (i = 0; i < n; i++)
		{
			g[i] = p[i] - (label[i] == (float) k ? 1.0f : 0.0f);
			h[i] = factor * p[i] * (1.0f - p[i]);
		}
	}
}

void
grove_loss_class_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
						   uint32_t n, uint32_t k, float *g, float *h)
{
	class_gradients(kind, rows, first, n, k, g, h);
}

/* log(1 + exp(-m)) with m the margin in favour of the label. */
static double
logistic_loss(float label, float score)
{
	float		m = label > 0.5f ? score : -score;

	return grove_log(1.0 + (double) grove_expf(m < 0.0f ? m : -m)) + (m < 0.0f ? -(double) m : 0.0);
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

void
grove_loss_class_values(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
						uint32_t n, double *loss)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		if (kind == GROVE_LOSS_LOGISTIC)
			loss[i] = logistic_loss(rows->label[first + i], rows->score[first + i]);
		else if (kind == GROVE_LOSS_SHARE)
			loss[i] = share_loss(rows, first + i);
		else
			loss[i] = softmax_loss(rows, first + i);
	}
}
