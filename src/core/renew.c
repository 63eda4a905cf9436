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
next_word(const GroveTrainer *t, const GroveEntry *entries, uint32_t n, uint32_t word, double scale)
{
	uint32_t	next = UINT32_MAX;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		uint32_t	w = residual_word(t, entries[i].row);

		if (w > word && w < next && weight_steps(t, entries[i].row, scale) > 0)
			next = w;
	}
	return next == UINT32_MAX ? word : next;
}

/*
 * Keeps the entries whose digit at shift is the first one up to which the
 * weight, with what lies *below the entries, reaches cut; returns how many.
 */
static uint32_t
narrow(const GroveTrainer *t, GroveEntry *entries, uint32_t n, int shift, double cut, double scale, int64_t *below)
{
	int64_t		weights[DIGITS];
	uint32_t	digit = 0;
	uint32_t	kept = 0;
	uint32_t	i;

	memset(weights, 0, sizeof(weights));
	for (i = 0; i < n; i++)
		weights[((uint32_t) entries[i].g >> shift) & (DIGITS - 1)] += weight_steps(t, entries[i].row, scale);
	while (digit < DIGITS - 1 && (double) (*below + weights[digit]) < cut)
		*below += weights[digit++];
	for (i = 0; i < n; i++)
	{
		if ((((uint32_t) entries[i].g >> shift) & (DIGITS - 1)) == digit)
			entries[kept++] = entries[i];
	}
	return kept;
}

double
grove_renew_quantile(const GroveTrainer *t, const GroveEntry *entries, uint32_t n, double alpha, GroveEntry *scratch)
{
	double		scale = weight_scale(t, n);
	int64_t		total = 0;
	int64_t		below = 0;
	double		cut,
				slack;
	uint32_t	kept = n;
	uint32_t	word;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		scratch[i].row = entries[i].row;
		scratch[i].g = (int32_t) residual_word(t, entries[i].row);
		total += weight_steps(t, entries[i].row, scale);
	}
	if (total <= 0)
		return 0.0;
	slack = (double) total * (has_weights(t) ? WEIGHT_SLACK : COUNT_SLACK);
	cut = (double) total * alpha;
	kept = narrow(t, scratch, kept, 22, cut - slack, scale, &below);
	kept = narrow(t, scratch, kept, 11, cut - slack, scale, &below);
	kept = narrow(t, scratch, kept, 0, cut - slack, scale, &below);
	if (kept == 0)
		return 0.0;
	word = (uint32_t) scratch[0].g;
	for (i = 0; i < kept; i++)
		below += weight_steps(t, scratch[i].row, scale);
	if ((double) below > cut + slack)
		return (double) word_value(word);
	return 0.5 * ((double) word_value(word) + (double) word_value(next_word(t, entries, n, word, scale)));
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
	double		value = grove_renew_quantile(t, t->bag[leaf->side] + leaf->begin, leaf->count,
											 grove_renew_alpha(t), t->bag[1 - leaf->side] + leaf->begin);

	if (limit > 0.0)
		value = value > limit ? limit : value < -limit ? -limit : value;
	t->nodes[leaf->node].value = value * config->learning_rate;
	leaf->value = (float) t->nodes[leaf->node].value;
}
