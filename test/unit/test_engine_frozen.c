/*
 * test_engine_frozen.c: the bytes of trained models, frozen.
 *
 * A model must not depend on the machine, its word size, byte order, C library
 * or compiler.  The data of these trainings come from additions and
 * multiplications only, so whoever computes the same gets the same digests:
 * run_portable.sh asks other machines.  A change of the engine that is meant to
 * change models writes the digests anew; it is the only reason to.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/bytes.h"
#include "../../src/core/digest.h"
#include "engine_kit.h"
#include "unit.h"

#define ROWS		3000
#define FEATURES	9
#define CLASSES		3

/* A training and the digest of what it gave. */
typedef struct Frozen
{
	GroveLossKind loss;
	GroveAlgorithm algorithm;
	GroveSelectKind select;
	bool		limited;
	const char *digest;
} Frozen;

static const Frozen frozen[] = {
	{GROVE_LOSS_SQUARED, GROVE_ALGORITHM_TREE, GROVE_SELECT_BAGGING, false, "070aa6f1bfa6be9988faaffffb7afc29"},
	{GROVE_LOSS_SQUARED, GROVE_ALGORITHM_FOREST, GROVE_SELECT_BAGGING, false, "804d93efbc6f3d219f729bae709a44bf"},
	{GROVE_LOSS_SQUARED, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "95a4f50ea7e6f8759c958fac3c7a7753"},
	{GROVE_LOSS_LOGISTIC, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "052f2a54c4d7bed1e7de14cb59bbe356"},
	{GROVE_LOSS_LOGISTIC, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, true, "78bc6b7889ee66497e751e341db4c90b"},
	{GROVE_LOSS_LOGISTIC, GROVE_ALGORITHM_GBDT, GROVE_SELECT_GOSS, false, "8149de742a7d0851fba359b04037efa6"},
	{GROVE_LOSS_LOGISTIC, GROVE_ALGORITHM_GBDT, GROVE_SELECT_MVS, false, "eeddc59f99831fb17d21235b58111c44"},
	{GROVE_LOSS_SOFTMAX, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "5fa0ad5abc40e376b03a3221a7d5b352"},
	{GROVE_LOSS_SHARE, GROVE_ALGORITHM_FOREST, GROVE_SELECT_BAGGING, false, "9b7e23d81a630355142d055b6bc8f0b2"},
	{GROVE_LOSS_ABSOLUTE, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "ec813b9ffc78dfeea4fbc273c6b3757a"},
	{GROVE_LOSS_QUANTILE, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "84dd91ceab778d6b5098bbf04dfb0d40"},
	{GROVE_LOSS_HUBER, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "344f6d429a006e328b101128b61f5f95"},
	{GROVE_LOSS_POISSON, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "64cf66a4817bc1bc68d1be30c286711d"},
	{GROVE_LOSS_GAMMA, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "6ebe1ececa09239da72f9ed170d8623a"},
	{GROVE_LOSS_TWEEDIE, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "5890fb741e7ef8287e27010e66f7d4c9"},
	{GROVE_LOSS_LAMBDARANK, GROVE_ALGORITHM_GBDT, GROVE_SELECT_BAGGING, false, "57f7fe7c7b643537bb84c65e7c9b8307"}
};

/* Numbers, numbers with holes, few values, categories. */
static void
fill_row(KitTable *t, uint32_t row, KitRandom *random)
{
	double	   *values = t->values + (size_t) row * FEATURES;

	for (uint32_t f = 0; f < FEATURES; f++)
	{
		double		hole = kit_unit(random);

		if (t->bins[f].categorical)
			values[f] = 1.0 + kit_below(random, 20 + f);
		else if (f % 3 == 1)
			values[f] = kit_below(random, 5 + f);
		else
			values[f] = kit_normal(random);
		if (f % 2 == 1 && hole < 0.2)
			values[f] = NAN;
	}
}

static float
label_of(GroveLossKind loss, double effect)
{
	switch (loss)
	{
		case GROVE_LOSS_LOGISTIC:
			return effect > 0.3;
		case GROVE_LOSS_SOFTMAX:
		case GROVE_LOSS_SHARE:
		case GROVE_LOSS_LAMBDARANK:
			return effect < -0.5 ? 0.0f : effect < 0.8 ? 1.0f : 2.0f;
		case GROVE_LOSS_POISSON:
			return effect < 0.0 ? 0.0f : (float) (int) (effect * 2.0);
		case GROVE_LOSS_GAMMA:
			return (float) (0.1 + effect * effect);
		case GROVE_LOSS_TWEEDIE:
			return effect < 0.0 ? 0.0f : (float) effect;
		default:
			return (float) effect;
	}
}

static KitCase
make_case(const Frozen *f)
{
	KitRandom	random = kit_random(20);
	bool		classes = f->loss == GROVE_LOSS_SOFTMAX || f->loss == GROVE_LOSS_SHARE;
	KitCase		kase;

	memset(&kase, 0, sizeof(kase));
	kase.table = kit_table_make(ROWS, FEATURES, classes ? CLASSES : 1, f->loss != GROVE_LOSS_LOGISTIC, true);
	if (f->loss == GROVE_LOSS_LAMBDARANK)
		kase.table.group = kit_alloc(ROWS, sizeof(uint64_t));
	for (uint32_t i = 2; i < FEATURES; i += 3)
	{
		kase.table.bins[i].categorical = true;
		kase.table.bins[i].n_bins = 20 + i;
	}
	for (uint32_t i = 0; i < ROWS; i++)
	{
		const double *values = kase.table.values + (size_t) i * FEATURES;
		double		effect;

		fill_row(&kase.table, i, &random);
		effect = values[0] * values[6] * 0.5 + (isnan(values[1]) ? 1.0 : values[1] * 0.125) +
			(values[2] > 12.0 ? 0.75 : -0.25) + 0.5 * kit_normal(&random);
		kase.table.label[i] = label_of(f->loss, effect);
		if (kase.table.weight)
			kase.table.weight[i] = (float) (0.25 + kit_unit(&random));
		kase.table.validation[i] = kit_chance(&random, 0.2);
		if (kase.table.group)
			kase.table.group[i] = i / 20;
	}
	kit_table_cut(&kase.table, 255);
	kase.config = kit_config(f->loss);
	kase.config.algorithm = f->algorithm;
	kase.config.select = f->select;
	kase.config.seed = 3;
	kase.config.n_rounds = f->algorithm == GROVE_ALGORITHM_TREE ? 1 : 4;
	kase.config.learning_rate = f->algorithm == GROVE_ALGORITHM_GBDT ? 0.1 : 1.0 / kase.config.n_rounds;
	kase.config.bagging_freq = f->algorithm == GROVE_ALGORITHM_TREE ? 0 : 1;
	kase.config.bagging_fraction = f->select == GROVE_SELECT_GOSS ? 1.0 : 0.7;
	kase.config.feature_fraction_bynode = 0.8;
	kase.config.top_rate = 0.2;
	kase.config.other_rate = 0.3;
	kase.config.mvs_reg = -1;
	kase.config.rules.min_rows = 5;
	kase.config.rules.lambda_l1 = 0.01;
	kase.config.rules.lambda_l2 = 0.1;
	kase.config.rules.cat_smooth = 1;
	kase.config.limited = f->limited;
	kase.config.extra_trees = f->limited;
	kase.config.rules.path_smooth = f->limited ? 0.5 : 0.0;
	kase.table.monotone[0] = f->limited;
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.from_average = true;
	return kase;
}

/* The model's numbers in little-endian order. */
static size_t
put_model(uint8_t *to, const KitModel *model)
{
	uint8_t    *at = to;

	for (uint32_t i = 0; i < model->n_outputs; i++, at += 8)
		grove_bytes_put_double(at, model->base[i]);
	for (uint32_t t = 0; t < model->n_trees; t++)
	{
		const KitTree *tree = &model->trees[t];

		for (uint32_t i = 0; i < tree->n_nodes; i++, at += 32)
		{
			const GroveNode *node = &tree->nodes[i];

			grove_bytes_put_double(at, node->value);
			grove_bytes_put_float(at + 8, node->gain);
			grove_bytes_put_float(at + 12, node->cover);
			grove_bytes_put32(at + 16, node->count);
			grove_bytes_put32(at + 20, node->left);
			grove_bytes_put32(at + 24, node->set);
			grove_bytes_put16(at + 28, node->feature);
			grove_bytes_put16(at + 30, node->flags);
		}
		memcpy(at, tree->sets, tree->n_sets * sizeof(*tree->sets));
		at += tree->n_sets * sizeof(*tree->sets);
	}
	for (uint32_t i = 0; i < ROWS * model->n_outputs; i++, at += 4)
		grove_bytes_put_float(at, model->score[i]);
	for (uint32_t i = 0; i < model->rounds; i++, at += 8)
		grove_bytes_put_double(at, model->validation_loss[i]);
	grove_bytes_put_double(at, model->train_loss);
	return (size_t) (at + 8 - to);
}

static void
check_frozen(const Frozen *f, int number)
{
	KitSchedule schedule = {0, false, NULL, NULL};
	KitCase		kase = make_case(f);
	KitModel	model = kit_train(&kase, &schedule);
	uint8_t    *bytes = kit_alloc(1, 1 << 20);
	size_t		length = put_model(bytes, &model);
	GroveDigest digest;
	uint8_t		result[GROVE_DIGEST_BYTES];
	char		text[2 * GROVE_DIGEST_BYTES + 1];

	grove_digest_init(&digest, length);
	grove_digest_update(&digest, bytes, length);
	grove_digest_final(&digest, result);
	for (int i = 0; i < GROVE_DIGEST_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", result[i]);
	CHECK(model.n_trees > 0 && model.trees[0].n_nodes > 20);
	CHECK(strcmp(text, f->digest) == 0);
	if (strcmp(text, f->digest) != 0)
		printf("  training %d: %s\n", number, text);
	kit_model_free(&model);
	kit_table_free(&kase.table);
	free(bytes);
}

int
main(void)
{
	for (int i = 0; i < (int) (sizeof(frozen) / sizeof(frozen[0])); i++)
		check_frozen(&frozen[i], i);
	return unit_done();
}
