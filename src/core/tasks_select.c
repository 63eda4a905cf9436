/*
 * tasks_select.c: the tasks that choose the rows of a round by the gradients
 * that GRADIENT has left in words and hess.
 *
 * These are integers, so that sums and scores do not depend on who adds or in
 * what order.  A row's score is, over the outputs, the sum of |g h| (goss) or
 * the root of the sum of g^2 + lambda h^2 (mvs).
 */
#include "clones.h"
#include "tasks.h"

#include <math.h>
#include <string.h>

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

#define BLOCK	256				/* rows whose scores are summed in the nearest cache */

/* Adds what one output says of n rows. */
GROVE_CLONES static void
add_scores(bool goss, double reg, const int32_t *g, const int32_t *h, uint32_t n, double *sum)
{
	uint32_t	i;

	if (goss)
	{
		for (i = 0; i < n; i++)
			sum[i] += fabs((double) g[i] * (double) h[i]);
	}
	else
	{
		for (i = 0; i < n; i++)
			sum[i] += (double) g[i] * (double) g[i] + reg * ((double) h[i] * (double) h[i]);
	}
}

/* Scores of n <= BLOCK rows. */
static void
rate_rows(const GroveTrainer *t, uint32_t first, uint32_t n, float *score)
{
	size_t		n_rows = t->shared->dims.n_rows;
	bool		goss = t->shared->config.select == GROVE_SELECT_GOSS;
	double		sum[BLOCK] = {0.0};
	uint32_t	k,
				i;

	for (k = 0; k < t->shared->dims.n_outputs; k++)
		add_scores(goss, t->shared->args.score_reg, t->words + k * n_rows + first, t->hess + k * n_rows + first, n, sum);
	for (i = 0; i < n; i++)
	{
		double		s = goss ? sum[i] : sqrt(sum[i]);

		score[i] = s < (double) GROVE_SELECT_MAX ? (float) s : GROVE_SELECT_MAX;
	}
}

void
grove_tasks_rate(GroveTrainer *t, uint32_t worker, uint32_t chunk)
{
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	uint32_t	i;

	for (i = 0; i < n; i += BLOCK)
		rate_rows(t, first + i, n - i < BLOCK ? n - i : BLOCK, t->factor + first + i);
	for (i = first; i < first + n; i++)
	{
		if (is_training(t, i))
			grove_select_add(&t->select_bins[worker], t->factor[i]);
	}
}

/* From the scores of n rows, which are in factor, to how often each counts; a row is kept when its bits say so. */
static grove_inlined void
draw_rows(const GroveSelectKind kind, const GroveSelectRule *rule, const uint32_t *identity, uint32_t bag_key, uint32_t n,
		  float *factor, uint8_t *copies)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		double		u = ((double) grove_tasks_bag_bits(identity[i], bag_key) + 0.5) / 4294967296.0;
		double		p = grove_select_probability(kind, rule, factor[i]);

		factor[i] = u < p ? (float) (1.0 / p) : 0.0f;
		copies[i] = u < p;
	}
}

GROVE_CLONES static void
draw_any(const GroveSelectRule *rule, const uint32_t *identity, uint32_t bag_key, uint32_t n, float *factor, uint8_t *copies)
{
	if (rule->kind == GROVE_SELECT_GOSS)
		draw_rows(GROVE_SELECT_GOSS, rule, identity, bag_key, n, factor, copies);
	else
		draw_rows(GROVE_SELECT_MVS, rule, identity, bag_key, n, factor, copies);
}

/*
 * The largest of n magnitudes in steps, times factor, and of top.  What a step
 * was before it was rounded is half a step off at most.  Doubles that are not
 * negative are compared as integers, which is the same and can be done for
 * several at once.
 */
GROVE_CLONES static double
raise_top(const int32_t *steps, const float *factor, uint32_t n, double top)
{
	int64_t		most;
	uint32_t	i;

	memcpy(&most, &top, sizeof(most));
	for (i = 0; i < n; i++)
	{
		double		value = (fabs((double) steps[i]) + 0.5) * (double) factor[i];
		int64_t		bits;

		memcpy(&bits, &value, sizeof(bits));
		most = bits > most ? bits : most;
	}
	memcpy(&top, &most, sizeof(top));
	return top;
}

void
grove_tasks_draw(GroveTrainer *t, uint32_t chunk)
{
	const GrovePhaseArgs *args = &t->shared->args;
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	float	   *factor = t->factor + first;
	uint32_t	k,
				i;

	draw_any(&args->rule, t->identity + first, args->bag_key, n, factor, t->copies + first);
	for (i = 0; t->validation && i < n; i++)
	{
		if (t->validation[first + i])
		{
			factor[i] = 0.0f;
			t->copies[first + i] = 0;
		}
	}
	c->top_factor = 0.0f;
	c->top_gradient = 0.0;
	c->top_hessian = 0.0;
	for (i = 0; i < n; i++)
		c->top_factor = factor[i] > c->top_factor ? factor[i] : c->top_factor;
	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		size_t		at = (size_t) k * t->shared->dims.n_rows + first;

		c->top_gradient = raise_top(t->words + at, factor, n, c->top_gradient);
		c->top_hessian = raise_top(t->hess + at, factor, n, c->top_hessian);
	}
	grove_tasks_count(t, chunk);
}
