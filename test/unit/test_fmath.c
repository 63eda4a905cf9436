/*
 * test_fmath.c: exp and log against libm: the errors that fmath.h claims, on
 * grids over their whole ranges and at the joints of their approximations.
 */
#include <float.h>
#include <math.h>

#include "../../src/core/fmath.h"
#include "unit.h"

static double worst;

static void
look_at_exp(float x)
{
	double		exact = exp((double) x);
	double		error = fabs((double) grove_expf(x) - exact) / exact;

	worst = error > worst ? error : worst;
}

static void
test_exp(void)
{
	worst = 0.0;
	for (int i = -870000; i <= 870000; i++)
		look_at_exp((float) i * 1e-4f);
	/* where the integer part changes, and one float before and behind */
	for (int i = -250; i <= 250; i++)
	{
		float		x = (float) i * 0.34657359f;

		look_at_exp(x);
		look_at_exp(nextafterf(x, 100.0f));
		look_at_exp(nextafterf(x, -100.0f));
	}
	/* around 0, where exp(x) - 1 is x */
	for (float x = 1e-30f; x < 1.0f; x *= 1.07f)
	{
		look_at_exp(x);
		look_at_exp(-x);
	}
	CHECK(worst < 2e-7);
	CHECK(grove_expf(0.0f) == 1.0f);
	CHECK(grove_expf(-0.0f) == 1.0f);
	CHECK(grove_expf(1e9f) == grove_expf(87.0f));
	CHECK(grove_expf(-1e9f) == grove_expf(-87.0f));
	CHECK(grove_expf(FLT_MAX) == grove_expf(87.0f));
	CHECK(grove_expf(INFINITY) == grove_expf(87.0f));
	CHECK(grove_expf(-INFINITY) == grove_expf(-87.0f));
	CHECK(isnormal(grove_expf(87.0f)) && isnormal(grove_expf(-87.0f)));
}

/* Never falls when x rises, but for the last bit where pieces join. */
static void
test_exp_rises(void)
{
	int			falls = 0;

	for (int i = -870000; i < 870000; i++)
		falls += grove_expf((float) (i + 1) * 1e-4f) < grove_expf((float) i * 1e-4f) * (1.0f - 2e-7f);
	CHECK(falls == 0);
}

static void
look_at_log(double x)
{
	double		exact = log(x);
	double		error = fabs(grove_log(x) - exact) / (fabs(exact) > 1.0 ? fabs(exact) : 1.0);

	worst = error > worst ? error : worst;
}

static void
test_log(void)
{
	worst = 0.0;
	for (int i = 1; i <= 400000; i++)
		look_at_log(i * 1e-5);
	for (double x = DBL_MIN; x < DBL_MAX / 1.01; x *= 1.01)
		look_at_log(x);
	for (int exponent = -1022; exponent <= 1023; exponent++)
	{
		double		power = ldexp(1.0, exponent);

		look_at_log(power);
		look_at_log(power * 1.4142135623730951);
		look_at_log(power * 1.4142135623730954);
		look_at_log(power * (2.0 - DBL_EPSILON));
	}
	look_at_log(DBL_MAX);
	CHECK(worst < 1e-12);
	CHECK(grove_log(1.0) == 0.0);
	/* near 1 the relative error is small, too: no cancellation */
	for (double d = 1e-15; d < 0.1; d *= 1.5)
		CHECK(fabs(grove_log(1.0 + d) - log(1.0 + d)) <= 1e-15 * 4 * log(1.0 + d));
}

int
main(void)
{
	test_exp();
	test_exp_rises();
	test_log();
	return unit_done();
}
