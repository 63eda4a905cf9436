/*
 * check_model.h: what must hold for any bytes whatever, used by the fuzz
 * target and by the unit test.
 *
 * The bytes are sealed first (length, digest, checksum), so that the rules
 * behind the checksum are reached.  They are then either refused with a rule, or
 * decode to a model that encodes to the same bytes and can be walked.  Memory
 * is allocated at its exact size, for a sanitizer to watch.
 */
#ifndef CHECK_MODEL_H
#define CHECK_MODEL_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/bytes.h"
#include "../../src/core/predict.h"
#include "../golden/reference.h"

typedef enum CheckResult
{
	CHECK_REFUSED,				/* with a rule, or a status that needs none */
	CHECK_SAME,					/* accepted, and everything holds */
	CHECK_WRONG					/* accepted or refused against the rules; *why tells */
} CheckResult;

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

	for (int pass = 0; pass < 12 && !why; pass++)
	{
		for (uint32_t i = 0; i < model->n_features; i++)
		{
			const GroveFeature *feature = &model->features[i];

			if (feature->kind == GROVE_FEATURE_CATEGORICAL)
				row[i] = check_ordinal(model, feature, (uint32_t) pass + i);
			else if (pass < 2)
				row[i] = pass == 0 ? NAN : INFINITY;
			else				/* at, below or above some threshold */
			{
				uint32_t	node = model->n_nodes ? (uint32_t) (pass * 7919 + i) % model->n_nodes : 0;
				double		threshold = model->n_nodes ? model->nodes[node].value : 0;

				row[i] = pass % 3 == 0 ? threshold : nextafter(threshold, pass % 3 == 1 ? -INFINITY : INFINITY);
			}
		}
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

static inline const char *
check_round_trip(const GroveModel *model, const uint8_t *bytes, size_t length)
{
	size_t		size = 0;
	uint8_t    *again;
	const char *why = NULL;

	if (grove_model_write_size(model, &size) != GROVE_OK || size != length)
		return "the size of the encoding differs";
	again = malloc(size);
	if (grove_model_write(model, again, size) != GROVE_OK || memcmp(again, bytes, size) != 0)
		why = "the encoding differs";
	free(again);
	return why;
}

static inline const char *
check_labels(const GroveModel *model)
{
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		const GroveFeature *feature = &model->features[i];
		GroveFeature slow = *feature;

		slow.lookup = NULL;
		for (uint32_t level = 0; level < feature->n_levels; level++)
		{
			if (grove_model_bin(feature, feature->levels[level]) != level + 1)
				return "a level is not found";
		}
		for (uint32_t level = 0; level < feature->n_levels; level += 1 + feature->n_levels / 64)
		{
			if (grove_model_bin(&slow, feature->levels[level]) != level + 1)
				return "a level is not found without a lookup";
		}
	}
	return NULL;
}

/* Bytes as they are; refusing them is fine if it comes with a reason. */
static inline CheckResult
check_bytes(const uint8_t *bytes, size_t length, const char **why)
{
	const char *rule;
	size_t		offset;
	size_t		size = 0;
	void	   *memory;
	GroveModel *model = NULL;
	GroveStatus status = grove_model_read_size(bytes, length, &size, &rule, &offset);

	*why = NULL;
	if (status == GROVE_OK)
	{
		if (size > 16 * length + 16384)
			*why = "too much memory is asked for";
		memory = malloc(size);
		status = grove_model_read(bytes, length, memory, size, &model, &rule, &offset);
		if (status == GROVE_OK && !*why)
			*why = check_round_trip(model, bytes, length);
		if (status == GROVE_OK && !*why)
			*why = check_labels(model);
		if (status == GROVE_OK && !*why)
			*why = check_predictions(model);
		free(memory);
	}
	if ((status == GROVE_ERR_STRUCTURE) != (rule != NULL) || (rule && offset > length))
		*why = "the rule or its place is wrong";
	if (status == GROVE_ERR_BUFFER || status == GROVE_ERR_RANGE || status == GROVE_ERR_DATA)
		*why = "the status is none of a reader";
	if (*why)
		return CHECK_WRONG;
	return status == GROVE_OK ? CHECK_SAME : CHECK_REFUSED;
}

/* The same after repairing length, digest and checksum in place. */
static inline CheckResult
check_sealed(uint8_t *bytes, size_t length, const char **why)
{
	if (length >= GROVE_MODEL_HEADER + 4)
	{
		grove_bytes_put64(bytes + 16, length);
		grove_model_seal(bytes, length);
	}
	return check_bytes(bytes, length, why);
}

#endif							/* CHECK_MODEL_H */
