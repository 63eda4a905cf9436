/*
 * test_select.c: rows chosen by their gradients: the rules against definitions
 * that sort and bisect, and whole rounds of the engine against scores,
 * probabilities and sums computed here in double precision.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../src/core/rng.h"
#include "../../src/core/select.h"
#include "engine_kit.h"
#include "unit.h"

static GroveSelectBins bins;

/* --------------------------------------------------------------------- rules */

static int
compare_down(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return x > y ? -1 : x < y;
}

static float *
make_scores(KitRandom *random, uint32_t n, int shape)
{
	float	   *score = kit_alloc(n, sizeof(float));

	for (uint32_t i = 0; i < n; i++)
	{
		double		u = kit_unit(random);

		score[i] = (float) (shape == 0 ? u : shape == 1 ? exp(30.0 * kit_normal(random)) :
							shape == 2 ? 7.25 : shape == 3 ? (double) kit_below(random, 3) :
							shape == 4 ? (u < 0.7 ? 0.0 : u) : 0.0);
	}
	return score;
}

/* Expected size under min(1, score / mu). */
static double
size_under(const float *score, uint32_t n, double mu)
{
	double		size = 0.0;

	for (uint32_t i = 0; i < n; i++)
		size += fmin(1.0, score[i] / mu);
	return size;
}

static void
check_mvs(const float *score, uint32_t n, double fraction)
{
	GroveSelectRule rule;
	double		size = 0.0;
	double		low = 1e-40;
	double		high = 1e39;
	uint32_t	positive = 0;

	grove_select_mvs(&rule, &bins, fraction);
	for (uint32_t i = 0; i < n; i++)
	{
		size += grove_select_probability(rule.kind, &rule, score[i]);
		positive += score[i] > 0.0f;
	}
	CHECK(fabs(size - fraction * n) <= fraction * n / 256.0 + 1e-6);
	if (positive <= fraction * n)
		return;
	for (int step = 0; step < 300; step++)
	{
		double		middle = sqrt(low) * sqrt(high);

		*(size_under(score, n, middle) > fraction * n ? &low : &high) = middle;
	}
	if (high > 1e-36)			/* lower scores have few bits */
		CHECK(fabs(rule.mu / high - 1.0) < 1.0 / 128.0);
}

static void
check_goss(float *score, uint32_t n, double top_rate, double other_rate)
{
	GroveSelectRule rule;
	double		size = 0.0;
	double		rest = fmin(1.0, other_rate / (1.0 - top_rate));
	uint32_t	top = (uint32_t) (top_rate * n);
	float		threshold;

	grove_select_goss(&rule, &bins, top_rate, other_rate);
	qsort(score, n, sizeof(float), compare_down);
	threshold = score[top < n ? top : n - 1];
	for (uint32_t i = 0; i < n; i++)
	{
		double		p = grove_select_probability(rule.kind, &rule, score[i]);

		size += p;
		CHECK(p > 0.0 && p <= 1.0);
		if (score[i] > threshold * 1.005f)
			CHECK(p == 1.0);
		if (score[i] < threshold * 0.995f)
			CHECK(fabs(p - rest) < 1e-9);
	}
	CHECK(fabs(size - (top_rate + other_rate) * n) < 1e-6 * n);
}

static void
check_rules(void)
{
	static const double fractions[] = {0.01, 0.1, 0.5, 0.9, 0.999};
	KitRandom	random = kit_random(11);

	for (int trial = 0; trial < 60; trial++)
	{
		uint32_t	n = 1 + kit_below(&random, 3000);
		float	   *score = make_scores(&random, n, trial % 6);

		memset(&bins, 0, sizeof(bins));
		for (uint32_t i = 0; i < n; i++)
			grove_select_add(&bins, score[i]);
		for (int f = 0; f < 5; f++)
			check_mvs(score, n, fractions[f]);
		check_goss(score, n, 0.2, 0.1);
		check_goss(score, n, 0.5, 0.5);
		check_goss(score, n, 0.01, 0.001);
		free(score);
	}
	CHECK(grove_select_bits(INFINITY) >> GROVE_SELECT_SHIFT == GROVE_SELECT_BINS - 1);
}

/* -------------------------------------------------------------------- engine */

/* What is expected of the trees of a case, and what was seen. */
typedef struct Watch
{
	const KitCase *kase;
	float	   *seen;			/* [n_rows] factors of the last tree; 1 when all rows are seen */
	double		sums[4];		/* of the last tree: g and h with factors, g and h of all rows */
	double		squares[2];		/* variances of the first two, by the design */
	double		expected;		/* rows */
	uint32_t	kept;
} Watch;

static bool
training_row(const KitTable *table, uint32_t i)
{
	return !table->validation || !table->validation[i];
}

/* Gradient and hessian of one row and output by the formulas. */
static void
row_gradient(const KitCase *kase, const GroveTrainer *t, uint32_t i, uint32_t k, double *g, double *h)
{
	const KitTable *table = &kase->table;
	double		weight = table->weight ? table->weight[i] : 1.0;
	double		sum = 0.0;
	double		p;

	if (kase->config.loss == GROVE_LOSS_SQUARED)
	{
		*g = weight * ((double) t->score[i] - t->label[i]);
		*h = weight;
		return;
	}
	if (kase->config.loss == GROVE_LOSS_LOGISTIC)
	{
		p = 1.0 / (1.0 + exp(-(double) t->score[i]));
		*g = weight * (p - t->label[i]);
		*h = weight * p * (1.0 - p);
		return;
	}
	for (uint32_t c = 0; c < table->n_outputs; c++)
		sum += exp((double) t->score[(size_t) c * table->n_rows + i]);
	p = exp((double) t->score[(size_t) k * table->n_rows + i]) / sum;
	*g = weight * (p - (t->label[i] == (float) k));
	*h = weight * p * (1.0 - p) * table->n_outputs / (table->n_outputs - 1);
}

/* Scores of all rows, by the definitions. */
static double *
make_row_scores(const KitCase *kase, const GroveTrainer *t)
{
	const KitTable *table = &kase->table;
	double	   *score = kit_alloc(table->n_rows, sizeof(double));
	double		sum_g = 0.0;
	double		sum_h = 0.0;
	double		reg = kase->config.mvs_reg;
	double		g,
				h;

	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		for (uint32_t k = 0; training_row(table, i) && k < table->n_outputs; k++)
		{
			row_gradient(kase, t, i, k, &g, &h);
			sum_g += fabs(g);
			sum_h += h;
		}
	}
	if (reg < 0.0)
		reg = pow(sum_g / sum_h, 2.0);
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		for (uint32_t k = 0; k < table->n_outputs; k++)
		{
			row_gradient(kase, t, i, k, &g, &h);
			score[i] += kase->config.select == GROVE_SELECT_GOSS ? fabs(g * h) : g * g + reg * h * h;
		}
		if (kase->config.select == GROVE_SELECT_MVS)
			score[i] = sqrt(score[i]);
	}
	return score;
}

/* Probabilities by the definition of mvs; mu by bisection. */
static void
check_mvs_factors(const KitCase *kase, const GroveTrainer *t, const double *score, uint32_t n)
{
	double		wanted = kase->config.bagging_fraction * n;
	double		low = 1e-30;
	double		high = 1e30;

	for (int step = 0; step < 200; step++)
	{
		double		middle = sqrt(low * high);
		double		size = 0.0;

		for (uint32_t i = 0; i < kase->table.n_rows; i++)
			size += training_row(&kase->table, i) ? fmin(1.0, score[i] / middle) : 0.0;
		*(size > wanted ? &low : &high) = middle;
	}
	for (uint32_t i = 0; i < kase->table.n_rows; i++)
	{
		if (t->factor[i] > 0.0f)
			CHECK(fabs(t->factor[i] * fmin(1.0, score[i] / high) - 1.0) < 0.02);
	}
}

static void
check_goss_factors(const KitCase *kase, const GroveTrainer *t, const double *score, uint32_t n)
{
	float	   *sorted = kit_alloc(n, sizeof(float));
	double		rest = (1.0 - kase->config.top_rate) / kase->config.other_rate;
	double		threshold;
	uint32_t	count = 0;

	for (uint32_t i = 0; i < kase->table.n_rows; i++)
	{
		if (training_row(&kase->table, i))
			sorted[count++] = (float) score[i];
	}
	qsort(sorted, n, sizeof(float), compare_down);
	threshold = sorted[(uint32_t) (kase->config.top_rate * n)];
	for (uint32_t i = 0; i < kase->table.n_rows; i++)
	{
		if (!training_row(&kase->table, i))
			CHECK(t->factor[i] == 0.0f);
		else if (score[i] > threshold * 1.01)
			CHECK(t->factor[i] == 1.0f);
		else if (score[i] < threshold * 0.99)
			CHECK(t->factor[i] == 0.0f || fabs(t->factor[i] / rest - 1.0) < 1e-5);
	}
	free(sorted);
}

/* The integers that the tree summed, by row: from where they were kept, or from the lists of the leaves. */
static int32_t *
words_of(const KitCase *kase, const GroveTrainer *t)
{
	const GroveTrainShared *s = t->shared;
	int32_t    *words = kit_alloc(kase->table.n_rows, sizeof(int32_t));
	bool		listed = !grove_trainer_keeps_gradients(&s->dims);

	if (!listed)
		memcpy(words, t->words + (size_t) s->args.output * kase->table.n_rows, kase->table.n_rows * sizeof(int32_t));
	for (uint32_t leaf = 0; listed && leaf < s->n_leaves; leaf++)
	{
		for (uint32_t part = 0; part < s->n_parts; part++)
		{
			const GroveSegment *rows = grove_trainer_segment(t, leaf, part);
			const GroveEntry *entries = t->bag[t->leaves[leaf].side] + rows->begin;

			for (uint32_t i = 0; i < rows->count; i++)
				words[entries[i].row] = entries[i].g;
		}
	}
	return words;
}

/* The integers that the tree summed are the gradients times the factors. */
static void
check_words(Watch *watch, const GroveTrainer *t)
{
	const KitCase *kase = watch->kase;
	uint32_t	k = t->shared->args.output;
	bool		factored = t->shared->args.factored;
	bool		packed = kase->dims.mode == GROVE_HIST_PACKED;
	double		g_unit = t->shared->rules.g_unit;
	double		h_unit = t->shared->rules.h_unit;
	bool		agree = true;
	int32_t    *words = words_of(kase, t);

	memset(watch->sums, 0, sizeof(watch->sums));
	memset(watch->squares, 0, sizeof(watch->squares));
	for (uint32_t i = 0; i < kase->table.n_rows; i++)
	{
		double		factor = factored ? t->factor[i] : training_row(&kase->table, i);
		double		slack = 1e-5 * (1.0 + factor) * (kase->table.weight ? kase->table.weight[i] : 1.0);
		int32_t		entry = words[i];
		double		word = (packed ? entry >> 16 : entry) * g_unit;
		double		hess = (packed ? entry & 0xffff : t->hess[(size_t) k * kase->table.n_rows + i]) * h_unit;
		double		g,
					h;

		if (!training_row(&kase->table, i))
			continue;
		row_gradient(kase, t, i, k, &g, &h);
		agree = agree && fabs(word - g * factor) < slack * (1.0 + fabs(g)) + (packed ? g_unit : 0.0) &&
			fabs(hess - h * factor) < slack + (packed ? h_unit : 0.0);
		watch->sums[0] += word;
		watch->sums[1] += hess;
		watch->sums[2] += g;
		watch->sums[3] += h;
		watch->squares[0] += factor > 0.0 ? g * g * factor * (factor - 1.0) : 0.0;
		watch->squares[1] += factor > 0.0 ? h * h * factor * (factor - 1.0) : 0.0;
		/* a step up or down by chance has a variance of a quarter of its square at most */
		watch->squares[0] += packed && factor > 0.0 ? 0.25 * g_unit * g_unit : 0.0;
		watch->squares[1] += packed && factor > 0.0 ? 0.25 * h_unit * h_unit : 0.0;
	}
	CHECK(agree);
	free(words);
}

static void
watch_tree(void *arg, const GroveTrainer *t, const KitTree *tree)
{
	Watch	   *watch = arg;
	const KitCase *kase = watch->kase;
	uint32_t	n = kase->table.n_rows - kit_table_validation(&kase->table);
	bool		warm = kase->config.select == GROVE_SELECT_GOSS &&
		t->shared->args.round < (uint32_t) (1.0 / kase->config.learning_rate);

	/* after the first of several outputs the scores are not those of the gradients any more */
	if (t->shared->args.output == 0)
		check_words(watch, t);
	CHECK(t->shared->args.factored == !warm);
	CHECK(tree->nodes[0].count == t->shared->n_bag);
	watch->kept = t->shared->n_bag;
	watch->expected = warm ? n : n * (kase->config.select == GROVE_SELECT_GOSS ?
									  kase->config.top_rate + kase->config.other_rate : kase->config.bagging_fraction);
	for (uint32_t i = 0; i < kase->table.n_rows; i++)
		watch->seen[i] = warm ? 1.0f : t->factor[i];
	if (!warm && t->shared->args.output == 0)
	{
		double	   *score = make_row_scores(kase, t);

		if (kase->config.select == GROVE_SELECT_GOSS)
			check_goss_factors(kase, t, score, n);
		else
			check_mvs_factors(kase, t, score, n);
		free(score);
	}
	CHECK(fabs(watch->kept - watch->expected) <= 5.0 * sqrt(n * 0.25) + n / 256.0);
}

static KitCase
make_case(GroveLossKind loss, GroveSelectKind select, bool weighted, uint64_t seed)
{
	KitRandom	random = kit_random(seed);
	KitCase		kase;

	memset(&kase, 0, sizeof(kase));
	kase.table = kit_table_make(8000, 3, loss == GROVE_LOSS_SOFTMAX ? 3 : 1, weighted, seed % 2 == 0);
	for (uint32_t i = 0; i < kase.table.n_rows; i++)
	{
		double	   *row = kase.table.values + (size_t) i * 3;
		double		y;

		for (uint32_t f = 0; f < 3; f++)
			row[f] = kit_unit(&random) * 10.0;
		y = row[0] + row[1] * 0.3 + kit_normal(&random);
		kase.table.label[i] = (float) (loss == GROVE_LOSS_SQUARED ? y * fabs(y) : loss == GROVE_LOSS_LOGISTIC ? y > 9 :
									   (y > 4) + (y > 9));
		if (weighted)
			kase.table.weight[i] = (float) (0.1 + kit_unit(&random));
		if (kase.table.validation)
			kase.table.validation[i] = kit_chance(&random, 0.2);
	}
	kit_table_cut(&kase.table, 64);
	kase.config = kit_config(loss);
	kase.config.seed = seed;
	kase.config.n_rounds = 3;
	kase.config.learning_rate = 0.6;
	kase.config.max_leaves = 8;
	kase.config.bagging_freq = 1;
	kase.config.select = select;
	kase.config.bagging_fraction = select == GROVE_SELECT_MVS ? 0.3 : 1.0;
	kase.config.top_rate = 0.2;
	kase.config.other_rate = 0.1;
	kase.config.mvs_reg = seed % 3 == 0 ? 0.5 : -1.0;
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.from_average = true;
	return kase;
}

/* Rounds of one case against the definitions; then the first tree's sums over many seeds. */
static void
check_engine(GroveLossKind loss, GroveSelectKind select, bool weighted, uint64_t seed)
{
	KitCase		kase = make_case(loss, select, weighted, seed);
	Watch		watch = {.kase = &kase, .seen = kit_alloc(kase.table.n_rows, sizeof(float))};
	KitSchedule schedule = {0, false, watch_tree, &watch};
	double		error[2] = {0.0, 0.0};
	double		variance[2] = {0.0, 0.0};
	double		size = 0.0;
	double		expected = 0.0;
	KitModel	model = kit_train(&kase, &schedule);

	CHECK(model.rounds == 3 && model.cursors_agree);
	kit_model_free(&model);
	kase.config.n_rounds = select == GROVE_SELECT_GOSS ? 2 : 1;
	for (uint64_t s = 1; s <= 30; s++)
	{
		kase.config.seed = s * 1000 + seed;
		model = kit_train(&kase, &schedule);
		kit_model_free(&model);
		for (int j = 0; j < 2; j++)
		{
			error[j] += watch.sums[j] - watch.sums[j + 2];
			variance[j] += watch.squares[j];
		}
		size += watch.kept;
		expected += watch.expected;
	}
	CHECK(variance[0] > 0.0);
	for (int j = 0; j < 2; j++)
		CHECK(fabs(error[j]) <= 5.0 * sqrt(variance[j]));
	CHECK(fabs(size - expected) <= 5.0 * sqrt(30.0 * kase.table.n_rows * 0.25) + expected / 256.0);
	free(watch.seen);
	kit_table_free(&kase.table);
}

/* A row is kept or not whatever its place: copies of the table in another order keep the same rows. */
static void
check_order(GroveSelectKind select)
{
	KitCase		kase = make_case(GROVE_LOSS_LOGISTIC, select, true, 5);
	KitCase		other = kase;
	KitRandom	random = kit_random(77);
	uint32_t   *order = kit_order(&random, kase.table.n_rows);
	Watch		a = {.kase = &kase, .seen = kit_alloc(kase.table.n_rows, sizeof(float))};
	Watch		b = {.kase = &other, .seen = kit_alloc(kase.table.n_rows, sizeof(float))};
	KitSchedule in_order = {0, false, watch_tree, &a};
	KitSchedule shuffled = {9, true, watch_tree, &b};
	KitModel	x = kit_train(&kase, &in_order);
	KitModel	y;
	bool		same = true;

	other.table = kit_table_pick(&kase.table, order, kase.table.n_rows);
	other.dims.n_workers = 3;
	y = kit_train(&other, &shuffled);
	CHECK(kit_model_equal(&x, &y));
	for (uint32_t i = 0; i < kase.table.n_rows; i++)
		same = same && b.seen[i] == a.seen[order[i]];
	CHECK(same);
	kit_model_free(&x);
	kit_model_free(&y);
	free(a.seen);
	free(b.seen);
	free(order);
	kit_table_free(&other.table);
	kit_table_free(&kase.table);
}

int
main(void)
{
	check_rules();
	check_engine(GROVE_LOSS_LOGISTIC, GROVE_SELECT_GOSS, false, 1);
	check_engine(GROVE_LOSS_SQUARED, GROVE_SELECT_GOSS, true, 2);
	check_engine(GROVE_LOSS_SOFTMAX, GROVE_SELECT_GOSS, false, 4);
	check_engine(GROVE_LOSS_LOGISTIC, GROVE_SELECT_MVS, false, 2);
	check_engine(GROVE_LOSS_LOGISTIC, GROVE_SELECT_MVS, true, 3);
	check_engine(GROVE_LOSS_SQUARED, GROVE_SELECT_MVS, false, 1);
	check_engine(GROVE_LOSS_SQUARED, GROVE_SELECT_MVS, true, 6);
	check_engine(GROVE_LOSS_SOFTMAX, GROVE_SELECT_MVS, true, 4);
	check_order(GROVE_SELECT_GOSS);
	check_order(GROVE_SELECT_MVS);
	return unit_done();
}
