/*
 * test_loss_families.c: gradients of every loss against numerical derivatives
 * of its textbook formula in double with libm, hessians, and sums of losses.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "fmath.h"
#include "loss.h"
#include "rng.h"
#include "unit.h"

#define ROWS	1200			/* more than two blocks */
#define CLASSES	3

static float label[ROWS];
static float weight[ROWS];
static float score[CLASSES * ROWS];
static uint32_t identity[ROWS];
static int32_t g_int[ROWS];
static int32_t h_int[ROWS];

static const GroveLossShape shape = {
	.quantile_alpha = 0.3, .huber_delta = 0.75, .poisson_step = 0.7, .tweedie_power = 1.3
};

static double
uniform(uint64_t i, uint64_t purpose)
{
	return grove_rng_u01(grove_rng_hash(purpose, i));
}

static GroveLossRows
make_rows(GroveLossKind kind)
{
	GroveLossRows rows;
	int			i;

	for (i = 0; i < ROWS; i++)
	{
		double		u = uniform(i, 1);

		if (kind == GROVE_LOSS_LOGISTIC)
			label[i] = u < 0.3;
		else if (kind == GROVE_LOSS_SOFTMAX || kind == GROVE_LOSS_SHARE)
			label[i] = (float) (int) (u * CLASSES);
		else if (kind == GROVE_LOSS_POISSON)
			label[i] = (float) (int) (u * 6);
		else if (kind == GROVE_LOSS_GAMMA)
			label[i] = (float) (u * 9 + 0.01);
		else if (kind == GROVE_LOSS_TWEEDIE)
			label[i] = u < 0.4 ? 0.0f : (float) (u * 9);
		else
			label[i] = (float) (u * 6 - 3);
		weight[i] = (float) (uniform(i, 2) * 3);
		identity[i] = (uint32_t) grove_rng_hash(3, i);
	}
	for (i = 0; i < CLASSES * ROWS; i++)
		score[i] = (float) (uniform(i, 4) * 6 - 3);
	memset(&rows, 0, sizeof(rows));
	rows.label = label;
	rows.score = score;
	rows.identity = identity;
	rows.shape = &shape;
	rows.n = ROWS;
	rows.stride = ROWS;
	rows.n_outputs = kind == GROVE_LOSS_SOFTMAX || kind == GROVE_LOSS_SHARE ? CLASSES : 1;
	rows.loss_scale = 1.0;
	return rows;
}

/* The loss of row i with these scores (one, or CLASSES of them), by its textbook formula. */
static double
reference_loss(GroveLossKind kind, double y, const double *s)
{
	double		d = s[0] - y;
	double		p = shape.tweedie_power;
	double		sum = 0;
	int			k;

	switch (kind)
	{
		case GROVE_LOSS_SQUARED:
			return d * d;
		case GROVE_LOSS_ABSOLUTE:
			return fabs(d);
		case GROVE_LOSS_QUANTILE:
			return y >= s[0] ? shape.quantile_alpha * (y - s[0]) : (1 - shape.quantile_alpha) * (s[0] - y);
		case GROVE_LOSS_HUBER:
			return fabs(d) <= shape.huber_delta ? d * d / 2 : shape.huber_delta * (fabs(d) - shape.huber_delta / 2);
		case GROVE_LOSS_LOGISTIC:
			return log1p(exp(y > 0 ? -s[0] : s[0]));
		case GROVE_LOSS_POISSON:
			return 2 * ((y > 0 ? y * log(y / exp(s[0])) : 0) - y + exp(s[0]));
		case GROVE_LOSS_GAMMA:
			return 2 * (log(exp(s[0]) / y) + y / exp(s[0]) - 1);
		case GROVE_LOSS_TWEEDIE:
			return 2 * (pow(y, 2 - p) / ((1 - p) * (2 - p)) - y * pow(exp(s[0]), 1 - p) / (1 - p) +
						pow(exp(s[0]), 2 - p) / (2 - p));
		case GROVE_LOSS_SOFTMAX:
			for (k = 0; k < CLASSES; k++)
				sum += exp(s[k]);
			return log(sum) - s[(int) y];
		case GROVE_LOSS_SHARE:
			for (k = 0; k < CLASSES; k++)
				sum += (s[k] - (y == k)) * (s[k] - (y == k));
			return sum;
		default:
			return 0;
	}
}

/* Factor of the loss whose derivative the gradient is: squared errors and deviances are doubled. */
static double
gradient_factor(GroveLossKind kind)
{
	return kind == GROVE_LOSS_SQUARED || kind == GROVE_LOSS_SHARE || grove_loss_log_link(kind) ? 0.5 : 1.0;
}

/* The hessian that the loss declares; those that are not the second derivative are given by formula. */
static double
reference_hessian(GroveLossKind kind, double y, const double *s, uint32_t k, double second)
{
	(void) y;
	(void) k;
	if (grove_loss_constant_hessian(kind))
		return 1;
	if (kind == GROVE_LOSS_POISSON)
		return exp(s[0] + shape.poisson_step);
	if (kind == GROVE_LOSS_SOFTMAX)
		return second * CLASSES / (CLASSES - 1);
	return second;
}

static double
shifted_loss(GroveLossKind kind, double y, const double *s, uint32_t k, double shift)
{
	double		at[CLASSES];

	memcpy(at, s, sizeof(at));
	at[k] += shift;
	return reference_loss(kind, y, at) * gradient_factor(kind);
}

/* Gradients of output k, with or without weights, against the differences of the reference loss. */
static void
test_gradients(GroveLossKind kind, uint32_t k, int weighted)
{
	GroveLossRows rows = make_rows(kind);
	GroveRounding rounding = {GROVE_HIST_WIDE, 0.25f, 1 << 20, 1 << 20, 77};
	const double step = 1e-4;
	int			wrong_g = 0;
	int			wrong_h = 0;
	float		top_g = 0;
	float		top_h = 0;
	double		want_top = 0;
	int			i;

	if (weighted)
		rows.weight = weight;
	else
		rounding.g_scale = rounding.h_scale = 1 << 18;
	grove_loss_gradients(kind, &rows, k, &rounding, g_int, h_int);
	for (i = 0; i < ROWS; i++)
	{
		double		s[CLASSES];
		double		w = weighted ? weight[i] : 1;
		double		y = label[i];
		double		up,
					down,
					at,
					g,
					h;
		int			c;

		for (c = 0; c < CLASSES; c++)
			s[c] = score[c * ROWS + i];
		up = shifted_loss(kind, y, s, k, step);
		down = shifted_loss(kind, y, s, k, -step);
		at = shifted_loss(kind, y, s, k, 0);
		/* next to a kink the difference is no derivative */
		if (kind <= GROVE_LOSS_HUBER && kind >= GROVE_LOSS_ABSOLUTE && fabs(fabs(s[0] - y) - (kind == GROVE_LOSS_HUBER ? shape.huber_delta : 0)) < 2 * step)
			continue;
		g = (up - down) / (2 * step) * w;
		h = reference_hessian(kind, y, s, k, (up - 2 * at + down) / (step * step)) * w;
		wrong_g += !(fabs(g_int[i] / 262144.0 - g) < 2e-5 * (1 + fabs(g)));
		wrong_h += !(fabs(h_int[i] / 262144.0 - h) < 2e-5 * (1 + fabs(h)));
		want_top = fabs(g) > want_top ? fabs(g) : want_top;
	}
	CHECK(wrong_g == 0);
	CHECK(wrong_h == 0);
	if (k == 0)
	{
		grove_loss_maxima(kind, &rows, weighted ? 0.25f : 1.0f, &top_g, &top_h);
		want_top *= weighted ? 0.25 : 1;
		CHECK(fabs(top_g - want_top) < 1e-4 * want_top + 1e-4);
		CHECK((top_h > 0) == !grove_loss_constant_hessian(kind));
	}
}

static void
test_sums(GroveLossKind kind)
{
	GroveLossRows rows = make_rows(kind);
	double		want = 0;
	double		top = 0;
	int			i,
				c;

	rows.weight = weight;
	rows.loss_scale = 16;
	for (i = 0; i < ROWS; i++)
	{
		double		s[CLASSES];
		double		loss;

		for (c = 0; c < CLASSES; c++)
			s[c] = score[c * ROWS + i];
		loss = reference_loss(kind, label[i], s);
		want += weight[i] * loss;
		top = loss > top ? loss : top;
	}
	CHECK(fabs((double) grove_loss_sum(kind, &rows) / (16 * GROVE_LOSS_UNIT) - want) < 1e-6 * want);
	CHECK(fabs(grove_loss_max(kind, &rows) - top) < 1e-6 * top);
}

/* The order of rows does not move a sum; a perfect score has no deviance. */
static void
test_sum_properties(void)
{
	GroveLossRows rows = make_rows(GROVE_LOSS_TWEEDIE);
	int64_t		forward = grove_loss_sum(GROVE_LOSS_TWEEDIE, &rows);
	float		y = 2.5f;
	float		s = (float) log(2.5);
	int			i;
	GroveLossKind kind;

	for (i = 0; i < ROWS / 2; i++)
	{
		float		swap = label[i];

		label[i] = label[ROWS - 1 - i];
		label[ROWS - 1 - i] = swap;
		swap = score[i];
		score[i] = score[ROWS - 1 - i];
		score[ROWS - 1 - i] = swap;
	}
	CHECK(grove_loss_sum(GROVE_LOSS_TWEEDIE, &rows) == forward);
	rows.label = &y;
	rows.score = &s;
	rows.n = 1;
	for (kind = GROVE_LOSS_POISSON; kind <= GROVE_LOSS_TWEEDIE; kind++)
	{
		double		loss = grove_loss_max(kind, &rows);

		CHECK(loss >= 0 && loss < 1e-12);
	}
}

/* Scores and labels at the end of their range give numbers. */
static void
test_extremes(void)
{
	static const float labels[] = {0, 1e-37f, 1, 1e37f};
	static const float scores[] = {-1e6f, -87, 0, 87, 1e6f};
	GroveLossKind kind;

	for (kind = GROVE_LOSS_POISSON; kind <= GROVE_LOSS_TWEEDIE; kind++)
	{
		int			a,
					b;

		for (a = 0; a < 4; a++)
		{
			for (b = 0; b < 5; b++)
			{
				GroveLossRows rows = make_rows(kind);
				float		w = 0;
				float		top_g = 0;
				float		top_h = 0;

				rows.label = &labels[a];
				rows.score = &scores[b];
				rows.n = 1;
				grove_loss_maxima(kind, &rows, 1.0f, &top_g, &top_h);
				CHECK(isfinite(top_g) && isfinite(top_h));
				CHECK(grove_loss_sum(kind, &rows) >= 0);
				rows.weight = &w;
				top_g = top_h = 0;
				grove_loss_maxima(kind, &rows, 1.0f, &top_g, &top_h);
				CHECK(top_g == 0 && top_h == 0);
			}
		}
	}
}

static void
test_exp(void)
{
	double		worst = 0;
	double		x;

	for (x = -690; x < 690; x += 0.37)
	{
		double		error = fabs(grove_exp(x) / exp(x) - 1);

		worst = error > worst ? error : worst;
	}
	CHECK(worst < 1e-14);
	CHECK(grove_exp(0) == 1);
	CHECK(grove_exp(-1e9) == grove_exp(-700));
	CHECK(isfinite(grove_exp(1e9)));
}

/* Heavy tails and weights need the wide accumulator; a bounded gradient and hessian do not. */
static void
test_modes(void)
{
	GroveLossKind kind;

	for (kind = GROVE_LOSS_SQUARED; kind <= GROVE_LOSS_LAMBDARANK; kind++)
	{
		bool		packed = kind == GROVE_LOSS_LOGISTIC || kind == GROVE_LOSS_SOFTMAX;
		bool		wide = kind == GROVE_LOSS_POISSON || kind == GROVE_LOSS_GAMMA || kind == GROVE_LOSS_TWEEDIE ||
			kind == GROVE_LOSS_LAMBDARANK;

		CHECK(grove_loss_mode(kind, false, false) == (packed ? GROVE_HIST_PACKED : wide ? GROVE_HIST_WIDE : GROVE_HIST_CONSTANT));
		CHECK(grove_loss_mode(kind, false, true) == (packed ? GROVE_HIST_PACKED : GROVE_HIST_WIDE));
		CHECK(grove_loss_mode(kind, true, false) == GROVE_HIST_WIDE);
		CHECK(grove_loss_mode(kind, true, true) == GROVE_HIST_WIDE);
	}
}

int
main(void)
{
	GroveLossKind kind;
	uint32_t	k;

	for (kind = GROVE_LOSS_SQUARED; kind < GROVE_LOSS_LAMBDARANK; kind++)
	{
		for (k = 0; k < (kind == GROVE_LOSS_SOFTMAX || kind == GROVE_LOSS_SHARE ? CLASSES : 1); k++)
		{
			test_gradients(kind, k, 0);
			test_gradients(kind, k, 1);
		}
		test_sums(kind);
	}
	test_sum_properties();
	test_extremes();
	test_exp();
	test_modes();
	return unit_done();
}
