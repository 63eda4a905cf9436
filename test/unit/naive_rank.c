/*
 * naive_rank.c: NDCG and LambdaMART's gradients by their published
 * definitions, in doubles with libm, over all pairs.
 */
#include "naive_rank.h"

#include <math.h>
#include <stdlib.h>

#include "engine_kit.h"

static double
gain(double y)
{
	return pow(2, y) - 1;
}

static double
discount(uint32_t rank)
{
	return 1 / log2(2.0 + rank);
}

static int
descending(const void *a, const void *b)
{
	return kit_compare_doubles(b, a);
}

double
naive_rank_best(const GroveRankGroup *group, uint32_t ranks)
{
	double	   *sorted = kit_alloc(group->n, sizeof(double));
	double		sum = 0;

	for (uint32_t i = 0; i < group->n; i++)
		sorted[i] = (double) group->label[group->rows[i]];
	qsort(sorted, group->n, sizeof(double), descending);
	for (uint32_t i = 0; i < group->n && i < ranks; i++)
		sum += gain(sorted[i]) * discount(i);
	free(sorted);
	return sum;
}

void
naive_rank_gradients(const GroveLossShape *shape, const GroveRankGroup *group, double *g, double *h)
{
	const float *score = group->score;
	const float *label = group->label;
	uint32_t	n = group->n;
	uint32_t	first = group->rows[(uint32_t) group->order[0]];
	uint32_t	last = group->rows[(uint32_t) group->order[n - 1]];
	double		best = naive_rank_best(group, shape->rank_truncation);
	double		sum = 0;

	for (uint32_t i = 0; i < n; i++)
		g[group->rows[i]] = h[group->rows[i]] = 0;
	for (uint32_t i = 0; best > 0 && i < n && i < shape->rank_truncation; i++)
	{
		for (uint32_t j = i + 1; j < n; j++)
		{
			uint32_t	a = group->rows[(uint32_t) group->order[i]];
			uint32_t	b = group->rows[(uint32_t) group->order[j]];
			uint32_t	high = label[a] > label[b] ? a : b;
			uint32_t	low = high == a ? b : a;
			double		distance = (double) score[high] - (double) score[low];
			double		change = (gain(label[high]) - gain(label[low])) * fabs(discount(i) - discount(j)) / best;
			double		p = 1 / (1 + exp(shape->rank_sigma * distance));

			if (label[a] == label[b])
				continue;
			if (shape->rank_norm && score[first] != score[last])
				change /= 0.01 + fabs(distance);
			g[high] -= shape->rank_sigma * change * p;
			g[low] += shape->rank_sigma * change * p;
			h[high] += shape->rank_sigma * shape->rank_sigma * change * p * (1 - p);
			h[low] += shape->rank_sigma * shape->rank_sigma * change * p * (1 - p);
			sum += 2 * shape->rank_sigma * change * p;
		}
	}
	for (uint32_t i = 0; shape->rank_norm && sum > 0 && i < n; i++)
	{
		g[group->rows[i]] *= log2(1 + sum) / sum;
		h[group->rows[i]] *= log2(1 + sum) / sum;
	}
}

double
naive_rank_loss(const GroveRankGroup *group)
{
	double		best = naive_rank_best(group, GROVE_RANK_METRIC);
	double		sum = 0;

	for (uint32_t i = 0; i < group->n; i++)
	{
		float		score = group->score[group->rows[i]];
		uint32_t	before = 0;
		uint32_t	equal = 0;
		double		discounts = 0;

		/* a row is at each of the ranks of its ties with the same probability */
		for (uint32_t j = 0; j < group->n; j++)
		{
			before += group->score[group->rows[j]] > score;
			equal += group->score[group->rows[j]] == score;
		}
		for (uint32_t rank = before; rank < before + equal && rank < GROVE_RANK_METRIC; rank++)
			discounts += discount(rank);
		sum += gain((double) group->label[group->rows[i]]) * discounts / equal;
	}
	return best > 0 ? 1 - sum / best : 1;
}
