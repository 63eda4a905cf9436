/*
 * tasks_select.c: the tasks that choose the rows of a round by the gradients
 * that GRADIENT has left in words and hess.
 *
 * These are integers, so that sums and scores do not depend on who adds or in
 * what order.  A row's score is, over the outputs, the sum of |g h| (goss) or
 * the root of the sum of g^2 + lambda h^2 (mvs).
 */
#include "tasks.h"

#include <math.h>

static bool
is_training(const GroveTrainer *t, uint32_t row)
{
	return !t->validation || !t->validation[row];
}

void
grove_tasks_weigh(GroveTrainer *t, uint32_t chunk)
{
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	uint32_t	k,
				i;

	c->gradients = 0;
	c->hessians = 0;
	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		const int32_t *g = t->words + (size_t) k * t->shared->dims.n_rows;
		const int32_t *h = t->hess + (size_t) k * t->shared->dims.n_rows;

		for (i = first; i < first + n; i++)
		{
			if (!is_training(t, i))
				continue;
			c->gradients += g[i] < 0 ? -g[i] : g[i];
			c->hessians += h[i];
		}
	}
}

static float
rate_row(const GroveTrainer *t, uint32_t row)
{
	size_t		n_rows = t->shared->dims.n_rows;
	bool		goss = t->shared->config.select == GROVE_SELECT_GOSS;
	double		reg = t->shared->args.score_reg;
	double		sum = 0.0;
	uint32_t	k;

	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		double		g = (double) t->words[k * n_rows + row];
		double		h = (double) t->hess[k * n_rows + row];

		sum += goss ? fabs(g * h) : g * g + reg * (h * h);
	}
	sum = goss ? sum : sqrt(sum);
	return sum < (double) GROVE_SELECT_MAX ? (float) sum : GROVE_SELECT_MAX;
}

void
grove_tasks_rate(GroveTrainer *t, uint32_t worker, uint32_t chunk)
{
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	uint32_t	i;

	for (i = first; i < first + n; i++)
	{
		if (!is_training(t, i))
			continue;
		t->factor[i] = rate_row(t, i);
		grove_select_add(&t->select_bins[worker], t->factor[i]);
	}
}

/* Raises what the chunk knows of the largest gradients and hessians by those of a row that is kept. */
static void
raise_tops(const GroveTrainer *t, uint32_t row, GroveChunk *c)
{
	size_t		n_rows = t->shared->dims.n_rows;
	double		factor = (double) t->factor[row];
	uint32_t	k;

	c->top_factor = t->factor[row] > c->top_factor ? t->factor[row] : c->top_factor;
	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		/* what a step was before it was rounded is half a step off at most */
		double		g = (fabs((double) t->words[k * n_rows + row]) + 0.5) * factor;
		double		h = ((double) t->hess[k * n_rows + row] + 0.5) * factor;

		c->top_gradient = g > c->top_gradient ? g : c->top_gradient;
		c->top_hessian = h > c->top_hessian ? h : c->top_hessian;
	}
}

void
grove_tasks_draw(GroveTrainer *t, uint32_t chunk)
{
	const GrovePhaseArgs *args = &t->shared->args;
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	uint32_t	i;

	c->bag = 0;
	c->top_factor = 0.0f;
	c->top_gradient = 0.0;
	c->top_hessian = 0.0;
	for (i = first; i < first + n; i++)
	{
		double		u = ((double) grove_tasks_bag_bits(t, i, args->bag_key) + 0.5) / 4294967296.0;
		double		p = is_training(t, i) ? grove_select_probability(&args->rule, t->factor[i]) : 0.0;

		t->factor[i] = u < p ? (float) (1.0 / p) : 0.0f;
		if (t->factor[i] > 0.0f)
		{
			c->bag++;
			raise_tops(t, i, c);
		}
	}
	c->out = t->shared->dims.track_out ? n - c->bag : 0;
}
