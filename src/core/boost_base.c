/*
 * boost_base.c: the constant that every score starts from.  Sums do not depend
 * on the order of rows: fixed point, or exact.
 */
#include "boost_base.h"

#include <math.h>
#include <string.h>

#include "exactsum.h"
#include "fmath.h"
#include "renew.h"

double
grove_boost_sum_scale(uint32_t n)
{
	double		scale = 4611686018427387904.0;	/* 2^62 */

	while (n > 0)
	{
		scale *= 0.5;
		n /= 2;
	}
	return scale;
}

/* Weighted mean over the training rows of label - score. */
static double
mean_residual(const GroveBoost *boost)
{
	const GroveTrainer *t = boost->trainer;
	uint32_t	n = t->shared->dims.n_rows;
	float		top = 0.0f;
	int64_t		sum = 0;
	double		scale;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		float		r = t->label[i] - t->score[i];

		if (grove_boost_is_training(t, i))
			top = fabsf(r) > top ? fabsf(r) : top;
	}
	if (!(top > 0.0f) || !(boost->train_weight > 0.0))
		return 0.0;
	scale = grove_boost_sum_scale(n) / ((double) top * (double) t->shared->max_weight);
	for (i = 0; i < n; i++)
	{
		if (grove_boost_is_training(t, i))
			sum += (int64_t) ((double) (t->label[i] - t->score[i]) * (double) grove_boost_weight(t, i) * scale);
	}
	return (double) sum / scale / boost->train_weight;
}

/* Share of the training weight that class k has. */
static double
class_share(const GroveBoost *boost, uint32_t k)
{
	const GroveTrainer *t = boost->trainer;
	uint32_t	n = t->shared->dims.n_rows;
	double		scale = grove_boost_sum_scale(n) / (double) t->shared->max_weight;
	int64_t		sum = 0;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		if (grove_boost_is_training(t, i) && t->label[i] == (float) k)
			sum += (int64_t) ((double) grove_boost_weight(t, i) * scale);
	}
	return (double) sum / scale / boost->train_weight;
}

/*
 * The constant that, added to given margins, minimises the log-loss: Newton
 * steps, each cut to 1.
 */
static double
logistic_intercept(const GroveBoost *boost)
{
	const GroveTrainer *t = boost->trainer;
	uint32_t	n = t->shared->dims.n_rows;
	double		scale = grove_boost_sum_scale(n) / (double) t->shared->max_weight;
	double		base = 0.0;
	int			round;

	for (round = 0; round < 20; round++)
	{
		int64_t		g = 0;
		int64_t		h = 0;
		double		step;
		uint32_t	i;

		for (i = 0; i < n; i++)
		{
			float		p;
			double		w;

			if (!grove_boost_is_training(t, i))
				continue;
			p = 1.0f / (1.0f + grove_expf(-(t->score[i] + (float) base)));
			w = (double) grove_boost_weight(t, i) * scale;
			g += (int64_t) ((double) (p - t->label[i]) * w);
			h += (int64_t) ((double) (p * (1.0f - p)) * w);
		}
		step = h > 0 ? -(double) g / (double) h : (g > 0 ? -1.0 : 1.0);
		step = step > 1.0 ? 1.0 : step < -1.0 ? -1.0 : step;
		base += step;
		if (step < 1e-7 && step > -1e-7)
			break;
	}
	return base;
}

/* The quantile of label - score over the training rows; the bag lists are still free. */
static double
quantile_residual(const GroveBoost *boost, double alpha)
{
	const GroveTrainer *t = boost->trainer;
	GroveRenewRows rows = {t->bag[0], t->bag[1], 0, 0};
	uint32_t	i;

	for (i = 0; i < t->shared->dims.n_rows; i++)
	{
		if (grove_boost_is_training(t, i))
			t->bag[0][rows.n++].row = i;
	}
	return grove_renew_quantile(t, &rows, 1, alpha);
}

/*
 * The constant that minimises Huber's loss: Newton steps from the median, and
 * a bisection where one would leave the interval in which the sign of the
 * gradient changes.
 */
static double
huber_residual(const GroveBoost *boost)
{
	const GroveTrainer *t = boost->trainer;
	double		delta = t->shared->config.shape.huber_delta;
	double		base = quantile_residual(boost, 0.5);
	double		low = -INFINITY;
	double		high = INFINITY;
	int			round;

	for (round = 0; round < 100; round++)
	{
		GroveExactSum pull;
		GroveExactSum inside;
		double		g,
					h,
					next;
		uint32_t	i;

		grove_exactsum_init(&pull);
		grove_exactsum_init(&inside);
		for (i = 0; i < t->shared->dims.n_rows; i++)
		{
			double		r = (double) (t->label[i] - t->score[i]) - base;
			double		w = (double) grove_boost_weight(t, i);

			if (!grove_boost_is_training(t, i))
				continue;
			grove_exactsum_add(&pull, w * (r > delta ? delta : r < -delta ? -delta : r));
			if (r <= delta && r >= -delta)
				grove_exactsum_add(&inside, w);
		}
		g = grove_exactsum_round(&pull);
		h = grove_exactsum_round(&inside);
		if (g == 0.0)
			break;
		if (g > 0.0)
			low = base;
		else
			high = base;
		next = h > 0.0 ? base + g / h : base + (g > 0.0 ? delta : -delta);
		if (!(next > low && next < high))
			next = isfinite(low) && isfinite(high) ? low + (high - low) / 2.0 : base;
		if (fabs(next - base) <= 1e-9 * (fabs(base) + delta))
			break;
		base = next;
	}
	return base;
}

/*
 * Log link: the gradient m^(2-p) - y m^(1-p), with p = 1 for Poisson and 2 for
 * gamma, is 0 in sum at the logarithm of the quotient of two sums.
 */
static double
log_mean(const GroveBoost *boost)
{
	const GroveTrainer *t = boost->trainer;
	GroveLossKind loss = t->shared->config.loss;
	double		p = loss == GROVE_LOSS_POISSON ? 1.0 : loss == GROVE_LOSS_GAMMA ? 2.0 : t->shared->config.shape.tweedie_power;
	GroveExactSum observed;
	GroveExactSum expected;
	double		a,
				b;
	uint32_t	i;

	grove_exactsum_init(&observed);
	grove_exactsum_init(&expected);
	for (i = 0; i < t->shared->dims.n_rows; i++)
	{
		double		w = (double) grove_boost_weight(t, i);
		double		s = fmax(fmin((double) t->score[i], 87.0), -87.0);

		if (!grove_boost_is_training(t, i))
			continue;
		grove_exactsum_add(&observed, w * (double) t->label[i] * grove_exp((1.0 - p) * s));
		grove_exactsum_add(&expected, w * grove_exp((2.0 - p) * s));
	}
	a = grove_exactsum_round(&observed);
	b = grove_exactsum_round(&expected);
	/* without weight, or with labels of 0 only, there is no finite answer */
	if (!(b > 0.0) || !isfinite(a) || !isfinite(b))
		return 0.0;
	return a / b > 1e-30 ? grove_log(a / b) : grove_log(1e-30);
}

/* What one output starts from. */
static double
best_constant(const GroveBoost *boost, uint32_t k, bool has_margin)
{
	double		p;

	switch (boost->trainer->shared->config.loss)
	{
		case GROVE_LOSS_SQUARED:
			return mean_residual(boost);
		case GROVE_LOSS_ABSOLUTE:
		case GROVE_LOSS_QUANTILE:
			return quantile_residual(boost, grove_renew_alpha(boost->trainer));
		case GROVE_LOSS_HUBER:
			return huber_residual(boost);
		case GROVE_LOSS_LOGISTIC:
			if (has_margin)
				return logistic_intercept(boost);
			p = class_share(boost, 1);
			p = p < 1e-12 ? 1e-12 : p > 1.0 - 1e-12 ? 1.0 - 1e-12 : p;
			return grove_log(p / (1.0 - p));
		case GROVE_LOSS_SHARE:
			return class_share(boost, k);
		case GROVE_LOSS_SOFTMAX:
			if (has_margin)
				return 0.0;
			p = class_share(boost, k);
			return grove_log(p < 1e-12 ? 1e-12 : p);
		case GROVE_LOSS_POISSON:
		case GROVE_LOSS_GAMMA:
		case GROVE_LOSS_TWEEDIE:
			return log_mean(boost);
		case GROVE_LOSS_LAMBDARANK:
			break;
	}
	return 0.0;					/* a constant does not change an order */
}

void
grove_boost_base(GroveBoost *boost, bool from_average, double origin, bool has_margin, double *base)
{
	GroveTrainer *t = boost->trainer;
	uint32_t	n = t->shared->dims.n_rows;
	uint32_t	k,
				i;

	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		/* when nothing weighs anything there is no average */
		if (from_average)
			base[k] = boost->train_weight > 0.0 ? best_constant(boost, k, has_margin) : 0.0;
		else
			base[k] = origin;
		for (i = 0; i < n; i++)
			t->score[(size_t) k * n + i] += (float) base[k];
	}
}

double
grove_boost_largest_loss(const GroveBoost *boost)
{
	const GroveTrainer *t = boost->trainer;
	GroveLossRows rows;

	memset(&rows, 0, sizeof(rows));
	rows.label = t->label;
	rows.score = t->score;
	rows.shape = &t->shared->config.shape;
	rows.n = t->shared->dims.n_rows;
	rows.stride = rows.n;
	rows.n_outputs = t->shared->dims.n_outputs;
	return grove_loss_max(t->shared->config.loss, &rows);
}
