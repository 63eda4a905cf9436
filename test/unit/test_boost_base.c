/*
 * test_boost_base.c: where scores start: no other constant has a smaller loss,
 * margins and weights counted, whatever the order of rows; and whole trainings
 * of every loss for any order of tasks.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/boost_base.h"
#include "engine_kit.h"
#include "unit.h"

#define ROWS	400

static const GroveLossKind kinds[] = {
	GROVE_LOSS_SQUARED, GROVE_LOSS_LOGISTIC, GROVE_LOSS_ABSOLUTE, GROVE_LOSS_QUANTILE, GROVE_LOSS_HUBER,
	GROVE_LOSS_POISSON, GROVE_LOSS_GAMMA, GROVE_LOSS_TWEEDIE
};

#define KINDS	((int) (sizeof(kinds) / sizeof(kinds[0])))

static KitCase
make_case(uint64_t seed, GroveLossKind loss, bool weighted, bool margin, bool validation)
{
	KitRandom	random = kit_random(seed);
	KitCase		kase;

	memset(&kase, 0, sizeof(kase));
	kase.table = kit_table_make(ROWS, 3, 1, weighted, validation);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		double		u = kit_unit(&random);

		for (uint32_t f = 0; f < 3; f++)
			kase.table.values[(size_t) i * 3 + f] = kit_normal(&random);
		if (loss == GROVE_LOSS_LOGISTIC)
			kase.table.label[i] = u < 0.2;
		else if (loss == GROVE_LOSS_POISSON || loss == GROVE_LOSS_TWEEDIE)
			kase.table.label[i] = u < 0.4 ? 0.0f : (float) (u * u * 9.0);
		else
			kase.table.label[i] = (float) (u * u * 9.0 + 0.1);
		if (weighted)
			kase.table.weight[i] = (float) kit_below(&random, 4);
		if (validation)
			kase.table.validation[i] = kit_chance(&random, 0.2);
		if (margin)
			kase.table.margin[i] = (float) (kit_normal(&random) * 0.5);
	}
	kit_table_cut(&kase.table, 30);
	kase.config = kit_config(loss);
	kase.config.n_rounds = 4;
	kase.config.max_leaves = 8;
	kase.config.learning_rate = 0.3;
	kase.config.rules.min_rows = 5;
	kase.config.shape.quantile_alpha = 0.8;
	kase.config.shape.huber_delta = 1.2;
	kase.config.shape.poisson_step = 0.7;
	kase.config.shape.tweedie_power = 1.4;
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.from_average = true;
	kase.has_margin = margin;
	return kase;
}

/* Weighted loss of the training rows when every score is its margin plus the constant. */
static double
loss_at(const KitCase *kase, double constant)
{
	double		sum = 0.0;

	for (uint32_t i = 0; i < ROWS; i++)
	{
		float		score = (float) ((double) kase->table.margin[i] + constant);
		GroveLossRows rows = {&kase->table.label[i], NULL, &score, NULL, 1, 1, 1, 1.0, &kase->config.shape, NULL, NULL, NULL};

		if (kase->table.validation && kase->table.validation[i])
			continue;
		sum += grove_loss_max(kase->config.loss, &rows) * (kase->table.weight ? (double) kase->table.weight[i] : 1.0);
	}
	return sum;
}

static void
test_minimum(void)
{
	for (uint64_t seed = 0; seed < (uint64_t) KINDS * 8; seed++)
	{
		KitCase		kase = make_case(seed, kinds[seed % KINDS], seed / KINDS % 2, seed / KINDS / 2 % 2, seed / KINDS / 4);
		KitSchedule schedule = {0, false, NULL, NULL};
		KitModel	model = kit_train(&kase, &schedule);
		double		at = loss_at(&kase, model.base[0]);

		for (double step = 0.001; step < 10.0; step *= 3.0)
		{
			CHECK(at <= loss_at(&kase, model.base[0] + step) * (1.0 + 1e-7));
			CHECK(at <= loss_at(&kase, model.base[0] - step) * (1.0 + 1e-7));
		}
		CHECK(model.train_loss < at);
		kit_model_free(&model);
		kit_table_free(&kase.table);
	}
}

/* The same bytes for any order of rows, of tasks, and for tasks of any worker. */
static void
test_order(void)
{
	for (uint64_t seed = 0; seed < (uint64_t) KINDS * 4; seed++)
	{
		KitRandom	random = kit_random(seed + 1000);
		KitCase		kase = make_case(seed, kinds[seed % KINDS], seed / KINDS % 2, false, seed / KINDS / 2);
		KitCase		other = kase;
		KitSchedule plain = {0, false, NULL, NULL};
		KitSchedule mixed = {seed + 1, true, NULL, NULL};
		KitModel	model = kit_train(&kase, &plain);
		KitModel	again;
		uint32_t   *order = kit_order(&random, ROWS);

		other.table = kit_table_pick(&kase.table, order, ROWS);
		other.dims = kit_dims(&other.table, &other.config);
		other.dims.n_workers = 3;
		again = kit_train(&other, &mixed);
		CHECK(model.n_trees == 4);
		CHECK(kit_model_equal(&model, &again));
		kit_model_free(&model);
		kit_model_free(&again);
		kit_table_free(&kase.table);
		kit_table_free(&other.table);
		free(order);
	}
}

/* Rows of one value, rows of weight 0, labels of 0 alone. */
static void
test_corners(void)
{
	for (int k = 0; k < KINDS; k++)
	{
		KitCase		kase = make_case(5, kinds[k], true, false, false);
		KitSchedule schedule = {0, false, NULL, NULL};
		KitModel	model;

		for (uint32_t i = 0; i < ROWS; i++)
			kase.table.label[i] = kinds[k] == GROVE_LOSS_LOGISTIC || kinds[k] == GROVE_LOSS_POISSON ? 0.0f : 3.0f;
		model = kit_train(&kase, &schedule);
		CHECK(isfinite(model.base[0]));
		if (kinds[k] == GROVE_LOSS_GAMMA || kinds[k] == GROVE_LOSS_TWEEDIE)
			CHECK(fabs(exp(model.base[0]) - 3.0) < 1e-6);
		else if (kinds[k] != GROVE_LOSS_LOGISTIC && kinds[k] != GROVE_LOSS_POISSON)
			CHECK(fabs(model.base[0] - 3.0) < 1e-6);
		kit_model_free(&model);
		memset(kase.table.weight, 0, ROWS * sizeof(float));
		model = kit_train(&kase, &schedule);
		CHECK(model.base[0] == 0.0);
		kit_model_free(&model);
		kit_table_free(&kase.table);
	}
	CHECK(grove_boost_sum_scale(1) * 1.0 < 9.2e18 && grove_boost_sum_scale(2000000000) * 2e9 < 9.2e18);
}

int
main(void)
{
	test_minimum();
	test_order();
	test_corners();
	return unit_done();
}
