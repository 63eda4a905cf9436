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
#include "sort.h"

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

double
grove_guide_contradiction(const double *probabilities, const double *threshold, uint32_t n, uint32_t own)
{
	uint32_t	best = own;
	double		confident = probabilities[own] >= threshold[own] ? probabilities[own] : -1;

	for (uint32_t i = 0; i < n; i++)
	{
		if (i != own && probabilities[i] >= threshold[i] && probabilities[i] > confident)
		{
			best = i;
			confident = probabilities[i];
		}
	}
	if (best == own)
		return 0;
	return (floor((1 + confident - probabilities[own]) * GROVE_GUIDE_CONTRADICTIONS) + 0.5) / GROVE_GUIDE_CONTRADICTIONS;
}

/* Larger contradictions (in weight) first, ties by place (in units). */
static bool
is_more_contradicted(const void *a, const void *b)
{
	const GrovePpsShare *x = a;
	const GrovePpsShare *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight;
	return x->units < y->units;
}

GroveStatus
grove_guide_noise(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
				  GrovePpsShare *shares)
{
	double		room[GROVE_MAX_CLASSES] = {0};	/* rows of each class that may still go */
	double		rows = 0;
	double		left;

	for (size_t i = 0; i < n_cells; i++)
	{
		GrovePruneCell *cell = &cells[order[i]];

		if (cell->group >= GROVE_MAX_CLASSES || !(cell->size >= 0))
			return GROVE_ERR_DATA;
		rows += (double) cell->rows;
		room[cell->group] += (double) cell->rows * design->class_cap;
		cell->keep = cell->pi = 1;
		shares[i] = (GrovePpsShare) {cell->size, (double) i, 0};
	}
	left = design->counted ? rows - (double) design->n : rows - design->keep * rows;
	design->kept = rows;
	design->scale = design->readmit_scale = design->beta = NAN;
	grove_sort(shares, n_cells, sizeof(GrovePpsShare), is_more_contradicted);
	for (size_t i = 0; i < n_cells && shares[i].weight > 0; i++)
	{
		GrovePruneCell *cell = &cells[order[(size_t) shares[i].units]];
		double		size = (double) cell->rows;

		if (size > left)
			break;
		if (size > room[cell->group])
		{
			room[cell->group] = 0;	/* a less contradicted row must not go where a more contradicted one stays */
			continue;
		}
		left -= size;
		room[cell->group] -= size;
		cell->keep = cell->pi = 0;
		design->kept -= size;
		design->scale = cell->size;
	}
	return GROVE_OK;
}
