/*
 * test_engine_large.c: tables of more rows than one accumulator takes: leaves
 * around the size at which packed histograms end, bags of more than a chunk,
 * trees of more leaves than there are slots.  All against the naive learner,
 * by one process and by several.
 */
#include <math.h>
#include <stdlib.h>

#include "naive_trees.h"
#include "unit.h"

#define COLUMNS	4

static const GroveLossKind losses[] = {GROVE_LOSS_LOGISTIC, GROVE_LOSS_SQUARED, GROVE_LOSS_LOGISTIC};

/* Trains by one process and by three; both must do as the naive learner does.  Returns the first model. */
static KitModel
check_case(KitCase *kase, const char *what)
{
	NaiveLearner learner;
	KitSchedule alone = {0, false, naive_check_tree, &learner};
	KitSchedule team = {77, true, NULL, NULL};
	KitModel	model;
	KitModel	other;

	naive_make(&learner, kase);
	model = kit_train(kase, &alone);
	CHECK(learner.message[0] == '\0');
	if (learner.message[0] != '\0')
		printf("  %s, mode %d: %s\n", what, kase->dims.mode, learner.message);
	CHECK(model.cursors_agree);
	kase->dims.n_workers = 3;
	other = kit_train(kase, &team);
	CHECK(kit_model_equal(&model, &other));
	kase->dims.n_workers = 1;
	kit_model_free(&other);
	naive_free(&learner);
	return model;
}

/* Column 0 tells the groups apart, whose sizes are given; the others are noise with some effect. */
static KitCase
grouped_case(GroveLossKind loss, bool weighted, const uint32_t *sizes, uint32_t n_groups, uint32_t levels)
{
	KitRandom	random = kit_random(sizes[0] + loss + levels);
	KitCase		kase;
	uint32_t	n = 0;
	uint32_t	row = 0;

	memset(&kase, 0, sizeof(kase));
	for (uint32_t g = 0; g < n_groups; g++)
		n += sizes[g];
	kase.table = kit_table_make(n, COLUMNS, 1, weighted, false);
	kase.table.bins[2].categorical = true;
	kase.table.bins[2].n_bins = 9;
	for (uint32_t g = 0; g < n_groups; g++)
	{
		for (uint32_t i = 0; i < sizes[g]; i++, row++)
		{
			double	   *v = kase.table.values + (size_t) row * COLUMNS;
			double		effect;

			v[0] = g;
			v[1] = kit_below(&random, levels);
			v[2] = kit_below(&random, 10);
			v[3] = kit_chance(&random, 0.2) ? NAN : (double) kit_below(&random, 6);
			effect = 3.0 * g + 0.3 * sin(v[1]) + 0.2 * (v[2] > 4.0) + 0.2 * kit_normal(&random);
			kase.table.label[row] = loss == GROVE_LOSS_SQUARED ? (float) effect : effect > 3.1;
			if (weighted)
				kase.table.weight[row] = (float) kit_unit(&random);
		}
	}
	kit_table_cut(&kase.table, 255);
	kase.config = kit_config(loss);
	kase.config.max_leaves = 6;
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.from_average = true;
	return kase;
}

/* The first split makes leaves of exactly these sizes. */
static void
test_sizes_of_leaves(void)
{
	static const uint32_t sizes[][2] = {
		{16383, 16384}, {16384, 16384}, {16384, 16385}, {16385, 16385}, {32767, 16383}, {16384, 32767}, {16385, 100}
	};

	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		for (int mode = 0; mode < 3; mode++)
		{
			KitCase		kase = grouped_case(losses[mode], mode == GROVE_HIST_WIDE, sizes[i], 2, 12);
			KitModel	model = check_case(&kase, "sizes of leaves");

			CHECK((int) kase.dims.mode == mode);
			CHECK(model.trees[0].nodes[0].feature == 0);
			CHECK(model.trees[0].nodes[1].count == sizes[i][0] && model.trees[0].nodes[2].count == sizes[i][1]);
			kit_model_free(&model);
			kit_table_free(&kase.table);
		}
	}
}

/*
 * Gradients near the largest magnitude of their mode in every row, in groups of
 * these sizes: of one sign in a group, of both in turn in a group, or of the
 * one in the first and of the other in the second.  A child's histogram is its
 * parent's minus its sibling's, packed words that are full.
 */
static void
test_extreme_gradients(void)
{
	static const uint32_t sizes[][3] = {
		{16383, 1, 16383}, {16384, 16384, 1}, {16383, 16384, 32767}, {32767, 16384, 16385}, {8192, 8192, 32767}, {16384, 8191, 8192}
	};
	static const int signs[][3] = {{1, -1, 1}, {-1, 1, -1}, {1, 0, -1}, {0, -1, 0}};

	for (uint32_t i = 0; i < 6 * 4 * 3; i++)
	{
		const uint32_t *size = sizes[i % 6];
		const int  *sign = signs[i / 6 % 4];
		int			mode = (int) (i / 24);
		KitCase		kase = grouped_case(losses[mode], mode == GROVE_HIST_WIDE, size, 3, 12);
		KitModel	model;

		for (uint32_t row = 0; row < kase.table.n_rows; row++)
		{
			double	   *v = kase.table.values + (size_t) row * COLUMNS;
			int			s = sign[(int) v[0]] != 0 ? sign[(int) v[0]] : row % 2 ? 1 : -1;

			v[1] = s;
			v[2] = 3.0;
			v[3] = NAN;
			kase.table.label[row] = losses[mode] == GROVE_LOSS_SQUARED ? (float) -s : s < 0;
			kase.table.margin[row] = losses[mode] == GROVE_LOSS_SQUARED ? 0.0f : (float) (5 * s);
			if (kase.table.weight)
				kase.table.weight[row] = 1.0f;
		}
		kit_table_cut(&kase.table, 255);
		kase.from_average = false;
		kase.has_margin = true;
		kase.dims = kit_dims(&kase.table, &kase.config);
		model = check_case(&kase, "extreme gradients");
		CHECK(model.trees[0].n_nodes >= 3);
		kit_model_free(&model);
		kit_table_free(&kase.table);
	}
}

/* 20,000 and 50,000 rows; the second round starts from scores that all leaves have reached. */
static void
test_many_rows(void)
{
	static const uint32_t sizes[][3] = {{9000, 8000, 3000}, {30000, 16384, 3616}};

	for (int i = 0; i < 2; i++)
	{
		for (int mode = 0; mode < 3; mode++)
		{
			KitCase		kase = grouped_case(losses[mode], mode == GROVE_HIST_WIDE, sizes[i], 3, 40);
			KitModel	model;

			kase.config.n_rounds = 2;
			kase.config.max_leaves = 15;
			kase.config.learning_rate = 0.3;
			kase.dims = kit_dims(&kase.table, &kase.config);
			model = check_case(&kase, "many rows");
			CHECK(model.n_trees == 2);
			kit_model_free(&model);
			kit_table_free(&kase.table);
		}
	}
}

/* A bootstrap sample can put more entries into a chunk of rows than an accumulator takes. */
static void
test_bootstrap(void)
{
	static const uint32_t sizes[] = {20000, 20000};
	KitCase		kase = grouped_case(GROVE_LOSS_SQUARED, false, sizes, 2, 12);
	KitModel	model;

	kase.config.algorithm = GROVE_ALGORITHM_FOREST;
	kase.config.n_rounds = 4;
	kase.config.bagging_freq = 1;
	kase.dims = kit_dims(&kase.table, &kase.config);
	model = check_case(&kase, "bootstrap");
	CHECK(model.n_trees == 4);
	kit_model_free(&model);
	kit_table_free(&kase.table);
}

/* Rows outside the bag, more than a chunk of them in a leaf, still learn their leaves. */
static void
test_bagging(void)
{
	static const uint32_t sizes[] = {40000, 10000};
	KitCase		kase = grouped_case(GROVE_LOSS_LOGISTIC, false, sizes, 2, 12);
	KitModel	model;

	kase.config.n_rounds = 3;
	kase.config.bagging_freq = 2;
	kase.config.bagging_fraction = 0.4;
	kase.dims = kit_dims(&kase.table, &kase.config);
	model = check_case(&kase, "bagging");
	CHECK(model.n_trees == 3);
	kit_model_free(&model);
	kit_table_free(&kase.table);
}

/* More leaves that can be split than slots: parents whose histogram is gone, both children built. */
static void
test_no_slot_left(void)
{
	for (int mode = 0; mode < 3; mode++)
	{
		uint32_t	n = 3000;
		KitRandom	random = kit_random(5);
		GroveLossKind loss = mode == GROVE_HIST_PACKED ? GROVE_LOSS_LOGISTIC : GROVE_LOSS_SQUARED;
		KitCase		kase;
		KitModel	model;

		memset(&kase, 0, sizeof(kase));
		kase.table = kit_table_make(n, 2, 1, mode == GROVE_HIST_WIDE, false);
		for (uint32_t i = 0; i < n; i++)
		{
			kase.table.values[i * 2] = kit_below(&random, 60);
			kase.table.values[i * 2 + 1] = kit_below(&random, 60);
			kase.table.label[i] = loss == GROVE_LOSS_SQUARED ? (float) kit_normal(&random) : kit_chance(&random, 0.5);
			kase.table.margin[i] = (float) kit_normal(&random);	/* no two rows agree, so that leaves can be split to the end */
			if (kase.table.weight)
				kase.table.weight[i] = (float) (1.0 + kit_unit(&random));
		}
		kit_table_cut(&kase.table, 255);
		kase.config = kit_config(loss);
		kase.config.max_leaves = 1200;
		kase.dims = kit_dims(&kase.table, &kase.config);
		kase.from_average = true;
		kase.has_margin = true;
		model = check_case(&kase, "slots");
		CHECK(model.trees[0].n_nodes == 2399);
		CHECK(model.built_both > 100);
		kit_model_free(&model);
		kit_table_free(&kase.table);
	}
}

/* Rows that are all equal, in more than a chunk, cannot be split. */
static void
test_equal_rows(void)
{
	for (int mode = 0; mode < 3; mode++)
	{
		KitCase		kase;
		KitModel	model;

		memset(&kase, 0, sizeof(kase));
		kase.table = kit_table_make(40000, COLUMNS, 1, mode == GROVE_HIST_WIDE, false);
		for (uint32_t i = 0; i < kase.table.n_rows; i++)
		{
			kase.table.values[i * COLUMNS + 1] = NAN;
			kase.table.values[i * COLUMNS + 2] = 7.0;
			kase.table.label[i] = (float) (i % 2);
			if (kase.table.weight)
				kase.table.weight[i] = 0.5f;
		}
		kit_table_cut(&kase.table, 255);
		kase.config = kit_config(losses[mode]);
		kase.config.n_rounds = 3;
		kase.dims = kit_dims(&kase.table, &kase.config);
		model = check_case(&kase, "equal rows");
		CHECK(model.n_trees == 1 && model.trees[0].n_nodes == 1);
		kit_model_free(&model);
		kit_table_free(&kase.table);
	}
}

int
main(void)
{
	test_sizes_of_leaves();
	test_extreme_gradients();
	test_many_rows();
	test_bootstrap();
	test_bagging();
	test_no_slot_left();
	test_equal_rows();
	return unit_done();
}
