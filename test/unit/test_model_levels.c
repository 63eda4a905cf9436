/*
 * test_model_levels.c: labels of categorical features, from one to the most
 * that there can be: finding them, also when they were made to collide, and
 * models that hold many of them.
 */
#include <stdlib.h>

#include "unit.h"

#include "../fuzz/check_model.h"
#include "../golden/sample_models.h"

#define MOST	GROVE_MAX_LEVELS

static char names[MOST][24];
static GroveText levels[MOST];
static const GroveText *order[MOST];
static uint16_t lookup[4 * MOST];

static const uint32_t counts[] = {1, 2, 3, 254, 255, 256, 257, 300, 5000, MOST};

#define COUNTS	(sizeof(counts) / sizeof(counts[0]))

/* Makes a feature of the first labels of levels[]. */
static GroveFeature
make_feature(uint32_t n_levels)
{
	GroveFeature feature = {.kind = GROVE_FEATURE_CATEGORICAL, .n_levels = n_levels, .levels = levels};

	for (uint32_t i = 0; i < n_levels; i++)
		order[i] = &levels[i];
	CHECK(grove_model_duplicate(order, n_levels) == NULL);
	CHECK(grove_model_lookup_size(n_levels) >= 2 * n_levels && grove_model_lookup_size(n_levels) < 4 * n_levels);
	memset(lookup, 0xff, sizeof(lookup));
	grove_model_lookup_fill(&feature, order, lookup);
	CHECK(lookup[grove_model_lookup_size(n_levels)] == 0xffff);
	return feature;
}

/* Labels of 1 to 11 bytes, in the order of no sort; one of them is empty. */
static void
make_labels(void)
{
	for (int i = 0; i < MOST; i++)
	{
		snprintf(names[i], sizeof(names[i]), "%.*s%d", i % 7, "abcdef", i);
		levels[i] = sample_text(i == 77 ? "" : names[i]);
	}
}

static void
test_lookup(void)
{
	make_labels();
	for (size_t i = 0; i < COUNTS; i++)
	{
		GroveFeature feature = make_feature(counts[i]);
		uint32_t	wrong = 0;

		CHECK(feature.lookup == lookup && feature.lookup_mask == grove_model_lookup_size(counts[i]) - 1);
		for (uint32_t level = 0; level < MOST; level++)
			wrong += grove_model_bin(&feature, levels[level]) != (level < counts[i] ? level + 1 : GROVE_MISSING_BIN);
		wrong += grove_model_bin(&feature, sample_text(names[77])) != GROVE_MISSING_BIN;
		wrong += grove_model_bin(&feature, sample_text("abc")) != GROVE_MISSING_BIN;
		CHECK(wrong == 0);
	}
}

/*
 * Labels of 16 bytes with one hash: the second eight bytes undo what the hash
 * made of the length and the first eight.  No byte of them is zero.
 */
static void
make_collisions(void)
{
	uint64_t	seed = 1;

	for (int i = 0; i < MOST;)
	{
		uint64_t	state;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		grove_bytes_put64((uint8_t *) names[i], seed);
		state = (seed ^ 16) * UINT64_C(0x9fb21c651e98df25);
		state ^= state >> 32;
		grove_bytes_put64((uint8_t *) names[i] + 8, state ^ UINT64_C(0x0123456789abcdef));
		levels[i].data = names[i];
		levels[i].length = 16;
		if (!memchr(names[i], 0, 16))
			i++;
	}
}

static void
test_collisions(void)
{
	make_collisions();
	for (size_t i = 0; i < COUNTS; i++)
	{
		GroveFeature feature = make_feature(counts[i]);
		uint32_t	wrong = 0;

		CHECK((feature.lookup_mask == 0) == (counts[i] > 256));
		for (uint32_t level = 0; level < (counts[i] < 1000 ? 1000 : MOST); level++)
			wrong += grove_model_bin(&feature, levels[level]) != (level < counts[i] ? level + 1 : GROVE_MISSING_BIN);
		wrong += grove_model_bin(&feature, sample_text("")) != GROVE_MISSING_BIN;
		wrong += grove_model_bin(&feature, sample_text("a label that is longer")) != GROVE_MISSING_BIN;
		CHECK(wrong == 0);
	}
}

/* A model of one feature with the first labels of levels[], split in nine windows that end with its last label. */
static Sample *
make_sample(uint32_t n_levels)
{
	static Sample sample;

	sample_begin(&sample, "many", GROVE_TASK_REGRESSION, GROVE_ALGORITHM_GBDT, GROVE_LINK_IDENTITY,
				 "regression", "y", "real");
	sample_feature(&sample, "x", "text", n_levels, levels);
	for (uint32_t i = 0; i < 9; i++)
	{
		uint16_t	ordinals[] = {(uint16_t) n_levels, 0};
		uint32_t	window = 1 + i * 31;

		sample_window(&sample, 0, n_levels > 255 ? n_levels - window : 0, ordinals, i + 1.0, i % 2 == 0);
	}
	return &sample;
}

/* Encodes, decodes, encodes; what is checked on the way is in check_model.h. */
static void
test_round_trip(uint32_t n_levels)
{
	Sample	   *sample = make_sample(n_levels);
	size_t		length = 0;
	uint8_t    *bytes;
	const char *why;

	CHECK(grove_model_write_size(&sample->model, &length) == GROVE_OK);
	bytes = malloc(length);
	CHECK(grove_model_write(&sample->model, bytes, length) == GROVE_OK);
	CHECK(check_bytes(bytes, length, &why) == CHECK_SAME);
	if (why)
		printf("%u levels: %s\n", (unsigned) n_levels, why);
	free(bytes);
}

static const char *
broken_rule(uint8_t *bytes, size_t length, size_t *offset)
{
	const char *rule = NULL;
	GroveModel *model;
	size_t		size = 0;
	void	   *memory;

	grove_model_seal(bytes, length);
	CHECK(grove_model_read_size(bytes, length, &size, &rule, offset) == GROVE_OK);
	memory = malloc(size);
	CHECK(grove_model_read(bytes, length, memory, size, &model, &rule, offset) ==
		  (rule ? GROVE_ERR_STRUCTURE : GROVE_OK));
	free(memory);
	return rule;
}

/* A window may begin behind the last level but one, not behind the last; the writer never says so. */
static void
test_begin(void)
{
	static uint8_t bytes[8192];
	Sample	   *sample = make_sample(300);
	size_t		length = 0;
	size_t		at;
	size_t		offset;

	CHECK(grove_model_write_size(&sample->model, &length) == GROVE_OK && length <= sizeof(bytes));
	CHECK(grove_model_write(&sample->model, bytes, length) == GROVE_OK);
	/* the first tree's window: behind it its set of one byte, the rest of the first tree, and the eight others */
	at = length - 4 - 9 * (21 + 17 + 17);
	for (uint32_t i = 0; i < 9; i++)
		at -= (i < 1 ? 1 : (1 + i * 31) / 8 + 1);
	at += 19;
	CHECK(grove_bytes_get16(bytes + at) == 299);
	CHECK(broken_rule(bytes, length, &offset) == NULL);
	for (uint32_t first = 300; first < 65536; first = first * 2 + 1)
	{
		const char *rule;

		grove_bytes_put16(bytes + at, (uint16_t) first);
		rule = broken_rule(bytes, length, &offset);
		CHECK(rule && strcmp(rule, "A set begins behind the last level") == 0 && offset == at);
	}
}

int
main(void)
{
	test_lookup();
	test_collisions();
	for (size_t i = 0; i < COUNTS; i++)
		test_round_trip(counts[i]);
	test_begin();
	make_labels();
	for (size_t i = 0; i < COUNTS; i++)
		test_round_trip(counts[i]);
	return unit_done();
}
