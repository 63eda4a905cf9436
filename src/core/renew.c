/*
 * renew.c: radix selection: residuals become words of the same order, and
 * three passes narrow the digits of the one that is looked for, each over the
 * entries that the pass before left.  Weights are added in fixed point.
 *
 * Regularisation by lambda_l1 and lambda_l2 acts on the search for splits
 * only, as in LightGBM; max_delta_step bounds the leaf.  Limits of outputs
 * (monotone constraints, smoothing) would not hold.
 */
#include "renew.h"

#include <string.h>

#define DIGIT_BITS	11
#define DIGITS		(1 << DIGIT_BITS)
/* Shares of the weight that differ by less than this count as equal: counts are exact, weights single precision. */
#define COUNT_SLACK		(1.0 / 1099511627776.0)
#define WEIGHT_SLACK	(1.0 / 4194304.0)

/* A word whose unsigned order is that of the numbers. */
static inline uint32_t
order_word(float value)
{
	uint32_t	bits;

	value += 0.0f;				/* -0 becomes 0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits ^ (bits >> 31 ? UINT32_MAX : UINT32_C(0x80000000));
}

static inline float
word_value(uint32_t word)
{
	float		value;

	word ^= word >> 31 ? UINT32_C(0x80000000) : UINT32_MAX;
	memcpy(&value, &word, sizeof(value));
	return value;
}

static inline uint32_t
residual_word(const GroveTrainer *t, uint32_t row)
{
	return order_word(t->label[row] - t->score[row]);
}

/* Whether rows count differently: by a weight, or because they stand for others that were not drawn. */
static inline bool
has_weights(const GroveTrainer *t)
{
	return t->weight || t->shared->args.factored;
}

/* Steps of a weight of 1, so that n of the largest weights fit. */
static double
weight_scale(const GroveTrainer *t, uint32_t n)
{
	double		scale = 4611686018427387904.0;	/* 2^62 */

	if (!has_weights(t))
		return 1.0;
	for (; n > 0; n /= 2)
		scale *= 0.5;
	return scale / ((double) t->shared->max_weight * (double) t->shared->max_factor);
}

static inline int64_t
weight_steps(const GroveTrainer *t, uint32_t row, double scale)
{
	double		weight = 1.0;

	if (!has_weights(t))
		return 1;
	if (t->weight)
		weight = (double) t->weight[row];
	if (t->shared->args.factored)
		weight *= (double) t->factor[row];
	return (int64_t) (weight * scale);
}

/* The smallest residual beyond this one that has weight; word itself when there is none. */
static uint32_t
next_word(const GroveTrainer *t, const GroveRenewRows *parts, uint32_t n_parts, uint32_t word, double scale)
{
	uint32_t	next = UINT32_MAX;
	uint32_t	p,
				i;

	for (p = 0; p < n_parts; p++)
	{
		const GroveEntry *entries = parts[p].entries;

		for (i = 0; i < parts[p].n; i++)
		{
			uint32_t	w = residual_word(t, entries[i].row);

			if (w > word && w < next && weight_steps(t, entries[i].row, scale) > 0)
				next = w;
		}
	}
	return next == UINT32_MAX ? word : next;
}

/* All entries with their residuals into scratch; returns their weight. */
static int64_t
copy_residuals(const GroveTrainer *t, GroveRenewRows *parts, uint32_t n_parts, double scale)
{
	int64_t		total = 0;
	uint32_t	p,
				i;

	for (p = 0; p < n_parts; p++)
	{
		parts[p].kept = parts[p].n;
		for (i = 0; i < parts[p].n; i++)
		{
			uint32_t	row = parts[p].entries[i].row;

			parts[p].scratch[i].row = row;
			parts[p].scratch[i].g = (int32_t) residual_word(t, row);
			total += weight_steps(t, row, scale);
		}
	}
	return total;
}

static inline uint32_t
digit_of(const GroveEntry *entry, int shift)
{
	return ((uint32_t) entry->g >> shift) & (DIGITS - 1);
}

/*
 * Keeps the entries of scratch whose digit at shift is the first one up to
 * which the weight, with what lies *below the entries, reaches cut.
 */
static void
narrow(const GroveTrainer *t, GroveRenewRows *parts, uint32_t n_parts, int shift, double cut, double scale, int64_t *below)
{
	int64_t		weights[DIGITS];
	uint32_t	digit = 0;
	uint32_t	p,
				i;

	memset(weights, 0, sizeof(weights));
	for (p = 0; p < n_parts; p++)
	{
		for (i = 0; i < parts[p].kept; i++)
			weights[digit_of(&parts[p].scratch[i], shift)] += weight_steps(t, parts[p].scratch[i].row, scale);
	}
	while (digit < DIGITS - 1 && (double) (*below + weights[digit]) < cut)
		*below += weights[digit++];
	for (p = 0; p < n_parts; p++)
	{
		GroveEntry *entries = parts[p].scratch;
		uint32_t	kept = 0;

		for (i = 0; i < parts[p].kept; i++)
		{
			if (digit_of(&entries[i], shift) == digit)
				entries[kept++] = entries[i];
		}
		parts[p].kept = kept;
	}
}

double
grove_renew_quantile(const GroveTrainer *t, GroveRenewRows *parts, uint32_t n_parts, double alpha)
{
	uint32_t	n = 0;
	int64_t		below = 0;
	int64_t		total;
	double		scale,
				cut,
				slack;
	uint32_t	word = 0;
	bool		found = false;
	uint32_t	p,
				i;

	for (p = 0; p < n_parts; p++)
		n += parts[p].n;
	scale = weight_scale(t, n);
	total = copy_residuals(t, parts, n_parts, scale);
	if (total <= 0)
		return 0.0;
	slack = (double) total * (has_weights(t) ? WEIGHT_SLACK : COUNT_SLACK);
	cut = (double) total * alpha;
	narrow(t, parts, n_parts, 22, cut - slack, scale, &below);
	narrow(t, parts, n_parts, 11, cut - slack, scale, &below);
	narrow(t, parts, n_parts, 0, cut - slack, scale, &below);
	for (p = 0; p < n_parts; p++)
	{
		for (i = 0; i < parts[p].kept; i++)
		{
			/* all that are left have the same residual */
			found = true;
			word = (uint32_t) parts[p].scratch[i].g;
			below += weight_steps(t, parts[p].scratch[i].row, scale);
		}
	}
	if (!found)
		return 0.0;
	if ((double) below > cut + slack)
		return (double) word_value(word);
	return 0.5 * ((double) word_value(word) + (double) word_value(next_word(t, parts, n_parts, word, scale)));
}

double
grove_renew_alpha(const GroveTrainer *t)
{
	return t->shared->config.loss == GROVE_LOSS_QUANTILE ? t->shared->config.shape.quantile_alpha : 0.5;
}

void
grove_renew_leaf(GroveTrainer *t, uint32_t task)
{
	const GroveTrainConfig *config = &t->shared->config;
	GroveLeaf  *leaf = &t->leaves[task];
	double		limit = config->rules.max_delta_step;
	GroveRenewRows parts[GROVE_MAX_PARTS];
	double		value;
	uint32_t	p;

	for (p = 0; p < t->shared->n_parts; p++)
	{
		const GroveSegment *rows = grove_trainer_segment(t, task, p);

		parts[p].entries = t->bag[leaf->side] + rows->begin;
		parts[p].scratch = t->bag[1 - leaf->side] + rows->begin;
		parts[p].n = rows->count;
	}
	value = grove_renew_quantile(t, parts, t->shared->n_parts, grove_renew_alpha(t));
	if (limit > 0.0)
		value = value > limit ? limit : value < -limit ? -limit : value;
	t->nodes[leaf->node].value = value * config->learning_rate;
	leaf->value = (float) t->nodes[leaf->node].value;
}
