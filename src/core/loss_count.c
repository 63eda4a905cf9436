/*
 * loss_count.c: losses of a positive mean m = exp(score): counts, amounts, and
 * amounts that are often 0.
 *
 * All three belong to one family, whose variance is proportional to m^p with p
 * = 1 (Poisson), 2 (gamma) or in between (Tweedie).  Poisson's hessian has the
 * factor exp(poisson_step), which bounds steps where m is small, as LightGBM
 * does.  The value is the unit deviance, 0 for a perfect score.
 */
#include "loss_blocks.h"

#include "fmath.h"

#define RATIO_MAX	1e38f		/* products of labels and exponentials are cut, so that a weight of 0 gives 0 */

void
grove_loss_count_gradients(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
						   uint32_t n, float *g, float *h)
{
	const float *label = rows->label + first;
	const float *score = rows->score + first;
	uint32_t	i;

	if (kind == GROVE_LOSS_POISSON)
	{
		const float factor = (float) grove_exp(rows->shape->poisson_step);

		for (i = 0; i < n; i++)
		{
			float		m = grove_expf(score[i]);

			g[i] = m - label[i];
			m *= factor;
			h[i] = m < RATIO_MAX ? m : RATIO_MAX;
		}
	}
	else if (kind == GROVE_LOSS_GAMMA)
	{
		for (i = 0; i < n; i++)
		{
			float		r = label[i] * grove_expf(-score[i]);

			r = r < RATIO_MAX ? r : RATIO_MAX;
			g[i] = 1.0f - r;
			h[i] = r;
		}
	}
	else
	{
		const float a = (float) (1.0 - rows->shape->tweedie_power);
		const float b = (float) (2.0 - rows->shape->tweedie_power);

		for (i = 0; i < n; i++)
		{
			float		x = label[i] * grove_expf(a * score[i]);
			float		m = grove_expf(b * score[i]);

			x = x < RATIO_MAX ? x : RATIO_MAX;
			g[i] = m - x;
			h[i] = b * m - a * x;
		}
	}
}

/* Deviance of one row; rounding may not make it negative. */
static double
deviance(GroveLossKind kind, double power, double y, double s)
{
	double		a = 1.0 - power;
	double		b = 2.0 - power;
	double		d;

	if (kind == GROVE_LOSS_POISSON)
		d = (y > 0.0 ? y * (grove_log(y) - s) : 0.0) - y + grove_exp(s);
	else if (kind == GROVE_LOSS_GAMMA)
		d = s - grove_log(y) + y * grove_exp(-s) - 1.0;
	else
		d = (y > 0.0 ? grove_exp(b * grove_log(y)) / (a * b) : 0.0) - y * grove_exp(a * s) / a + grove_exp(b * s) / b;
	return d > 0.0 ? 2.0 * d : 0.0;
}

void
grove_loss_count_values(GroveLossKind kind, const GroveLossRows *rows, uint32_t first,
						uint32_t n, double *loss)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
		loss[i] = deviance(kind, rows->shape->tweedie_power, (double) rows->label[first + i],
						   (double) rows->score[first + i]);
}
