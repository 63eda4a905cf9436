/*
 * ranked.c: keys, merging and walks of ranked.h.
 *
 * A walk adds groups of equal score one after the other, so the caller can
 * look for interrupts between them.  Sums along a walk are taken in the order
 * of the scores, which is the same for every arrival order, and carry their
 * rounding errors along (Neumaier's summation), so that they are good to the
 * last place or two even over tens of millions of rows.
 */
#include "ranked.h"

#include <math.h>
#include <string.h>

#include "exactsum.h"

#define SIGN_BIT			(UINT64_C(1) << 63)
#define PLACEMENT_ROUNDING	4e-16	/* of a difference of two placements, which are at most 1 */

static uint64_t
double_bits(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double
bits_double(uint64_t bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

int
grove_ranked_words(int shape)
{
	switch (shape)
	{
		case GROVE_RANKED_SINGLE:
			return 2;
		case GROVE_RANKED_PAIRED:
			return 3;
		case GROVE_RANKED_QUERY:
			return 4;
	}
	return 0;
}

uint64_t
grove_ranked_key(double value)
{
	uint64_t	bits = double_bits(value == 0 ? 0 : value);

	/* negative doubles sort by falling bits, positive ones by rising bits; then all are turned round */
	return (bits & SIGN_BIT) != 0 ? bits : ~(bits | SIGN_BIT);
}

double
grove_ranked_value(uint64_t key)
{
	return bits_double((key & SIGN_BIT) != 0 ? key : ~key & ~SIGN_BIT);
}

uint64_t
grove_ranked_class(bool positive, double weight)
{
	return double_bits(weight) | (positive ? SIGN_BIT : 0);
}

double
grove_ranked_weight(uint64_t class_word)
{
	return bits_double(class_word & ~SIGN_BIT);
}

bool
grove_ranked_positive(uint64_t class_word)
{
	return (class_word & SIGN_BIT) != 0;
}

/* Whether a key stands for a number and is the only key of that number. */
static bool
valid_key(uint64_t key)
{
	double		value = grove_ranked_value(key);

	return !isnan(value) && grove_ranked_key(value) == key;
}

bool
grove_ranked_valid(GroveRankedShape shape, const uint64_t *row)
{
	double		value;

	switch (shape)
	{
		case GROVE_RANKED_SINGLE:
		case GROVE_RANKED_PAIRED:
			value = grove_ranked_weight(row[grove_ranked_words(shape) - 1]);
			return valid_key(row[0]) &&
				(shape == GROVE_RANKED_SINGLE || valid_key(row[1])) &&
				value > 0 && isfinite(value);
		case GROVE_RANKED_QUERY:
			value = grove_ranked_value(row[3]);
			return valid_key(row[2]) && valid_key(row[3]) && value >= 0 && isfinite(value);
	}
	return false;
}

int
grove_ranked_compare(GroveRankedShape shape, const uint64_t *a, const uint64_t *b)
{
	int			last = grove_ranked_words(shape) - 1;
	uint64_t	mask = shape == GROVE_RANKED_QUERY ? ~UINT64_C(0) : SIGN_BIT;
	int			i;

	for (i = 0; i < last; i++)
	{
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	if ((a[last] & mask) != (b[last] & mask))
		return (a[last] & mask) < (b[last] & mask) ? -1 : 1;
	return 0;
}

size_t
grove_ranked_append(GroveRankedShape shape, uint64_t *run, size_t n, const uint64_t *row)
{
	int			words = grove_ranked_words(shape);
	uint64_t   *next = run + n * (size_t) words;

	if (n > 0 && shape != GROVE_RANKED_QUERY && grove_ranked_compare(shape, next - words, row) == 0)
	{
		double		a = grove_ranked_weight(next[-1]);
		double		b = grove_ranked_weight(row[words - 1]);
		double		sum = a + b;

		/* the error of a sum of two doubles, which is itself a double (Knuth) */
		double		b_part = sum - a;
		double		error = (a - (sum - b_part)) + (b - b_part);

		if (error == 0 && isfinite(sum))
		{
			next[-1] = grove_ranked_class(grove_ranked_positive(row[words - 1]), sum);
			return n;
		}
	}
	memmove(next, row, (size_t) words * sizeof(uint64_t));
	return n + 1;
}

/* Sums of the weights and of their squares of rows [start, end), all of one class. */
static void
sum_weights(const uint64_t *run, size_t start, size_t end, double *weight, double *square)
{
	GroveExactSum weights;
	GroveExactSum squares;
	size_t		i;

	*weight = start < end ? grove_ranked_weight(run[2 * start + 1]) : 0;
	*square = *weight * *weight;
	if (end - start < 2)
		return;
	grove_exactsum_init(&weights);
	grove_exactsum_init(&squares);
	for (i = start; i < end; i++)
	{
		double		value = grove_ranked_weight(run[2 * i + 1]);

		grove_exactsum_add(&weights, value);
		if (!grove_exactsum_add_product(&squares, value, value))
			grove_exactsum_add(&squares, 1.7976931348623157e308);
	}
	*weight = grove_exactsum_round(&weights);
	*square = grove_exactsum_round(&squares);
}

void
grove_ranked_group(const uint64_t *run, size_t n, size_t start, GroveRankedGroup *group)
{
	uint64_t	score = run[2 * start];
	size_t		middle = start;
	size_t		end;

	while (middle < n && run[2 * middle] == score && !grove_ranked_positive(run[2 * middle + 1]))
		middle++;
	end = middle;
	while (end < n && run[2 * end] == score)
		end++;
	group->score = grove_ranked_value(score);
	group->end = end;
	sum_weights(run, start, middle, &group->weight[0], &group->square[0]);
	sum_weights(run, middle, end, &group->weight[1], &group->square[1]);
}

void
grove_ranked_sum_add(GroveRankedSum *sum, double value)
{
	double		total = sum->sum + value;

	if (fabs(sum->sum) >= fabs(value))
		sum->rest += (sum->sum - total) + value;
	else
		sum->rest += (value - total) + sum->sum;
	sum->sum = total;
}

double
grove_ranked_sum_value(const GroveRankedSum *sum)
{
	return sum->sum + sum->rest;
}

void
grove_ranked_curve_add(GroveRankedCurve *curve, const double weight[2])
{
	double		positives = grove_ranked_sum_value(&curve->above[1]);
	double		negatives;

	grove_ranked_sum_add(&curve->area, weight[0] * (positives + weight[1] / 2));
	grove_ranked_sum_add(&curve->above[0], weight[0]);
	grove_ranked_sum_add(&curve->above[1], weight[1]);
	if (weight[1] > 0)
	{
		positives = grove_ranked_sum_value(&curve->above[1]);
		negatives = grove_ranked_sum_value(&curve->above[0]);
		grove_ranked_sum_add(&curve->precision, weight[1] * (positives / (positives + negatives)));
	}
}

bool
grove_ranked_auc(const GroveRankedCurve *curve, double *auc)
{
	double		negatives = grove_ranked_sum_value(&curve->above[0]);
	double		positives = grove_ranked_sum_value(&curve->above[1]);

	if (negatives == 0 || positives == 0)
		return false;
	*auc = grove_ranked_sum_value(&curve->area) / negatives / positives;
	return true;
}

bool
grove_ranked_average_precision(const GroveRankedCurve *curve, double *average)
{
	double		positives = grove_ranked_sum_value(&curve->above[1]);

	if (positives == 0)
		return false;
	*average = grove_ranked_sum_value(&curve->precision) / positives;
	return true;
}

/* Placement of the negatives (class 0) or positives (class 1) of a group; see grove_ranked_place. */
static double
place_class(int class, const GroveRankedSum above[2], const double weight[2], const double total[2])
{
	double		others = grove_ranked_sum_value(&above[1 - class]) + weight[1 - class] / 2;

	return class == 0 ? others / total[1] : (total[0] - others) / total[0];
}

void
grove_ranked_variance_init(GroveRankedVariance *variance, const GroveRankedCurve *curve)
{
	memset(variance, 0, sizeof(*variance));
	variance->auc = NAN;
	grove_ranked_auc(curve, &variance->auc);
	variance->total[0] = grove_ranked_sum_value(&curve->above[0]);
	variance->total[1] = grove_ranked_sum_value(&curve->above[1]);
}

void
grove_ranked_variance_add(GroveRankedVariance *variance, const double weight[2], const double square[2])
{
	int			class;

	for (class = 0; class < 2; class++)
	{
		double		distance = place_class(class, variance->above, weight, variance->total) - variance->auc;

		if (weight[class] > 0)
			grove_ranked_sum_add(&variance->sum[class], square[class] * distance * distance);
	}
	for (class = 0; class < 2; class++)
		grove_ranked_sum_add(&variance->above[class], weight[class]);
}

bool
grove_ranked_variance_result(const GroveRankedVariance *variance, const uint64_t rows[2], double *result)
{
	int			class;

	*result = 0;
	for (class = 0; class < 2; class++)
	{
		double		n = (double) rows[class];

		if (rows[class] < 2)
			return false;
		*result += grove_ranked_sum_value(&variance->sum[class]) /
			variance->total[class] / variance->total[class] * (n / (n - 1));
	}
	return true;
}

size_t
grove_ranked_place(const uint64_t *run, const uint32_t *order, size_t n, size_t start, int column,
				   const double total[2], GroveRankedCurve *curve, double *placement)
{
	const uint64_t *first = run + 3 * (order ? (size_t) order[start] : start);
	double		weight[2] = {0, 0};
	double		place[2];
	size_t		end;
	size_t		i;

	for (end = start; end < n; end++)
	{
		const uint64_t *row = run + 3 * (order ? (size_t) order[end] : end);

		if (row[column] != first[column])
			break;
		weight[grove_ranked_positive(row[2])] += grove_ranked_weight(row[2]);
	}
	place[0] = place_class(0, curve->above, weight, total);
	place[1] = place_class(1, curve->above, weight, total);
	for (i = start; i < end; i++)
	{
		size_t		index = order ? (size_t) order[i] : i;

		placement[index] = place[grove_ranked_positive(run[3 * index + 2])];
	}
	grove_ranked_curve_add(curve, weight);
	return end;
}

void
grove_ranked_test_add(const uint64_t *run, size_t from, size_t to, const double *placement_a,
					  const double *placement_b, double difference, GroveRankedSum sum[2])
{
	size_t		i;

	for (i = from; i < to; i++)
	{
		uint64_t	class_word = run[3 * i + 2];
		double		distance = placement_a[i] - placement_b[i] - difference;

		grove_ranked_sum_add(&sum[grove_ranked_positive(class_word)],
							 grove_ranked_weight(class_word) * distance * distance);
	}
}

void
grove_ranked_test_result(GroveRankedTest *test, const double total[2], const GroveRankedSum sum[2])
{
	double		variance = 0;
	double		noise = 0;		/* variance that rounding the placements alone can make */
	int			class;

	for (class = 0; class < 2; class++)
	{
		variance += total[class] < 2 ? NAN :
			grove_ranked_sum_value(&sum[class]) / total[class] / (total[class] - 1);
		noise += PLACEMENT_ROUNDING * PLACEMENT_ROUNDING / total[class];
	}
	test->difference = test->auc[0] - test->auc[1];
	test->error = variance <= noise ? 0 : sqrt(variance);
	test->lower = test->difference - GROVE_RANKED_Z95 * test->error;
	test->upper = test->difference + GROVE_RANKED_Z95 * test->error;
	if (test->error > 0)
		test->z = test->difference / test->error;
	else
		test->z = test->error == 0 && test->difference == 0 ? 0 : NAN;
	test->p_value = isnan(test->z) ? NAN : erfc(fabs(test->z) * 0.7071067811865476);
}

void
grove_ranked_gain_add(GroveRankedGain *gain, double truths, uint64_t count, uint64_t k)
{
	uint64_t	end = gain->rank + count;
	uint64_t	last = k > 0 && k < end ? k : end;
	GroveRankedSum discount = {0, 0};
	uint64_t	rank;

	for (rank = gain->rank; rank < last; rank++)
		grove_ranked_sum_add(&discount, 1 / log2((double) rank + 2));
	grove_ranked_sum_add(&gain->gain, truths / (double) count * grove_ranked_sum_value(&discount));
	gain->rank = end;
}
