/*
 * naive_split.c: candidates of a split, each one judged by a walk over rows.
 *
 * Gains are doubles in the order of operations that split.c has, so that equal
 * gains are equal in both and ties break by the rule; everything that goes
 * into them is found differently.
 */
#include "naive_split.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../../src/core/rng.h"

double
naive_value(const KitTable *table, uint32_t row, uint32_t feature)
{
	return table->values[(size_t) row * table->n_features + feature];
}

static bool
is_missing(bool categorical, double value)
{
	return isnan(value) || (categorical && value == 0.0);
}

bool
naive_goes_left(const NaiveSplit *split, double value)
{
	if (is_missing(split->categorical, value))
		return split->missing_left;
	return split->categorical ? split->set[(int) value] : value <= split->threshold;
}

static GroveSums
sums_of_left(const NaiveData *data, const NaiveNode *node, const NaiveSplit *split)
{
	GroveSums	sums = {0, 0, 0};

	for (uint32_t i = 0; i < node->n_rows; i++)
	{
		uint32_t	row = node->rows[i];

		if (!naive_goes_left(split, naive_value(data->table, row, split->feature)))
			continue;
		sums.g += data->g[row];
		sums.h += data->h[row];
		sums.c++;
	}
	return sums;
}

/* --------------------------------------------------------------------- gains */

static double
shrunk(double g, double l1)
{
	return g > l1 ? g - l1 : g < -l1 ? g + l1 : 0.0;
}

static double
free_step(const GroveSplitRules *rules, double l2, double g, double h)
{
	double		step = h + l2 > 0.0 ? -shrunk(g, rules->lambda_l1) / (h + l2) : 0.0;

	if (rules->max_delta_step > 0.0)
		step = fmax(fmin(step, rules->max_delta_step), -rules->max_delta_step);
	return step;
}

static double
gain_of_step(const GroveSplitRules *rules, double l2, double g, double h, double step)
{
	return -(2.0 * shrunk(g, rules->lambda_l1) * step + (h + l2) * step * step);
}

static double
free_gain(const GroveSplitRules *rules, double l2, double g, double h)
{
	double		s = shrunk(g, rules->lambda_l1);

	if (rules->max_delta_step > 0.0)
		return gain_of_step(rules, l2, g, h, free_step(rules, l2, g, h));
	return h + l2 > 0.0 ? s * s / (h + l2) : 0.0;
}

/* The step of a side, drawn to the output of the node above and kept within its bounds. */
static double
limited_step(const NaiveData *data, const NaiveNode *above, double l2, double g, double h, double rows)
{
	double		step = free_step(&data->rules, l2, g, h);
	double		smooth = data->rules.path_smooth;

	if (!data->limited || above == NULL)
		return step;
	if (smooth > 0.0)
		step = (step * rows + above->output * smooth) / (rows + smooth);
	return fmin(fmax(step, above->lower), above->upper);
}

double
naive_output(const NaiveData *data, const NaiveNode *parent, const GroveSums *sums)
{
	return limited_step(data, parent, data->rules.lambda_l2, (double) sums->g * data->rules.g_unit,
						(double) sums->h * data->rules.h_unit, (double) sums->c);
}

double
naive_least_gain(const NaiveData *data, const NaiveNode *node)
{
	const GroveSplitRules *rules = &data->rules;
	double		g = (double) node->sums.g * rules->g_unit;
	double		h = (double) node->sums.h * rules->h_unit;
	double		noise = 0.0;

	/* 32 times a quarter of a step squared, of gradients and, times the slope, of hessians */
	if (rules->stochastic && h > 0.0)
		noise = 8.0 * (rules->g_unit * rules->g_unit + (g / h * rules->h_unit) * (g / h * rules->h_unit)) *
			(double) node->sums.c / h;
	return rules->min_gain + noise + 1e-10 * free_gain(rules, rules->lambda_l2, g, h);
}

static bool
is_allowed(const GroveSplitRules *rules, const GroveSums *total, const GroveSums *left)
{
	double		hl = (double) left->h * rules->h_unit;
	double		hr = (double) total->h * rules->h_unit - hl;
	int64_t		least = rules->min_rows > 1 ? rules->min_rows : 1;

	return left->c >= least && total->c - left->c >= least && hl >= rules->min_hessian && hr >= rules->min_hessian &&
		hl + rules->lambda_l2 > 0.0 && hr + rules->lambda_l2 > 0.0;
}

/* Gain of a division with extra L2 on the two sides; -DBL_MAX when it runs against a monotone constraint. */
static double
gain_of(const NaiveData *data, const NaiveNode *node, uint32_t feature, const GroveSums *left, double extra)
{
	const GroveSplitRules *rules = &data->rules;
	double		l2 = rules->lambda_l2 + extra;
	double		g = (double) node->sums.g * rules->g_unit;
	double		h = (double) node->sums.h * rules->h_unit;
	double		gl = (double) left->g * rules->g_unit;
	double		hl = (double) left->h * rules->h_unit;
	double		a,
				b;

	if (!data->limited)
		return free_gain(rules, l2, gl, hl) + free_gain(rules, l2, g - gl, h - hl) -
			free_gain(rules, rules->lambda_l2, g, h);
	a = limited_step(data, node, l2, gl, hl, (double) left->c);
	b = limited_step(data, node, l2, g - gl, h - hl, (double) (node->sums.c - left->c));
	if ((b - a) * data->table->monotone[feature] < 0.0)
		return -DBL_MAX;
	return gain_of_step(rules, l2, gl, hl, a) + gain_of_step(rules, l2, g - gl, h - hl, b) -
		gain_of_step(rules, rules->lambda_l2, g, h, node->output);
}

/* Takes the candidate, whose left sums are known, when it is allowed and better. */
static void
consider(const NaiveData *data, const NaiveNode *node, NaiveSplit *candidate, bool has_missing, double extra,
		 NaiveSplit *best)
{
	if (!is_allowed(&data->rules, &node->sums, &candidate->left))
		return;
	candidate->gain = gain_of(data, node, candidate->feature, &candidate->left, extra);
	if (!(candidate->gain > best->gain))
		return;
	*best = *candidate;
	if (!has_missing)
		best->missing_left = candidate->left.c * 2 >= node->sums.c;
}

/* ---------------------------------------------------------------- candidates */

/* Rows of the node with a value in (above, up_to]. */
static bool
has_rows_between(const NaiveData *data, const NaiveNode *node, uint32_t feature, double above, double up_to)
{
	for (uint32_t i = 0; i < node->n_rows; i++)
	{
		double		v = naive_value(data->table, node->rows[i], feature);

		if (v > above && v <= up_to)
			return true;
	}
	return false;
}

/*
 * One side of missing.  A candidate is a threshold that has rows on both sides
 * and some between it and the one below; extra_trees leaves one of them.
 */
static void
try_thresholds(const NaiveData *data, const NaiveNode *node, NaiveSplit *candidate, bool has_missing, uint64_t pick,
			   NaiveSplit *best)
{
	const GroveFeatureBins *bins = &data->table->bins[candidate->feature];
	NaiveSplit	list[GROVE_BINS];
	uint32_t	n = 0;

	for (uint32_t e = 0; e < bins->n_bins; e++)
	{
		candidate->threshold = e + 1 < bins->n_bins ? bins->edges[e] : GROVE_LAST_THRESHOLD;
		if (!has_rows_between(data, node, candidate->feature, e > 0 ? bins->edges[e - 1] : -INFINITY,
							  candidate->threshold))
			continue;
		candidate->left = sums_of_left(data, node, candidate);
		if (candidate->left.c < node->sums.c)
			list[n++] = *candidate;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		if (pick == 0 || n < 2 || i == grove_rng_range(pick, n))
			consider(data, node, &list[i], has_missing, 0.0, best);
	}
}

/* Makes category b, or missing for b = 0, go left or right. */
static void
send(NaiveSplit *candidate, uint32_t b, bool left)
{
	if (b == 0)
		candidate->missing_left = left;
	else
		candidate->set[b] = left;
}

static void
try_one_against_rest(const NaiveData *data, const NaiveNode *node, NaiveSplit *candidate, bool has_missing,
					 uint64_t pick, NaiveSplit *best)
{
	uint32_t	n_bins = data->table->bins[candidate->feature].n_bins;

	for (uint32_t b = 0; b <= n_bins; b++)
	{
		if (pick != 0 && b != grove_rng_range(pick, n_bins + 1))
			continue;
		send(candidate, b, true);
		candidate->left = sums_of_left(data, node, candidate);
		consider(data, node, candidate, has_missing, 0.0, best);
		send(candidate, b, false);
	}
}

/* Categories with enough rows, by gradient over smoothed hessian, equal ones by number; returns how many. */
static uint32_t
sort_categories(const NaiveData *data, const NaiveNode *node, uint32_t feature, uint32_t *order, int64_t *rows)
{
	const GroveSplitRules *rules = &data->rules;
	const GroveFeatureBins *bins = &data->table->bins[feature];
	double		ratio[GROVE_BINS];
	uint32_t	n = 0;

	for (uint32_t b = 0; b <= bins->n_bins; b++)
	{
		NaiveSplit	alone = {.feature = feature,.categorical = true};
		GroveSums	sums;
		double		h;
		uint32_t	at;

		send(&alone, b, true);
		sums = sums_of_left(data, node, &alone);
		rows[b] = sums.c;
		if (sums.c == 0 || (double) sums.c < rules->cat_smooth || (bins->has_rest && b == bins->n_bins))
			continue;
		h = (double) sums.h * rules->h_unit + rules->cat_smooth;
		ratio[b] = h > 0.0 ? (double) sums.g * rules->g_unit / h : 0.0;
		for (at = n; at > 0 && ratio[order[at - 1]] > ratio[b]; at--)
			order[at] = order[at - 1];
		order[at] = b;
		n++;
	}
	return n;
}

static void
try_sorted(const NaiveData *data, const NaiveNode *node, const NaiveSplit *empty, bool has_missing, uint64_t pick,
		   NaiveSplit *best)
{
	const GroveSplitRules *rules = &data->rules;
	uint32_t	order[GROVE_BINS];
	int64_t		rows[GROVE_BINS];
	uint32_t	n = sort_categories(data, node, empty->feature, order, rows);
	uint32_t	limit = (n + 1) / 2 < rules->max_cat_threshold ? (n + 1) / 2 : rules->max_cat_threshold;

	for (int end = 0; end < 2; end++)
	{
		NaiveSplit	candidate = *empty;
		int64_t		group = 0;

		for (uint32_t i = 0; i < limit; i++)
		{
			uint32_t	b = order[end == 0 ? i : n - 1 - i];

			send(&candidate, b, true);
			candidate.left = sums_of_left(data, node, &candidate);
			group += rows[b];
			if (group < rules->min_data_per_group || node->sums.c - candidate.left.c < rules->min_data_per_group ||
				!is_allowed(rules, &node->sums, &candidate.left))
				continue;
			group = 0;
			if (pick == 0 || i == grove_rng_range(pick, limit))
				consider(data, node, &candidate, has_missing, rules->cat_l2, best);
		}
	}
}

void
naive_try_feature(const NaiveData *data, const NaiveNode *node, uint32_t feature, uint64_t pick, NaiveSplit *best)
{
	const GroveFeatureBins *bins = &data->table->bins[feature];
	NaiveSplit	candidate = {.feature = feature,.categorical = bins->categorical};
	bool		has_missing = false;

	for (uint32_t i = 0; i < node->n_rows; i++)
		has_missing = has_missing || is_missing(bins->categorical, naive_value(data->table, node->rows[i], feature));
	if (!bins->categorical)
	{
		try_thresholds(data, node, &candidate, has_missing, pick, best);
		candidate.missing_left = true;
		if (has_missing)
			try_thresholds(data, node, &candidate, has_missing, pick, best);
	}
	else if (bins->n_bins <= data->rules.max_cat_to_onehot && !bins->has_rest)
		try_one_against_rest(data, node, &candidate, has_missing, pick, best);
	else
		try_sorted(data, node, &candidate, has_missing, pick, best);
}
