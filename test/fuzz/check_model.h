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

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/bytes.h"
#include "check_predict.h"

typedef enum CheckResult
{
	CHECK_REFUSED,				/* with a rule, or a status that needs none */
	CHECK_SAME,					/* accepted, and everything holds */
	CHECK_WRONG					/* accepted or refused against the rules; *why tells */
} CheckResult;

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
		if (status == GROVE_OK && !*why)
			*why = check_batch(model);
		if (status == GROVE_OK && !*why && model->n_nodes <= CHECK_SHAP_NODES)
			*why = check_contributions(model);
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
