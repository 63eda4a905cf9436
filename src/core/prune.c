/*
 * prune.c: from counts of cells to inclusion probabilities and exact sizes.
 *
 * A design is a set of weights and one scale (pps.h).  Expected sizes of the
 * cells are rounded to whole ones systematically; within a cell the lowest
 * hashes are a simple random sample.  Both steps together give a unit exactly
 * the probability amount / units.
 *
 * Stratified sizes are whole from the start: bounds by the same equation
 * (one unit at least, all at most, what a full stratum cannot take goes to
 * the others), then the largest remainders.  With a share to keep and
 * proportional allocation each stratum keeps that share; one unit for those
 * too small for it comes on top.
 *
 * Readmission is not drawn from the rows that happened to be removed but
 * planned with their expected numbers.  That is why pi = keep + (1 - keep) *
 * readmit holds for every row, whatever was drawn.
 */
#include "prune.h"

#include <math.h>
#include <string.h>

#include "sort.h"

/* Larger remainders (in weight) first, ties by place (in units). */
static bool
has_larger_remainder(const void *a, const void *b)
{
	const GrovePpsShare *x = a;
	const GrovePpsShare *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight;
	return x->units < y->units;
}

/*
 * Whole sizes of strata from expected ones (cell.pi holds them, in units):
 * the integer below, one at least, then one more for the largest remainders.
 */
static void
allocate_whole(GrovePruneCell *cells, size_t n_cells, const uint32_t *order, uint64_t target, GrovePpsShare *shares)
{
	uint64_t	given = 0;

	for (size_t i = 0; i < n_cells; i++)
	{
		GrovePruneCell *cell = &cells[order[i]];
		double		whole = floor(cell->pi);

		shares[i].weight = cell->pi - whole;
		shares[i].units = (double) i;
		cell->take = whole < 1 ? 1 : (uint64_t) whole;
		given += cell->take;
	}
	if (given < target)
		grove_sort(shares, n_cells, sizeof(GrovePpsShare), has_larger_remainder);
	while (given < target)
	{
		uint64_t	before = given;

		for (size_t i = 0; i < n_cells && given < target; i++)
		{
			GrovePruneCell *cell = &cells[order[(size_t) shares[i].units]];

			if (cell->take < cell->units)
			{
				cell->take++;
				given++;
			}
		}
		if (given == before)
			break;
	}
	for (size_t i = 0; i < n_cells; i++)
		cells[i].pi = (double) cells[i].take;
}

static double
allocation_weight(const GrovePruneDesign *design, const GrovePruneCell *cell)
{
	switch (design->allocation)
	{
		case GROVE_ALLOCATE_EQUAL:
			return 1 / (double) cell->units;
		case GROVE_ALLOCATE_POWER:
			return grove_pps_inverse((double) cell->units, design->gamma);
		case GROVE_ALLOCATE_NEYMAN:
			return cell->spread;
		case GROVE_ALLOCATE_PROPORTIONAL:
			break;
	}
	return 1;
}

/* Does a stratified design keep one share within every stratum, rather than deal out one number to all? */
static bool
keeps_share_of_strata(const GrovePruneDesign *design)
{
	return design->method == GROVE_PRUNE_STRATIFIED && design->allocation == GROVE_ALLOCATE_PROPORTIONAL &&
		!design->counted;
}

/* Probabilities of strata: between one unit and all, in proportion to the allocation's weights. */
static GroveStatus
stratify(const GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
		 double target, GrovePpsShare *shares)
{
	double		scale;
	GroveStatus status;

	for (size_t i = 0; i < n_cells; i++)
	{
		const GrovePruneCell *cell = &cells[order[i]];

		shares[i].weight = allocation_weight(design, cell);
		shares[i].units = (double) cell->units;
		shares[i].floor = 1 / (double) cell->units;
	}
	if (!design->exact && keeps_share_of_strata(design))
	{
		/* needs no solving, and the share itself is what the rows get */
		scale = design->keep;
		status = GROVE_OK;
	}
	else
		status = grove_pps_scale(shares, n_cells, target, &scale);
	if (status == GROVE_OK && isinf(scale))
	{
		/* Strata without spread share what the others cannot take. */
		for (size_t i = 0; i < n_cells; i++)
			shares[i].weight = shares[i].weight > 0 ? HUGE_VAL : 1;
		status = grove_pps_scale(shares, n_cells, target, &scale);
	}
	if (status != GROVE_OK)
		return status;
	for (size_t i = 0; i < n_cells; i++)
	{
		GrovePruneCell *cell = &cells[order[i]];

		cell->keep = grove_pps_probability(scale, shares[i].weight, shares[i].floor);
		cell->pi = cell->keep * (double) cell->units;
	}
	return GROVE_OK;
}

/*
 * min(1, max(pi_min, c * frequency^-gamma)), or min(1, c * size), with the c
 * that keeps the target.
 *
 * Of surprise a part is drawn evenly: min(1, eps + c * size) is
 * eps + (1 - eps) * min(1, c / (1 - eps) * size), which is the same equation.
 */
static GroveStatus
scale_sizes(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
			uint64_t units, double target, GrovePpsShare *shares)
{
	double		even = design->method == GROVE_PRUNE_SURPRISE ? GROVE_PRUNE_EVEN * target / (double) units : 0;
	GroveStatus status;

	for (size_t i = 0; i < n_cells; i++)
	{
		const GrovePruneCell *cell = &cells[order[i]];

		shares[i].weight = design->method == GROVE_PRUNE_INVERSE ?
			grove_pps_inverse((double) cell->frequency, design->gamma) : cell->size;
		shares[i].units = (double) cell->units;
		shares[i].floor = design->method == GROVE_PRUNE_INVERSE ? design->pi_min : 0;
	}
	status = grove_pps_scale(shares, n_cells, (target - even * (double) units) / (1 - even), &design->scale);
	if (status != GROVE_OK)
		return status;
	for (size_t i = 0; i < n_cells; i++)
	{
		GrovePruneCell *cell = &cells[order[i]];

		cell->keep = even + (1 - even) * grove_pps_probability(design->scale, shares[i].weight, shares[i].floor);
		cell->pi = cell->keep * (double) cell->units;
	}
	design->scale = ldexp(design->scale * (1 - even), -design->exponent);
	design->even = even;
	return GROVE_OK;
}

/* All units of the positive class, and of the others what the target leaves. */
static GroveStatus
keep_positives(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells, double target)
{
	uint64_t	positive = 0;
	uint64_t	negative = 0;

	for (size_t i = 0; i < n_cells; i++)
	{
		if (cells[i].certain)
			positive += cells[i].units;
		else
			negative += cells[i].units;
	}
	if (negative == 0 || target <= (double) positive)
		return GROVE_ERR_RANGE;
	design->beta = (target - (double) positive) / (double) negative;
	for (size_t i = 0; i < n_cells; i++)
	{
		cells[i].keep = cells[i].certain ? 1 : design->beta;
		cells[i].pi = cells[i].keep * (double) cells[i].units;
	}
	return GROVE_OK;
}

static void
keep_share(GrovePruneCell *cells, size_t n_cells, double share)
{
	for (size_t i = 0; i < n_cells; i++)
	{
		cells[i].keep = share;
		cells[i].pi = share * (double) cells[i].units;
	}
}

/* Can a unit of the cell be kept at all? */
static bool
is_eligible(const GrovePruneDesign *design, const GrovePruneCell *cell)
{
	return design->method != GROVE_PRUNE_WEIGHTED || cell->size > 0;
}

static void
keep_all(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells)
{
	keep_share(cells, n_cells, 1);
	for (size_t i = 0; i < n_cells; i++)
	{
		if (!is_eligible(design, &cells[i]))
			cells[i].keep = cells[i].pi = 0;
	}
	if (design->method == GROVE_PRUNE_INVERSE || design->method == GROVE_PRUNE_WEIGHTED ||
		design->method == GROVE_PRUNE_SURPRISE || design->method == GROVE_PRUNE_GRADIENT)
		design->scale = HUGE_VAL;
	if (design->method == GROVE_PRUNE_NEGATIVES)
		design->beta = 1;
}

/* First step: keep, and in pi the expected units, of every cell; units is how many are eligible. */
static GroveStatus
remove_units(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
			 uint64_t units, double target, GrovePpsShare *shares)
{
	GroveStatus status;

	if (target >= (double) units)
	{
		keep_all(design, cells, n_cells);
		return GROVE_OK;
	}
	switch (design->method)
	{
		case GROVE_PRUNE_STRATIFIED:
			status = stratify(design, cells, n_cells, order, target, shares);
			if (status == GROVE_OK && design->exact)
			{
				allocate_whole(cells, n_cells, order, (uint64_t) target, shares);
				for (size_t i = 0; i < n_cells; i++)
					cells[i].keep = cells[i].pi / (double) cells[i].units;
			}
			return status;
		case GROVE_PRUNE_INVERSE:
		case GROVE_PRUNE_WEIGHTED:
		case GROVE_PRUNE_SURPRISE:
		case GROVE_PRUNE_GRADIENT:
			return scale_sizes(design, cells, n_cells, order, units, target, shares);
		case GROVE_PRUNE_NEGATIVES:
			return keep_positives(design, cells, n_cells, target);
		case GROVE_PRUNE_RANDOM:
		case GROVE_PRUNE_NOISE:
			break;
	}
	/* Poisson sampling needs no count for this, the share itself is the probability. */
	keep_share(cells, n_cells, design->exact || design->counted ? target / (double) units : design->keep);
	return GROVE_OK;
}

/* Second step: draws removed units back; adds to the expected units in pi. */
static GroveStatus
readmit_units(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
			  double target, GrovePpsShare *shares)
{
	GroveStatus status;

	for (size_t i = 0; i < n_cells; i++)
	{
		const GrovePruneCell *cell = &cells[order[i]];

		shares[i].weight = grove_pps_inverse((double) cell->frequency, design->gamma);
		shares[i].units = (double) cell->units - cell->pi;
		shares[i].floor = 0;
	}
	status = grove_pps_scale(shares, n_cells, target, &design->readmit_scale);
	if (status != GROVE_OK)
		return status;
	for (size_t i = 0; i < n_cells; i++)
	{
		GrovePruneCell *cell = &cells[order[i]];

		cell->readmit = grove_pps_probability(design->readmit_scale, shares[i].weight, 0);
		cell->pi = cell->readmit == 1 ? (double) cell->units : cell->pi + shares[i].units * cell->readmit;
	}
	return GROVE_OK;
}

/*
 * Turns expected units (in pi) into sizes whose sum is the target, and pi
 * into the probability that these sizes give.
 */
static GroveStatus
round_to_size(const GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
			  uint64_t target)
{
	GrovePpsRounding rounding = {{0, 0}, {0, 0}, 0, 0};
	uint64_t	position = design->start >> 1;

	for (size_t i = 0; i < n_cells; i++)
		grove_pps_rounding_add(&rounding, i, cells[order[i]].pi, (double) cells[order[i]].units);
	if (!grove_pps_rounding_settle(&rounding, target))
		return GROVE_ERR_SIZE;
	for (size_t i = 0; i < n_cells; i++)
	{
		GrovePruneCell *cell = &cells[order[i]];
		GrovePpsAmount amount = grove_pps_rounding_amount(&rounding, i, cell->pi);

		cell->take = grove_pps_round(&position, amount);
		cell->pi = cell->units > 0 ? grove_pps_double(amount) / (double) cell->units :
			cell->keep + (1 - cell->keep) * cell->readmit;
	}
	return GROVE_OK;
}

/* Units that the first step keeps: whole for an exact size. */
static double
first_target(const GrovePruneDesign *design, const GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
			 uint64_t units)
{
	double		target = design->counted ? (double) design->n : design->keep * (double) units;

	if (keeps_share_of_strata(design))
	{
		double		lost = 0;

		target = 0;
		for (size_t i = 0; i < n_cells; i++)
			grove_pps_add(&target, &lost, fmax(design->keep * (double) cells[order[i]].units, 1));
		target += lost;
	}
	if (design->exact)
		target = floor(target + 0.5);
	if (design->method == GROVE_PRUNE_STRATIFIED && !design->counted && target < (double) n_cells)
		target = (double) n_cells;
	return target;
}

int
grove_prune_normalize(GrovePruneCell *cells, size_t n_cells)
{
	const double least = ldexp(1, -GROVE_PRUNE_WEIGHT_BITS);
	double		heaviest = 0;
	int			exponent;

	for (size_t i = 0; i < n_cells; i++)
	{
		if (!isinf(cells[i].size) && cells[i].size > heaviest)
			heaviest = cells[i].size;
	}
	if (heaviest == 0)
		return 0;
	(void) frexp(heaviest, &exponent);
	exponent--;
	for (size_t i = 0; i < n_cells; i++)
	{
		if (cells[i].size > 0)
			cells[i].size = fmax(ldexp(cells[i].size, -exponent), least);
	}
	return exponent;
}

GroveStatus
grove_prune_design(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells,
				   const uint32_t *order, GrovePpsShare *shares)
{
	GroveStatus status;
	uint64_t	units = 0;
	uint64_t	eligible = 0;
	double		target;
	double		back = 0;

	for (size_t i = 0; i < n_cells; i++)
	{
		units += cells[i].units;
		if (is_eligible(design, &cells[i]))
			eligible += cells[i].units;
		cells[i].readmit = 0;
		cells[i].take = 0;
	}
	design->scale = design->readmit_scale = design->beta = NAN;
	design->even = 0;
	target = fmin(first_target(design, cells, n_cells, order, units), (double) eligible);
	status = remove_units(design, cells, n_cells, order, eligible, target, shares);
	if (status != GROVE_OK)
		return status;

	if (design->readmit > 0 && target < (double) units)
	{
		back = design->readmit * ((double) units - target);
		if (design->exact)
			back = floor(back + 0.5);
		status = readmit_units(design, cells, n_cells, order, back, shares);
		if (status != GROVE_OK)
			return status;
	}
	design->kept = target + back;
	if (design->exact)
		return round_to_size(design, cells, n_cells, order, (uint64_t) target + (uint64_t) back);

	for (size_t i = 0; i < n_cells; i++)
		cells[i].pi = cells[i].keep + (1 - cells[i].keep) * cells[i].readmit;
	return GROVE_OK;
}

void
grove_prune_summarize(const GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
					  GrovePruneSummary *summary)
{
	double		kept = 0;
	double		kept_lost = 0;
	double		squares = 0;
	double		squares_lost = 0;

	memset(summary, 0, sizeof(*summary));
	summary->pi_low = summary->pi_high = NAN;
	for (size_t i = 0; i < n_cells; i++)
	{
		const GrovePruneCell *cell = &cells[order[i]];
		double		rows = (double) cell->rows;

		summary->rows += cell->rows;
		if (cell->rows == 0)
			continue;
		if (cell->pi == 0)
			summary->zero_rows += cell->rows;
		else
			grove_pps_add(&squares, &squares_lost, rows / cell->pi);
		if (cell->pi >= 1)
			summary->certainty_rows += cell->rows;
		grove_pps_add(&kept, &kept_lost, rows * cell->pi);
		if (!(summary->pi_low <= cell->pi))
			summary->pi_low = cell->pi;
		if (!(summary->pi_high >= cell->pi))
			summary->pi_high = cell->pi;
	}
	summary->kept_rows = kept + kept_lost;
	summary->sum_weights = (double) (summary->rows - summary->zero_rows);
	summary->effective_size = summary->sum_weights > 0 ?
		summary->sum_weights * summary->sum_weights / (squares + squares_lost) : 0;
}
