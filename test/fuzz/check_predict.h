/*
 * check_predict.h: what must hold for the predictions of any model that was
 * read: all walks give the same bits, and end.
 */
#ifndef CHECK_PREDICT_H
#define CHECK_PREDICT_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/predict.h"
#include "../../src/core/predict_batch.h"
#include "../../src/core/shap.h"
#include "../golden/reference.h"

static inline bool
check_same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

/* A value of a categorical feature: some ordinal, also one that is no level, or one at an end of some set's window. */
static inline double
check_ordinal(const GroveModel *model, const GroveFeature *feature, uint32_t pass)
{
	static const uint32_t places[] = {0, 1, 254, 255, 256};
	uint32_t	set = pass * 7919;

	if (pass % 2 == 0 && pass < 8)
		return pass % (feature->n_levels + 1);
	if (pass % 2 == 0)
		return feature->n_levels + pass % 4 / 2;
	return model->n_sets > 0 ? model->set_first[set % model->n_sets] + places[pass % 5] : pass;
}

#define CHECK_ROWS		12
#define CHECK_SHAP_NODES	4096	/* of models whose contributions are looked at; each step visits all nodes of a tree */

/* A row that is nasty to this model; pass tells rows apart. */
static inline void
check_row(const GroveModel *model, uint32_t pass, double *row)
{
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		const GroveFeature *feature = &model->features[i];

		if (feature->kind == GROVE_FEATURE_CATEGORICAL)
			row[i] = check_ordinal(model, feature, pass + i);
		else if (pass < 2)
			row[i] = pass == 0 ? NAN : INFINITY;
		else					/* at, below or above some threshold */
		{
			uint32_t	node = model->n_nodes ? (pass * 7919 + i) % model->n_nodes : 0;
			double		threshold = model->n_nodes ? model->nodes[node].value : 0;

			row[i] = pass % 3 == 0 ? threshold : nextafter(threshold, pass % 3 == 1 ? -INFINITY : INFINITY);
		}
	}
}

/* The same rows at once. */
static inline const char *
check_batch(const GroveModel *model)
{
	double	   *row = malloc(model->n_features * sizeof(double));
	double	   *margins = malloc(model->n_outputs * sizeof(double));
	double	   *many = malloc(CHECK_ROWS * model->n_outputs * sizeof(double));
	double	   *values = calloc((size_t) model->n_features * GROVE_BATCH_STRIDE, sizeof(double));
	size_t		size = 0;
	void	   *memory = grove_predict_batch_size(model, &size) ? malloc(size) : NULL;
	const char *why = memory ? NULL : "there is no batch";

	for (uint32_t pass = 0; pass < CHECK_ROWS; pass++)
	{
		check_row(model, pass, row);
		for (uint32_t i = 0; i < model->n_features; i++)
			values[(size_t) i * GROVE_BATCH_STRIDE + pass] = row[i];
	}
	if (memory)
		grove_predict_batch_run(grove_predict_batch_make(model, memory), values, CHECK_ROWS, many);
	for (uint32_t pass = 0; pass < CHECK_ROWS && !why; pass++)
	{
		check_row(model, pass, row);
		grove_predict_margins(model, row, margins);
		for (uint32_t i = 0; i < model->n_outputs; i++)
		{
			if (!check_same_bits(margins[i], many[pass * model->n_outputs + i]))
				why = "margins of a batch differ";
		}
	}
	free(row);
	free(margins);
	free(many);
	free(values);
	free(memory);
	return why;
}

/* What features contribute to one row; any number will do. */
static inline const char *
check_contributions(const GroveModel *model)
{
	double	   *row = malloc(model->n_features * sizeof(double));
	double	   *contributions = calloc(model->n_features, sizeof(double));
	size_t		size = 0;
	void	   *memory = grove_shap_size(model, &size) ? malloc(size) : NULL;
	GroveShap  *shap = memory ? grove_shap_init(model, memory) : NULL;

	check_row(model, 3, row);
	for (uint32_t i = 0; shap && i < model->n_outputs; i++)
		(void) grove_shap_expected(shap, i);
	for (uint32_t tree = 0; shap && tree < model->n_trees; tree++)
	{
		for (uint32_t step = 0; step < grove_shap_steps(shap); step++)
			grove_shap_step(shap, tree, step, row, contributions);
	}
	free(row);
	free(contributions);
	free(memory);
	return shap ? NULL : "there are no contributions";
}

/* A few rows through the plain walk, the library's walk, and the links. */
static inline const char *
check_predictions(const GroveModel *model)
{
	double	   *row = malloc(model->n_features * sizeof(double));
	double	   *margins = malloc(model->n_outputs * sizeof(double));
	double	   *expected = malloc(model->n_outputs * sizeof(double));
	double	   *probabilities = malloc((model->n_classes + 1) * sizeof(double));
	uint32_t   *leaves = malloc((model->n_trees + 1) * sizeof(uint32_t));
	const char *why = NULL;

	for (uint32_t pass = 0; pass < CHECK_ROWS && !why; pass++)
	{
		check_row(model, pass, row);
		grove_predict_margins(model, row, margins);
		reference_margins(model, row, expected);
		for (uint32_t i = 0; i < model->n_outputs; i++)
		{
			if (!check_same_bits(margins[i], expected[i]))
				why = "margins differ from the plain walk";
		}
		grove_predict_leaves(model, row, leaves);
		for (uint32_t tree = 0; tree < model->n_trees; tree++)
		{
			if (leaves[tree] != reference_leaf(model, tree, row))
				why = "leaves differ from the plain walk";
		}
		(void) grove_predict_value(model, margins);
		if (model->n_classes > 0)
		{
			grove_predict_probabilities(model, margins, probabilities);
			if (grove_predict_best(model, margins) >= model->n_classes)
				why = "the class is out of range";
		}
	}
	free(row);
	free(margins);
	free(expected);
	free(probabilities);
	free(leaves);
	return why;
}

#endif							/* CHECK_PREDICT_H */
