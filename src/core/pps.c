/*
 * pps.c: one monotone equation in one unknown, and systematic rounding.
 *
 * Every probability is min(1, max(floor, scale * weight)) with one scale for
 * all.  The sum of units * probability grows with the scale in straight
 * pieces, so Newton's method lands on the solution as soon as it is in the
 * right piece, which takes a few passes over the shares and no sorting.
 * Floors bend the sum the other way than ones do, and weights may lie many
 * powers of two apart; where a step leads astray, or there were many, the
 * interval that holds the solution is halved by the scale's bit pattern, which
 * orders positive doubles: some ten times lead from 2^-900 to the right power.
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

#define NEWTON_STEPS	12		/* then every second step halves the interval */

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

/*
 * The expected units at a scale, and Newton's next scale from there; 0 when
 * no unit's probability follows the scale.
 */
static double
expected_units(const GrovePpsShare *shares, size_t n_shares, double target, double scale, double *next)
{
	double		fixed = 0;
	double		fixed_lost = 0;
	double		linear = 0;
	double		linear_lost = 0;

	for (size_t i = 0; i < n_shares; i++)
	{
		double		p = grove_pps_probability(scale, shares[i].weight, shares[i].floor);

		if (p < 1 && p > shares[i].floor)
			grove_pps_add(&linear, &linear_lost, shares[i].units * p);
		else
			grove_pps_add(&fixed, &fixed_lost, shares[i].units * p);
	}
	fixed += fixed_lost;
	linear += linear_lost;
	*next = linear > 0 ? scale * ((target - fixed) / linear) : 0;
	return fixed + linear;
}

static double
double_of_bits(uint64_t bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t
bits_of_double(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* The solution, which is a positive double that is not the largest. */
static double
solve_scale(const GrovePpsShare *shares, size_t n_shares, double target, double start)
{
	uint64_t	low = 0;
	uint64_t	high = bits_of_double(DBL_MAX);
	double		scale = start;
	int			steps = 0;

	while (high - low > 1)
	{
		double		next;

		if (expected_units(shares, n_shares, target, scale, &next) <= target)
			low = bits_of_double(scale);
		else
			high = bits_of_double(scale);
		if (fabs(next / scale - 1) < 4 * DBL_EPSILON)
			return next;
		if (!(next > double_of_bits(low) && next < double_of_bits(high)) ||
			(++steps > NEWTON_STEPS && steps % 2 == 0))
			next = double_of_bits(low + (high - low) / 2);
		scale = next;
	}
	return double_of_bits(low);
}

GroveStatus
grove_pps_scale(const GrovePpsShare *shares, size_t n_shares, double target, double *scale)
{
	double		heaviest = 0;
	double		certain;
	double		next;

	for (size_t i = 0; i < n_shares; i++)
	{
		if (!(shares[i].weight >= 0) || !(shares[i].units >= 0))
			return GROVE_ERR_DATA;
		if (!isinf(shares[i].weight) && shares[i].weight > heaviest)
			heaviest = shares[i].weight;
	}
	certain = expected_units(shares, n_shares, target, 0, &next);
	if (certain > target * (1 + 4 * DBL_EPSILON))
		return GROVE_ERR_RANGE;
	if (certain >= target)
	{
		*scale = 0;				/* nothing is left; a scale whose units vanish beside the target would do for a sum only */
		return GROVE_OK;
	}
	if (expected_units(shares, n_shares, target, DBL_MAX, &next) <= target)
	{
		*scale = HUGE_VAL;
		return GROVE_OK;
	}
	/* where the first probabilities reach 1 */
	*scale = solve_scale(shares, n_shares, target, fmin(1 / heaviest, DBL_MAX / 2));
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

void
grove_pps_rounding_add(GrovePpsRounding *rounding, size_t i, double expected, double most)
{
	GrovePpsAmount amount = grove_pps_amount(expected);
	double		left = most - expected;
	double		room = expected < left ? expected : left;

	rounding->sum.whole += amount.whole;
	rounding->sum.whole += grove_pps_round(&rounding->sum.fraction, (GrovePpsAmount) {0, amount.fraction});
	if (room > rounding->room)
	{
		rounding->room = room;
		rounding->roomy = i;
	}
}

bool
grove_pps_rounding_settle(GrovePpsRounding *rounding, uint64_t target)
{
	const GrovePpsAmount *sum = &rounding->sum;
	GrovePpsAmount *missing = &rounding->missing;

	/* target - sum, as a whole number that may be negative (modulo 2^64) and a fraction */
	missing->whole = target - sum->whole - (sum->fraction > 0 ? 1 : 0);
	missing->fraction = sum->fraction > 0 ? GROVE_PPS_ONE - sum->fraction : 0;
	return (missing->whole == 0 && missing->fraction == 0) ||
		fabs((double) (int64_t) missing->whole + (double) missing->fraction / (double) GROVE_PPS_ONE) < rounding->room;
}

GrovePpsAmount
grove_pps_rounding_amount(const GrovePpsRounding *rounding, size_t i, double expected)
{
	GrovePpsAmount amount = grove_pps_amount(expected);

	if (rounding->room > 0 && i == rounding->roomy)
	{
		amount.whole += rounding->missing.whole + (amount.fraction >= GROVE_PPS_ONE - rounding->missing.fraction ? 1 : 0);
		amount.fraction = (amount.fraction + rounding->missing.fraction) & (GROVE_PPS_ONE - 1);
	}
	return amount;
}
