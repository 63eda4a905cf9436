/*
 * loss_regression.c: losses of the distance between score and label.
 *
 * Absolute and check loss have no curvature: h = 1 makes the search for splits
 * compare sums of signs, and renew.c gives the leaves their values.
 */
#include "loss_blocks.h"

void
grove_loss_regression_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
								uint32_t n, float *g, float *h)
{
	const float *label = rows->label + first;
	const float *score = rows->score + first;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		g[i] = score[i] - label[i];
		h[i] = 1.0f;
	}
	if (kind == GROVE_LOSS_ABSOLUTE)
	{
		for (i = 0; i < n; i++)
			g[i] = (g[i] > 0.0f ? 1.0f : 0.0f) - (g[i] < 0.0f ? 1.0f : 0.0f);
	}
	else if (kind == GROVE_LOSS_QUANTILE)
	{
		const float below = -(float) rows->shape->quantile_alpha;
		const float above = (float) (1.0 - rows->shape->quantile_alpha);

		for (i = 0; i < n; i++)
			g[i] = g[i] >= 0.0f ? above : below;
	}
	else if (kind == GROVE_LOSS_HUBER)
	{
		const float delta = (float) rows->shape->huber_delta;

		for (i = 0; i < n; i++)
		{
			g[i] = g[i] > delta ? delta : g[i];
			g[i] = g[i] < -delta ? -delta : g[i];
		}
	}
}

void
grove_loss_regression_values(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
							 uint32_t n, double *loss)
{
	const float *label = rows->label + first;
	const float *score = rows->score + first;
	uint32_t	i;

	for (i = 0; i < n; i++)
		loss[i] = (double) score[i] - (double) label[i];
	if (kind == GROVE_LOSS_SQUARED)
	{
		for (i = 0; i < n; i++)
			loss[i] *= loss[i];
	}
	else if (kind == GROVE_LOSS_ABSOLUTE)
	{
		for (i = 0; i < n; i++)
			loss[i] = loss[i] < 0.0 ? -loss[i] : loss[i];
	}
	else if (kind == GROVE_LOSS_QUANTILE)
	{
		const double alpha = rows->shape->quantile_alpha;

		for (i = 0; i < n; i++)
			loss[i] *= loss[i] >= 0.0 ? 1.0 - alpha : -alpha;
	}
	else
	{
		const double delta = rows->shape->huber_delta;

		for (i = 0; i < n; i++)
		{
			double		d = loss[i] < 0.0 ? -loss[i] : loss[i];

			loss[i] = d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
		}
	}
}
