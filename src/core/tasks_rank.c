/*
 * tasks_rank.c: the tasks of a ranking: the groups that begin in one chunk of
 * the rows in the order of groups.  A task takes its groups to their end, also
 * where that is in the next chunk.
 */
#include "lambdarank.h"
#include "tasks.h"

/* The first group that begins at this place or behind it. */
static uint32_t
first_group(const GroveTrainer *t, uint32_t place)
{
	uint32_t	low = 0;
	uint32_t	high = t->shared->n_groups;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (t->group_start[middle] < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Largest gradient and hessian of the group's rows, times scaled weight. */
static void
raise_maxima(const GroveTrainer *t, const GroveRankGroup *group, GroveChunk *c)
{
	uint32_t	i;

	for (i = 0; i < group->n; i++)
	{
		uint32_t	row = group->rows[i];
		float		weight = t->weight ? t->weight[row] * t->shared->args.rounding.weight_scale : 1.0f;
		float		g = t->gradient[row] * weight;
		float		h = t->hessian[row] * weight;

		g = g < 0.0f ? -g : g;
		c->max_gradient = g > c->max_gradient ? g : c->max_gradient;
		c->max_hessian = h > c->max_hessian ? h : c->max_hessian;
	}
}

void
grove_tasks_rank(GroveTrainer *t, uint32_t chunk)
{
	uint32_t	begin;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &begin);
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	last = first_group(t, begin + n);
	uint32_t	g;

	c->train_loss = 0;
	c->validation_loss = 0;
	c->max_gradient = 0.0f;
	c->max_hessian = 0.0f;
	for (g = first_group(t, begin); g < last; g++)
	{
		uint32_t	start = t->group_start[g];
		bool		validation = t->validation && t->validation[t->group_rows[start]];
		GroveRankGroup group;

		if (validation && !t->shared->args.measure)
			continue;
		group.rows = t->group_rows + start;
		group.n = t->group_start[g + 1] - start;
		group.label = t->label;
		group.score = t->score;
		group.order = t->group_order + start;
		grove_lambdarank_sort(&group);
		if (t->shared->args.measure)
			*(validation ? &c->validation_loss : &c->train_loss) +=
				(int64_t) (grove_lambdarank_loss(&group) * GROVE_LOSS_UNIT * t->shared->loss_scale);
		if (validation)
			continue;
		grove_lambdarank_gradients(&t->shared->config.shape, &group, t->gradient, t->hessian);
		raise_maxima(t, &group, c);
	}
}
