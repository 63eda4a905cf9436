/*
 * test_engine_order.c: what must not matter: which process runs a task and
 * when, where the buffer is mapped, in what order the rows arrive, and what
 * the validation rows hold.  The models must agree byte for byte.
 */
#include <stdlib.h>

#include "../../src/core/tasks.h"
#include "engine_kit.h"
#include "unit.h"

#define SEEDS	80
#define RANKED_SEEDS	30
#define CELLS	1000000.0

static void
check(bool holds, uint64_t seed, const char *what)
{
	CHECK(holds);
	if (!holds)
		printf("  seed %llu: %s\n", (unsigned long long) seed, what);
}

/* Random tasks on random workers, in a buffer that moves. */
static void
check_workers(KitCase *kase, uint64_t seed, const KitModel *expected)
{
	static const uint32_t workers[] = {1, 2, 3, 7};

	for (int i = 0; i < 4; i++)
	{
		KitSchedule schedule = {seed * 4 + (uint64_t) i + 1, true, NULL, NULL};
		KitModel	model;

		kase->dims.n_workers = workers[i];
		model = kit_train(kase, &schedule);
		check(kit_model_equal(&model, expected), seed, "workers");
		check(memcmp(model.score, expected->score,
					 (size_t) kase->table.n_rows * kase->table.n_outputs * sizeof(float)) == 0, seed, "scores of workers");
		kit_model_free(&model);
	}
	kase->dims.n_workers = 1;
}

/* The same rows in another order, cut into bins anew. */
static void
check_rows(const KitCase *kase, uint64_t seed, uint32_t max_bins, const KitModel *expected)
{
	KitRandom	random = kit_random(seed + 1000);
	uint32_t   *order = kit_order(&random, kase->table.n_rows);
	KitCase		other = *kase;
	KitSchedule schedule = {0, false, NULL, NULL};
	KitModel	model;

	other.table = kit_table_pick(&kase->table, order, kase->table.n_rows);
	kit_table_cut(&other.table, max_bins);
	check(memcmp(other.table.bins, kase->table.bins, kase->table.n_features * sizeof(GroveFeatureBins)) == 0, seed,
		  "edges of rows in another order");
	model = kit_train(&other, &schedule);
	check(kit_model_equal(&model, expected), seed, "rows in another order");
	kit_model_free(&model);
	kit_table_free(&other.table);
	free(order);
}

/* Trees without the validation rows, and with other labels and weights in these. */
static void
check_validation(const KitCase *kase, uint64_t seed)
{
	KitCase		with = *kase;
	KitCase		without = *kase;
	KitSchedule schedule = {0, false, NULL, NULL};
	uint32_t   *order = kit_alloc(kase->table.n_rows, sizeof(uint32_t));
	uint32_t	n = 0;
	KitModel	a;
	KitModel	b;

	for (uint32_t i = 0; i < kase->table.n_rows; i++)
	{
		if (!kase->table.validation[i])
			order[n++] = i;
		else if (kase->config.loss == GROVE_LOSS_LAMBDARANK)
			kase->table.label[i] = 31.0f - kase->table.label[i];
		else if (grove_loss_measured(kase->config.loss) || grove_loss_renewed(kase->config.loss))
			kase->table.label[i] *= 1000.0f;
		if (kase->table.validation[i] && kase->table.weight)
			kase->table.weight[i] *= 1e6f;
	}
	with.config.early_stopping = 0;
	without.config.early_stopping = 0;
	without.table = kit_table_pick(&kase->table, order, n);
	without.dims = kit_dims(&without.table, &without.config);
	a = kit_train(&with, &schedule);
	b = kit_train(&without, &schedule);
	check(a.n_trees == b.n_trees, seed, "trees with validation rows");
	for (uint32_t i = 0; i < a.n_trees && i < b.n_trees; i++)
		check(a.trees[i].n_nodes == b.trees[i].n_nodes &&
			  memcmp(a.trees[i].nodes, b.trees[i].nodes, a.trees[i].n_nodes * sizeof(GroveNode)) == 0, seed,
			  "a tree with validation rows");
	kit_model_free(&a);
	kit_model_free(&b);
	kit_table_free(&without.table);
	free(order);
}

static void
check_case(KitCase *kase, uint64_t seed)
{
	KitSchedule schedule = {0, false, NULL, NULL};
	KitModel	expected = kit_train(kase, &schedule);

	check_workers(kase, seed, &expected);
	check_rows(kase, seed, 255, &expected);
	if (kase->table.validation)
		check_validation(kase, seed);
	kit_model_free(&expected);
	kit_table_free(&kase->table);
}

int
main(void)
{
	for (uint64_t seed = 1; seed <= SEEDS + RANKED_SEEDS; seed++)
	{
		KitCase		kase = seed <= SEEDS ? kit_case_make(seed, CELLS) : kit_case_make_ranked(seed, CELLS);

		kit_table_cut(&kase.table, 255);
		kase.dims = kit_dims(&kase.table, &kase.config);
		check_case(&kase, seed);
	}
	for (uint64_t seed = 1; seed <= 5; seed++)
	{
		KitCase		kase = kit_case_large(seed < 3 ? GROVE_LOSS_LOGISTIC : seed < 5 ? GROVE_LOSS_SQUARED : GROVE_LOSS_LAMBDARANK,
										  seed == 2, seed);

		check_case(&kase, seed);
	}
	return unit_done();
}
