/*
 * test_engine.c: the training engine against a naive learner on random small
 * tables: every node of every tree, the start of the scores, the scores and
 * losses at the end, and when it stops.  A failure prints the seed of its
 * case; "test_engine SEED" runs that one alone.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/boost.h"
#include "../../src/core/rng.h"
#include "naive_trees.h"
#include "unit.h"

#define SEEDS	500
#define CELLS	1000000.0			/* rows * features * bins of a case */

/* What all cases together must have exercised, so that none of it is left out by accident. */
static uint32_t splits;
static uint32_t categorical;
static uint32_t missing;
static uint32_t stopped_early;

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

static void
check_case(uint64_t seed)
{
	KitCase		kase = kit_case_make(seed, CELLS);
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
	kit_model_free(&model);
	naive_free(&learner);
	kit_table_free(&kase.table);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
	{
		check_case(strtoull(argv[1], NULL, 10));
		return unit_done();
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_case(seed);
	CHECK(splits > 10 * SEEDS);
	CHECK(categorical > SEEDS);
	CHECK(missing > SEEDS / 10);
	CHECK(stopped_early > 0);
	return unit_done();
}
