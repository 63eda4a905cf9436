/*
 * sample_models.h: small models made by hand, for the golden files and the
 * unit tests.  Their trees are small enough to predict with pencil and paper.
 */
#ifndef SAMPLE_MODELS_H
#define SAMPLE_MODELS_H

#include "sample_builder.h"

/*
 * margin = 10 + (age <= 30 or missing ? (price <= 9.5 ? 1 : 2) : 4)
 *             + (day <= 2021-11-26 or missing ? 0.5 : seen <= 2022-03-07 20:26:40 ? -0.25 : 0.25)
 */
static inline void
sample_regression(Sample *sample)
{
	sample_begin(sample, "regression", GROVE_TASK_REGRESSION, GROVE_ALGORITHM_GBDT, GROVE_LINK_IDENTITY,
				 "regression", "amount", "double precision");
	sample_feature(sample, "age", "integer", 0, NULL);
	sample_feature(sample, "price", "numeric", 0, NULL);
	sample_feature(sample, "day", "date", 0, NULL);
	sample_feature(sample, "seen", "timestamp without time zone", 0, NULL);
	sample->base[0] = 10;
	sample_tree(sample);
	sample_numeric(sample, 100, 0, 30, 1, true);
	sample_numeric(sample, 60, 1, 9.5, 3, false);
	sample_leaf(sample, 40, 4);
	sample_leaf(sample, 20, 1);
	sample_leaf(sample, 40, 2);
	sample_tree(sample);
	sample_numeric(sample, 100, 2, 8000, 1, true);
	sample_leaf(sample, 50, 0.5);
	sample_numeric(sample, 50, 3, 7.0e8, 3, false);
	sample_leaf(sample, 25, -0.25);
	sample_leaf(sample, 25, 0.25);
}

/* Ten stumps on x1 at 0.1, 0.2, ... 1.0, each worth 0.3 more above, and one on x2. */
static inline void
sample_binary(Sample *sample)
{
	sample_begin(sample, "binary", GROVE_TASK_BINARY, GROVE_ALGORITHM_GBDT, GROVE_LINK_LOGISTIC,
				 "binary", "bought", "boolean");
	sample_feature(sample, "x1", "double precision", 0, NULL);
	sample_feature(sample, "x2", "real", 0, NULL);
	sample_class(sample, "false");
	sample_class(sample, "true");
	sample->base[0] = -1.5;
	for (int i = 1; i <= 10; i++)
	{
		sample_tree(sample);
		sample_numeric(sample, 100, 0, i / 10.0, 1, i % 2 == 0);
		sample_leaf(sample, (uint32_t) (10 * i), 0);
		sample_leaf(sample, (uint32_t) (100 - 10 * i), 0.3);
	}
	sample_tree(sample);
	sample_numeric(sample, 100, 1, 0, 1, true);
	sample_leaf(sample, 50, -0.125);
	sample_leaf(sample, 50, 0.125);
}

/* Three classes, three rounds; class k gains 1 in each round when n is in its third of 0 to 30. */
static inline void
sample_multiclass(Sample *sample)
{
	static const char *const labels[] = {"low", "middle", "high"};

	sample_begin(sample, "multiclass", GROVE_TASK_MULTICLASS, GROVE_ALGORITHM_GBDT, GROVE_LINK_SOFTMAX,
				 "multiclass", "size", "text");
	sample_feature(sample, "n", "bigint", 0, NULL);
	for (int class = 0; class < 3; class++)
	{
		sample_class(sample, labels[class]);
		sample->base[class] = class == 1 ? 0.5 : 0;
	}
	sample->model.n_outputs = 3;
	for (int tree = 0; tree < 9; tree++)
	{
		int			class = tree % 3;

		sample_tree(sample);
		sample_numeric(sample, 90, 0, 10 * class, 1, true);
		sample_leaf(sample, (uint32_t) (30 * class), 0);
		sample_numeric(sample, (uint32_t) (90 - 30 * class), 0, 10 * class + 10, 3, false);
		sample_leaf(sample, 30, 1);
		sample_leaf(sample, (uint32_t) (60 - 30 * class), 0);
	}
}

/* A forest of two trees: city, and member, mood, id and size one below the other. */
static inline void
sample_mixed(Sample *sample)
{
	static GroveText cities[3];
	static GroveText members[2];
	static GroveText moods[3];
	static GroveText ids[1];

	cities[0] = sample_text("berlin");
	cities[1] = sample_text("paris");
	cities[2] = sample_text("rome");
	members[0] = sample_text("true");
	members[1] = sample_text("false");
	moods[0] = sample_text("happy");
	moods[1] = sample_text("sad");
	moods[2] = sample_text("");
	ids[0] = sample_text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
	sample_begin(sample, "categorical", GROVE_TASK_BINARY, GROVE_ALGORITHM_FOREST, GROVE_LINK_CLAMP,
				 "binary", "churned", "text");
	sample_feature(sample, "city", "text", 3, cities);
	sample_feature(sample, "member", "boolean", 2, members);
	sample_feature(sample, "mood", "mood", 3, moods);
	sample_feature(sample, "id", "uuid", 1, ids);
	sample_feature(sample, "size", "numeric", 0, NULL);
	sample_class(sample, "no");
	sample_class(sample, "yes");
	sample_tree(sample);
	sample_categorical(sample, 100, 0, 1 << 1 | 1 << 3, 1, false);	/* berlin, rome */
	sample_leaf(sample, 70, 0.05);
	sample_leaf(sample, 30, 0.4);
	sample_tree(sample);
	sample_categorical(sample, 100, 1, 1 << 1, 1, true);	/* true, missing */
	sample_categorical(sample, 60, 2, 1 << 2, 3, false);	/* sad */
	sample_categorical(sample, 40, 3, 1 << 1, 5, false);
	sample_leaf(sample, 20, 0.3);
	sample_leaf(sample, 40, 0.1);
	sample_leaf(sample, 10, 0);
	sample_numeric(sample, 30, 4, 2.5, 7, false);
	sample_leaf(sample, 10, 0.2);
	sample_leaf(sample, 20, 0.5);
}

/* Texts that are no UTF-8; the format does not mind, the server must. */
static inline void
sample_bad_text(Sample *sample)
{
	static GroveText levels[2];

	levels[0] = sample_text("\xff\xfe");
	levels[1] = sample_text("fine");
	sample_begin(sample, "bad_text", GROVE_TASK_BINARY, GROVE_ALGORITHM_TREE, GROVE_LINK_CLAMP,
				 "binary", "\xc3", "text");
	sample_feature(sample, "half \xe2\x82", "text", 2, levels);
	sample_class(sample, "fine");
	sample_class(sample, "\xff");
	sample_tree(sample);
	sample_categorical(sample, 10, 0, 1 << 2, 1, false);
	sample_leaf(sample, 5, 0.25);
	sample_leaf(sample, 5, 0.75);
}

/* Parameters and metrics that are no JSON objects, and a name full of signs with a meaning. */
static inline void
sample_bad_json(Sample *sample)
{
	sample_begin(sample, "bad_json", GROVE_TASK_REGRESSION, GROVE_ALGORITHM_TREE, GROVE_LINK_IDENTITY,
				 "regression", "y", "real");
	sample_feature(sample, "a \"b\" \\ 'c'\nd", "real", 0, NULL);
	sample->model.params = sample_text("{\"seed\": 1}, \"task\": \"none\"");
	sample->model.metrics = sample_text("[1]");
	sample_tree(sample);
	sample_numeric(sample, 10, 0, 0.5, 1, false);
	sample_leaf(sample, 5, 1);
	sample_leaf(sample, 5, 2);
}

/*
 * 300 towns, t1 to t300, in windows that overlap, end with the last town, hold
 * one town or none.  Tree i adds 2^i to what goes left.
 */
static inline void
sample_levels(Sample *sample)
{
	static char names[300][16];
	static GroveText towns[300];

	for (int i = 0; i < 300; i++)
	{
		snprintf(names[i], sizeof(names[i]), "t%d", i + 1);
		towns[i] = sample_text(names[i]);
	}
	sample_begin(sample, "levels", GROVE_TASK_REGRESSION, GROVE_ALGORITHM_GBDT, GROVE_LINK_IDENTITY,
				 "regression", "price", "real");
	sample_feature(sample, "town", "text", 300, towns);
	sample_feature(sample, "size", "numeric", 0, NULL);
	sample_window(sample, 0, 0, (const uint16_t[]) {1, 2, 255, 0}, 1, false);
	sample_window(sample, 0, 45, (const uint16_t[]) {46, 255, 256, 300, 0}, 2, true);
	sample_window(sample, 0, 255, (const uint16_t[]) {256, 257, 0}, 4, false);
	sample_window(sample, 0, 299, (const uint16_t[]) {300, 0}, 8, true);
	sample_window(sample, 0, 0, (const uint16_t[]) {0}, 16, true);
	sample_window(sample, 0, 100, (const uint16_t[]) {101, 299, 0}, 32, false);
	sample_window(sample, 0, 254, (const uint16_t[]) {255, 256, 0}, 64, false);
	sample_tree(sample);
	sample_numeric(sample, 100, 1, 2.5, 1, false);
	sample_leaf(sample, 30, 128);
	sample_leaf(sample, 70, 0);
	sample_window(sample, 0, 0, (const uint16_t[]) {1, 0}, 256, true);
}

#define SAMPLES	7

static inline void
sample_make(Sample *sample, int number)
{
	static void (*const makers[SAMPLES]) (Sample *) = {
		sample_regression, sample_binary, sample_multiclass, sample_mixed, sample_bad_text, sample_bad_json,
		sample_levels
	};

	makers[number] (sample);
}

#endif							/* SAMPLE_MODELS_H */
