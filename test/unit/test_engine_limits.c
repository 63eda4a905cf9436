/*
 * test_engine_limits.c: numbers at their limits: gradients of the largest
 * magnitude in every row, labels and weights of any size, weights of 0, bags
 * that are too large, sizes that are refused.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../../src/core/identity.h"
#include "../../src/core/rng.h"
#include "../../src/core/trainer.h"
#include "naive_trees.h"
#include "unit.h"

/* One feature of two values, one of none, one constant; labels follow the first. */
static KitCase
two_groups(GroveLossKind loss, uint32_t n, bool weighted)
{
	KitCase		kase;

	memset(&kase, 0, sizeof(kase));
	kase.table = kit_table_make(n, 3, loss == GROVE_LOSS_SOFTMAX || loss == GROVE_LOSS_SHARE ? 2 : 1, weighted, false);
	for (uint32_t i = 0; i < n; i++)
	{
		kase.table.values[i * 3] = i % 3 == 0;
		kase.table.values[i * 3 + 1] = NAN;
		kase.table.values[i * 3 + 2] = 5.0;
		kase.table.label[i] = (float) (i % 3 == 0);
		if (weighted)
			kase.table.weight[i] = 1.0f;
	}
	kit_table_cut(&kase.table, 255);
	kase.config = kit_config(loss);
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.from_average = true;
	return kase;
}

/* Everything that the model format wants to be finite is. */
static bool
all_finite(const KitModel *model)
{
	for (uint32_t k = 0; k < model->n_outputs; k++)
	{
		if (!isfinite(model->base[k]))
			return false;
	}
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		for (uint32_t i = 0; i < model->trees[t].n_nodes; i++)
		{
			const GroveNode *node = &model->trees[t].nodes[i];

			if (!isfinite(node->value) || !isfinite(node->gain) || !isfinite(node->cover) ||
				node->gain < 0.0f || node->cover < 0.0f)
				return false;
		}
	}
	return isfinite(model->train_loss);
}

/* Margin of the rows in the second group: that of the right leaf; NaN when the tree is not one split. */
static double
second_margin(const KitModel *model)
{
	return model->trees[0].n_nodes == 3 ? model->base[0] + model->trees[0].nodes[2].value : NAN;
}

/* Trains, compares with the naive learner, frees the table. */
static KitModel
train_and_free(KitCase *kase)
{
	NaiveLearner learner;
	KitSchedule schedule = {0, false, naive_check_tree, &learner};
	KitModel	model;

	naive_make(&learner, kase);
	model = kit_train(kase, &schedule);
	CHECK(learner.message[0] == '\0');
	if (learner.message[0] != '\0')
		printf("  loss %d, mode %d: %s\n", kase->config.loss, kase->dims.mode, learner.message);
	CHECK(all_finite(&model));
	naive_free(&learner);
	kit_table_free(&kase->table);
	return model;
}

/* Every row's gradient at its largest, of one sign, in one bin, and far more rows than a chunk. */
static void
test_largest_gradients(void)
{
	for (int sign = -1; sign <= 1; sign += 2)
	{
		for (int weighted = 0; weighted < 2; weighted++)
		{
			for (int loss = GROVE_LOSS_SQUARED; loss <= GROVE_LOSS_SHARE; loss++)
			{
				KitCase		kase = two_groups((GroveLossKind) loss, 50000, weighted);
				KitModel	model;

				for (uint32_t i = 0; i < kase.table.n_rows; i++)
				{
					kase.table.values[i * 3] = 1.0;
					kase.table.label[i] = (float) (loss == GROVE_LOSS_SQUARED ? -sign : sign < 0);
					for (uint32_t k = 0; k < kase.table.n_outputs; k++)
						kase.table.margin[(size_t) k * kase.table.n_rows + i] = loss == GROVE_LOSS_LOGISTIC ?
							(float) (100 * sign) : loss == GROVE_LOSS_SOFTMAX ? (float) (k == 0 ? 100 * sign : 0) : 0.0f;
				}
				kase.from_average = false;
				kase.has_margin = true;
				model = train_and_free(&kase);
				CHECK(model.trees[0].n_nodes == 1);
				if (loss == GROVE_LOSS_SQUARED)
					CHECK(fabs(model.trees[0].nodes[0].value + sign) < 1e-6);
				kit_model_free(&model);
			}
		}
	}
}

/* Hessians at their largest, too: p is a half everywhere. */
static void
test_largest_hessians(void)
{
	for (int weighted = 0; weighted < 2; weighted++)
	{
		KitCase		kase = two_groups(GROVE_LOSS_LOGISTIC, 50000, weighted);
		KitModel	model;

		kase.from_average = false;
		model = train_and_free(&kase);
		CHECK(model.trees[0].n_nodes >= 3);
		CHECK(fabs((double) model.trees[0].nodes[0].cover - 12500.0) < 0.01);
		kit_model_free(&model);
	}
}

/* The largest training set cannot overflow the sums of a bin. */
static void
test_sum_limits(void)
{
	double		entries = (double) GROVE_MAX_ROWS + 12.0 * sqrt((double) GROVE_MAX_ROWS) + 128.0;

	CHECK(entries < (double) UINT32_MAX);
	CHECK(entries * GROVE_WIDE_MAX < 9223372036854775807.0);
	CHECK((double) GROVE_HIST_CHUNK * GROVE_LOSS_CAP * GROVE_LOSS_UNIT < 9223372036854775807.0);
}

/* Labels of any size up to 1e37, which the caller grants: values follow, nothing overflows. */
static void
test_label_sizes(void)
{
	for (int exponent = -44; exponent <= 37; exponent++)
	{
		KitCase		kase = two_groups(GROVE_LOSS_SQUARED, 300, false);
		float		size = (float) pow(10.0, exponent);
		KitModel	model;

		for (uint32_t i = 0; i < kase.table.n_rows; i++)
			kase.table.label[i] *= size;
		model = train_and_free(&kase);
		if (exponent >= -20)
		{
			CHECK(fabs(second_margin(&model) - (double) size) < 1e-5 * (double) size);
		}
		kit_model_free(&model);
	}
}

/* Weights of one size mean the same at any size, but for the covers. */
static void
test_weight_sizes(void)
{
	for (int loss = GROVE_LOSS_SQUARED; loss <= GROVE_LOSS_SHARE; loss++)
	{
		for (int exponent = -44; exponent <= 38; exponent++)
		{
			KitCase		kase = two_groups((GroveLossKind) loss, 300, true);
			KitModel	model;

			for (uint32_t i = 0; i < kase.table.n_rows; i++)
			{
				kase.table.weight[i] = (float) pow(10.0, exponent);
				if (loss == GROVE_LOSS_SQUARED)
					kase.table.label[i] *= 1e37f;
			}
			model = train_and_free(&kase);
			CHECK(model.trees[0].n_nodes == 3);
			CHECK(isfinite(model.train_loss) && model.train_loss >= 0.0);
			if (loss == GROVE_LOSS_SQUARED)
				CHECK(fabs(second_margin(&model) - 1e37) < 1e32);
			kit_model_free(&model);
		}
	}
}

/* One row of a million weights does not hide the losses of the others. */
static void
test_loss_of_light_rows(void)
{
	KitCase		kase = two_groups(GROVE_LOSS_LOGISTIC, 300, true);
	KitSchedule schedule = {0, false, NULL, NULL};
	KitModel	model;

	kase.table.weight[0] = 1e6f;
	kase.table.validation = kit_alloc(kase.table.n_rows, 1);
	for (uint32_t i = 200; i < kase.table.n_rows; i++)
		kase.table.validation[i] = 1;
	kase.dims = kit_dims(&kase.table, &kase.config);
	model = kit_train(&kase, &schedule);
	CHECK(fabs(model.last_validation_loss - naive_mean_loss(&kase, model.score, true)) < 1e-6);
	kit_model_free(&model);
	kit_table_free(&kase.table);
}

/* Without any weight there is nothing to learn, and no division by it. */
static void
test_no_weight(void)
{
	for (int loss = GROVE_LOSS_SQUARED; loss <= GROVE_LOSS_SHARE; loss++)
	{
		KitCase		kase = two_groups((GroveLossKind) loss, 300, true);
		KitModel	model;

		memset(kase.table.weight, 0, kase.table.n_rows * sizeof(float));
		model = train_and_free(&kase);
		CHECK(model.base[0] == 0.0);
		CHECK(model.trees[0].n_nodes == 1 && model.trees[0].nodes[0].value == 0.0);
		kit_model_free(&model);
	}
}

/* Labels that one column decides: no tree needs more than one split, and rounding must not make it think so. */
static void
test_no_noise(void)
{
	for (uint64_t seed = 0; seed < 6; seed++)
	{
		GroveLossKind loss = seed % 2 ? GROVE_LOSS_SOFTMAX : GROVE_LOSS_LOGISTIC;
		KitRandom	random = kit_random(seed);
		KitCase		kase;
		KitSchedule schedule = {0, false, NULL, NULL};
		KitModel	model;
		uint32_t	nodes = 3;

		memset(&kase, 0, sizeof(kase));
		kase.table = kit_table_make(seed < 2 ? 500 : 5000, 10, seed % 2 ? 2 : 1, false, false);
		for (uint32_t i = 0; i < kase.table.n_rows; i++)
		{
			double	   *row = kase.table.values + (size_t) i * 10;

			row[0] = kit_chance(&random, seed < 4 ? 0.3 : 0.02);
			for (uint32_t f = 1; f < 10; f++)
				row[f] = kit_unit(&random);
			kase.table.label[i] = (float) row[0];
		}
		kit_table_cut(&kase.table, 255);
		kase.config = kit_config(loss);
		kase.config.n_rounds = 40;
		kase.config.learning_rate = 0.1;
		kase.dims = kit_dims(&kase.table, &kase.config);
		kase.from_average = true;
		model = kit_train(&kase, &schedule);
		CHECK(model.rounds == 40);
		for (uint32_t t = 0; t < model.n_trees; t++)
			nodes = model.trees[t].n_nodes > nodes ? model.trees[t].n_nodes : nodes;
		CHECK(nodes == 3);
		kit_model_free(&model);
		kit_table_free(&kase.table);
	}
}

static void
note_bag(void *arg, const GroveTrainer *trainer, const KitTree *tree)
{
	(void) tree;
	if (trainer->shared->n_bag > trainer->bag_capacity || trainer->shared->n_bag == 0)
		*(bool *) arg = false;
}

/* Rows chosen, seed in hand, so that each is in the first bag several times: more than the lists hold. */
static void
test_too_large_bag(void)
{
	KitCase		kase = two_groups(GROVE_LOSS_SQUARED, 500, false);
	uint32_t	key;
	uint32_t	identity = 0;
	bool		fits = true;
	KitSchedule schedule = {0, false, note_bag, &fits};
	KitRandom	random = kit_random(1);
	KitModel	model;
	uint8_t		copies;

	kase.config.algorithm = GROVE_ALGORITHM_FOREST;
	kase.config.bagging_freq = 1;
	kase.config.n_rounds = 2;
	kase.dims = kit_dims(&kase.table, &kase.config);
	key = (uint32_t) grove_rng_hash(grove_rng_key(kase.config.seed, GROVE_PURPOSE_BAGGING), 0);
	for (uint32_t i = 0; i < kase.table.n_rows;)
	{
		uint64_t	hash = kit_next(&random);

		identity = (uint32_t) grove_rng_mix(hash);
		grove_tasks_draw_bag(&kase.config, &identity, key, 1, &copies);
		if (copies >= 3)
			kase.table.hash[i++] = hash;
	}
	model = kit_train(&kase, &schedule);
	CHECK(fits);
	CHECK(model.n_trees == 2 && all_finite(&model));
	kit_model_free(&model);
	model = train_and_free(&kase);
	kit_model_free(&model);
}

/* Copies of a row follow the Poisson distribution with the fraction as mean, or a coin. */
static void
test_copies(void)
{
	enum {DRAWS = 200000};

	for (int forest = 0; forest < 2; forest++)
	{
		for (double fraction = 0.1; fraction <= 1.0; fraction += 0.3)
		{
			GroveTrainConfig config;
			uint32_t	identity;
			uint8_t		copies;
			double		counts[16] = {0};
			double		probability = forest ? exp(-fraction) : 1.0 - fraction;
			KitRandom	random = kit_random(3);

			memset(&config, 0, sizeof(config));
			config.algorithm = forest ? GROVE_ALGORITHM_FOREST : GROVE_ALGORITHM_GBDT;
			config.bagging_fraction = fraction;
			for (int i = 0; i < DRAWS; i++)
			{
				identity = (uint32_t) kit_next(&random);
				grove_tasks_draw_bag(&config, &identity, 12345, 1, &copies);
				counts[copies]++;
			}
			for (uint32_t k = 0; k < (forest ? 7 : 2); k++)
			{
				CHECK(fabs(counts[k] - DRAWS * probability) <= 5.0 * sqrt(DRAWS * probability) + 1.0);
				probability = forest ? probability * fraction / (k + 1) : fraction;
			}
		}
	}
}

static void
test_sizes(void)
{
	KitCase		kase = two_groups(GROVE_LOSS_SQUARED, 30, false);
	GroveTrainDims good = kase.dims;
	GroveTrainDims bad;
	size_t		size;

	CHECK(grove_trainer_size(&good, &size) == GROVE_OK);
	bad = good;
	bad.n_features = 0;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad.n_features = GROVE_MAX_FEATURES + 1;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad = good;
	bad.n_rows = (uint32_t) GROVE_MAX_ROWS + 1;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad = good;
	bad.n_validation = good.n_rows + 1;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad = good;
	bad.max_leaves = 1;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad.max_leaves = GROVE_MAX_LEAVES + 1;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad = good;
	bad.n_outputs = GROVE_MAX_CLASSES + 1;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad = good;
	bad.n_workers = 0;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	bad.n_workers = GROVE_MAX_PARTS + 1;
	CHECK(grove_trainer_size(&bad, &size) == GROVE_ERR_RANGE);
	/* the largest of everything is a number of bytes, and not a small one; 32 bits do not hold it */
	bad = good;
	bad.n_rows = (uint32_t) GROVE_MAX_ROWS;
	bad.n_features = GROVE_MAX_FEATURES;
	bad.n_outputs = GROVE_MAX_CLASSES;
	bad.max_leaves = GROVE_MAX_LEAVES;
	bad.n_workers = GROVE_MAX_PARTS;
	bad.mode = GROVE_HIST_WIDE;
	bad.weighted = bad.sampled = true;
	CHECK(grove_trainer_size(&bad, &size) == (sizeof(size_t) > 4 ? GROVE_OK : GROVE_ERR_SIZE));
	CHECK(sizeof(size_t) == 4 || (double) size > 2.0 * GROVE_MAX_ROWS * GROVE_MAX_FEATURES);
	kit_table_free(&kase.table);
}

int
main(void)
{
	test_largest_gradients();
	test_largest_hessians();
	test_sum_limits();
	test_label_sizes();
	test_weight_sizes();
	test_loss_of_light_rows();
	test_no_weight();
	test_no_noise();
	test_too_large_bag();
	test_copies();
	test_sizes();
	return unit_done();
}
