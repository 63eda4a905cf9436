/*
 * train_input.c: see train_input.h.
 */
#include "train_input.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES	64			/* what is not of a row */
#define MAX_ROWS	200
#define MAX_FEATURES	8

typedef struct Bytes
{
	const uint8_t *data;
	size_t		size;
	size_t		at;
	size_t		round;			/* how often the rows have been through */
} Bytes;

/* Of the head, once. */
static uint8_t
next(Bytes *in)
{
	return in->at < in->size && in->at < HEAD_BYTES ? in->data[in->at++] : 0;
}

/* Of the rows; each round is shifted against the one before. */
static uint8_t
next_cell(Bytes *in)
{
	if (in->at < HEAD_BYTES)
		in->at = HEAD_BYTES;
	if (in->at >= in->size)
		in->at = HEAD_BYTES + ++in->round % (in->size - HEAD_BYTES);
	return (uint8_t) (in->data[in->at++] + in->round);
}

static double
pick(Bytes *in, const double *values, uint32_t n)
{
	return values[next(in) % n];
}

#define PICK(in, ...) \
	pick(in, (const double[]) {__VA_ARGS__}, sizeof((const double[]) {__VA_ARGS__}) / sizeof(double))

/* ---------------------------------------------------------------- objectives */

static const struct
{
	const char *name;
	GroveTask	task;
	GroveLossKind loss;
	GroveLink	link;
	bool		grows_alone;	/* forest and tree have it, too */
	GroveLossKind tree_loss;
	GroveLink	tree_link;
} objectives[] = {
	{"regression", GROVE_TASK_REGRESSION, GROVE_LOSS_SQUARED, GROVE_LINK_IDENTITY, true, GROVE_LOSS_SQUARED, GROVE_LINK_IDENTITY},
	{"binary", GROVE_TASK_BINARY, GROVE_LOSS_LOGISTIC, GROVE_LINK_LOGISTIC, true, GROVE_LOSS_SQUARED, GROVE_LINK_CLAMP},
	{"multiclass", GROVE_TASK_MULTICLASS, GROVE_LOSS_SOFTMAX, GROVE_LINK_SOFTMAX, true, GROVE_LOSS_SHARE, GROVE_LINK_NORMALIZE},
	{"regression_l1", GROVE_TASK_REGRESSION, GROVE_LOSS_ABSOLUTE, GROVE_LINK_IDENTITY, true, GROVE_LOSS_ABSOLUTE, GROVE_LINK_IDENTITY},
	{"quantile", GROVE_TASK_REGRESSION, GROVE_LOSS_QUANTILE, GROVE_LINK_IDENTITY, true, GROVE_LOSS_QUANTILE, GROVE_LINK_IDENTITY},
	{"huber", GROVE_TASK_REGRESSION, GROVE_LOSS_HUBER, GROVE_LINK_IDENTITY, false, 0, 0},
	{"poisson", GROVE_TASK_REGRESSION, GROVE_LOSS_POISSON, GROVE_LINK_EXP, false, 0, 0},
	{"gamma", GROVE_TASK_REGRESSION, GROVE_LOSS_GAMMA, GROVE_LINK_EXP, false, 0, 0},
	{"tweedie", GROVE_TASK_REGRESSION, GROVE_LOSS_TWEEDIE, GROVE_LINK_EXP, false, 0, 0},
	{"lambdarank", GROVE_TASK_RANKING, GROVE_LOSS_LAMBDARANK, GROVE_LINK_IDENTITY, false, 0, 0}
};

static GroveTrainConfig
choose_objective(TrainInput *input, Bytes *in)
{
	uint32_t	i = next(in) % (sizeof(objectives) / sizeof(objectives[0]));
	GroveAlgorithm algorithm = (GroveAlgorithm) PICK(in, 0, 0, 1, 2);
	bool		alone = algorithm != GROVE_ALGORITHM_GBDT && objectives[i].grows_alone;
	GroveTrainConfig config = kit_config(alone ? objectives[i].tree_loss : objectives[i].loss);

	config.algorithm = alone ? algorithm : GROVE_ALGORITHM_GBDT;
	input->objective = objectives[i].name;
	input->task = objectives[i].task;
	input->link = alone ? objectives[i].tree_link : objectives[i].link;
	return config;
}

/* ------------------------------------------------------------------- options */

static void
choose_rules(GroveTrainConfig *c, Bytes *in)
{
	GroveSplitRules *rules = &c->rules;

	rules->min_rows = (int64_t) PICK(in, 1, 0, 2, 5, 1000000000);
	rules->min_hessian = PICK(in, 1e-3, 0, 1, 1e300);
	rules->lambda_l1 = PICK(in, 0, 0.01, 1, 1e300);
	rules->lambda_l2 = PICK(in, 0, 1e-300, 0.5, 10, 1e300);
	rules->max_delta_step = PICK(in, 0, 1e-300, 0.1, 2, 1e300);
	rules->min_gain = PICK(in, 0, 1e-300, 1e-3, 1e300);
	rules->max_cat_threshold = (uint32_t) PICK(in, 32, 1, 2, 255);
	rules->max_cat_to_onehot = (uint32_t) PICK(in, 4, 1, 10, 255);
	rules->min_data_per_group = (int64_t) PICK(in, 1, 3, 100, 1000000000);
	rules->cat_l2 = PICK(in, 10, 0, 1, 1e300);
	rules->cat_smooth = PICK(in, 10, 0, 1, 1e300);
	rules->path_smooth = grove_loss_renewed(c->loss) ? 0.0 : PICK(in, 0, 1e-300, 0.5, 5, 1e300);
}

static void
choose_shape(GroveTrainConfig *c, Bytes *in)
{
	c->shape.quantile_alpha = PICK(in, 0.5, 1e-6, 0.3, 0.999999);
	c->shape.huber_delta = PICK(in, 1, 1e-30, 1e-3, 1e30);
	c->shape.poisson_step = PICK(in, 0.7, 0, 80);
	c->shape.tweedie_power = PICK(in, 1.5, 1.001, 1.999);
	c->shape.rank_sigma = PICK(in, 1, 1e-6, 1e6);
	c->shape.rank_truncation = (uint32_t) PICK(in, 30, 1, 2, 1000);
	c->shape.rank_norm = PICK(in, 1, 0) != 0;
}

/* How rows and features are drawn. */
static void
choose_draws(GroveTrainConfig *c, Bytes *in)
{
	bool		boosted = c->algorithm == GROVE_ALGORITHM_GBDT;

	c->bagging_freq = c->algorithm == GROVE_ALGORITHM_FOREST ? 1 : (uint32_t) PICK(in, 1, 0, 2);
	c->bagging_fraction = PICK(in, 1, 0.7, 0.3, 1e-6);
	c->feature_fraction = PICK(in, 1, 0.5, 1e-6);
	c->feature_fraction_bynode = PICK(in, 1, 0.6, 1e-6);
	c->select = (GroveSelectKind) PICK(in, GROVE_SELECT_BAGGING, GROVE_SELECT_BAGGING, GROVE_SELECT_GOSS, GROVE_SELECT_MVS);
	c->top_rate = PICK(in, 0.2, 1e-6, 0.5);
	c->other_rate = PICK(in, 0.1, 1e-6, 0.5);
	c->mvs_reg = PICK(in, -1, 0, 1, 1e-300, 1e300);
	if (!boosted)
		c->select = GROVE_SELECT_BAGGING;
	if (c->select != GROVE_SELECT_BAGGING)
		c->bagging_freq = 1;
	if (c->select == GROVE_SELECT_GOSS)
		c->bagging_fraction = 1.0;
	if (c->select == GROVE_SELECT_MVS && c->bagging_fraction == 1.0)
		c->bagging_fraction = 0.5;
}

static void
choose_config(GroveTrainConfig *c, Bytes *in)
{
	c->seed = next(in);
	c->n_rounds = 1 + next(in) % 6;
	c->max_leaves = (uint32_t) PICK(in, 31, 2, 3, 8, 64);
	c->max_depth = (uint32_t) PICK(in, UINT32_MAX, 1, 2, 6);
	c->learning_rate = PICK(in, 0.1, 1e-6, 0.3, 1);
	if (c->algorithm == GROVE_ALGORITHM_TREE)
	{
		c->n_rounds = 1;
		c->learning_rate = 1.0;
	}
	if (c->algorithm == GROVE_ALGORITHM_FOREST)
		c->learning_rate = 1.0 / c->n_rounds;
	c->ccp_alpha = PICK(in, 0, 1e-300, 1e-3, 1e300);
	if (c->algorithm != GROVE_ALGORITHM_TREE || grove_loss_renewed(c->loss))
		c->ccp_alpha = 0.0;
	c->extra_trees = PICK(in, 0, 0, 0, 1) != 0;
	c->interaction = PICK(in, 0, 0, 0, 1) != 0;
	choose_rules(c, in);
	choose_shape(c, in);
	choose_draws(c, in);
}

/* --------------------------------------------------------------------- table */

/* Two columns that are the windows on one feature of many levels. */
static void
make_windows(GroveFeatureBins *bins, Bytes *in)
{
	uint32_t	first = (uint32_t) PICK(in, 254, 1, 30);
	uint32_t	second = (uint32_t) PICK(in, 40, 1, 254);

	for (uint32_t w = 0; w < 2; w++)
	{
		bins[w].categorical = true;
		bins[w].has_rest = true;
		bins[w].n_bins = (w == 0 ? first : second) + 1;
		bins[w].window_levels = first + second;
		bins[w].window_first = w == 0 ? 0 : first;
	}
}

static void
choose_columns(TrainInput *input, Bytes *in)
{
	KitTable   *t = &input->kase.table;
	GroveTrainConfig *c = &input->kase.config;
	bool		monotone = PICK(in, 0, 0, 1) != 0 && !grove_loss_renewed(c->loss) && input->task != GROVE_TASK_MULTICLASS;

	for (uint32_t f = 0; f < t->n_features; f++)
	{
		uint8_t		what = next(in);

		if (c->interaction)
			t->groups[f] = what / 16 % 8;
		if (t->bins[f].window_levels > 0)	/* the second of two */
		{
			t->groups[f] = t->groups[f - 1];
			continue;
		}
		t->bins[f].categorical = what % 4 == 3;
		if (what % 16 == 7 && f + 1 < t->n_features)
			make_windows(&t->bins[f], in);
		else if (t->bins[f].categorical)
		{
			t->bins[f].n_bins = (uint32_t) PICK(in, 3, 1, 12, 255);
			t->bins[f].has_rest = t->bins[f].n_bins > 1 && what % 16 == 15;
		}
		else if (monotone)
			t->monotone[f] = (int8_t) (what / 4 % 3 - 1);
	}
	c->limited = monotone || c->extra_trees || c->rules.path_smooth > 0.0;
}

static double
feature_value(Bytes *in, const GroveFeatureBins *bins)
{
	static const double odd[] = {NAN, DBL_MAX, -DBL_MAX, 0.0, -0.0, 4.9e-324, -4.9e-324, DBL_MIN, -DBL_MIN, 1e300, 1.0 + DBL_EPSILON};
	uint8_t		b = next_cell(in);

	if (bins->categorical)
		return b % 16 == 0 ? NAN : (double) (b % (bins->n_bins + 1));
	return b < sizeof(odd) / sizeof(odd[0]) ? odd[b] : (b - 128) / 4.0;
}

/* Both columns of a feature of many levels. */
static void
window_values(Bytes *in, const GroveFeatureBins *bins, double *values)
{
	uint32_t	level = next_cell(in);

	level = level * 256 + next_cell(in);
	for (uint32_t w = 0; w < 2; w++)
	{
		uint32_t	at = level % bins[w].window_levels - bins[w].window_first;

		values[w] = level % 7 == 6 ? NAN : (double) (at < bins[w].n_bins - 1 ? at + 1 : bins[w].n_bins);
	}
}

/* What the server lets in as a target of the loss, as the trainer gets it. */
static float
label_value(Bytes *in, GroveLossKind loss, uint32_t n_outputs)
{
	static const double ends[] = {0, 1, 2, 7, 0.5, 1e37, 1e-37, 3e-5};
	uint8_t		b = next_cell(in);
	double		number = b < 128 ? b / 8 : ends[b % 8];

	switch (loss)
	{
		case GROVE_LOSS_LOGISTIC:
			return b & 1;
		case GROVE_LOSS_SOFTMAX:
		case GROVE_LOSS_SHARE:
			return (float) (b % n_outputs);
		case GROVE_LOSS_LAMBDARANK:
			return b % 32;
		case GROVE_LOSS_POISSON:
		case GROVE_LOSS_TWEEDIE:
			return (float) number;
		case GROVE_LOSS_GAMMA:
			return (float) fmax(number, 1e-37);
		default:
			return (float) (b & 64 ? -number : number);
	}
}

static void
fill_rows(TrainInput *input, Bytes *in)
{
	static const float weights[] = {1, 0, 0, 2, 0.5f, FLT_MAX, FLT_MIN, 1e-45f};
	static const float margins[] = {0, 1, -1, 0.25f, 100, -100, 1e37f, -1e37f};
	KitTable   *t = &input->kase.table;

	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		for (uint32_t f = 0; f < t->n_features; f++)
		{
			double	   *value = &t->values[(size_t) i * t->n_features + f];

			if (t->bins[f].window_levels == 0)
				*value = feature_value(in, &t->bins[f]);
			else
				window_values(in, &t->bins[f++], value);
		}
		t->label[i] = label_value(in, input->kase.config.loss, t->n_outputs);
		if (t->weight)
			t->weight[i] = weights[next_cell(in) % 8];
		if (t->validation)
			t->validation[i] = i > 0 && next_cell(in) % 4 == 3;
		for (uint32_t k = 0; input->kase.has_margin && k < t->n_outputs; k++)
			t->margin[(size_t) k * t->n_rows + i] = margins[next_cell(in) % 8];
		if (t->group)
			t->group[i] = next_cell(in) % 5;
	}
	/* the server refuses a target that is 0 in every training row of these */
	if (grove_loss_log_link(input->kase.config.loss) && t->label[0] == 0.0f)
		t->label[0] = 1.0f;
}

bool
train_input_make(TrainInput *input, const uint8_t *data, size_t size)
{
	Bytes		in = {data, size, 0, 0};
	KitCase    *kase = &input->kase;
	uint32_t	n_rows;
	uint32_t	n_features;
	uint32_t	n_outputs;
	uint32_t	max_bins;
	uint8_t		roles;

	memset(input, 0, sizeof(*input));
	if (size <= HEAD_BYTES)
		return false;
	kase->config = choose_objective(input, &in);
	n_rows = 1 + next(&in) % MAX_ROWS;
	n_features = 1 + next(&in) % MAX_FEATURES;
	n_outputs = input->task == GROVE_TASK_MULTICLASS ? 2 + next(&in) % 4 : 1;
	max_bins = (uint32_t) PICK(&in, 255, 2, 5, 16);
	roles = next(&in);
	kase->table = kit_table_make(n_rows, n_features, n_outputs, roles & 1, roles & 2);
	if (input->task == GROVE_TASK_RANKING)
		kase->table.group = kit_alloc(n_rows, sizeof(uint64_t));
	kase->has_margin = (roles & 4) && kase->config.algorithm == GROVE_ALGORITHM_GBDT;
	kase->from_average = !(roles & 8);
	kase->origin = input->task == GROVE_TASK_REGRESSION ? PICK(&in, 0, 1.5, 1e37, -1e37) : 0.0;
	input->schedule.seed = roles & 16 ? 1 + next(&in) : 0;
	choose_config(&kase->config, &in);
	choose_columns(input, &in);
	fill_rows(input, &in);
	kit_table_cut(&kase->table, max_bins);
	if (kase->config.algorithm == GROVE_ALGORITHM_GBDT && kit_table_validation(&kase->table) > 0)
		kase->config.early_stopping = roles >> 5 & 3;
	kase->dims = kit_dims(&kase->table, &kase->config);
	kase->dims.pruned = kase->config.ccp_alpha > 0.0;
	if (input->schedule.seed != 0)
		kase->dims.n_workers = 3;
	return true;
}

void
train_input_free(TrainInput *input)
{
	kit_table_free(&input->kase.table);
}
