/*
 * split.c: scans over the bins of a feature.
 */
#include "split.h"

#include <float.h>
#include <string.h>

#include "category_order.h"
#include "clones.h"
#include "rng.h"

#define LANES	8

/* Left sums as doubles, one entry a candidate; bins without rows make none, nor does the last one with rows. */
typedef struct Candidates
{
	double		g[GROVE_BINS];
	double		h[GROVE_BINS];
	double		c[GROVE_BINS];
	double		gain[GROVE_BINS];
	int64_t		left_g[GROVE_BINS]; /* the same sums as they are */
	int64_t		left_h[GROVE_BINS];
	int64_t		left_c[GROVE_BINS];
	uint8_t		bin[GROVE_BINS];	/* bins 1 to this one go left */
} Candidates;

static double
shrink_l1(double g, double l1)
{
	if (g > l1)
		return g - l1;
	if (g < -l1)
		return g + l1;
	return 0.0;
}

static double
cut_step(double step, double limit)
{
	return step > limit ? limit : step < -limit ? -limit : step;
}

/* The step that minimises the loss of a leaf, within the rules. */
static double
leaf_step(const GroveSplitRules *rules, double l2, double g, double h)
{
	double		denominator = h + l2;
	double		limit = rules->max_delta_step;

	if (!(denominator > 0.0))
		return 0.0;
	return cut_step(-shrink_l1(g, rules->lambda_l1) / denominator,
					limit > 0.0 && limit < GROVE_STEP_MAX ? limit : GROVE_STEP_MAX);
}

/* The step of a side of a split with c rows, smoothed towards the node above and kept within its bounds. */
static double
side_step(const GroveSplitRules *rules, const GroveLimits *limits, double l2, double g, double h, double c)
{
	double		step = leaf_step(rules, l2, g, h);

	if (limits == NULL)
		return step;
	if (rules->path_smooth > 0.0)
		step = cut_step((step * c + limits->output * rules->path_smooth) / (c + rules->path_smooth), GROVE_STEP_MAX);
	step = step < limits->lower ? limits->lower : step;
	return step > limits->upper ? limits->upper : step;
}

/* Twice the loss that a step takes off. */
static double
gain_of_step(const GroveSplitRules *rules, double l2, double g, double h, double step)
{
	return -(2.0 * shrink_l1(g, rules->lambda_l1) * step + (h + l2) * step * step);
}

/* Twice the loss that a free leaf takes off. */
static double
leaf_gain(const GroveSplitRules *rules, double l2, double g, double h)
{
	double		s = shrink_l1(g, rules->lambda_l1);

	if (rules->max_delta_step <= 0.0)
		return h + l2 > 0.0 ? s * s / (h + l2) : 0.0;
	return gain_of_step(rules, l2, g, h, leaf_step(rules, l2, g, h));
}

/* Twice the loss that both sides of a split take off; the least number when the limits forbid it. */
static double
split_gain(const GroveSplitRules *rules, const GroveLimits *limits, double l2,
		   double gl, double hl, double cl, double gr, double hr, double cr)
{
	double		left,
				right;

	if (limits == NULL)
		return leaf_gain(rules, l2, gl, hl) + leaf_gain(rules, l2, gr, hr);
	left = side_step(rules, limits, l2, gl, hl, cl);
	right = side_step(rules, limits, l2, gr, hr, cr);
	if ((limits->monotone > 0 && left > right) || (limits->monotone < 0 && left < right))
		return -DBL_MAX;
	return gain_of_step(rules, l2, gl, hl, left) + gain_of_step(rules, l2, gr, hr, right);
}

double
grove_split_value(const GroveSplitRules *rules, const GroveSums *sums, const GroveLimits *limits)
{
	return side_step(rules, limits, rules->lambda_l2, (double) sums->g * rules->g_unit,
					 (double) sums->h * rules->h_unit, (double) sums->c);
}

/* A leaf whose best split is sought: its sums as doubles, and what it takes off unsplit. */
typedef struct Node
{
	const GroveSums *total;
	const GroveLimits *limits;
	double		g;
	double		h;
	double		c;
	double		base;
} Node;

/* Gain of each candidate over the unsplit leaf; the plain case is a loop that vectorises. */
static grove_inlined void
compute_gains(const GroveSplitRules *rules, const Node *node, Candidates *cand, uint32_t n)
{
	const double g = node->g;
	const double h = node->h;
	const double base = node->base;
	double		l2 = rules->lambda_l2;
	uint32_t	i;

	if (node->limits == NULL && rules->lambda_l1 <= 0.0 && rules->max_delta_step <= 0.0)
	{
		for (i = 0; i < n; i++)
		{
			double		gl = cand->g[i];
			double		gr = g - gl;
			double		hl = cand->h[i] + l2;
			double		hr = h - cand->h[i] + l2;

			cand->gain[i] = gl * gl / hl + gr * gr / hr - base;
		}
	}
	else
	{
		for (i = 0; i < n; i++)
			cand->gain[i] = split_gain(rules, node->limits, l2, cand->g[i], cand->h[i], cand->c[i],
									   g - cand->g[i], h - cand->h[i], node->c - cand->c[i]) - base;
	}
}

/* Takes the gain from candidates that leave too little on a side. */
static grove_inlined void
reject_thin(const GroveSplitRules *rules, double h, double c, Candidates *cand, uint32_t n)
{
	double		min_rows = rules->min_rows > 0 ? (double) rules->min_rows : 1.0;
	double		min_hessian = rules->min_hessian;
	double		l2 = rules->lambda_l2;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		double		hl = cand->h[i];
		double		hr = h - hl;
		int			thin = (cand->c[i] < min_rows) | (c - cand->c[i] < min_rows) |
			(hl < min_hessian) | (hr < min_hessian) | !(hl + l2 > 0.0) | !(hr + l2 > 0.0);

		cand->gain[i] = thin ? 0.0 : cand->gain[i];
	}
}

/* Whether a candidate with these left sums leaves enough on both sides. */
static inline bool
is_allowed(const GroveSplitRules *rules, const GroveSums *total, const GroveSums *left, double h, double hl)
{
	return left->c >= rules->min_rows && total->c - left->c >= rules->min_rows &&
		left->c > 0 && left->c < total->c &&
		hl >= rules->min_hessian && h - hl >= rules->min_hessian &&
		hl + rules->lambda_l2 > 0.0 && h - hl + rules->lambda_l2 > 0.0;
}

/* Candidates of a scan, total rows in all; returns their number. */
static grove_inlined uint32_t
list_candidates(const GroveSplitRules *rules, uint32_t n_bins, const GroveBinSums *sums, bool missing_left,
				int64_t total, Candidates *cand)
{
	/* the last bin against nothing is no split, but all values against missing is one */
	uint32_t	last = !missing_left && sums->c[0] > 0 ? n_bins : n_bins - 1;
	int64_t		g = missing_left ? sums->g[0] : 0;
	int64_t		h = missing_left ? sums->h[0] : 0;
	int64_t		c = missing_left ? sums->c[0] : 0;
	uint32_t	n = 0;
	uint32_t	b;

	for (b = 1; b <= last; b++)
	{
		g += sums->g[b];
		h += sums->h[b];
		c += sums->c[b];
		cand->left_g[n] = g;
		cand->left_h[n] = h;
		cand->left_c[n] = c;
		cand->bin[n] = (uint8_t) b;
		n += (sums->c[b] != 0) & (c != total);
	}
	for (b = 0; b < n; b++)
	{
		cand->g[b] = (double) cand->left_g[b] * rules->g_unit;
		cand->h[b] = (double) cand->left_h[b] * rules->h_unit;
		cand->c[b] = (double) cand->left_c[b];
	}
	return n;
}

/* extra_trees: one candidate, chosen at random, is left. */
static uint32_t
pick_candidate(uint64_t pick, Candidates *cand, uint32_t n)
{
	uint32_t	i;

	if (n < 2)
		return n;
	i = (uint32_t) grove_rng_range(pick, n);
	cand->g[0] = cand->g[i];
	cand->h[0] = cand->h[i];
	cand->c[0] = cand->c[i];
	cand->left_g[0] = cand->left_g[i];
	cand->left_h[0] = cand->left_h[i];
	cand->left_c[0] = cand->left_c[i];
	cand->bin[0] = cand->bin[i];
	return 1;
}

/* The first of the largest gains above best, which it becomes; n when there is none. */
static grove_inlined uint32_t
first_best(const double *gain, uint32_t n, double *best)
{
	double		top[LANES];
	uint32_t	i,
				k;

	/* the largest in lanes: one chain of comparisons would wait for itself */
	for (k = 0; k < LANES; k++)
		top[k] = *best;
	for (i = 0; i + LANES <= n; i += LANES)
	{
		for (k = 0; k < LANES; k++)
			top[k] = gain[i + k] > top[k] ? gain[i + k] : top[k];
	}
	for (; i < n; i++)
		top[0] = gain[i] > top[0] ? gain[i] : top[0];
	for (k = 1; k < LANES; k++)
		top[0] = top[k] > top[0] ? top[k] : top[0];
	if (!(top[0] > *best))
		return n;
	*best = top[0];
	for (i = 0; gain[i] != top[0]; i++)
		;
	return i;
}

/* Scans thresholds upward with the missing rows on one side. */
GROVE_CLONES static void
scan_thresholds(const GroveSplitRules *rules, const Node *node, uint32_t n_bins, const GroveBinSums *sums,
				bool missing_left, GroveSplit *best)
{
	Candidates	cand;
	uint32_t	n = list_candidates(rules, n_bins, sums, missing_left, node->total->c, &cand);
	uint32_t	found;

	if (node->limits && node->limits->pick != 0)
		n = pick_candidate(node->limits->pick, &cand, n);
	compute_gains(rules, node, &cand, n);
	reject_thin(rules, node->h, node->c, &cand, n);
	found = first_best(cand.gain, n, &best->gain);
	if (found == n)
		return;
	best->bin = cand.bin[found];
	best->categorical = false;
	best->left.g = cand.left_g[found];
	best->left.h = cand.left_h[found];
	best->left.c = cand.left_c[found];
	best->missing_left = sums->c[0] > 0 ? missing_left : best->left.c * 2 >= node->total->c;
}

/* Stores the split that sends the first n bins of order left; bin 0 stands for missing. */
static void
set_categories(GroveSplit *best, double gain, const uint8_t *order, uint32_t n, const GroveSums *left,
			   const GroveSums *total, bool has_missing)
{
	uint32_t	i;

	best->gain = gain;
	best->categorical = true;
	best->bin = 0;
	best->left = *left;
	best->missing_left = has_missing ? false : left->c * 2 >= total->c;
	memset(best->set, 0, sizeof(best->set));
	for (i = 0; i < n; i++)
	{
		if (order[i] == GROVE_MISSING_BIN)
			best->missing_left = true;
		else
			best->set[order[i] >> 3] |= (uint8_t) (1 << (order[i] & 7));
	}
}

static void
scan_one_against_rest(const GroveSplitRules *rules, const Node *node, uint32_t n_bins, const GroveBinSums *sums,
					  GroveSplit *best)
{
	uint64_t	pick = node->limits ? node->limits->pick : 0;
	uint32_t	b;

	for (b = 0; b <= n_bins; b++)
	{
		GroveSums	left = {sums->g[b], sums->h[b], sums->c[b]};
		double		gl = (double) left.g * rules->g_unit;
		double		hl = (double) left.h * rules->h_unit;
		double		gain;
		uint8_t		order[1];

		if ((pick != 0 && b != grove_rng_range(pick, n_bins + 1)) ||
			!is_allowed(rules, node->total, &left, node->h, hl))
			continue;
		gain = split_gain(rules, node->limits, rules->lambda_l2, gl, hl, (double) left.c,
						  node->g - gl, node->h - hl, node->c - (double) left.c) - node->base;
		order[0] = (uint8_t) b;
		if (gain > best->gain)
			set_categories(best, gain, order, 1, &left, node->total, sums->c[0] > 0);
	}
}

/* One direction of the scan over sorted categories: order[0], order[1], ... move left one by one. */
static void
scan_order(const GroveSplitRules *rules, const Node *node, const uint8_t *order, uint32_t n,
		   const GroveBinSums *sums, GroveSplit *best)
{
	double		l2 = rules->lambda_l2 + rules->cat_l2;
	uint64_t	pick = node->limits ? node->limits->pick : 0;
	GroveSums	left = {0, 0, 0};
	int64_t		group = 0;
	uint32_t	limit = rules->max_cat_threshold < (n + 1) / 2 ? rules->max_cat_threshold : (n + 1) / 2;
	uint32_t	i;

	for (i = 0; i < n && i < limit; i++)
	{
		uint8_t		b = order[i];
		double		gl,
					hl,
					gain;

		left.g += sums->g[b];
		left.h += sums->h[b];
		left.c += sums->c[b];
		group += sums->c[b];
		gl = (double) left.g * rules->g_unit;
		hl = (double) left.h * rules->h_unit;
		if (group < rules->min_data_per_group || node->total->c - left.c < rules->min_data_per_group ||
			!is_allowed(rules, node->total, &left, node->h, hl))
			continue;
		group = 0;
		if (pick != 0 && i != grove_rng_range(pick, limit))
			continue;
		gain = split_gain(rules, node->limits, l2, gl, hl, (double) left.c,
						  node->g - gl, node->h - hl, node->c - (double) left.c) - node->base;
		if (gain > best->gain)
			set_categories(best, gain, order, i + 1, &left, node->total, sums->c[0] > 0);
	}
}

/*
 * Categories sorted by gradient over smoothed hessian, prefixes from both ends
 * (Fisher 1958: the best partition of a sum of squares is a prefix of this
 * order).  Levels with few rows stay on the right.
 */
static void
scan_sorted(const GroveSplitRules *rules, const Node *node, const GroveFeatureBins *bins, const GroveBinSums *sums,
			GroveSplit *best)
{
	uint8_t		eligible[GROVE_BINS];
	uint8_t		order[GROVE_BINS];
	uint8_t		reverse[GROVE_BINS];
	double		ratio[GROVE_BINS];
	uint32_t	n = 0;
	uint32_t	b,
				i;

	for (b = 0; b <= bins->n_bins; b++)
	{
		double		r;

		if ((bins->has_rest && b == bins->n_bins) || sums->c[b] == 0 || (double) sums->c[b] < rules->cat_smooth)
			continue;
		/* rows of weight 0 have neither: 0 / 0 would not sort */
		r = (double) sums->h[b] * rules->h_unit + rules->cat_smooth;
		ratio[n] = r > 0.0 ? (double) sums->g[b] * rules->g_unit / r : 0.0;
		eligible[n++] = (uint8_t) b;
	}
	grove_category_order(eligible, ratio, n, order);
	for (i = 0; i < n; i++)
		reverse[i] = order[n - 1 - i];
	scan_order(rules, node, order, n, sums, best);
	scan_order(rules, node, reverse, n, sums, best);
}

/*
 * What the rounding of gradients may gain on its own.  Rows that agree differ
 * by it with a variance of at most a quarter of a step squared; a division of
 * them gains that over their mean hessian times a chi-square of one degree,
 * which exceeds 32 once in 10^8.
 */
static double
rounding_gain(const GroveSplitRules *rules, const Node *node)
{
	double		slope;

	if (!rules->stochastic || !(node->h > 0.0))
		return 0.0;
	slope = node->g / node->h * rules->h_unit;
	return 8.0 * (rules->g_unit * rules->g_unit + slope * slope) * node->c / node->h;
}

void
grove_split_find(const GroveSplitRules *rules, const GroveFeatureBins *bins, uint32_t feature,
				 const GroveBinSums *sums, const GroveSums *total, const GroveLimits *limits, GroveSplit *best)
{
	Node		node;

	node.total = total;
	node.limits = limits;
	node.g = (double) total->g * rules->g_unit;
	node.h = (double) total->h * rules->h_unit;
	node.c = (double) total->c;
	node.base = limits ? gain_of_step(rules, rules->lambda_l2, node.g, node.h, limits->output) :
		leaf_gain(rules, rules->lambda_l2, node.g, node.h);

	/* rounding, also that of doubles, must not look like a gain where all rows agree */
	best->gain = rules->min_gain + rounding_gain(rules, &node) +
		1e-10 * leaf_gain(rules, rules->lambda_l2, node.g, node.h);
	best->feature = feature;
	best->categorical = bins->categorical;
	best->left.c = 0;
	if (bins->n_bins > 0 && total->c >= 2 * rules->min_rows)
	{
		if (!bins->categorical)
		{
			scan_thresholds(rules, &node, bins->n_bins, sums, false, best);
			if (sums->c[0] > 0)
				scan_thresholds(rules, &node, bins->n_bins, sums, true, best);
		}
		else if (bins->n_bins <= rules->max_cat_to_onehot && !bins->has_rest)
			scan_one_against_rest(rules, &node, bins->n_bins, sums, best);
		else
			scan_sorted(rules, &node, bins, sums, best);
	}
	if (best->left.c == 0)
		best->gain = 0.0;
}

void
grove_split_table(const GroveSplit *split, uint8_t table[GROVE_BINS])
{
	uint32_t	b;

	for (b = 1; b < GROVE_BINS; b++)
		table[b] = split->categorical ? (split->set[b >> 3] >> (b & 7)) & 1 : b <= split->bin;
	table[GROVE_MISSING_BIN] = split->missing_left;
}
