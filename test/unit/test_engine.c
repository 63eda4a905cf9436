/*
 * test_engine.c: the training engine against a naive learner on random small
 * tables: every node of every tree, the start of the scores, the scores and
 * losses at the end, and when it stops.  A failure prints the seed of its
 * case; "test_engine SEED" runs that one alone, "test_engine SEED ranked" that
 * ranking.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/boost.h"
#include "../../src/core/rng.h"
#include "naive_trees.h"
#include "unit.h"

#define SEEDS	500
#define RANKED_SEEDS	120
#define CELLS	1000000.0			/* rows * features * bins of a case */

/* What all cases together must have exercised, so that none of it is left out by accident. */
static uint32_t splits;
static uint32_t categorical;
static uint32_t missing;
static uint32_t stopped_early;
static uint32_t groups;

static void
check(bool holds, const KitCase *kase, uint64_t seed, const char *what)
{
	CHECK(holds);
	if (!holds)
		printf("  seed %llu: %s; loss %d, algorithm %d, mode %d, %u rows, %u features, %u outputs\n",
			   (unsigned long long) seed, what, kase->config.loss, kase->config.algorithm, kase->dims.mode,
			   kase->table.n_rows, kase->table.n_features, kase->table.n_outputs);
}

static void
check_loss(const KitCase *kase, uint64_t seed, double loss, const float *score, bool validation)
{
	double		expected = naive_mean_loss(kase, score, validation);
	double		rounding = 0.0;

	/* what differences of large numbers lose: scores in single precision, deviances in double */
	for (uint32_t i = 0; i < kase->table.n_rows * kase->table.n_outputs; i++)
	{
		if (kase->config.loss == GROVE_LOSS_LOGISTIC || kase->config.loss == GROVE_LOSS_SOFTMAX)
			rounding = fmax(rounding, 2e-7 * fmax(1.0, fabs((double) score[i])));
		else if (grove_loss_log_link(kase->config.loss))
			rounding = fmax(rounding, 1e-12 * fmax(1.0, (double) kase->table.label[i]));
	}
	check(fabs(loss - expected) <= naive_loss_error(kase, validation) + 1e-6 * fabs(expected) + rounding, kase,
		  seed, validation ? "validation loss" : "training loss");
}

/* Mean loss of the training rows when every score starts from base. */
static double
loss_from(const KitCase *kase, double base)
{
	float	   *score = kit_alloc(kase->table.n_rows, sizeof(float));
	double		loss;

	for (uint32_t i = 0; i < kase->table.n_rows; i++)
		score[i] = (float) ((double) kase->table.margin[i] + base);
	loss = naive_mean_loss(kase, score, false);
	free(score);
	return loss;
}

static void
check_base(const KitCase *kase, uint64_t seed, const KitModel *model)
{
	for (uint32_t k = 0; k < kase->table.n_outputs; k++)
	{
		double		expected = naive_base(kase, k);
		double		tolerance = kase->has_margin ? 3e-6 * (1.0 + fabs(expected)) : 1e-6 * fabs(expected) + 1e-9;
		bool		holds = fabs(model->base[k] - expected) <= tolerance;

		/* one class only: any large number will do; Huber's loss can be flat at its least */
		if (kase->config.loss == GROVE_LOSS_LOGISTIC)
			holds = holds || (kase->has_margin && fabs(expected) > 15.0);
		if (kase->config.loss == GROVE_LOSS_HUBER)
			holds = holds || loss_from(kase, model->base[k]) <= loss_from(kase, expected) * (1.0 + 1e-6);
		check(holds, kase, seed, "base");
	}
}

/* Rounds by the rule: until early_stopping rounds have passed without a better validation loss. */
static void
check_rounds(const KitCase *kase, uint64_t seed, const KitModel *model)
{
	uint32_t	patience = kase->config.early_stopping;
	double		best = INFINITY;
	uint32_t	best_rounds = 0;
	uint32_t	round;

	check(model->n_trees == model->rounds * kase->table.n_outputs, kase, seed, "trees of the rounds");
	if (patience == 0)
	{
		check(model->best_rounds == model->rounds, kase, seed, "rounds to keep");
		return;
	}
	for (round = 1; round <= model->rounds; round++)
	{
		if (model->validation_loss[round - 1] < best)
		{
			best = model->validation_loss[round - 1];
			best_rounds = round;
		}
		if (round - best_rounds >= patience)
			break;
	}
	check(model->best_rounds == best_rounds, kase, seed, "best round");
	check(round >= model->rounds, kase, seed, "round of the stop");
	stopped_early += model->rounds < kase->config.n_rounds;
}

/* A bag is drawn anew every bagging_freq rounds; then the naive learner looks at the tree. */
static void
check_tree(void *arg, const GroveTrainer *trainer, const KitTree *tree)
{
	NaiveLearner *learner = arg;
	const GroveTrainConfig *config = &learner->kase->config;
	uint32_t	round = learner->n_trees / learner->kase->table.n_outputs;

	if (trainer->shared->dims.sampled)
		CHECK(trainer->shared->args.bag_key ==
			  (uint32_t) grove_rng_hash(grove_rng_key(config->seed, GROVE_PURPOSE_BAGGING), round - round % config->bagging_freq));
	naive_check_tree(arg, trainer, tree);
}

/* ------------------------------------------------------------- what had effect */

/* Each takes one thing out of a case; false: it is not in it. */
static bool
drop_monotone(KitCase *kase)
{
	bool		any = false;

	for (uint32_t f = 0; f < kase->table.n_features; f++)
	{
		any |= kase->table.monotone[f] != 0;
		kase->table.monotone[f] = 0;
	}
	return any;
}

static bool
drop_interaction(KitCase *kase)
{
	bool		any = kase->config.interaction;

	kase->config.interaction = false;
	return any;
}

static bool
drop_path_smooth(KitCase *kase)
{
	bool		any = kase->config.rules.path_smooth > 0.0;

	kase->config.rules.path_smooth = 0.0;
	return any;
}

static bool
drop_extra_trees(KitCase *kase)
{
	bool		any = kase->config.extra_trees;

	kase->config.extra_trees = false;
	return any;
}

static bool
drop_weights(KitCase *kase)
{
	bool		any = kase->table.weight != NULL;

	free(kase->table.weight);
	kase->table.weight = NULL;
	return any;
}

static bool
drop_features(KitCase *kase)
{
	bool		any = kase->config.feature_fraction < 1.0 || kase->config.feature_fraction_bynode < 1.0;

	kase->config.feature_fraction = kase->config.feature_fraction_bynode = 1.0;
	return any;
}

static bool
drop_sample(KitCase *kase)
{
	bool		any = kase->dims.sampled && kase->config.algorithm != GROVE_ALGORITHM_FOREST;

	kase->config.select = GROVE_SELECT_BAGGING;
	kase->config.bagging_fraction = 1.0;
	return any;
}

static bool
drop_lambda(KitCase *kase)
{
	bool		any = kase->config.rules.lambda_l1 > 0.0 || kase->config.rules.lambda_l2 > 0.0;

	kase->config.rules.lambda_l1 = kase->config.rules.lambda_l2 = 0.0;
	return any;
}

static bool
drop_step_limit(KitCase *kase)
{
	bool		any = kase->config.rules.max_delta_step > 0.0;

	kase->config.rules.max_delta_step = 0.0;
	return any;
}

static bool
drop_least_gain(KitCase *kase)
{
	bool		any = kase->config.rules.min_gain > 0.0;

	kase->config.rules.min_gain = 0.0;
	return any;
}

static bool
drop_margin(KitCase *kase)
{
	bool		any = kase->has_margin;

	memset(kase->table.margin, 0, (size_t) kase->table.n_rows * kase->table.n_outputs * sizeof(float));
	kase->has_margin = false;
	return any;
}

/* Something that a case may have, and in how many cases the model would be another one without it. */
typedef struct Effect
{
	const char *name;
	bool		(*drop) (KitCase *kase);
	uint32_t	n;
} Effect;

static Effect effects[] = {
	{"monotone", drop_monotone, 0}, {"interaction", drop_interaction, 0}, {"path_smooth", drop_path_smooth, 0},
	{"extra_trees", drop_extra_trees, 0}, {"weights", drop_weights, 0}, {"feature fractions", drop_features, 0},
	{"samples", drop_sample, 0}, {"lambda", drop_lambda, 0}, {"max_delta_step", drop_step_limit, 0},
	{"min_gain", drop_least_gain, 0}, {"margins", drop_margin, 0}
};

#define N_EFFECTS	(sizeof(effects) / sizeof(effects[0]))

/* The first tree has other nodes, in what they split on, or other values. */
static bool
other_tree(const KitModel *a, const KitModel *b)
{
	const KitTree *x = &a->trees[0];
	const KitTree *y = &b->trees[0];

	if (x->n_nodes != y->n_nodes)
		return true;
	for (uint32_t i = 0; i < x->n_nodes; i++)
	{
		if (x->nodes[i].feature != y->nodes[i].feature || x->nodes[i].value != y->nodes[i].value)
			return true;
	}
	return false;
}

/* Trains without each thing that the case has; its first tree must be another one often enough. */
static void
count_effects(const KitCase *kase, const KitModel *model)
{
	KitSchedule schedule = {0, false, NULL, NULL};
	uint32_t   *order = kit_alloc(kase->table.n_rows, sizeof(uint32_t));

	for (uint32_t i = 0; i < kase->table.n_rows; i++)
		order[i] = i;
	for (size_t e = 0; e < N_EFFECTS; e++)
	{
		KitCase		without = *kase;
		KitModel	other;

		without.table = kit_table_pick(&kase->table, order, kase->table.n_rows);
		if (effects[e].drop(&without))
		{
			without.config.limited = drop_monotone(&without) || without.config.extra_trees ||
				without.config.rules.path_smooth > 0.0;
			if (effects[e].drop != drop_monotone)
				memcpy(without.table.monotone, kase->table.monotone, kase->table.n_features);
			without.dims = kit_dims(&without.table, &without.config);
			other = kit_train(&without, &schedule);
			effects[e].n += other_tree(model, &other);
			kit_model_free(&other);
		}
		kit_table_free(&without.table);
	}
	free(order);
}

static void
check_case(uint64_t seed, bool ranked)
{
	KitCase		kase = ranked ? kit_case_make_ranked(seed, CELLS) : kit_case_make(seed, CELLS);
	NaiveLearner learner;
	KitSchedule schedule = {0, false, check_tree, &learner};
	KitModel	model;
	size_t		n_scores = (size_t) kase.table.n_rows * kase.table.n_outputs;

	naive_make(&learner, &kase);
	model = kit_train(&kase, &schedule);
	check(learner.message[0] == '\0', &kase, seed, learner.message);
	check(model.cursors_agree, &kase, seed, "rows that a partition moved");
	check_base(&kase, seed, &model);
	check_rounds(&kase, seed, &model);
	if (kase.config.algorithm != GROVE_ALGORITHM_FOREST)
	{
		check(memcmp(model.score, learner.score, n_scores * sizeof(float)) == 0, &kase, seed, "scores");
		check_loss(&kase, seed, model.train_loss, model.score, false);
		if (kase.dims.n_validation > 0)
			check_loss(&kase, seed, model.last_validation_loss, model.score, true);
	}
	splits += learner.n_splits;
	categorical += learner.n_categorical;
	missing += learner.n_missing;
	groups += learner.n_groups;
	count_effects(&kase, &model);
	kit_model_free(&model);
	naive_free(&learner);
	kit_table_free(&kase.table);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
	{
		check_case(strtoull(argv[1], NULL, 10), argc > 2);
		return unit_done();
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_case(seed, false);
	for (size_t e = 0; e < N_EFFECTS; e++)
	{
		CHECK(effects[e].n > SEEDS / 100);
		if (effects[e].n <= SEEDS / 100)
			printf("  %s: %u trees\n", effects[e].name, effects[e].n);
	}
	for (uint64_t seed = 1; seed <= RANKED_SEEDS; seed++)
		check_case(seed, true);
	CHECK(splits > 10 * SEEDS);
	CHECK(categorical > SEEDS);
	CHECK(missing > SEEDS / 10);
	CHECK(stopped_early > 0);
	CHECK(groups > 10 * RANKED_SEEDS);
	return unit_done();
}
