/*
 * digest_models.c: prints a digest of the trees of each of many trainings, for
 * check_clones.sh.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine_kit.h"

#define SEEDS	150
#define RANKED	30				/* seeds of rankings, behind those */
#define LARGE	6				/* larger tables at last */
#define CELLS	3e5

static uint64_t
add(uint64_t digest, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		digest = (digest ^ ((const uint8_t *) bytes)[i]) * UINT64_C(0x100000001b3);
	return digest;
}

static KitCase
make_case(uint64_t seed)
{
	static const GroveLossKind large[LARGE] = {
		GROVE_LOSS_LOGISTIC, GROVE_LOSS_LOGISTIC, GROVE_LOSS_SQUARED, GROVE_LOSS_POISSON, GROVE_LOSS_HUBER, GROVE_LOSS_LAMBDARANK
	};

	if (seed <= SEEDS)
		return kit_case_make(seed, CELLS);
	if (seed <= SEEDS + RANKED)
		return kit_case_make_ranked(seed, CELLS);
	return kit_case_large(large[seed - SEEDS - RANKED - 1], seed % 2 == 0, seed);
}

int
main(void)
{
	for (uint64_t seed = 1; seed <= SEEDS + RANKED + LARGE; seed++)
	{
		KitCase		kase = make_case(seed);
		KitSchedule schedule = {0, false, NULL, NULL};
		KitModel	model = kit_train(&kase, &schedule);
		uint64_t	digest = UINT64_C(0xcbf29ce484222325);

		for (uint32_t i = 0; i < model.n_trees; i++)
		{
			digest = add(digest, model.trees[i].nodes, model.trees[i].n_nodes * sizeof(GroveNode));
			digest = add(digest, model.trees[i].gain, model.trees[i].n_nodes * sizeof(double));
		}
		digest = add(digest, model.score, (size_t) kase.table.n_rows * model.n_outputs * sizeof(float));
		printf("%llu %u %016llx\n", (unsigned long long) seed, model.n_trees, (unsigned long long) digest);
		kit_model_free(&model);
		kit_table_free(&kase.table);
	}
	return 0;
}
