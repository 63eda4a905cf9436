/*
 * sampler.h: what the two tests of sampling share: a sampler that owns its
 * memory, fed with rows in any order and in parts, with small arrays so that
 * it has to compact often.
 */
#ifndef GROVE_SAMPLER_H
#define GROVE_SAMPLER_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/sample.h"
#include "unit.h"

typedef struct Row
{
	uint64_t	element;
	double		weight;
} Row;

typedef struct Sampler
{
	GroveSampleSet set;
	GroveSampleRest rest[GROVE_SAMPLE_CLASSES];
	GroveSampleUnit *units;
	GroveSamplePair *pairs;
	size_t		n;
	size_t		n_compacted;
	size_t		capacity;
	size_t		stored;			/* elements stored and not dropped */
	size_t		largest;		/* n at its largest */
	uint64_t	key;
} Sampler;

static int
compare_elements(void *arg, const GroveSampleUnit *a, const GroveSampleUnit *b)
{
	(void) arg;
	return (a->element > b->element) - (a->element < b->element);
}

static void
drop_element(void *arg, GroveSampleUnit *unit)
{
	(void) unit;
	((Sampler *) arg)->stored--;
}

static inline Sampler *
sampler_make(bool weighted, uint64_t k, uint64_t spare, uint64_t seed)
{
	Sampler    *sampler = calloc(1, sizeof(Sampler));

	grove_sample_init(&sampler->set, k, spare, weighted ? sampler->rest : NULL);
	sampler->key = grove_rng_key(seed, GROVE_PURPOSE_SAMPLE);
	return sampler;
}

static inline void
sampler_free(Sampler *sampler)
{
	free(sampler->units);
	free(sampler->pairs);
	free(sampler);
}

static inline void
sampler_compact(Sampler *sampler)
{
	const GroveSampleCaller caller = {compare_elements, drop_element, sampler};

	sampler->n = grove_sample_compact(&sampler->set, sampler->units, sampler->n_compacted, sampler->n, sampler->pairs,
									  &caller);
	sampler->n_compacted = sampler->n;
}

static inline void
sampler_store(Sampler *sampler, GroveSampleUnit unit)
{
	if (sampler->n == sampler->capacity)
	{
		sampler_compact(sampler);
		if (sampler->n * 4 / 3 >= sampler->capacity)
		{
			sampler->capacity = sampler->n * 3 / 2 + 7;
			sampler->units = realloc(sampler->units, sampler->capacity * sizeof(GroveSampleUnit));
			sampler->pairs = realloc(sampler->pairs, 2 * sampler->capacity * sizeof(GroveSamplePair));
		}
	}
	sampler->units[sampler->n++] = unit;
	sampler->stored++;
	if (sampler->n > sampler->largest)
		sampler->largest = sampler->n;
}

/* Integer elements are hashed as keys of one integer column are. */
static inline void
sampler_add(Sampler *sampler, Row row)
{
	GroveSampleUnit unit;

	if (grove_sample_offer(&sampler->set, grove_rng_hash(sampler->key, row.element), row.weight, &unit))
	{
		unit.element = row.element;
		sampler_store(sampler, unit);
	}
}

static inline void
sampler_merge(Sampler *sampler, Sampler *other)
{
	grove_sample_merge(&sampler->set, &other->set);
	for (size_t i = 0; i < other->n; i++)
		sampler_store(sampler, other->units[i]);
	sampler_compact(sampler);
}

/* Draws; *taken gets n pairs (unit, rows) in the order of the sample, to be freed. */
static inline GroveStatus
sampler_draw(Sampler *sampler, GroveSamplePair **taken)
{
	GroveSampleDraw draw;
	GroveStatus status;
	size_t		n;

	sampler_compact(sampler);
	n = sampler->n;
	draw.shares = malloc((n + GROVE_SAMPLE_CLASSES) * sizeof(GrovePpsShare));
	draw.probability = malloc((n + 1) * sizeof(double));
	draw.pairs = malloc((2 * n + 1) * sizeof(GroveSamplePair));
	draw.take = calloc(n + 1, sizeof(uint64_t));
	status = grove_sample_draw(&sampler->set, sampler->units, n, sampler->key, &draw);
	*taken = malloc((n + 1) * sizeof(GroveSamplePair));
	for (size_t i = 0; i < n; i++)
		(*taken)[i] = (GroveSamplePair) {draw.pairs[i].index, draw.take[draw.pairs[i].index]};
	free(draw.shares);
	free(draw.probability);
	free(draw.pairs);
	free(draw.take);
	return status;
}

/* The rows in another order. */
static inline void
shuffle_rows(Row *rows, size_t n, uint64_t seed)
{
	for (size_t i = n; i > 1; i--)
	{
		size_t		j = (size_t) grove_rng_range(grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_SHUFFLE), i), i);
		Row			swap = rows[i - 1];

		rows[i - 1] = rows[j];
		rows[j] = swap;
	}
}

#endif							/* GROVE_SAMPLER_H */
