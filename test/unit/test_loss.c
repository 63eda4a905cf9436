/*
 * test_loss.c: gradients against libm in doubles, their rounding (within a
 * step, unbiased over keys and over rows), sums of losses, and scores at the
 * ends of the floats.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../../src/core/rng.h"
#include "naive_trees.h"
#include "unit.h"

#define ROWS	700				/* more than one block of the row loops */

/* Random labels and scores, wide apart; the columns of the table do not matter here. */
static KitCase
make_case(uint64_t seed, GroveLossKind loss, bool weighted, double spread)
{
	KitRandom	random = kit_random(seed);
	bool		several = loss == GROVE_LOSS_SOFTMAX || loss == GROVE_LOSS_SHARE;
	KitCase		kase;

	memset(&kase, 0, sizeof(kase));
	kase.table = kit_table_make(ROWS, 1, several ? 2 + kit_below(&random, 6) : 1, weighted, false);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		kase.table.label[i] = loss == GROVE_LOSS_SQUARED ? (float) (kit_normal(&random) * spread) :
			(float) kit_below(&random, several ? kase.table.n_outputs : 2);
		if (weighted)
			kase.table.weight[i] = (float) exp(kit_normal(&random));
		for (uint32_t k = 0; k < kase.table.n_outputs; k++)
			kase.table.margin[(size_t) k * ROWS + i] = (float) (kit_normal(&random) * spread);
	}
	kase.config = kit_config(loss);
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.has_margin = true;
	return kase;
}

static GroveLossRows
loss_rows(const KitCase *kase, const uint32_t *identity)
{
	GroveLossRows rows = {kase->table.label, kase->table.weight, kase->table.margin, identity,
	ROWS, ROWS, kase->table.n_outputs, 1.0, NULL, NULL, NULL, NULL};

	return rows;
}

static uint32_t *
draw_identities(uint64_t seed)
{
	KitRandom	random = kit_random(seed);
	uint32_t   *identity = kit_alloc(ROWS, sizeof(uint32_t));

	for (uint32_t i = 0; i < ROWS; i++)
		identity[i] = (uint32_t) kit_next(&random);
	return identity;
}

/* Steps so that the largest gradient and hessian of the case just fit. */
static GroveRounding
make_rounding(const KitCase *kase, GroveHistMode mode)
{
	GroveRounding r = {mode, 1.0f, 1.0f, 1.0f, 12345};
	double		top_g = 1e-30;
	double		top_h = 1e-30;
	double		g,
				h;

	for (uint32_t i = 0; i < ROWS; i++)
	{
		for (uint32_t k = 0; k < kase->table.n_outputs; k++)
		{
			naive_gradient(kase, kase->table.margin, i, k, &g, &h);
			top_g = fmax(top_g, fabs(g));
			top_h = fmax(top_h, h);
		}
	}
	r.g_scale = (float) ((mode == GROVE_HIST_PACKED ? GROVE_PACKED_G_MAX : GROVE_WIDE_MAX * 0.99) / top_g);
	r.h_scale = (float) ((mode == GROVE_HIST_PACKED ? GROVE_PACKED_H_MAX : GROVE_WIDE_MAX * 0.99) / top_h);
	return r;
}

/* The gradient and hessian that an entry stands for, in steps. */
static void
read_entry(GroveHistMode mode, int32_t word, int32_t hess, double *g, double *h)
{
	if (mode == GROVE_HIST_PACKED)
	{
		*h = word & 0xffff;
		*g = (word - (word & 0xffff)) / 65536;
	}
	else
	{
		*g = word;
		*h = mode == GROVE_HIST_WIDE ? hess : 1.0;
	}
}

/*
 * Each integer is within a step (packed: stochastic) or half a step of the
 * real gradient, plus what single precision loses.
 */
static void
check_gradients(uint64_t seed, GroveLossKind loss, bool weighted, GroveHistMode mode)
{
	KitCase		kase = make_case(seed, loss, weighted, 3.0);
	uint32_t   *identity = draw_identities(seed);
	GroveLossRows rows = loss_rows(&kase, identity);
	GroveRounding r = make_rounding(&kase, mode);
	double		step = mode == GROVE_HIST_PACKED ? 1.0 : 0.5;
	int32_t		word[ROWS];
	int32_t		hess[ROWS] = {0};
	uint32_t	wrong = 0;

	for (uint32_t k = 0; k < kase.table.n_outputs; k++)
	{
		grove_loss_gradients(loss, &rows, k, &r, word, mode == GROVE_HIST_WIDE ? hess : NULL);
		for (uint32_t i = 0; i < ROWS; i++)
		{
			double		weight = weighted ? (double) kase.table.weight[i] : 1.0;
			double		size = 4.0 + fabs((double) kase.table.margin[(size_t) k * ROWS + i]);
			double		g,
						h,
						exact_g,
						exact_h;

			naive_gradient(&kase, kase.table.margin, i, k, &exact_g, &exact_h);
			read_entry(mode, word[i], hess[i], &g, &h);
			wrong += fabs(g - exact_g * r.g_scale) > step + 3e-7 * size * weight * r.g_scale;
			if (mode != GROVE_HIST_CONSTANT)
				wrong += fabs(h - exact_h * r.h_scale) > step + 3e-7 * size * weight * r.h_scale;
			wrong += mode == GROVE_HIST_PACKED && (fabs(g) > GROVE_PACKED_G_MAX || h < 0 || h > GROVE_PACKED_H_MAX);
			wrong += fabs(g) > GROVE_WIDE_MAX || h > GROVE_WIDE_MAX;
		}
	}
	CHECK(wrong == 0);
	kit_table_free(&kase.table);
	free(identity);
}

static void
test_gradients(void)
{
	for (uint64_t seed = 0; seed < 40; seed++)
	{
		check_gradients(seed, GROVE_LOSS_SQUARED, false, GROVE_HIST_CONSTANT);
		check_gradients(seed, GROVE_LOSS_SHARE, false, GROVE_HIST_CONSTANT);
		check_gradients(seed, GROVE_LOSS_LOGISTIC, false, GROVE_HIST_PACKED);
		check_gradients(seed, GROVE_LOSS_SOFTMAX, false, GROVE_HIST_PACKED);
		for (int loss = GROVE_LOSS_SQUARED; loss <= GROVE_LOSS_SHARE; loss++)
			check_gradients(seed, (GroveLossKind) loss, true, GROVE_HIST_WIDE);
	}
}

/*
 * The mean over many trees of a packed gradient is the gradient: each row's
 * mean over n keys is within 5 standard deviations, which are those of a coin
 * with the fractional part as its probability.
 */
static void
check_unbiased(GroveLossKind loss, double spread)
{
	enum {KEYS = 40000, LOOKED_AT = 32};
	KitCase		kase = make_case(99, loss, false, spread);
	uint32_t   *identity = draw_identities(3);
	GroveLossRows rows = loss_rows(&kase, identity);
	GroveRounding r = make_rounding(&kase, GROVE_HIST_PACKED);
	KitRandom	random = kit_random(17);
	double		sum_g[LOOKED_AT] = {0};
	double		sum_h[LOOKED_AT] = {0};

	rows.n = LOOKED_AT;
	for (int key = 0; key < KEYS; key++)
	{
		int32_t		word[LOOKED_AT];
		double		g,
					h;

		r.key = (uint32_t) kit_next(&random);
		grove_loss_gradients(loss, &rows, 0, &r, word, NULL);
		for (uint32_t i = 0; i < LOOKED_AT; i++)
		{
			read_entry(GROVE_HIST_PACKED, word[i], 0, &g, &h);
			sum_g[i] += g;
			sum_h[i] += h;
		}
	}
	for (uint32_t i = 0; i < LOOKED_AT; i++)
	{
		double		g,
					h,
					part;

		naive_gradient(&kase, kase.table.margin, i, 0, &g, &h);
		part = g * r.g_scale - floor(g * r.g_scale);
		CHECK(fabs(sum_g[i] / KEYS - g * r.g_scale) < 5.0 * sqrt(part * (1 - part) / KEYS) + 5e-4);
		part = h * r.h_scale - floor(h * r.h_scale);
		CHECK(fabs(sum_h[i] / KEYS - h * r.h_scale) < 5.0 * sqrt(part * (1 - part) / KEYS) + 5e-4);
	}
	kit_table_free(&kase.table);
	free(identity);
}

/* In one tree, over rows that differ in nothing but their identity, as equal rows of a table do. */
static void
test_unbiased_over_rows(void)
{
	enum {EQUAL_ROWS = 200000};
	uint32_t   *identity = kit_alloc(EQUAL_ROWS, sizeof(uint32_t));
	float	   *numbers = kit_alloc((size_t) EQUAL_ROWS * 2, sizeof(float));
	int32_t    *word = kit_alloc(EQUAL_ROWS, sizeof(int32_t));
	GroveLossRows rows = {numbers, NULL, numbers + EQUAL_ROWS, identity, EQUAL_ROWS, EQUAL_ROWS, 1, 1.0, NULL, NULL, NULL, NULL};
	GroveRounding r = {GROVE_HIST_PACKED, 1.0f, GROVE_PACKED_G_MAX, GROVE_PACKED_H_MAX * 4.0f, 77};
	KitRandom	random = kit_random(8);
	double		p = 1.0 / (1.0 + exp(7.9));
	double		g = p * (double) r.g_scale;
	double		sum = 0.0;

	for (uint32_t i = 0; i < EQUAL_ROWS; i++)
	{
		identity[i] = (uint32_t) kit_next(&random);
		numbers[EQUAL_ROWS + i] = -7.9f;	/* a rare positive: the gradient of the others is a third of a step */
	}
	grove_loss_gradients(GROVE_LOSS_LOGISTIC, &rows, 0, &r, word, NULL);
	for (uint32_t i = 0; i < EQUAL_ROWS; i++)
		sum += word[i] >> 16;
	CHECK(g > 0.3 && g < 0.5);
	CHECK(fabs(sum / EQUAL_ROWS - g) < 5.0 * sqrt(g * (1 - g) / EQUAL_ROWS));
	free(identity);
	free(numbers);
	free(word);
}

/*
 * What rounding does to a row in one tree says nothing about another, also for
 * the keys of the outputs of a round, which are neighbours: the rounded parts
 * of the same gradients are not correlated.
 */
static void
test_independent_trees(void)
{
	enum {EQUAL_ROWS = 20000};
	static const uint32_t outputs[] = {1, 2, 3, 100, 1023};
	uint32_t   *identity = kit_alloc(EQUAL_ROWS, sizeof(uint32_t));
	float	   *zeros = kit_alloc(EQUAL_ROWS, sizeof(float));
	int32_t    *a = kit_alloc(EQUAL_ROWS, sizeof(int32_t));
	int32_t    *b = kit_alloc(EQUAL_ROWS, sizeof(int32_t));
	GroveLossRows rows = {zeros, NULL, zeros, identity, EQUAL_ROWS, EQUAL_ROWS, 1, 0.0, NULL, NULL, NULL, NULL};
	GroveRounding r = {GROVE_HIST_PACKED, 1.0f, GROVE_PACKED_G_MAX, GROVE_PACKED_H_MAX * 4.0f, 0};
	KitRandom	random = kit_random(9);

	for (uint32_t i = 0; i < EQUAL_ROWS; i++)
		identity[i] = (uint32_t) kit_next(&random);
	for (int round = 0; round < 50; round++)
	{
		uint32_t	key = (uint32_t) kit_next(&random);
		int			agree = 0;

		r.key = key;
		grove_loss_gradients(GROVE_LOSS_LOGISTIC, &rows, 0, &r, a, NULL);
		r.key = round % 2 ? key + outputs[round % 5] : (uint32_t) kit_next(&random);
		grove_loss_gradients(GROVE_LOSS_LOGISTIC, &rows, 0, &r, b, NULL);
		for (uint32_t i = 0; i < EQUAL_ROWS; i++)
			agree += a[i] == b[i];	/* 511.5 steps: up or down */
		CHECK(abs(agree - EQUAL_ROWS / 2) < 390);	/* 5.5 standard deviations */
	}
	free(identity);
	free(zeros);
	free(a);
	free(b);
}

/* Scores of any size give integers within their limits and a loss that is cut. */
static void
test_extreme_scores(void)
{
	static const float scores[] = {0.0f, -0.0f, 1e-45f, 1.0f, 20.0f, 88.0f, 104.0f, 1e4f, 1e30f, FLT_MAX};
	enum {N = 2 * sizeof(scores) / sizeof(scores[0])};
	float		score[N * 3];
	float		label[N];
	uint32_t	identity[N];
	int32_t		word[N];
	int32_t		hess[N] = {0};

	for (uint32_t i = 0; i < N; i++)
	{
		score[i] = (i % 2 ? -1.0f : 1.0f) * scores[i / 2];
		score[N + i] = 0.0f;
		score[2 * N + i] = -score[i] / 2;
		label[i] = (float) (i % 2);
		identity[i] = i * 2654435769u;
	}
	for (int loss = GROVE_LOSS_SQUARED; loss <= GROVE_LOSS_SHARE; loss++)
	{
		uint32_t	n_outputs = loss == GROVE_LOSS_SOFTMAX || loss == GROVE_LOSS_SHARE ? 3 : 1;
		GroveLossRows rows = {label, NULL, score, identity, N, N, n_outputs, 1.0, NULL, NULL, NULL, NULL};
		int64_t		sum = grove_loss_sum((GroveLossKind) loss, &rows);

		CHECK(sum >= 0 && sum <= (int64_t) (N * GROVE_LOSS_CAP * GROVE_LOSS_UNIT));
		for (int mode = GROVE_HIST_PACKED; mode <= GROVE_HIST_WIDE; mode++)
		{
			GroveRounding r = {(GroveHistMode) mode, 1.0f, 1000.0f, 1000.0f, 5};

			if (mode == GROVE_HIST_PACKED && (loss == GROVE_LOSS_SQUARED || loss == GROVE_LOSS_SHARE))
				continue;		/* packed is for gradients that cannot exceed 1 */

			grove_loss_gradients((GroveLossKind) loss, &rows, 0, &r, word, hess);
			for (uint32_t i = 0; i < N; i++)
			{
				double		g,
							h;

				read_entry((GroveHistMode) mode, word[i], hess[i], &g, &h);
				CHECK(fabs(g) <= (mode == GROVE_HIST_PACKED ? GROVE_PACKED_G_MAX : GROVE_WIDE_MAX));
				CHECK(h >= 0 && h <= (mode == GROVE_HIST_PACKED ? GROVE_PACKED_H_MAX : GROVE_WIDE_MAX));
			}
		}
	}
}

/* A mean far off, a hessian factor at its limit, and no weight: 0 times what no float holds must be 0. */
static void
test_weightless_extremes(void)
{
	GroveLossShape shape = {.poisson_step = 80.0,.tweedie_power = 1.5};
	float		score[4] = {0.0f, 60.0f, 87.0f, 1000.0f};
	float		label[4] = {1.0f, 1e30f, 3.0f, 1e37f};
	float		weight[4] = {0.0f, 0.0f, 0.0f, 0.0f};
	uint32_t	identity[4] = {1, 2, 3, 4};
	GroveLossRows rows = {label, weight, score, identity, 4, 4, 1, 1.0, &shape, NULL, NULL, NULL};

	for (int loss = GROVE_LOSS_POISSON; loss <= GROVE_LOSS_TWEEDIE; loss++)
	{
		GroveRounding r = {GROVE_HIST_WIDE, 1.0f, 1.0f, 1.0f, 5};
		int32_t		g[4] = {1, 1, 1, 1};
		int32_t		h[4] = {1, 1, 1, 1};

		for (int sign = 0; sign < 2; sign++)
		{
			grove_loss_gradients((GroveLossKind) loss, &rows, 0, &r, g, h);
			for (int i = 0; i < 4; i++)
			{
				CHECK(g[i] == 0 && h[i] == 0);
				score[i] = -score[i];
			}
		}
	}
}

static void
test_sums(void)
{
	for (uint64_t seed = 0; seed < 80; seed++)
	{
		GroveLossKind loss = (GroveLossKind) (seed % 4);
		KitCase		kase = make_case(seed, loss, seed % 3 == 0, seed % 5 == 0 ? 30.0 : 2.0);
		uint32_t   *identity = draw_identities(seed);
		GroveLossRows rows = loss_rows(&kase, identity);
		double		top = 1e-300;
		double		expected = 0.0;
		double		size = 0.0;
		float		largest = 0.0f;
		float		found_g = 0.0f;
		float		found_h = 0.0f;

		for (uint32_t i = 0; i < ROWS; i++)
			top = fmax(top, naive_loss(&kase, kase.table.margin, i) * (kase.table.weight ? (double) kase.table.weight[i] : 1.0));
		rows.loss_scale = 200.0 / top;
		for (uint32_t i = 0; i < ROWS; i++)
		{
			double		weight = kase.table.weight ? (double) kase.table.weight[i] : 1.0;
			double		g,
						h;

			expected += weight * naive_loss(&kase, kase.table.margin, i) * rows.loss_scale;
			size += weight * rows.loss_scale * (loss == GROVE_LOSS_SQUARED ? 0.0 : 30.0);
			naive_gradient(&kase, kase.table.margin, i, 0, &g, &h);
			largest = fmaxf(largest, (float) fabs(g));
		}
		/* rounded down row by row; a log-loss is as exact as single precision is at the size of the scores */
		CHECK(fabs((double) grove_loss_sum(loss, &rows) / GROVE_LOSS_UNIT - expected) <
			  ROWS / GROVE_LOSS_UNIT + 1e-6 * expected + 2e-7 * size);
		grove_loss_maxima(loss, &rows, 1.0f, &found_g, &found_h);
		if (loss == GROVE_LOSS_SQUARED)
			CHECK(fabsf(found_g - largest) <= 1e-6f * largest && found_h == 0.0f);
		rows.loss_scale = 1e9;
		CHECK(grove_loss_sum(loss, &rows) <= (int64_t) (ROWS * GROVE_LOSS_CAP * GROVE_LOSS_UNIT));
		kit_table_free(&kase.table);
		free(identity);
	}
}

/* A part of the rows, from the middle of a larger set, is rounded as it is within the whole. */
static void
test_parts(void)
{
	for (int loss = GROVE_LOSS_SQUARED; loss <= GROVE_LOSS_SHARE; loss++)
	{
		KitCase		kase = make_case(5, (GroveLossKind) loss, true, 2.0);
		uint32_t   *identity = draw_identities(5);
		GroveLossRows rows = loss_rows(&kase, identity);
		GroveLossRows part = rows;
		GroveRounding r = make_rounding(&kase, GROVE_HIST_WIDE);
		uint32_t	k = kase.table.n_outputs - 1;
		int32_t		g[ROWS],
					h[ROWS],
					part_g[ROWS],
					part_h[ROWS];

		grove_loss_gradients((GroveLossKind) loss, &rows, k, &r, g, h);
		part.label += 100;
		part.weight += 100;
		part.score += 100;
		part.identity += 100;
		part.n = 550;
		grove_loss_gradients((GroveLossKind) loss, &part, k, &r, part_g, part_h);
		CHECK(memcmp(part_g, g + 100, 550 * sizeof(int32_t)) == 0);
		CHECK(memcmp(part_h, h + 100, 550 * sizeof(int32_t)) == 0);
		kit_table_free(&kase.table);
		free(identity);
	}
}

int
main(void)
{
	test_gradients();
	check_unbiased(GROVE_LOSS_LOGISTIC, 3.0);
	check_unbiased(GROVE_LOSS_SOFTMAX, 3.0);
	test_unbiased_over_rows();
	test_independent_trees();
	test_extreme_scores();
	test_weightless_extremes();
	test_sums();
	test_parts();
	return unit_done();
}
