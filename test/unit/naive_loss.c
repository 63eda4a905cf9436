/*
 * naive_loss.c: the losses in doubles and libm, row by row.
 */
#include <math.h>
#include <stdlib.h>

#include "naive_trees.h"

static double
weight_of(const KitTable *table, uint32_t row)
{
	return table->weight ? (double) table->weight[row] : 1.0;
}

static double
score_of(const KitTable *table, const float *score, uint32_t row, uint32_t k)
{
	return (double) score[(size_t) k * table->n_rows + row];
}

/* log(sum over the outputs of exp(score)). */
static double
log_sum(const KitTable *table, const float *score, uint32_t row)
{
	double		top = score_of(table, score, row, 0);
	double		sum = 0.0;

	for (uint32_t k = 1; k < table->n_outputs; k++)
		top = fmax(top, score_of(table, score, row, k));
	for (uint32_t k = 0; k < table->n_outputs; k++)
		sum += exp(score_of(table, score, row, k) - top);
	return top + log(sum);
}

/* Losses of log link differ in this power alone. */
static double
variance_power(const KitCase *kase)
{
	return kase->config.loss == GROVE_LOSS_POISSON ? 1.0 : kase->config.loss == GROVE_LOSS_GAMMA ? 2.0 :
		kase->config.shape.tweedie_power;
}

void
naive_gradient(const KitCase *kase, const float *score, uint32_t row, uint32_t k, double *g, double *h)
{
	const KitTable *table = &kase->table;
	double		s = score_of(table, score, row, k);
	double		y = (double) table->label[row];
	double		p;

	*h = 1.0;
	if (kase->config.loss == GROVE_LOSS_SQUARED)
		*g = s - y;
	else if (kase->config.loss == GROVE_LOSS_SHARE)
		*g = s - (y == k);
	else if (kase->config.loss == GROVE_LOSS_LOGISTIC)
	{
		p = 1.0 / (1.0 + exp(-s));
		*g = p - y;
		*h = p * (1.0 - p);
	}
	else if (kase->config.loss == GROVE_LOSS_HUBER)
		*g = fmax(fmin(s - y, kase->config.shape.huber_delta), -kase->config.shape.huber_delta);
	else if (grove_loss_log_link(kase->config.loss))
	{
		double		a = variance_power(kase);

		*g = exp((2.0 - a) * s) - y * exp((1.0 - a) * s);
		*h = (2.0 - a) * exp((2.0 - a) * s) - (1.0 - a) * y * exp((1.0 - a) * s);
		if (kase->config.loss == GROVE_LOSS_POISSON)
			*h *= exp(kase->config.shape.poisson_step);
	}
	else
	{
		p = exp(s - log_sum(table, score, row));
		*g = p - (y == k);
		*h = p * (1.0 - p) * table->n_outputs / (table->n_outputs - 1.0);
	}
	*g *= weight_of(table, row);
	*h *= weight_of(table, row);
}

/* Losses of one output and without a bound. */
static double
distance_loss(const KitCase *kase, double s, double y)
{
	double		delta = kase->config.shape.huber_delta;
	double		p = variance_power(kase);
	double		m = exp(s);

	if (kase->config.loss == GROVE_LOSS_SQUARED)
		return (s - y) * (s - y);
	if (kase->config.loss == GROVE_LOSS_HUBER)
		return fabs(s - y) <= delta ? (s - y) * (s - y) / 2.0 : delta * (fabs(s - y) - delta / 2.0);
	if (kase->config.loss == GROVE_LOSS_POISSON)
		return 2.0 * ((y > 0.0 ? y * log(y / m) : 0.0) - y + m);
	if (kase->config.loss == GROVE_LOSS_GAMMA)
		return 2.0 * (log(m / y) + y / m - 1.0);
	return 2.0 * (pow(y, 2.0 - p) / ((1.0 - p) * (2.0 - p)) - y * pow(m, 1.0 - p) / (1.0 - p) + pow(m, 2.0 - p) / (2.0 - p));
}

double
naive_loss(const KitCase *kase, const float *score, uint32_t row)
{
	const KitTable *table = &kase->table;
	double		s = score_of(table, score, row, 0);
	double		y = (double) table->label[row];
	double		sum = 0.0;

	if (grove_loss_measured(kase->config.loss))
		return distance_loss(kase, s, y);
	if (kase->config.loss == GROVE_LOSS_LOGISTIC)
		return fmax(y > 0.5 ? -s : s, 0.0) + log1p(exp(-fabs(s)));
	if (kase->config.loss == GROVE_LOSS_SOFTMAX)
		return log_sum(table, score, row) - score_of(table, score, row, (uint32_t) y);
	for (uint32_t k = 0; k < table->n_outputs; k++)
		sum += pow(score_of(table, score, row, k) - (y == k), 2);
	return sum;
}

/* Smallest loss, times weight, that the engine can tell from 0: the largest at the start decides it. */
static double
loss_step(const KitCase *kase)
{
	const KitTable *table = &kase->table;
	double		base = naive_base(kase, 0);
	double		top_weight = 0.0;
	double		top = 0.0;

	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		top_weight = fmax(top_weight, weight_of(table, i));
		if (grove_loss_measured(kase->config.loss))
			top = fmax(top, distance_loss(kase, score_of(table, table->margin, i, 0) + base, (double) table->label[i]));
	}
	if (top > 0.0)
		top_weight *= top / 262144.0;
	return top_weight / GROVE_LOSS_UNIT;
}

/* Rows of the one part, and the sum of their weights. */
static uint32_t
count_part(const KitTable *table, bool validation, double *weight)
{
	uint32_t	n = 0;

	*weight = 0.0;
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		if ((table->validation && table->validation[i]) != validation)
			continue;
		*weight += weight_of(table, i);
		n++;
	}
	return n;
}

double
naive_loss_error(const KitCase *kase, bool validation)
{
	double		weight;
	double		noise = 0.0;
	uint32_t	n = count_part(&kase->table, validation, &weight);

	/* the terms of a deviance cancel when the score is right */
	for (uint32_t i = 0; i < kase->table.n_rows && grove_loss_log_link(kase->config.loss); i++)
		noise = fmax(noise, 1e-12 * (1.0 + (double) kase->table.label[i]));
	return noise + (weight > 0.0 ? 1.01 * n * loss_step(kase) / weight : 0.0);
}

double
naive_mean_loss(const KitCase *kase, const float *score, bool validation)
{
	const KitTable *table = &kase->table;
	double		cap = loss_step(kase) * GROVE_LOSS_UNIT * GROVE_LOSS_CAP;
	double		sum = 0.0;
	double		weight;

	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		if ((table->validation && table->validation[i]) == validation)
			sum += fmin(weight_of(table, i) * naive_loss(kase, score, i), cap);
	}
	count_part(table, validation, &weight);
	return weight > 0.0 ? sum / weight : 0.0;
}

/* Root of the sum of the gradients when b is added to every margin, by bisection. */
static double
root_base(const KitCase *kase, double low, double high)
{
	const KitTable *table = &kase->table;
	float	   *score = kit_alloc(table->n_rows, sizeof(float));

	for (int step = 0; step < 100; step++)
	{
		double		b = (low + high) / 2.0;
		double		g = 0.0;

		for (uint32_t i = 0; i < table->n_rows; i++)
		{
			double		row_g;
			double		row_h;

			if (table->validation && table->validation[i])
				continue;
			score[i] = (float) (score_of(table, table->margin, i, 0) + b);
			naive_gradient(kase, score, i, 0, &row_g, &row_h);
			g += row_g;
		}
		if (g > 0.0)
			high = b;
		else
			low = b;
	}
	free(score);
	return (low + high) / 2.0;
}

double
naive_base(const KitCase *kase, uint32_t k)
{
	const KitTable *table = &kase->table;
	GroveLossKind loss = kase->config.loss;
	double		sum = 0.0;
	double		weight = 0.0;
	double		share;

	if (!kase->from_average)
		return kase->origin;
	if (loss == GROVE_LOSS_SOFTMAX && kase->has_margin)
		return 0.0;
	if (loss == GROVE_LOSS_LOGISTIC && kase->has_margin)
		return root_base(kase, -60.0, 60.0);
	if (loss == GROVE_LOSS_HUBER)
		return root_base(kase, -1e6, 1e6);
	if (grove_loss_log_link(loss))
		return root_base(kase, -80.0, 80.0);
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		double		y = (double) table->label[i];

		if (table->validation && table->validation[i])
			continue;
		if (loss == GROVE_LOSS_SQUARED)
			y -= score_of(table, table->margin, i, 0);
		else if (loss != GROVE_LOSS_LOGISTIC)
			y = y == k;
		sum += weight_of(table, i) * y;
		weight += weight_of(table, i);
	}
	share = sum / weight;
	if (loss == GROVE_LOSS_SQUARED || loss == GROVE_LOSS_SHARE)
		return share;
	share = fmin(fmax(share, 1e-12), 1.0 - 1e-12);
	return loss == GROVE_LOSS_LOGISTIC ? log(share / (1.0 - share)) : log(share);
}
