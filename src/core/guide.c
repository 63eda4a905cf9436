/*
 * guide.c: see guide.h.
 *
 * exp and log are those of fmath.h, the same on every machine: a row near the
 * edge of a cell must not change sides with the C library.
 */
#include "guide.h"

#include <math.h>
#include <string.h>

#include "fmath.h"

#define STEPS		(GROVE_GUIDE_LOGIT_MAX * GROVE_GUIDE_LOGIT_STEPS)
#define SIZE_SHIFT	(52 - GROVE_GUIDE_MANTISSA)

uint32_t
grove_guide_class_code(double probability)
{
	double		least = 1 / (1 + grove_exp(GROVE_GUIDE_LOGIT_MAX));
	double		logit;

	if (!(probability > least))
		return 0;
	if (probability >= 1 - least)
		return 2 * STEPS;
	logit = grove_log(probability) - grove_log(1 - probability);
	return (uint32_t) floor(logit * GROVE_GUIDE_LOGIT_STEPS + (STEPS + 0.5));
}

double
grove_guide_class_probability(uint32_t code)
{
	return 1 / (1 + grove_exp(((double) STEPS - (double) code) / GROVE_GUIDE_LOGIT_STEPS));
}

uint32_t
grove_guide_size_code(double size)
{
	uint64_t	bits;

	if (size < 0x1p-1000)
		size = 0x1p-1000;		/* nothing has the size 0: it could never be kept */
	memcpy(&bits, &size, sizeof(bits));
	return (uint32_t) (bits >> SIZE_SHIFT);
}

double
grove_guide_size(uint32_t code)
{
	uint64_t	bits = ((uint64_t) code << SIZE_SHIFT) | UINT64_C(1) << (SIZE_SHIFT - 1);
	double		size;

	memcpy(&size, &bits, sizeof(size));
	return size;
}

double
grove_guide_gradient(double surprise, double lambda)
{
	double		h = surprise * (1 - surprise);

	return sqrt(surprise * surprise + lambda * h * h);
}

double
grove_guide_gradient_classes(const double *probabilities, uint32_t n, uint32_t own, double lambda)
{
	double		sum = own < n ? 0 : 1;

	for (uint32_t i = 0; i < n; i++)
	{
		double		p = probabilities[i];
		double		g = i == own ? 1 - p : p;
		double		h = p * (1 - p);

		sum += g * g + lambda * h * h;
	}
	return sqrt(sum);
}

double
grove_guide_offset(double pi_positive, double pi_negative)
{
	return pi_positive > 0 && pi_negative > 0 ? log(pi_positive) - log(pi_negative) : 0;
}
