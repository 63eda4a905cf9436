/*
 * naive_loss.c: the losses in doubles and libm, row by row.
 */
#include <math.h>
#include <stdlib.h>

#include "naive_rank.h"
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
	else
	{
		p = exp(s - log_sum(table, score, row));
		*g = p - (y == k);
		*h = p * (1.0 - p) * table->n_outputs / (table->n_outputs - 1.0);
	}
	*g *= weight_of(table, row);
	*h *= weight_of(table, row);
}

/* Unit deviance of a mean exp(s), by the textbook; infinite where exp() is. */
static double
deviance(GroveLossKind loss, double power, double y, double s)
{
	double		m = exp(s);

	if (isinf(m))
		return INFINITY;
	if (loss == GROVE_LOSS_POISSON)
		return 2.0 * ((y > 0.0 ? y * (log(y) - s) : 0.0) - (y - m));
	if (loss == GROVE_LOSS_GAMMA)
		return 2.0 * ((y - m) / m - (log(y) - s));
	return 2.0 * (pow(y, 2.0 - power) / ((1.0 - power) * (2.0 - power)) - y * pow(m, 1.0 - power) / (1.0 - power) +
				  pow(m, 2.0 - power) / (2.0 - power));
}

double
naive_loss(const KitCase *kase, const float *score, uint32_t row)
{
	const KitTable *table = &kase->table;
	const GroveLossShape *shape = &kase->config.shape;
	double		s = score_of(table, score, row, 0);
	double		y = (double) table->label[row];
	double		r = fabs(s - y);
	double		sum = 0.0;

	switch (kase->config.loss)
	{
		case GROVE_LOSS_SQUARED:
			return r * r;
		case GROVE_LOSS_ABSOLUTE:
			return r;
		case GROVE_LOSS_QUANTILE:
			return r * (s >= y ? 1.0 - shape->quantile_alpha : shape->quantile_alpha);
		case GROVE_LOSS_HUBER:
			return r <= shape->huber_delta ? r * r / 2.0 : shape->huber_delta * (r - shape->huber_delta / 2.0);
		case GROVE_LOSS_LOGISTIC:
			return fmax(y > 0.5 ? -s : s, 0.0) + log1p(exp(-fabs(s)));
		case GROVE_LOSS_SOFTMAX:
			return log_sum(table, score, row) - score_of(table, score, row, (uint32_t) y);
		case GROVE_LOSS_SHARE:
			for (uint32_t k = 0; k < table->n_outputs; k++)
				sum += pow(score_of(table, score, row, k) - (y == k), 2);
			return sum;
		default:
			return deviance(kase->config.loss, shape->tweedie_power, y, s);
	}
}

static bool
is_class_loss(GroveLossKind loss)
{
	return loss == GROVE_LOSS_LOGISTIC || loss == GROVE_LOSS_SOFTMAX || loss == GROVE_LOSS_SHARE;
}

/* What a row's loss, times weight, counts at most: 1024 for a class, else 128 times the largest at the start. */
static double
loss_cap(const KitCase *kase)
{
	const KitTable *table = &kase->table;
	size_t		cells = (size_t) table->n_rows * table->n_outputs;
	float	   *start = kit_alloc(cells, sizeof(float));
	double		top_weight = 0.0;
	double		top = 0.0;

	for (uint32_t k = 0; k < table->n_outputs; k++)
	{
		float		base = (float) naive_base(kase, k);

		for (size_t i = (size_t) k * table->n_rows; i < (size_t) (k + 1) * table->n_rows; i++)
			start[i] = table->margin[i] + base;
	}
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		top_weight = fmax(top_weight, weight_of(table, i));
		top = fmax(top, naive_loss(kase, start, i));
	}
	free(start);
	return top_weight * (is_class_loss(kase->config.loss) ? 1024.0 : top > 0.0 ? 128.0 * top : GROVE_LOSS_CAP);
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
	uint32_t	n = count_part(&kase->table, validation, &weight);

	if (kase->config.loss == GROVE_LOSS_LAMBDARANK)
		return 1e-11;
	/* half a step of each row */
	return weight > 0.0 ? n * loss_cap(kase) / (GROVE_LOSS_CAP * GROVE_LOSS_UNIT) / weight : 0.0;
}

/* Mean over the groups of one part. */
static double
mean_rank_loss(const KitCase *kase, const float *score, bool validation)
{
	const KitTable *table = &kase->table;
	uint32_t   *rows = kit_alloc(table->n_rows, sizeof(uint32_t));
	bool	   *taken = kit_alloc(table->n_rows, sizeof(bool));
	double		sum = 0.0;
	uint32_t	n_groups = 0;

	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		GroveRankGroup group = {rows, 0, table->label, score, NULL};

		for (uint32_t j = i; j < table->n_rows; j++)
		{
			if (taken[j] || table->group[j] != table->group[i] ||
				(table->validation && table->validation[j]) != validation)
				continue;
			taken[j] = true;
			rows[group.n++] = j;
		}
		if (group.n > 0)
			sum += naive_rank_loss(&group);
		n_groups += group.n > 0;
	}
	free(rows);
	free(taken);
	return n_groups > 0 ? sum / n_groups : 0.0;
}

double
naive_mean_loss(const KitCase *kase, const float *score, bool validation)
{
	const KitTable *table = &kase->table;
	double		cap;
	double		sum = 0.0;
	double		weight;

	if (kase->config.loss == GROVE_LOSS_LAMBDARANK)
		return mean_rank_loss(kase, score, validation);
	cap = loss_cap(kase);
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		if ((table->validation && table->validation[i]) == validation && weight_of(table, i) > 0.0)
			sum += fmin(weight_of(table, i) * naive_loss(kase, score, i), cap);
	}
	count_part(table, validation, &weight);
	return weight > 0.0 ? sum / weight : 0.0;
}

/* ------------------------------------------------------------------ the start */

static bool
is_training(const KitTable *table, uint32_t row)
{
	return !table->validation || !table->validation[row];
}

typedef struct Residual
{
	float		value;
	double		weight;
} Residual;

static int
compare_residuals(const void *a, const void *b)
{
	float		x = ((const Residual *) a)->value;
	float		y = ((const Residual *) b)->value;

	return x < y ? -1 : x > y;
}

double
naive_quantile(const KitCase *kase, const float *score, const float *factor, const uint32_t *rows, uint32_t n,
			   double alpha)
{
	const KitTable *table = &kase->table;
	Residual   *sorted = kit_alloc(n, sizeof(Residual));
	double		slack = table->weight || factor ? 1e-7 : 1e-12;
	double		total = 0.0;
	double		below = 0.0;
	double		result = 0.0;
	uint32_t	kept = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		sorted[kept].value = table->label[rows[i]] - score[rows[i]];
		sorted[kept].weight = weight_of(table, rows[i]) * (factor ? (double) factor[rows[i]] : 1.0);
		total += sorted[kept].weight;
		kept += sorted[kept].weight > 0.0;
	}
	qsort(sorted, kept, sizeof(Residual), compare_residuals);
	for (uint32_t i = 0; i < kept; i++)
	{
		below += sorted[i].weight;
		if (i + 1 < kept && (sorted[i + 1].value == sorted[i].value || below < total * (alpha - slack)))
			continue;
		result = (double) sorted[i].value;
		if (i + 1 < kept && below <= total * (alpha + slack))
			result = (result + (double) sorted[i + 1].value) / 2.0;
		break;
	}
	free(sorted);
	return result;
}

static double
quantile_base(const KitCase *kase)
{
	uint32_t   *rows = kit_alloc(kase->table.n_rows, sizeof(uint32_t));
	uint32_t	n = 0;
	double		result;

	for (uint32_t i = 0; i < kase->table.n_rows; i++)
	{
		if (is_training(&kase->table, i))
			rows[n++] = i;
	}
	result = naive_quantile(kase, kase->table.margin, NULL, rows, n,
							kase->config.loss == GROVE_LOSS_QUANTILE ? kase->config.shape.quantile_alpha : 0.5);
	free(rows);
	return result;
}

/* Gradient of a row's loss when the score is s; those of the losses whose start has no formula. */
static double
slope_at(const KitCase *kase, double y, double s)
{
	if (kase->config.loss == GROVE_LOSS_HUBER)
		return fmax(fmin(s - y, kase->config.shape.huber_delta), -kase->config.shape.huber_delta);
	return 1.0 / (1.0 + exp(-s)) - y;
}

/* Where the sum of the gradients changes its sign when b is added to every margin, by bisection. */
static double
bisected_base(const KitCase *kase)
{
	const KitTable *table = &kase->table;
	double		low = kase->config.loss == GROVE_LOSS_HUBER ? -1e12 : -60.0;
	double		high = -low;

	for (int step = 0; step < 200; step++)
	{
		double		b = (low + high) / 2.0;
		double		g = 0.0;

		for (uint32_t i = 0; i < table->n_rows; i++)
		{
			if (is_training(table, i))
				g += weight_of(table, i) * slope_at(kase, (double) table->label[i], score_of(table, table->margin, i, 0) + b);
		}
		if (g > 0.0)
			high = b;
		else
			low = b;
	}
	return (low + high) / 2.0;
}

/* Logarithm of the factor that makes observed and expected sums agree (log link). */
static double
log_base(const KitCase *kase)
{
	const KitTable *table = &kase->table;
	double		p = kase->config.loss == GROVE_LOSS_POISSON ? 1.0 : kase->config.loss == GROVE_LOSS_GAMMA ? 2.0 :
		kase->config.shape.tweedie_power;
	double		observed = 0.0;
	double		expected = 0.0;

	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		double		s = score_of(table, table->margin, i, 0);

		if (!is_training(table, i))
			continue;
		observed += weight_of(table, i) * (double) table->label[i] * exp((1.0 - p) * s);
		expected += weight_of(table, i) * exp((2.0 - p) * s);
	}
	return log(fmax(observed / expected, 1e-30));
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
	if ((loss == GROVE_LOSS_SOFTMAX && kase->has_margin) || loss == GROVE_LOSS_LAMBDARANK)
		return 0.0;
	if (grove_loss_renewed(loss))
		return quantile_base(kase);
	if (grove_loss_log_link(loss))
		return log_base(kase);
	if (loss == GROVE_LOSS_HUBER || (loss == GROVE_LOSS_LOGISTIC && kase->has_margin))
		return bisected_base(kase);
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		double		y = (double) table->label[i];

		if (!is_training(table, i))
			continue;
		if (loss == GROVE_LOSS_SQUARED)
			y -= score_of(table, table->margin, i, 0);
		else if (loss != GROVE_LOSS_LOGISTIC)
			y = y == k;
		sum += weight_of(table, i) * y;
		weight += weight_of(table, i);
	}
	if (!(weight > 0.0))
		return 0.0;
	share = sum / weight;
	if (loss == GROVE_LOSS_SQUARED || loss == GROVE_LOSS_SHARE)
		return share;
	share = fmin(fmax(share, 1e-12), 1.0 - 1e-12);
	return loss == GROVE_LOSS_LOGISTIC ? log(share / (1.0 - share)) : log(share);
}
