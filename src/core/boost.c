/*
 * boost.c: rounds, bags, early stopping.
 *
 * Sums over rows that decide anything are fixed-point integers here, too, so
 * that the order in which rows arrived cannot move the model.
 */
#include "boost.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "boost_base.h"
#include "boost_select.h"
#include "rng.h"

/* Smaller gradients are rounded in steps of this one's; the scale must be a float. */
#define LEAST_GRADIENT	4e-30

enum
{
	STATE_START,				/* nothing is set up */
	STATE_FIRST_SCORE,			/* SCORE or RANK before the first round */
	STATE_BAG,
	STATE_SELECT,				/* GRADIENT of all rows, before rows are chosen by it */
	STATE_WEIGH,
	STATE_RATE,
	STATE_DRAW,
	STATE_GRADIENT,
	STATE_TREE,					/* a phase of grow.c */
	STATE_RENEW,
	STATE_TREE_DONE,			/* the tree has been reported */
	STATE_OUT,					/* forest: rows outside have their leaves */
	STATE_LEAVES,
	STATE_SCORE,				/* SCORE after a tree */
	STATE_RANK,					/* RANK after SCORE */
	STATE_ROUND_DONE,			/* the round has been reported */
	STATE_FINAL,				/* SCORE or RANK that measures at the end */
	STATE_DONE
};

/* Sums of weights of both parts, the largest weight, and how weights are scaled. */
static void
measure_weights(GroveBoost *boost)
{
	GroveTrainer *t = boost->trainer;
	uint32_t	n = t->shared->dims.n_rows;
	int64_t		train = 0;
	int64_t		validation = 0;
	float		top = 0.0f;
	float		top_train = 0.0f;
	double		scale;
	int			exponent;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		top = grove_boost_weight(t, i) > top ? grove_boost_weight(t, i) : top;
		if (grove_boost_is_training(t, i))
			top_train = grove_boost_weight(t, i) > top_train ? grove_boost_weight(t, i) : top_train;
	}
	if (!(top > 0.0f))
		top = 1.0f;
	scale = grove_boost_sum_scale(n) / (double) top;
	for (i = 0; i < n; i++)
	{
		int64_t		w = (int64_t) ((double) grove_boost_weight(t, i) * scale);

		if (grove_boost_is_training(t, i))
			train += w;
		else
			validation += w;
	}
	t->shared->max_weight = top_train > 0.0f ? top_train : 1.0f;
	t->shared->loss_scale = 1.0 / (double) top;
	t->shared->args.rounding.weight_scale = 1.0f;
	if (t->weight)
	{
		/* products of residuals and weights must not leave the range of floats */
		frexpf(top, &exponent);
		exponent = exponent < -126 ? -126 : exponent > 126 ? 126 : exponent;
		t->shared->args.rounding.weight_scale = ldexpf(1.0f, -exponent);
	}
	boost->train_weight = (double) train / scale;
	boost->validation_weight = (double) validation / scale;
}

/* Groups of the training and of the validation part stand in for their weights, as each counts once. */
static void
count_groups(GroveBoost *boost)
{
	const GroveTrainer *t = boost->trainer;
	uint32_t	g;

	boost->train_weight = 0.0;
	boost->validation_weight = 0.0;
	for (g = 0; g < t->shared->n_groups; g++)
		*(grove_boost_is_training(t, t->group_rows[t->group_start[g]]) ?
		  &boost->train_weight : &boost->validation_weight) += 1.0;
}

/*
 * Scale of the losses that SCORE and RANK sum.  What is not bounded starts
 * with a largest loss of 2^18, and is cut at 2^25; the loss of a class is cut
 * at 1024.  Steps are so fine because a row may weigh little beside another.
 */
static void
scale_losses(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;
	double		top;

	if (s->dims.ranked)
	{
		count_groups(boost);
		s->loss_scale = 262144.0;
		return;
	}
	if (s->config.loss == GROVE_LOSS_LOGISTIC || s->config.loss == GROVE_LOSS_SOFTMAX ||
		s->config.loss == GROVE_LOSS_SHARE)
	{
		s->loss_scale *= 32768.0;
		return;
	}
	top = grove_boost_largest_loss(boost);
	if (top > 0.0)
		s->loss_scale *= 262144.0 / fmin(top, 1e300);
}

void
grove_boost_begin(GroveBoost *boost, GroveTrainer *trainer, bool from_average, double origin,
				  bool has_margin, double *base)
{
	memset(boost, 0, sizeof(*boost));
	boost->trainer = trainer;
	boost->state = STATE_START;
	boost->best_loss = INFINITY;
	measure_weights(boost);
	grove_boost_base(boost, from_average, origin, has_margin, base);
	scale_losses(boost);
	if (trainer->shared->dims.ranked)
	{
		/* rows without gradients, as those for validation, are rounded, too */
		memset(trainer->gradient, 0, trainer->shared->dims.n_rows * sizeof(float));
		memset(trainer->hessian, 0, trainer->shared->dims.n_rows * sizeof(float));
	}
}

/* What the tasks of the last SCORE or RANK found, within what a scale can be made from. */
static double
measured_maximum(const GroveTrainer *t, bool hessian)
{
	double		top = LEAST_GRADIENT;
	uint32_t	i;

	for (i = 0; i < t->shared->n_chunks; i++)
	{
		double		v = (double) (hessian ? t->chunks[i].max_hessian : t->chunks[i].max_gradient);

		top = v > top ? v : top;
	}
	return top < FLT_MAX ? top : FLT_MAX;
}

/* Steps of the integers that the gradients of the tree at hand become, in this mode. */
static void
set_rounding(GroveBoost *boost, GroveHistMode mode)
{
	GroveTrainShared *s = boost->trainer->shared;
	GroveRounding *r = &s->args.rounding;
	double		full = (double) GROVE_WIDE_MAX - 128.0;
	double		top_weight = (double) (s->max_weight * r->weight_scale);
	double		top_g = top_weight;
	double		top_h = top_weight;
	uint64_t	tree = (uint64_t) boost->round * s->dims.n_outputs + boost->output;

	if (grove_loss_measured(s->config.loss))
	{
		top_g = measured_maximum(boost->trainer, false);
		if (!grove_loss_constant_hessian(s->config.loss))
			top_h = measured_maximum(boost->trainer, true);
	}
	else if (s->config.loss == GROVE_LOSS_LOGISTIC)
		top_h *= 0.25;
	else if (s->config.loss == GROVE_LOSS_SOFTMAX)
		top_h *= 0.25 * s->dims.n_outputs / (s->dims.n_outputs - 1);
	top_g = top_g > LEAST_GRADIENT ? top_g : LEAST_GRADIENT;
	top_h = top_h > LEAST_GRADIENT ? top_h : LEAST_GRADIENT;
	r->mode = mode;
	r->g_scale = (float) ((r->mode == GROVE_HIST_PACKED ? GROVE_PACKED_G_MAX : full) / top_g);
	r->h_scale = (float) ((r->mode == GROVE_HIST_PACKED ? GROVE_PACKED_H_MAX : full) / top_h);
	r->key = (uint32_t) grove_rng_hash(grove_rng_key(s->config.seed, GROVE_PURPOSE_ROUNDING), tree);
	grove_boost_set_units(s);
}

void
grove_boost_set_units(GroveTrainShared *s)
{
	const GroveRounding *r = &s->args.rounding;

	s->rules = s->config.rules;
	s->rules.stochastic = r->mode == GROVE_HIST_PACKED;
	s->rules.g_unit = 1.0 / ((double) r->g_scale * (double) r->weight_scale);
	s->rules.h_unit = r->mode == GROVE_HIST_CONSTANT ? 1.0 : 1.0 / ((double) r->h_scale * (double) r->weight_scale);
}

static GroveBoostEvent
run_chunks(GroveBoost *boost, GrovePhase phase, int state)
{
	GroveTrainShared *s = boost->trainer->shared;

	s->phase = phase;
	s->by_part = false;
	s->n_tasks = s->n_chunks;
	s->small = s->dims.n_rows < 4096;
	boost->state = state;
	return GROVE_BOOST_TASKS;
}

/* A phase over the leaves of the tree that has just been grown. */
static GroveBoostEvent
run_leaves(GroveBoost *boost, GrovePhase phase, int state)
{
	GroveTrainShared *s = boost->trainer->shared;

	s->phase = phase;
	s->by_part = phase == GROVE_PHASE_LEAVES;
	s->n_tasks = s->by_part ? s->n_parts : s->n_leaves;
	s->small = s->dims.n_rows < 65536;
	boost->state = state;
	return GROVE_BOOST_TASKS;
}

/* The phase that measures losses and largest gradients when all trees are in the scores. */
static GrovePhase
measuring_phase(const GroveBoost *boost)
{
	return boost->trainer->shared->dims.ranked ? GROVE_PHASE_RANK : GROVE_PHASE_SCORE;
}

/* Whether losses are measured after each round. */
static bool
measures_rounds(const GroveTrainShared *s)
{
	return s->dims.n_validation > 0 || s->config.log_training;
}

/* Whether every tree must be in the scores before the next phase, and not just when the next root is built. */
static bool
needs_score(const GroveBoost *boost)
{
	const GroveTrainShared *s = boost->trainer->shared;

	return s->config.algorithm != GROVE_ALGORITHM_FOREST &&
		(grove_loss_measured(s->config.loss) || measures_rounds(s) ||
		 grove_trainer_keeps_gradients(&s->dims) || s->dims.by_gradient);
}

/* Where the rows of each chunk and of each part go in the lists; false when they do not fit. */
static bool
place_bags(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;
	uint64_t	n_bag = 0;
	uint32_t	part,
				c;

	s->n_out = 0;
	for (part = 0; part < s->n_parts; part++)
	{
		GroveSegment *root = &s->root[part];

		root->begin = (uint32_t) n_bag;
		root->out_begin = s->n_out;
		for (c = grove_trainer_part(s, part); c < grove_trainer_part(s, part + 1); c++)
		{
			t->chunks[c].bag_begin = (uint32_t) n_bag;
			t->chunks[c].out_begin = s->n_out;
			n_bag += t->chunks[c].bag;
			s->n_out += t->chunks[c].out;
		}
		root->count = (uint32_t) n_bag - root->begin;
		root->out_count = s->n_out - root->out_begin;
	}
	s->n_bag = (uint32_t) n_bag;
	return n_bag <= t->bag_capacity;
}

static GroveBoostEvent
begin_tree(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;

	if (!grove_trainer_keeps_gradients(&s->dims) && !s->args.factored)
		set_rounding(boost, s->dims.mode);
	s->args.apply = boost->score_pending;
	boost->score_pending = false;
	s->args.round = boost->round;
	grove_grow_begin(boost->trainer, boost->round, boost->output);
	boost->state = STATE_TREE;
	return GROVE_BOOST_TASKS;
}

static GroveBoostEvent
begin_trees(GroveBoost *boost)
{
	boost->output = 0;
	boost->splits = 0;
	if (grove_trainer_keeps_gradients(&boost->trainer->shared->dims))
	{
		if (!boost->trainer->shared->args.factored)
			set_rounding(boost, boost->trainer->shared->dims.mode);
		return run_chunks(boost, GROVE_PHASE_GRADIENT, STATE_GRADIENT);
	}
	return begin_tree(boost);
}

/*
 * Chooses the rows of the next trees.  A bootstrap sample can be larger than
 * the lists, by design of the rows if not by chance (1 in 10^30); it is then
 * drawn again.
 */
static GroveBoostEvent
draw_bag(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;
	uint64_t	number = boost->round + ((uint64_t) boost->redraws << 32);

	s->args.bag_key = (uint32_t) grove_rng_hash(grove_rng_key(s->config.seed, GROVE_PURPOSE_BAGGING), number);
	if (!grove_boost_select_round(boost->trainer, boost->round))
		return run_chunks(boost, GROVE_PHASE_BAG, STATE_BAG);
	boost->output = 0;
	/* what rows are chosen by is as fine as it can be */
	set_rounding(boost, GROVE_HIST_WIDE);
	return run_chunks(boost, GROVE_PHASE_GRADIENT, STATE_SELECT);
}

/* Gradients are known, and weighed where that is needed: score the rows by them. */
static GroveBoostEvent
rate_rows(GroveBoost *boost)
{
	grove_boost_select_prepare(boost->trainer);
	return run_chunks(boost, GROVE_PHASE_RATE, STATE_RATE);
}

static GroveBoostEvent
begin_round(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;
	uint32_t	freq = s->config.bagging_freq;

	boost->redraws = 0;
	s->args.factored = false;
	if (boost->round == 0 || (s->dims.sampled && freq > 0 && boost->round % freq == 0))
		return draw_bag(boost);
	return begin_trees(boost);
}

/* The bag is counted: use it, or draw another when it is too large. */
static GroveBoostEvent
after_bag(GroveBoost *boost)
{
	if (place_bags(boost->trainer))
		return begin_trees(boost);
	boost->redraws++;
	return draw_bag(boost);
}

/* Mean losses from what the tasks of SCORE or RANK summed. */
static void
read_losses(GroveBoost *boost)
{
	const GroveTrainer *t = boost->trainer;
	double		unit = GROVE_LOSS_UNIT * t->shared->loss_scale;
	GroveBoostTotal train = {0, 0};
	GroveBoostTotal validation = {0, 0};
	uint32_t	c;

	for (c = 0; c < t->shared->n_chunks; c++)
	{
		grove_boost_add(&train, t->chunks[c].train_loss);
		grove_boost_add(&validation, t->chunks[c].validation_loss);
	}
	boost->train_loss = boost->train_weight > 0.0 ? grove_boost_total(&train) / unit / boost->train_weight : 0.0;
	boost->validation_loss = boost->validation_weight > 0.0 ?
		grove_boost_total(&validation) / unit / boost->validation_weight : 0.0;
}

static GroveBoostEvent
end_training(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;

	if (s->config.algorithm == GROVE_ALGORITHM_FOREST)
	{
		boost->state = STATE_DONE;
		return GROVE_BOOST_DONE;
	}
	s->args.apply = boost->score_pending;
	s->args.apply_output = 0;
	s->args.measure = true;
	boost->score_pending = false;
	return run_chunks(boost, measuring_phase(boost), STATE_FINAL);
}

/* The trees of a round are in the scores: judge it, go on or stop. */
static GroveBoostEvent
end_round(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;

	boost->round++;
	if (measures_rounds(s) && s->config.algorithm != GROVE_ALGORITHM_FOREST)
		read_losses(boost);
	if (s->config.early_stopping == 0)
		boost->best_rounds = boost->round;
	else if (boost->validation_loss < boost->best_loss)
	{
		boost->best_loss = boost->validation_loss;
		boost->best_rounds = boost->round;
	}
	boost->state = STATE_ROUND_DONE;
	return GROVE_BOOST_ROUND;
}

/* Whether more rounds would bring nothing: all are done, nothing improves, or no row set could be split. */
static bool
is_finished(const GroveBoost *boost)
{
	const GroveTrainShared *s = boost->trainer->shared;

	if (boost->stopped || boost->round >= s->config.n_rounds)
		return true;
	if (s->config.early_stopping > 0 && boost->round - boost->best_rounds >= s->config.early_stopping)
		return true;
	return boost->splits == 0 && !s->dims.sampled && s->config.feature_fraction >= 1.0 &&
		s->config.feature_fraction_bynode >= 1.0;
}

/* A tree is in the lists of leaves: bring it into the scores now, or with the next root. */
static GroveBoostEvent
after_leaves(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;
	bool		last = boost->output + 1 == s->dims.n_outputs;

	s->args.apply_output = boost->output;
	if (!needs_score(boost))
	{
		boost->score_pending = true;
		return end_round(boost);
	}
	s->args.apply = true;
	s->args.measure = last && measures_rounds(s);
	return run_chunks(boost, GROVE_PHASE_SCORE, STATE_SCORE);
}

/* The tree of an output is used: the next one, or the end of the round. */
static GroveBoostEvent
next_output(GroveBoost *boost)
{
	boost->output++;
	if (boost->output < boost->trainer->shared->dims.n_outputs)
		return begin_tree(boost);
	return end_round(boost);
}

static GroveBoostEvent
after_tree(GroveBoost *boost)
{
	GroveTrainShared *s = boost->trainer->shared;

	if (s->config.algorithm != GROVE_ALGORITHM_FOREST)
		return run_leaves(boost, GROVE_PHASE_LEAVES, STATE_LEAVES);
	if (s->dims.out_scored)
		return run_leaves(boost, GROVE_PHASE_OUT, STATE_OUT);
	return next_output(boost);
}

GroveBoostEvent
grove_boost_next(GroveBoost *boost)
{
	GroveTrainer *t = boost->trainer;

	switch (boost->state)
	{
		case STATE_START:
			t->shared->args.apply = false;
			t->shared->args.measure = false;
			if (grove_loss_measured(t->shared->config.loss))
				return run_chunks(boost, measuring_phase(boost), STATE_FIRST_SCORE);
			return begin_round(boost);
		case STATE_FIRST_SCORE:
			return begin_round(boost);
		case STATE_BAG:
			return after_bag(boost);
		case STATE_SELECT:
			if (grove_boost_select_weighs(t))
				return run_chunks(boost, GROVE_PHASE_WEIGH, STATE_WEIGH);
			return rate_rows(boost);
		case STATE_WEIGH:
			return rate_rows(boost);
		case STATE_RATE:
			grove_boost_select_rule(t);
			return run_chunks(boost, GROVE_PHASE_DRAW, STATE_DRAW);
		case STATE_DRAW:
			grove_boost_select_finish(t);
			return after_bag(boost);
		case STATE_GRADIENT:
			return begin_tree(boost);
		case STATE_TREE:
			if (grove_grow_next(t))
				return GROVE_BOOST_TASKS;
			boost->splits += t->shared->n_leaves - 1;
			if (grove_loss_renewed(t->shared->config.loss))
				return run_leaves(boost, GROVE_PHASE_RENEW, STATE_RENEW);
			boost->state = STATE_TREE_DONE;
			return GROVE_BOOST_TREE;
		case STATE_RENEW:
			boost->state = STATE_TREE_DONE;
			return GROVE_BOOST_TREE;
		case STATE_TREE_DONE:
			return after_tree(boost);
		case STATE_OUT:
			return next_output(boost);
		case STATE_LEAVES:
			return after_leaves(boost);
		case STATE_SCORE:
			if (t->shared->dims.ranked)
				return run_chunks(boost, GROVE_PHASE_RANK, STATE_RANK);
			return next_output(boost);
		case STATE_RANK:
			return next_output(boost);
		case STATE_ROUND_DONE:
			return is_finished(boost) ? end_training(boost) : begin_round(boost);
		case STATE_FINAL:
			read_losses(boost);
			boost->state = STATE_DONE;
			return GROVE_BOOST_DONE;
		default:
			return GROVE_BOOST_DONE;
	}
}

void
grove_boost_stop(GroveBoost *boost)
{
	boost->stopped = true;
}
