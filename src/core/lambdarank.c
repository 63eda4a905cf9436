/*
 * lambdarank.c: the loop over pairs runs over all rows outside and over the
 * few best ones inside, so that a row's discount is computed once and the
 * inner arrays stay in the nearest cache.
 */
#include "lambdarank.h"

#include "fmath.h"
#include "sort.h"

static inline double
label_gain(float label)
{
	return (double) ((UINT64_C(1) << (int) label) - 1);
}

/* Discount of a rank, from 0. */
static inline double
rank_discount(uint32_t rank)
{
	return 0.6931471805599453 / grove_log(2.0 + (double) rank);
}

static bool
word_before(const void *a, const void *b)
{
	return *(const uint64_t *) a < *(const uint64_t *) b;
}

/* The row at a rank, from 0. */
static inline uint32_t
ranked_row(const GroveRankGroup *group, uint32_t rank)
{
	return group->rows[(uint32_t) group->order[rank]];
}

void
grove_lambdarank_sort(GroveRankGroup *group)
{
	uint32_t	i;

	for (i = 0; i < group->n; i++)
	{
		float		score = group->score[group->rows[i]] + 0.0f;
		uint32_t	bits;

		memcpy(&bits, &score, sizeof(bits));
		bits ^= bits >> 31 ? 0 : UINT32_C(0x7fffffff);	/* descending */
		group->order[i] = (uint64_t) bits << 32 | i;
	}
	grove_sort(group->order, group->n, sizeof(uint64_t), word_before);
}

/* Discounted gain of the first ranks in the best order of the labels. */
static double
best_gain(const GroveRankGroup *group, uint32_t ranks)
{
	uint32_t	count[GROVE_RANK_LABEL_MAX + 1];
	double		sum = 0.0;
	uint32_t	rank = 0;
	uint32_t	i;
	int			label;

	memset(count, 0, sizeof(count));
	for (i = 0; i < group->n; i++)
		count[(int) group->label[group->rows[i]]]++;
	for (label = GROVE_RANK_LABEL_MAX; label > 0; label--)
	{
		for (i = 0; i < count[label] && rank < ranks; i++)
			sum += label_gain((float) label) * rank_discount(rank++);
	}
	return sum;
}

double
grove_lambdarank_loss(const GroveRankGroup *group)
{
	double		best = best_gain(group, GROVE_RANK_METRIC);
	double		sum = 0.0;
	uint32_t	begin,
				end;

	if (!(best > 0.0))
		return 1.0;
	for (begin = 0; begin < group->n && begin < GROVE_RANK_METRIC; begin = end)
	{
		float		score = group->score[ranked_row(group, begin)];
		double		gain = 0.0;
		double		discount = 0.0;

		for (end = begin; end < group->n && group->score[ranked_row(group, end)] == score; end++)
		{
			gain += label_gain(group->label[ranked_row(group, end)]);
			if (end < GROVE_RANK_METRIC)
				discount += rank_discount(end);
		}
		sum += gain / (double) (end - begin) * discount;
	}
	return sum < best ? 1.0 - sum / best : 0.0;
}

/* The best rows of a group, rank by rank. */
typedef struct TopRows
{
	uint32_t	n;
	float		score[GROVE_RANK_TRUNCATION];
	float		gain[GROVE_RANK_TRUNCATION];
	float		discount[GROVE_RANK_TRUNCATION];
	float		g[GROVE_RANK_TRUNCATION];
	float		h[GROVE_RANK_TRUNCATION];
} TopRows;

/* What all pairs of a group share. */
typedef struct PairRules
{
	float		sigma;
	float		inverse_best;
	bool		by_distance;	/* pairs weigh less the further their scores are apart */
} PairRules;

/*
 * Pairs of one row, whose rank is behind theirs, with all top rows; returns
 * the sum of their pulls.  The first loop is free of sums, so that it becomes
 * vector code.
 */
static double
add_pairs(const PairRules *rules, TopRows *top, float score, float gain, float discount, float *g, float *h)
{
	const float sigma = rules->sigma;
	const float nearest = rules->by_distance ? 0.01f : 1.0f;
	const float slope = rules->by_distance ? 1.0f : 0.0f;
	float		pulls[GROVE_RANK_TRUNCATION];
	float		curves[GROVE_RANK_TRUNCATION];
	double		sum = 0.0;
	float		sum_g = 0.0f;
	float		sum_h = 0.0f;
	uint32_t	n = top->n;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		float		rise = top->gain[i] - gain;
		float		direction = rise > 0.0f ? 1.0f : -1.0f;
		float		distance = direction * (top->score[i] - score);
		float		p = 1.0f / (1.0f + grove_expf(sigma * distance));
		float		change = direction * rise * (top->discount[i] - discount) * rules->inverse_best;

		change = sigma * p * change / (nearest + slope * (distance < 0.0f ? -distance : distance));
		pulls[i] = direction * change;
		curves[i] = sigma * (1.0f - p) * change;
	}
	for (i = 0; i < n; i++)
	{
		top->g[i] -= pulls[i];
		top->h[i] += curves[i];
	}
	for (i = 0; i < n; i++)
	{
		sum_g += pulls[i];
		sum_h += curves[i];
		sum += (double) (pulls[i] < 0.0f ? -pulls[i] : pulls[i]);
	}
	*g = sum_g;
	*h = sum_h;
	return sum;
}

void
grove_lambdarank_gradients(const GroveLossShape *shape, const GroveRankGroup *group, float *gradient, float *hessian)
{
	double		best = best_gain(group, shape->rank_truncation);
	double		sum = 0.0;
	PairRules	rules;
	TopRows		top;
	float		factor = 1.0f;
	uint32_t	rank;

	rules.sigma = (float) shape->rank_sigma;
	rules.inverse_best = best > 0.0 ? (float) (1.0 / best) : 0.0f;
	rules.by_distance = shape->rank_norm &&
		group->score[ranked_row(group, 0)] != group->score[ranked_row(group, group->n - 1)];
	top.n = 0;
	for (rank = 0; rank < group->n; rank++)
	{
		uint32_t	row = ranked_row(group, rank);
		float		gain = (float) label_gain(group->label[row]);
		float		discount = (float) rank_discount(rank);
		uint32_t	n = top.n;

		sum += 2.0 * add_pairs(&rules, &top, group->score[row], gain, discount, &gradient[row], &hessian[row]);
		if (n >= shape->rank_truncation)
			continue;
		top.score[n] = group->score[row];
		top.gain[n] = gain;
		top.discount[n] = discount;
		top.g[n] = gradient[row];
		top.h[n] = hessian[row];
		top.n++;
	}
	for (rank = 0; rank < top.n; rank++)
	{
		gradient[ranked_row(group, rank)] = top.g[rank];
		hessian[ranked_row(group, rank)] = top.h[rank];
	}
	if (!shape->rank_norm || !(sum > 0.0))
		return;
	factor = (float) (grove_log(1.0 + sum) / 0.6931471805599453 / sum);
	for (rank = 0; rank < group->n; rank++)
	{
		gradient[group->rows[rank]] *= factor;
		hessian[group->rows[rank]] *= factor;
	}
}
