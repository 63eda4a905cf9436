/*
 * pps.c: one monotone equation in one unknown, and systematic rounding.
 *
 * Every probability is min(1, max(floor, scale * weight)) with one scale for
 * all.  The equation sum(units * probability) = target is solved by halving
 * the scale's bit pattern, which orders positive doubles: 63 passes over the
 * shares, no sorting, the same effort for weights of 2^-900 and 2^900.
 *
 * Rounding is systematic sampling (Madow 1949): expected amounts are laid end
 * to end and a random start picks one point in each unit of length.  So an
 * amount becomes the integer below or above it with exactly the probability
 * that keeps the expectation, and the total does not vary.
 */
#include "pps.h"

#include <float.h>
#include <math.h>
#include <string.h>

double
grove_pps_probability(double scale, double weight, double floor)
{
	double		p;

	if (weight == 0)
		return floor;
	if (isinf(weight))
		return 1;
	p = scale * weight;
	if (!(p < 1))
		return 1;
	return p > floor ? p : floor;
}

void
grove_pps_add(double *sum, double *lost, double term)
{
	double		next = *sum + term;

	if (fabs(*sum) >= fabs(term))
		*lost += (*sum - next) + term;
	else
		*lost += (term - next) + *sum;
	*sum = next;
}

static double
expected_units(const GrovePpsShare *shares, size_t n_shares, double scale)
{
	double		sum = 0;
	double		lost = 0;

	for (size_t i = 0; i < n_shares; i++)
		grove_pps_add(&sum, &lost,
						shares[i].units * grove_pps_probability(scale, shares[i].weight, shares[i].floor));
	return sum + lost;
}

static double
double_of_bits(uint64_t bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * One Newton step: exact but for rounding, since the sum is linear around the
 * solution.  It takes away the last bits that halving leaves to the noise of
 * the sums; where nothing is linear the scale stays.
 */
static double
refine_scale(const GrovePpsShare *shares, size_t n_shares, double target, double scale)
{
	double		fixed = 0;
	double		fixed_lost = 0;
	double		linear = 0;
	double		linear_lost = 0;
	double		step;

	for (size_t i = 0; i < n_shares; i++)
	{
		double		p = grove_pps_probability(scale, shares[i].weight, shares[i].floor);

		if (p < 1 && p > shares[i].floor)
			grove_pps_add(&linear, &linear_lost, shares[i].units * p);
		else
			grove_pps_add(&fixed, &fixed_lost, shares[i].units * p);
	}
	step = (target - (fixed + fixed_lost)) / (linear + linear_lost);
	return fabs(step - 1) < 1e-9 ? scale * step : scale;
}

GroveStatus
grove_pps_scale(const GrovePpsShare *shares, size_t n_shares, double target, double *scale)
{
	double		largest = DBL_MAX;
	uint64_t	low = 0;
	uint64_t	high;

	for (size_t i = 0; i < n_shares; i++)
	{
		if (!(shares[i].weight >= 0) || !(shares[i].units >= 0))
			return GROVE_ERR_DATA;
	}
	if (expected_units(shares, n_shares, 0) > target * (1 + 4 * DBL_EPSILON))
		return GROVE_ERR_RANGE;
	if (expected_units(shares, n_shares, largest) <= target)
	{
		*scale = HUGE_VAL;
		return GROVE_OK;
	}

	memcpy(&high, &largest, sizeof(high));
	while (high - low > 1)
	{
		uint64_t	middle = low + (high - low) / 2;

		if (expected_units(shares, n_shares, double_of_bits(middle)) <= target)
			low = middle;
		else
			high = middle;
	}
	*scale = refine_scale(shares, n_shares, target, double_of_bits(low));
	return GROVE_OK;
}

double
grove_pps_inverse(double frequency, double gamma)
{
	if (gamma == 0)
		return 1;
	if (gamma == 1)
		return 1 / frequency;
	if (gamma == 0.5)
		return 1 / sqrt(frequency);
	if (gamma == 2)
		return 1 / frequency / frequency;
	return pow(frequency, -gamma);
}

GrovePpsAmount
grove_pps_amount(double amount)
{
	GrovePpsAmount fixed;
	double		whole = floor(amount);

	fixed.whole = (uint64_t) whole;
	fixed.fraction = (uint64_t) ((amount - whole) * (double) GROVE_PPS_ONE);
	return fixed;
}

double
grove_pps_double(GrovePpsAmount amount)
{
	return (double) amount.whole + (double) amount.fraction / (double) GROVE_PPS_ONE;
}

uint64_t
grove_pps_round(uint64_t *position, GrovePpsAmount amount)
{
	*position += amount.fraction;
	if (*position < GROVE_PPS_ONE)
		return amount.whole;
	*position -= GROVE_PPS_ONE;
	return amount.whole + 1;
}
