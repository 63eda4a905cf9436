/*
 * test_params.c: the option table against the rules that it has to keep, and
 * its look-up, range checks and defaults.
 */
#include <math.h>
#include <string.h>

#include "../../src/core/params.h"

#include "unit.h"

/* Every entry is usable: a range, a default inside it, a choice for every enum value. */
static void
test_table(void)
{
	const GroveParamInfo *table;
	int			count;
	int			i;
	int			j;

	table = grove_params_table(&count);
	CHECK(count > 20);
	for (i = 0; i < count; i++)
	{
		GroveParams params;

		grove_params_init(&params);
		CHECK(grove_params_find(table[i].name) == &table[i]);
		CHECK(table[i].help[0] != '\0');
		for (j = 0; j < i; j++)
			CHECK(strcmp(table[i].name, table[j].name) != 0);
		if (table[i].type == GROVE_PARAM_TEXT || table[i].type == GROVE_PARAM_JSON)
			continue;
		CHECK(grove_params_get(&params, &table[i]) == table[i].def);
		if (table[i].def != GROVE_AUTO)
			CHECK(grove_params_set(&params, &table[i], table[i].def) == GROVE_OK);
		if (table[i].type != GROVE_PARAM_ENUM)
		{
			CHECK(table[i].min < table[i].max);
			CHECK(GROVE_AUTO < table[i].min);
		}
	}
}

static void
test_aliases(void)
{
	const GroveParamAlias *aliases;
	int			count;
	int			i;
	int			j;

	aliases = grove_params_aliases(&count);
	CHECK(count > 10);
	for (i = 0; i < count; i++)
	{
		const GroveParamInfo *info = grove_params_find(aliases[i].alias);

		CHECK(info != NULL && strcmp(info->name, aliases[i].name) == 0);
		CHECK(strcmp(aliases[i].alias, aliases[i].name) != 0);
		for (j = 0; j < i; j++)
			CHECK(strcmp(aliases[i].alias, aliases[j].alias) != 0);
	}
	CHECK(grove_params_find("eta") == grove_params_find("learning_rate"));
	CHECK(grove_params_find("ETA") == NULL);
	CHECK(grove_params_find("") == NULL);
	CHECK(grove_params_find("num_leaves ") == NULL);
}

static void
test_nearest(void)
{
	char		long_name[200];

	CHECK(strcmp(grove_params_nearest("num_leafs"), "num_leaves") == 0);
	CHECK(strcmp(grove_params_nearest("NUM_LEAVES"), "num_leaves") == 0);
	CHECK(strcmp(grove_params_nearest("etaa"), "eta") == 0);
	CHECK(strcmp(grove_params_nearest("lamda_l1"), "lambda_l1") == 0);
	CHECK(strcmp(grove_params_nearest("learning-rate"), "learning_rate") == 0);
	CHECK(grove_params_nearest("") != NULL);
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CHECK(grove_params_find(grove_params_nearest(long_name)) != NULL);
}

static void
test_set(void)
{
	GroveParams params;
	const GroveParamInfo *leaves = grove_params_find("num_leaves");
	const GroveParamInfo *rate = grove_params_find("learning_rate");
	const GroveParamInfo *algorithm = grove_params_find("algorithm");
	const GroveParamInfo *average = grove_params_find("boost_from_average");
	const GroveParamInfo *positive = grove_params_find("positive_class");

	grove_params_init(&params);
	CHECK(grove_params_set(&params, leaves, 2) == GROVE_OK && params.num_leaves == 2);
	CHECK(grove_params_set(&params, leaves, 32768) == GROVE_OK && params.num_leaves == 32768);
	CHECK(grove_params_set(&params, leaves, 1) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, leaves, 32769) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, leaves, 31.5) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, leaves, NAN) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, leaves, INFINITY) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, leaves, GROVE_AUTO) == GROVE_ERR_RANGE);
	CHECK(params.num_leaves == 32768);

	CHECK(grove_params_set(&params, rate, 0.25) == GROVE_OK && params.learning_rate == 0.25);
	CHECK(grove_params_set(&params, rate, 0) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, rate, NAN) == GROVE_ERR_RANGE);

	CHECK(grove_params_choice(algorithm, "gbdt") == GROVE_PARAM_ALGORITHM_GBDT);
	CHECK(grove_params_choice(algorithm, "forest") == GROVE_PARAM_ALGORITHM_FOREST);
	CHECK(grove_params_choice(algorithm, "tree") == GROVE_PARAM_ALGORITHM_TREE);
	CHECK(grove_params_choice(algorithm, "tre") == -1);
	CHECK(grove_params_choice(algorithm, "forest|tree") == -1);
	CHECK(grove_params_choice(algorithm, "") == -1);
	CHECK(grove_params_choice(grove_params_find("objective"), "multiclass") == GROVE_OBJECTIVE_MULTICLASS);
	CHECK(grove_params_set(&params, algorithm, 2) == GROVE_OK && params.algorithm == 2);
	CHECK(grove_params_set(&params, algorithm, 3) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, algorithm, -1) == GROVE_ERR_RANGE);

	CHECK(grove_params_set(&params, average, 0) == GROVE_OK && !params.boost_from_average);
	CHECK(grove_params_set(&params, average, 2) == GROVE_ERR_RANGE);

	CHECK(grove_params_get_text(&params, positive)[0] == '\0');
	CHECK(grove_params_set_text(&params, positive, "yes, really", 3) == GROVE_OK);
	CHECK(strcmp(params.positive_class.data, "yes") == 0);
	CHECK(strcmp(grove_params_get_text(&params, positive), "yes") == 0);
	CHECK(grove_params_set_text(&params, positive, "", 0) == GROVE_ERR_SIZE);
	CHECK(grove_params_set_text(&params, positive, NULL, GROVE_PARAM_TEXT_BYTES + 1) == GROVE_ERR_SIZE);
	CHECK(grove_params_set_text(&params, leaves, "31", 2) == GROVE_ERR_RANGE);
	CHECK(grove_params_set(&params, positive, 1) == GROVE_ERR_RANGE);
}

/* The defaults that the help texts promise. */
static void
test_resolve(void)
{
	GroveParams params;

	grove_params_init(&params);
	grove_params_resolve(&params, false, 16);
	CHECK(params.num_iterations == 100 && params.num_leaves == 31 && params.min_data_in_leaf == 20);
	CHECK(params.bagging_fraction == 1 && params.feature_fraction_bynode == 1 && params.max_depth == -1);

	grove_params_init(&params);
	params.algorithm = GROVE_PARAM_ALGORITHM_FOREST;
	grove_params_resolve(&params, false, 16);
	CHECK(params.num_iterations == 100 && params.num_leaves == 1024 && params.min_data_in_leaf == 5);
	CHECK(params.bagging_fraction == 1 && params.feature_fraction_bynode == 0.25);

	grove_params_init(&params);
	params.algorithm = GROVE_PARAM_ALGORITHM_FOREST;
	grove_params_resolve(&params, true, 16);
	CHECK(params.feature_fraction_bynode == 1.0 / 3);

	grove_params_init(&params);
	params.algorithm = GROVE_PARAM_ALGORITHM_FOREST;
	grove_params_resolve(&params, false, 0);
	CHECK(params.feature_fraction_bynode == 1);

	grove_params_init(&params);
	params.algorithm = GROVE_PARAM_ALGORITHM_TREE;
	grove_params_resolve(&params, true, 16);
	CHECK(params.num_iterations == 1 && params.num_leaves == 31 && params.min_data_in_leaf == 20);
	CHECK(params.feature_fraction_bynode == 1);

	/* what was given stays */
	grove_params_init(&params);
	params.algorithm = GROVE_PARAM_ALGORITHM_FOREST;
	params.num_iterations = 7;
	params.num_leaves = 8;
	params.min_data_in_leaf = 0;
	params.bagging_fraction = 0.5;
	params.feature_fraction_bynode = 0.75;
	params.max_depth = 0;
	grove_params_resolve(&params, true, 16);
	CHECK(params.num_iterations == 7 && params.num_leaves == 8 && params.min_data_in_leaf == 0);
	CHECK(params.bagging_fraction == 0.5 && params.feature_fraction_bynode == 0.75 && params.max_depth == -1);
}

int
main(void)
{
	test_table();
	test_aliases();
	test_nearest();
	test_set();
	test_resolve();
	return unit_done();
}
