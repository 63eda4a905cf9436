/*
 * engine_case.c: random numbers and random small cases.
 *
 * A case is drawn to be nasty rather than typical: ties, copies of columns and
 * rows, constant and empty columns, values at the ends of the doubles, weights
 * of 0, options at their limits.
 */
#include "engine_kit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/rng.h"

KitRandom
kit_random(uint64_t seed)
{
	KitRandom	random;

	random.key = grove_rng_key(seed, GROVE_PURPOSE_HASH);
	random.count = 0;
	return random;
}

uint64_t
kit_next(KitRandom *random)
{
	return grove_rng_hash(random->key, random->count++);
}

uint32_t
kit_below(KitRandom *random, uint32_t n)
{
	return (uint32_t) grove_rng_range(kit_next(random), n);
}

double
kit_unit(KitRandom *random)
{
	return grove_rng_u01(kit_next(random));
}

bool
kit_chance(KitRandom *random, double probability)
{
	return kit_unit(random) < probability;
}

double
kit_normal(KitRandom *random)
{
	double		sum = -6.0;

	for (int i = 0; i < 12; i++)
		sum += kit_unit(random);
	return sum;
}

uint32_t *
kit_order(KitRandom *random, uint32_t n)
{
	uint32_t   *order = kit_alloc(n, sizeof(uint32_t));

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	j = kit_below(random, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	return order;
}

/* ------------------------------------------------------------------- columns */

typedef enum ColumnKind
{
	COLUMN_FEW,					/* few distinct numbers */
	COLUMN_MANY,
	COLUMN_HOLES,				/* many, some missing */
	COLUMN_CONSTANT,
	COLUMN_EMPTY,				/* all missing */
	COLUMN_EXTREME,				/* ends of the doubles, both zeros, denormals */
	COLUMN_COPY,				/* of an earlier column */
	COLUMN_LEVELS,				/* categories, some rare, some missing */
	COLUMN_KINDS
} ColumnKind;

static double
extreme_value(KitRandom *random)
{
	static const double values[] = {-DBL_MAX, DBL_MAX, 0.0, -0.0, 4.9e-324, -4.9e-324, DBL_MIN, -DBL_MIN, 1.0, NAN};

	return values[kit_below(random, sizeof(values) / sizeof(values[0]))];
}

static double
draw_value(KitRandom *random, ColumnKind kind, uint32_t levels, double hole)
{
	double		u;

	if (kind != COLUMN_EXTREME && kind != COLUMN_CONSTANT && kit_chance(random, hole))
		return kind == COLUMN_LEVELS && kit_chance(random, 0.5) ? 0.0 : NAN;
	switch (kind)
	{
		case COLUMN_FEW:
			return (double) kit_below(random, levels) - levels / 2;
		case COLUMN_CONSTANT:
			return 3.25;
		case COLUMN_EMPTY:
			return NAN;
		case COLUMN_EXTREME:
			return extreme_value(random);
		case COLUMN_LEVELS:
			u = kit_unit(random);
			return 1.0 + floor(u * u * levels);
		default:
			return kit_normal(random);
	}
}

static void
make_column(KitTable *t, uint32_t f, KitRandom *random)
{
	ColumnKind	kind = (ColumnKind) kit_below(random, COLUMN_KINDS);
	uint32_t	levels = 2 + kit_below(random, 39);
	uint32_t	source = kit_below(random, f + 1);
	double		hole = kind == COLUMN_HOLES || kit_chance(random, 0.3) ? kit_unit(random) * 0.6 : 0.0;

	if (kind == COLUMN_COPY && source < f)
	{
		t->bins[f] = t->bins[source];
		t->bins[f].window_levels = 0;
	}
	else if (kind == COLUMN_LEVELS)
	{
		t->bins[f].categorical = true;
		t->bins[f].has_rest = kit_chance(random, 0.2);
		t->bins[f].n_bins = levels;
	}
	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		double	   *row = t->values + (size_t) i * t->n_features;

		row[f] = kind == COLUMN_COPY && source < f ? row[source] : draw_value(random, kind, levels, hole);
	}
}

/* Two or three neighbouring columns that are the windows on one feature of many levels, some of them missing. */
static uint32_t
make_windows(KitTable *t, uint32_t f, KitRandom *random)
{
	uint32_t	n = t->n_features - f > 2 ? 2 + kit_below(random, 2) : 2;
	uint32_t	size[3];
	uint32_t	levels = 0;

	for (uint32_t w = 0; w < n; w++)
		levels += size[w] = 1 + kit_below(random, w == 0 ? 254 : 40);
	for (uint32_t w = 0, first = 0; w < n; first += size[w++])
	{
		GroveFeatureBins *bins = &t->bins[f + w];

		bins->categorical = true;
		bins->has_rest = true;
		bins->n_bins = size[w] + 1;
		bins->window_levels = levels;
		bins->window_first = first;
	}
	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		double		u = kit_unit(random);
		uint32_t	rank = (uint32_t) (u * u * levels);
		double		missing = kit_chance(random, 0.5) ? 0.0 : NAN;
		bool		known = kit_chance(random, 0.9);

		for (uint32_t w = 0; w < n; w++)
		{
			const GroveFeatureBins *bins = &t->bins[f + w];
			uint32_t	at = rank - bins->window_first;

			t->values[(size_t) i * t->n_features + f + w] =
				!known ? missing : (double) (at < size[w] ? at + 1 : bins->n_bins);
		}
	}
	return n;
}

/* -------------------------------------------------------------------- labels */

/* A number that depends on the first columns and on chance. */
static double
row_effect(const KitTable *t, uint32_t row, double noise, KitRandom *random)
{
	double		sum = noise * kit_normal(random);

	for (uint32_t f = 0; f < t->n_features && f < 6; f++)
	{
		double		v = t->values[(size_t) row * t->n_features + f];

		if (isnan(v))
			sum += 0.7;
		else if (t->bins[f].categorical)
			sum += sin(v * 2.3 + f);
		else
			sum += (v > 0.0 ? 1.0 : -0.5) + (v > 1.0 ? 0.8 : 0.0);
	}
	return sum;
}

/* A label that the loss can have, for this effect. */
static float
label_of(GroveLossKind loss, double effect, double scale, uint32_t n_outputs)
{
	switch (loss)
	{
		case GROVE_LOSS_LOGISTIC:
			return effect > 0.5;
		case GROVE_LOSS_SOFTMAX:
		case GROVE_LOSS_SHARE:
			return (float) ((uint32_t) floor(fabs(effect) * 2.0) % n_outputs);
		case GROVE_LOSS_POISSON:
			return (float) floor(exp(effect));
		case GROVE_LOSS_GAMMA:
			return (float) (exp(effect * 0.5) * scale);
		case GROVE_LOSS_TWEEDIE:
			return effect > 0.0 ? (float) (exp(effect * 0.5) * scale) : 0.0f;
		case GROVE_LOSS_LAMBDARANK:
			return (float) fmin(floor(fabs(effect) * 1.5), 31.0);
		case GROVE_LOSS_ABSOLUTE:
		case GROVE_LOSS_QUANTILE:
			return (float) (floor(effect * 4.0) * scale);	/* ties */
		default:
			return (float) (effect * scale);
	}
}

static void
make_labels(KitTable *t, GroveLossKind loss, bool has_margin, KitRandom *random)
{
	double		noise = kit_chance(random, 0.2) ? 0.0 : kit_unit(random) * 2.0;
	double		scale = exp(kit_normal(random) * 4.0);
	bool		constant = kit_chance(random, 0.05);
	bool		weights_tie = kit_chance(random, 0.5);

	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		t->label[i] = label_of(loss, constant ? 0.4 : row_effect(t, i, noise, random), scale, t->n_outputs);
		if (t->weight)
			t->weight[i] = (float) (weights_tie ? kit_below(random, 3) : exp(kit_normal(random)));
		if (t->validation)
			t->validation[i] = i > 0 && kit_chance(random, 0.25);
		for (uint32_t k = 0; has_margin && k < t->n_outputs; k++)
			t->margin[(size_t) k * t->n_rows + i] = (float) kit_normal(random);
	}
	if (t->weight)
		t->weight[0] = 1.0f;	/* not all are 0 */
}

/* Some rows become copies of others. */
static void
copy_rows(KitTable *t, KitRandom *random)
{
	double		share = kit_chance(random, 0.4) ? kit_unit(random) : 0.0;

	for (uint32_t i = 1; i < t->n_rows; i++)
	{
		uint32_t	from = kit_below(random, i);

		if (!kit_chance(random, share))
			continue;
		memcpy(t->values + (size_t) i * t->n_features, t->values + (size_t) from * t->n_features,
			   t->n_features * sizeof(double));
		t->label[i] = t->label[from];
		if (t->weight)
			t->weight[i] = t->weight[from];
		for (uint32_t k = 0; k < t->n_outputs; k++)
			t->margin[(size_t) k * t->n_rows + i] = t->margin[(size_t) k * t->n_rows + from];
	}
}

/* From one row a group to all rows in one; a few groups may have rows of both parts. */
static void
draw_groups(KitTable *t, KitRandom *random)
{
	uint32_t	n_groups = 1 + kit_below(random, 1 + t->n_rows / (1 + kit_below(random, 40)));

	t->group = kit_alloc(t->n_rows, sizeof(uint64_t));
	for (uint32_t i = 0; i < t->n_rows; i++)
		t->group[i] = kit_below(random, n_groups);
}

/* ------------------------------------------------------------------- options */

GroveTrainConfig
kit_config(GroveLossKind loss)
{
	GroveTrainConfig c;

	memset(&c, 0, sizeof(c));
	c.algorithm = GROVE_ALGORITHM_GBDT;
	c.loss = loss;
	c.n_rounds = 1;
	c.max_leaves = 31;
	c.max_depth = UINT32_MAX;
	c.learning_rate = 1.0;
	c.bagging_fraction = 1.0;
	c.feature_fraction = 1.0;
	c.feature_fraction_bynode = 1.0;
	c.shape.quantile_alpha = 0.3;
	c.shape.huber_delta = 0.75;
	c.shape.poisson_step = 0.7;
	c.shape.tweedie_power = 1.3;
	c.shape.rank_sigma = 1.0;
	c.shape.rank_truncation = 30;
	c.shape.rank_norm = true;
	c.rules.min_rows = 1;
	c.rules.max_cat_threshold = 255;
	c.rules.max_cat_to_onehot = 4;
	c.rules.min_data_per_group = 1;
	return c;
}

GroveTrainDims
kit_dims(const KitTable *table, const GroveTrainConfig *config)
{
	GroveTrainDims d;

	memset(&d, 0, sizeof(d));
	d.n_rows = table->n_rows;
	d.n_validation = kit_table_validation(table);
	d.n_features = table->n_features;
	d.joined = table->n_rows % 2 == 0;
	d.own_records = table->n_rows % 3 == 0;
	if (grove_matrix_size(table->bins, d.n_rows, d.n_features, d.joined, &d.matrix) != GROVE_OK)
		abort();
	d.n_outputs = table->n_outputs;
	d.max_leaves = config->max_leaves;
	d.n_workers = 1;
	d.weighted = table->weight != NULL;
	d.ranked = table->group != NULL;
	d.by_gradient = config->select != GROVE_SELECT_BAGGING;
	d.mode = grove_loss_mode(config->loss, d.weighted, d.by_gradient);
	d.sampled = config->algorithm == GROVE_ALGORITHM_FOREST || d.by_gradient ||
		(config->bagging_fraction < 1.0 && config->bagging_freq > 0);
	d.out_scored = config->algorithm == GROVE_ALGORITHM_FOREST;
	return d;
}

/* One of n numbers, each of which a case may well have. */
static double
pick(KitRandom *random, const double *values, uint32_t n)
{
	return values[kit_below(random, n)];
}

#define PICK(random, ...) \
	pick(random, (const double[]) {__VA_ARGS__}, sizeof((const double[]) {__VA_ARGS__}) / sizeof(double))

static void
draw_rules(GroveSplitRules *rules, KitRandom *random)
{
	rules->min_rows = (int64_t) PICK(random, 0, 1, 1, 1, 2, 2, 5, 20);
	rules->min_hessian = PICK(random, 0, 0, 0, 1e-3, 1e-3, 1);
	rules->lambda_l1 = PICK(random, 0, 0, 0, 0.01, 1);
	rules->lambda_l2 = PICK(random, 0, 0, 0, 0.5, 10);
	rules->max_delta_step = PICK(random, 0, 0, 0, 0.1, 2);
	rules->min_gain = PICK(random, 0, 0, 0, 0, 0, 1e-3, 0.5);
	rules->max_cat_threshold = (uint32_t) PICK(random, 1, 2, 32, 255);
	rules->max_cat_to_onehot = (uint32_t) PICK(random, 1, 4, 4, 10, 255);
	rules->min_data_per_group = (int64_t) PICK(random, 1, 1, 3, 10, 100);
	rules->cat_l2 = PICK(random, 0, 0, 1, 10);
	rules->cat_smooth = PICK(random, 0, 0, 1, 10);
}

/* Monotone features, groups of features, smoothing, random thresholds: in half of the cases one or more of them. */
static void
draw_limits(KitTable *t, GroveTrainConfig *c, KitRandom *random)
{
	bool		renewed = grove_loss_renewed(c->loss);	/* leaves that nothing can bound */
	bool		monotone = kit_chance(random, 0.2) && !renewed;
	uint32_t	groups = 1 + kit_below(random, 3);

	c->interaction = kit_chance(random, 0.15);
	c->extra_trees = kit_chance(random, 0.15);
	c->rules.path_smooth = renewed ? 0.0 : PICK(random, 0, 0, 0, 0, 0.5, 5);
	for (uint32_t f = 0; f < t->n_features; f++)
	{
		if (monotone && !t->bins[f].categorical)
			t->monotone[f] = (int8_t) ((int) kit_below(random, 3) - 1);
		for (uint32_t g = 0; c->interaction && g < groups; g++)
			t->groups[f] |= (uint64_t) kit_chance(random, 0.4) << (g * 21);
		if (!grove_bins_first(&t->bins[f]))
			t->groups[f] = t->groups[f - 1];
	}
	c->limited = monotone || c->extra_trees || c->rules.path_smooth > 0.0;
}

static GroveTrainConfig
draw_config(GroveAlgorithm algorithm, GroveLossKind loss, KitRandom *random)
{
	GroveTrainConfig c = kit_config(loss);

	c.algorithm = algorithm;
	c.seed = kit_next(random);
	c.n_rounds = algorithm == GROVE_ALGORITHM_TREE ? 1 : 1 + kit_below(random, 4);
	c.learning_rate = algorithm == GROVE_ALGORITHM_TREE ? 1.0 :
		algorithm == GROVE_ALGORITHM_FOREST ? 1.0 / c.n_rounds : PICK(random, 0.1, 0.3, 1);
	c.max_leaves = (uint32_t) PICK(random, 2, 3, 4, 8, 15, 31, 64);
	c.max_depth = (uint32_t) PICK(random, UINT32_MAX, UINT32_MAX, UINT32_MAX, 1, 2, 3, 6);
	c.bagging_freq = algorithm == GROVE_ALGORITHM_FOREST ? 1 : kit_below(random, 3);
	c.bagging_fraction = PICK(random, 1, 1, 0.7, 0.3);
	c.feature_fraction = PICK(random, 1, 1, 1, 0.5, 0.01);
	c.feature_fraction_bynode = PICK(random, 1, 1, 1, 0.6, 0.3);
	c.shape.quantile_alpha = PICK(random, 0.1, 0.5, 0.75);
	c.shape.huber_delta = exp(kit_normal(random) * 2.0);
	c.shape.tweedie_power = 1.1 + 0.8 * kit_unit(random);
	draw_rules(&c.rules, random);
	return c;
}

/* As many rows as the work allows: each level of a tree looks at each row once for each threshold. */
static uint32_t
draw_rows(uint32_t n_features, uint32_t max_bins, double cells, KitRandom *random)
{
	double		most = cells / ((double) n_features * max_bins);
	double		n = exp(log(2.0) + sqrt(kit_unit(random)) * (log(3001.0) - log(2.0)));

	return (uint32_t) (n < most ? n : most < 2.0 ? 2.0 : most);
}

/* Some boostings choose rows by their gradients. */
static void
draw_selection(GroveTrainConfig *config, uint64_t seed)
{
	KitRandom	random = kit_random(~seed);

	if (config->algorithm != GROVE_ALGORITHM_GBDT || kit_chance(&random, 0.6))
		return;
	config->select = kit_chance(&random, 0.4) ? GROVE_SELECT_GOSS : GROVE_SELECT_MVS;
	config->bagging_freq = 1;
	config->bagging_fraction = config->select == GROVE_SELECT_GOSS ? 1.0 : PICK(&random, 0.8, 0.5, 0.1);
	config->top_rate = PICK(&random, 0.2, 0.5);
	config->other_rate = PICK(&random, 0.1, 0.5);
	config->mvs_reg = PICK(&random, -1, -1, 0, 1, 1e300);
}

static void
draw_ranking(KitCase *kase, KitRandom *random)
{
	draw_groups(&kase->table, random);
	kase->config.shape.rank_sigma = PICK(random, 1, 1, 0.3, 2.5);
	kase->config.shape.rank_truncation = (uint32_t) PICK(random, 1, 3, 30, 30, 1000);
	kase->config.shape.rank_norm = kit_chance(random, 0.6);
}

static KitCase
make_case(uint64_t seed, double cells, bool ranked)
{
	KitRandom	random = kit_random(seed);
	KitCase		kase;
	GroveLossKind drawn = (GroveLossKind) kit_below(&random, kit_chance(&random, 0.5) ? 4 : GROVE_LOSS_LAMBDARANK);
	GroveLossKind loss = ranked ? GROVE_LOSS_LAMBDARANK : drawn;
	bool		only_boosting = loss != GROVE_LOSS_SHARE && loss != GROVE_LOSS_SQUARED && !grove_loss_renewed(loss);
	GroveAlgorithm algorithm = only_boosting ? GROVE_ALGORITHM_GBDT : (GroveAlgorithm) kit_below(&random, 3);
	uint32_t	n_outputs = loss == GROVE_LOSS_SOFTMAX || loss == GROVE_LOSS_SHARE ? 2 + kit_below(&random, 4) : 1;
	uint32_t	n_features = 1 + kit_below(&random, 1 + kit_below(&random, 40));
	uint32_t	max_bins = (uint32_t) PICK(&random, 2, 5, 16, 64, 255);
	bool		weighted = kit_chance(&random, 0.35);
	bool		validation = kit_chance(&random, 0.35);

	kase.has_margin = algorithm == GROVE_ALGORITHM_GBDT && kit_chance(&random, 0.2);
	kase.from_average = kit_chance(&random, 0.8);
	kase.origin = kit_chance(&random, 0.5) ? 0.0 : kit_normal(&random);
	kase.table = kit_table_make(draw_rows(n_features, max_bins, cells, &random), n_features, n_outputs,
								weighted, validation);
	for (uint32_t f = 0; f < kase.table.n_features;)
	{
		if (kase.table.n_features - f >= 2 && kit_chance(&random, 0.1))
			f += make_windows(&kase.table, f, &random);
		else
			make_column(&kase.table, f++, &random);
	}
	make_labels(&kase.table, loss, kase.has_margin, &random);
	copy_rows(&kase.table, &random);
	kase.config = draw_config(algorithm, loss, &random);
	if (ranked)
		draw_ranking(&kase, &random);
	kit_table_cut(&kase.table, max_bins);
	draw_limits(&kase.table, &kase.config, &random);
	draw_selection(&kase.config, seed);
	kase.config.early_stopping = kit_table_validation(&kase.table) > 0 && algorithm != GROVE_ALGORITHM_FOREST ?
		kit_below(&random, 3) : 0;
	kase.dims = kit_dims(&kase.table, &kase.config);
	return kase;
}

KitCase
kit_case_make(uint64_t seed, double cells)
{
	return make_case(seed, cells, false);
}

KitCase
kit_case_make_ranked(uint64_t seed, double cells)
{
	return make_case(seed, cells, true);
}

KitCase
kit_case_large(GroveLossKind loss, bool weighted, uint64_t seed)
{
	KitRandom	random = kit_random(seed);
	KitCase		kase;

	memset(&kase, 0, sizeof(kase));
	kase.table = kit_table_make(60000, 18, 1, weighted, seed % 2 == 0);
	if (loss == GROVE_LOSS_LAMBDARANK)
		kase.table.group = kit_alloc(kase.table.n_rows, sizeof(uint64_t));
	for (uint32_t i = 0; i < kase.table.n_rows; i++)
	{
		double	   *row = kase.table.values + (size_t) i * kase.table.n_features;

		for (uint32_t f = 0; f < kase.table.n_features; f++)
			row[f] = (double) kit_below(&random, f + 2);
		kase.table.label[i] = row[1] + row[17] * 0.1 + kit_normal(&random) > 2.0;
		if (kase.table.group)
			kase.table.group[i] = i / 37;
		if (weighted)
			kase.table.weight[i] = (float) kit_unit(&random);
		if (kase.table.validation)
			kase.table.validation[i] = kit_chance(&random, 0.3);
	}
	kit_table_cut(&kase.table, 255);
	kase.config = kit_config(loss);
	kase.config.n_rounds = 2;
	kase.config.max_leaves = 12;
	kase.config.bagging_freq = 1;
	kase.config.bagging_fraction = 0.9;
	kase.dims = kit_dims(&kase.table, &kase.config);
	kase.from_average = true;
	return kase;
}
