/*
 * fmath.h: exp and log for loops over rows.
 *
 * libm may give other last bits on another C library or machine, and a model
 * must not depend on that; these use only IEEE additions and multiplications
 * in a fixed order, so they give the same bits everywhere (the core is built
 * with -ffp-contract=off), and the compiler can turn loops over them into
 * vector code.
 */
#ifndef GROVE_FMATH_H
#define GROVE_FMATH_H

#include <stdint.h>
#include <string.h>

static inline float
grove_float_from_bits(int32_t bits)
{
	float		f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

/* exp(x) for float; arguments are cut to [-87, 87], relative error below 2e-7. */
static inline float
grove_expf(float x)
{
	const float magic = 12582912.0f;	/* 1.5 * 2^23: adding it rounds to an integer */
	float		n,
				r,
				p;

	x = x < -87.0f ? -87.0f : x;
	x = x > 87.0f ? 87.0f : x;
	n = (x * 1.44269504f + magic) - magic;
	r = x - n * 0.693359375f;
	r = r + n * 2.12194440e-4f;
	p = 1.9875691500e-4f;
	p = p * r + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * r * r + r + 1.0f;
	return p * grove_float_from_bits(((int32_t) n + 127) << 23);
}

static inline double
grove_double_from_bits(int64_t bits)
{
	double		d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* exp(x) for double; arguments are cut to [-700, 700], relative error below 1e-15. */
static inline double
grove_exp(double x)
{
	const double magic = 6755399441055744.0;	/* 1.5 * 2^52 */
	double		n,
				r,
				p;
	int			k;

	x = x < -700.0 ? -700.0 : x;
	x = x > 700.0 ? 700.0 : x;
	n = (x * 1.4426950408889634 + magic) - magic;
	r = x - n * 0.693147180369123816490;	/* log(2) in two parts, the first with 21 zero bits at its end */
	r = r - n * 1.90821492927058770002e-10;
	p = 1.0;
	for (k = 13; k > 0; k--)
		p = p * r / k + 1.0;	/* |r| <= 0.35: the rest of the series is below 2^-56 */
	return p * grove_double_from_bits(((int64_t) n + 1023) << 52);
}

/* log(x) for a positive, normal double; absolute error below 1e-12 near 1, relative below 1e-12 elsewhere. */
static inline double
grove_log(double x)
{
	uint64_t	bits;
	int			exponent;
	double		m,
				t,
				t2,
				s;

	memcpy(&bits, &x, sizeof(bits));
	exponent = (int) ((bits >> 52) & 0x7ff) - 1023;
	bits = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3ff0000000000000);
	memcpy(&m, &bits, sizeof(m));
	if (m > 1.4142135623730951)
	{
		m *= 0.5;
		exponent++;
	}
	/* log(m) = 2 atanh((m - 1) / (m + 1)), |t| <= 0.1716 */
	t = (m - 1.0) / (m + 1.0);
	t2 = t * t;
	s = 1.0 / 17.0;
	s = s * t2 + 1.0 / 15.0;
	s = s * t2 + 1.0 / 13.0;
	s = s * t2 + 1.0 / 11.0;
	s = s * t2 + 1.0 / 9.0;
	s = s * t2 + 1.0 / 7.0;
	s = s * t2 + 1.0 / 5.0;
	s = s * t2 + 1.0 / 3.0;
	s = s * t2 + 1.0;
	return exponent * 0.6931471805599453 + 2.0 * t * s;
}

#endif							/* GROVE_FMATH_H */
