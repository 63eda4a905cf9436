/*
 * ccp_folds.c: weakest links, losses of folds, and the choice between them.
 */
#include "ccp_folds.h"

#include <math.h>
#include <string.h>

#include "boost_base.h"
#include "exactsum.h"
#include "sort.h"

void
grove_ccp_path_init(GroveCcpPath *p, const double *gains)
{
	uint32_t	i;

	p->parent[0] = 0;
	p->cost = 0.0;
	for (i = p->n_nodes; i-- > 0;)
	{
		uint32_t	left = p->nodes[i].left;

		p->gain[i] = 0.0;
		p->splits[i] = 0;
		if (left == 0)
			continue;
		p->gain[i] = gains[i] + p->gain[left] + p->gain[left + 1];
		p->splits[i] = 1 + p->splits[left] + p->splits[left + 1];
		p->parent[left] = p->parent[left + 1] = i;
	}
}

bool
grove_ccp_path_cut(GroveCcpPath *p)
{
	uint32_t	weakest = 0;
	uint32_t	splits = p->splits[0];
	double		gain = p->gain[0];
	double		cost;
	uint32_t	i;

	if (splits == 0)
		return false;
	cost = gain / splits;
	for (i = 1; i < p->n_nodes; i++)
	{
		/* what hangs below a node that was cut is not there any more */
		if (p->splits[i] > 0 && p->splits[p->parent[i]] == 0)
			p->splits[i] = 0;
		if (p->splits[i] > 0 && p->gain[i] / p->splits[i] < cost)
		{
			weakest = i;
			cost = p->gain[i] / p->splits[i];
		}
	}
	gain = p->gain[weakest];
	splits = p->splits[weakest];
	for (i = weakest;; i = p->parent[i])
	{
		p->gain[i] -= gain;
		p->splits[i] -= splits;
		if (i == 0)
			break;
	}
	/* rounding must not turn the order of cuts around */
	p->cost = cost > p->cost ? cost : p->cost;
	return true;
}

static bool
is_less(const void *a, const void *b)
{
	return *(const double *) a < *(const double *) b;
}

uint32_t
grove_ccp_candidates(double *costs, size_t n, double candidates[GROVE_CCP_COSTS])
{
	size_t		distinct = 0;
	size_t		i;
	uint32_t	count = 0;
	uint32_t	k;

	grove_sort(costs, n, sizeof(double), is_less);
	for (i = 0; i < n; i++)
	{
		if (distinct == 0 || costs[i] > costs[distinct - 1])
			costs[distinct++] = costs[i];
	}
	candidates[count++] = 0.0;
	if (distinct == 0)
		return count;
	if (distinct - 1 <= GROVE_CCP_COSTS - 2)
	{
		for (i = 0; i + 1 < distinct; i++)
			candidates[count++] = sqrt(costs[i]) * sqrt(costs[i + 1]);
	}
	else
	{
		for (k = 0; k < GROVE_CCP_COSTS - 2; k++)
		{
			i = (size_t) ((uint64_t) k * (distinct - 2) / (GROVE_CCP_COSTS - 3));
			candidates[count++] = sqrt(costs[i]) * sqrt(costs[i + 1]);
		}
	}
	candidates[count++] = costs[distinct - 1];
	return count;
}

double
grove_ccp_weight(const GroveTrainer *trainer)
{
	const GroveTrainShared *s = trainer->shared;
	int64_t		weight = 0;
	uint32_t	i;

	for (i = 0; i < s->n_leaves; i++)
		weight += trainer->leaves[i].sums.h;
	return (double) weight * s->rules.h_unit;
}

void
grove_ccp_judge_leaf(const GroveCcpJudge *judge, const GroveTrainer *t, uint32_t leaf)
{
	const GroveLeaf *l = &t->leaves[leaf];
	bool		share = t->shared->config.loss == GROVE_LOSS_SHARE;
	float		class = (float) t->shared->args.output;
	GroveExactSum weight,
				residual,
				square;
	uint32_t	part,
				i;

	grove_exactsum_init(&weight);
	grove_exactsum_init(&residual);
	grove_exactsum_init(&square);
	for (part = 0; part < t->shared->n_parts; part++)
	{
		const GroveSegment *rows = grove_trainer_segment(t, leaf, part);
		const uint32_t *out = t->out[l->side] + rows->out_begin;

		for (i = 0; i < rows->out_count; i++)
		{
			uint32_t	row = out[i];
			float		label = t->label[row];
			double		w = (double) grove_boost_weight(t, row);
			double		r = (share ? label == class : (double) label) - judge->base;

			if (judge->fold_of[row] != judge->fold)
				continue;
			grove_exactsum_add(&weight, w);
			grove_exactsum_add(&residual, w * r);
			grove_exactsum_add(&square, w * r * r);
		}
	}
	judge->weight[l->node] = grove_exactsum_round(&weight);
	judge->residual[l->node] = grove_exactsum_round(&residual);
	judge->square[l->node] = grove_exactsum_round(&square);
}

void
grove_ccp_judge_finish(const GroveCcpJudge *judge, const GroveTrainer *t)
{
	uint32_t	i;

	for (i = t->shared->n_nodes; i-- > 0;)
	{
		uint32_t	left = t->nodes[i].left;

		if (left == 0)
			continue;
		judge->weight[i] = judge->weight[left] + judge->weight[left + 1];
		judge->residual[i] = judge->residual[left] + judge->residual[left + 1];
		judge->square[i] = judge->square[left] + judge->square[left + 1];
	}
}

/* Squared error of a node's rows when it is a leaf of this value. */
static double
leaf_loss(const GroveCcpJudge *judge, uint32_t node, double value)
{
	double		loss = judge->square[node] - 2.0 * value * judge->residual[node] +
		value * value * judge->weight[node];

	return loss > 0.0 ? loss : 0.0;
}

double
grove_ccp_judge_cost(const GroveCcpJudge *judge, const GroveTrainer *t, double cost)
{
	double	   *worth = judge->worth;
	double	   *loss = judge->loss;
	uint32_t	i;

	for (i = t->shared->n_nodes; i-- > 0;)
	{
		uint32_t	left = t->nodes[i].left;

		worth[i] = 0.0;
		if (left == 0)
		{
			loss[i] = leaf_loss(judge, i, t->nodes[i].value);
			continue;
		}
		worth[i] = grove_ccp_worth(t->node_gain[i], worth[left], worth[left + 1], cost);
		loss[i] = worth[i] > 0.0 ? loss[left] + loss[left + 1] : leaf_loss(judge, i, t->node_output[i]);
	}
	return loss[0];
}

uint32_t
grove_ccp_choose(const double *loss, uint32_t n_folds, uint32_t n_costs, bool one_se, double *mean, double *error)
{
	uint32_t	best = 0;
	uint32_t	chosen;
	uint32_t	c,
				k;

	for (c = 0; c < n_costs; c++)
	{
		double		sum = 0.0;
		double		square = 0.0;

		for (k = 0; k < n_folds; k++)
			sum += loss[(size_t) k * n_costs + c];
		mean[c] = sum / n_folds;
		for (k = 0; k < n_folds; k++)
		{
			double		d = loss[(size_t) k * n_costs + c] - mean[c];

			square += d * d;
		}
		error[c] = sqrt(square / (n_folds - 1) / n_folds);
		if (mean[c] <= mean[best])
			best = c;			/* of equal losses the smallest tree */
	}
	chosen = best;
	for (c = best + 1; one_se && c < n_costs; c++)
	{
		if (mean[c] <= mean[best] + error[best])
			chosen = c;
	}
	return chosen;
}
