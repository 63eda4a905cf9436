/*
 * boost_select.c: sums of chunks become a lambda, histograms become a rule,
 * factors become a scale.
 *
 * Unless it is given, lambda is the square of sum |g| / sum h over the
 * training rows and outputs of the round: the size of a step of one leaf, were
 * all rows to move the same way.  For a squared error it is the square of the
 * mean gradient.
 */
#include "boost_select.h"

#include "boost_base.h"

bool
grove_boost_select_round(const GroveTrainer *t, uint32_t round)
{
	const GroveTrainConfig *config = &t->shared->config;

	if (!t->shared->dims.by_gradient)
		return false;
	return config->select != GROVE_SELECT_GOSS || round >= (uint32_t) (1.0 / config->learning_rate);
}

bool
grove_boost_select_weighs(const GroveTrainer *t)
{
	return t->shared->config.select == GROVE_SELECT_MVS && t->shared->config.mvs_reg < 0.0;
}

void
grove_boost_select_prepare(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;
	GroveBoostTotal gradients = {0, 0};
	GroveBoostTotal hessians = {0, 0};
	double		root;
	uint32_t	c;

	if (grove_boost_select_weighs(t))
	{
		for (c = 0; c < s->n_chunks; c++)
		{
			grove_boost_add(&gradients, t->chunks[c].gradients);
			grove_boost_add(&hessians, t->chunks[c].hessians);
		}
		root = grove_boost_total(&hessians);
		root = root > 0.0 ? grove_boost_total(&gradients) / root : 0.0;
		s->args.score_reg = root * root;
	}
	else
	{
		/* in steps, and small enough that no score is infinite */
		root = (double) s->args.rounding.g_scale / (double) s->args.rounding.h_scale;
		root = root < 1e100 ? root : 1e100;
		s->args.score_reg = s->config.mvs_reg < 1e80 ? s->config.mvs_reg * root * root : 1e80 * root * root;
	}
	for (c = 0; c < s->dims.n_workers; c++)
		memset(&t->select_bins[c], 0, sizeof(GroveSelectBins));
}

void
grove_boost_select_rule(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;
	uint32_t	w;

	for (w = 1; w < s->dims.n_workers; w++)
		grove_select_merge(&t->select_bins[0], &t->select_bins[w]);
	if (s->config.select == GROVE_SELECT_GOSS)
		grove_select_goss(&s->args.rule, &t->select_bins[0], s->config.top_rate, s->config.other_rate);
	else
		grove_select_mvs(&s->args.rule, &t->select_bins[0], s->config.bagging_fraction);
}

/*
 * From the scale that rows were chosen with, under which the largest value is
 * top steps, that of the trees: in packed mode it makes the largest value
 * packed_max, in wide mode it is the same as long as that fits.
 */
static float
fit_scale(GroveHistMode mode, float scale, double top, double packed_max)
{
	double		full = (double) GROVE_WIDE_MAX - 128.0;

	if (mode == GROVE_HIST_PACKED)
		return (float) ((double) scale * (packed_max / (top > 1.0 ? top : 1.0)));
	return top > full ? (float) ((double) scale * (full / top)) : scale;
}

void
grove_boost_select_finish(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;
	GroveRounding *r = &s->args.rounding;
	double		top_gradient = 0.0;
	double		top_hessian = 0.0;
	uint32_t	c;

	s->max_factor = 1.0f;
	for (c = 0; c < s->n_chunks; c++)
	{
		const GroveChunk *chunk = &t->chunks[c];

		s->max_factor = chunk->top_factor > s->max_factor ? chunk->top_factor : s->max_factor;
		top_gradient = chunk->top_gradient > top_gradient ? chunk->top_gradient : top_gradient;
		top_hessian = chunk->top_hessian > top_hessian ? chunk->top_hessian : top_hessian;
	}
	r->mode = s->dims.mode;
	r->g_scale = fit_scale(r->mode, r->g_scale, top_gradient, GROVE_PACKED_G_MAX);
	r->h_scale = fit_scale(r->mode, r->h_scale, top_hessian, GROVE_PACKED_H_MAX);
	grove_boost_set_units(s);
	s->args.factored = true;
}
