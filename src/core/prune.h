/*
 * prune.h: inclusion probabilities of the pruning designs, and how many rows
 * of each cell an exact-size design takes.
 *
 * A cell is what a design can not tell apart: the rows of one value of the
 * "by" columns (and, for negatives, of one side of the target), or of one size
 * (guide.h).  A design
 * gives every unit of a cell the same inclusion probability; which units a
 * cell keeps is then decided by the permanent hash of their keys: the lowest
 * hashes (exact size) or the hashes below pi (Poisson).
 */
#ifndef GROVE_PRUNE_H
#define GROVE_PRUNE_H

#include "pps.h"

typedef enum GrovePruneMethod
{
	GROVE_PRUNE_RANDOM,
	GROVE_PRUNE_STRATIFIED,
	GROVE_PRUNE_INVERSE,
	GROVE_PRUNE_NEGATIVES,
	GROVE_PRUNE_WEIGHTED,
	GROVE_PRUNE_SURPRISE,
	GROVE_PRUNE_GRADIENT,
	GROVE_PRUNE_NOISE			/* guide.h */
} GrovePruneMethod;

#define GROVE_PRUNE_EVEN	0.2	/* surprise: share of the sample that is drawn evenly from all units */

/* How a stratified design deals out its rows; every stratum gets one, none more than it has. */
typedef enum GrovePruneAllocation
{
	GROVE_ALLOCATE_PROPORTIONAL,	/* as large as the stratum */
	GROVE_ALLOCATE_EQUAL,
	GROVE_ALLOCATE_POWER,		/* units^(1 - gamma): 0 proportional, 1 equal */
	GROVE_ALLOCATE_NEYMAN		/* units * spread */
} GrovePruneAllocation;

typedef struct GrovePruneCell
{
	/* given */
	uint64_t	rows;			/* of the source */
	uint64_t	units;			/* distinct keys; for Poisson sampling the rows */
	uint64_t	frequency;		/* rows with the same value of the by columns; at least rows */
	double		spread;			/* standard deviation, Neyman allocation only */
	double		size;			/* weighted: the weight, infinity: certain; surprise, gradient: > 0; noise: contradiction,
								 * 0: none; guide.h */
	uint32_t	group;			/* noise: class of the rows */
	bool		certain;		/* negatives: of the positive class */

	/* found */
	double		keep;			/* probability that the first step keeps a unit */
	double		readmit;		/* probability that a removed unit is drawn back */
	double		pi;				/* of both steps: keep + (1 - keep) * readmit */
	uint64_t	take;			/* exact size: units to take */
} GrovePruneCell;

typedef struct GrovePruneDesign
{
	/* given */
	GrovePruneMethod method;
	GrovePruneAllocation allocation;
	bool		exact;			/* exact size, else Poisson */
	bool		counted;		/* n was given, else keep */
	uint64_t	n;				/* units to keep in the first step */
	double		keep;			/* share of units to keep in the first step */
	double		gamma;			/* power of the frequency */
	double		pi_min;			/* inverse: smallest probability */
	double		readmit;		/* share of removed units to draw back */
	int			exponent;		/* weighted: sizes are weights over 2^exponent; scale is that of the weights */
	double		class_cap;		/* noise: largest share of a class to remove */
	uint64_t	start;			/* random; decides how exact sizes are rounded */

	/* found */
	double		kept;			/* units expected, exact size: taken, in all */
	double		scale;			/* c of min(1, c * frequency^-gamma), or c * size; infinity: all */
	double		even;			/* surprise: the probability eps that every unit has at least */
	double		readmit_scale;	/* the same of drawing back */
	double		beta;			/* negatives: probability of the negative class */
} GrovePruneDesign;

/* weighted: a weight that is smaller than the largest finite one by more counts as this much smaller. */
#define GROVE_PRUNE_WEIGHT_BITS	1000

/*
 * Method weighted: divides the weights that the cells have as sizes, all >= 0,
 * by 2^exponent, so that the largest finite one lies in [1, 2): what follows
 * is then the same, bit by bit, for weights that were multiplied by a power of two.
 */
extern int	grove_prune_normalize(GrovePruneCell *cells, size_t n_cells);

/*
 * Fills pi and, for an exact size, take of every cell.  order lists the cells
 * in a canonical order, which has to look random: sums run along it and exact
 * sizes are rounded along it.  shares has n_cells places.
 *
 * GROVE_ERR_RANGE: pi_min or units of infinite weight alone keep more than
 * asked for, or the target leaves no place for a stratum or a negative unit.
 */
extern GroveStatus grove_prune_design(GrovePruneDesign *design, GrovePruneCell *cells, size_t n_cells,
									  const uint32_t *order, GrovePpsShare *shares);

/* What a design does to its rows, before anything is drawn. */
typedef struct GrovePruneSummary
{
	uint64_t	rows;
	uint64_t	zero_rows;		/* rows of probability 0 */
	uint64_t	certainty_rows; /* rows of probability 1 */
	double		kept_rows;		/* expected */
	double		sum_weights;	/* expected sum of 1/pi over the kept rows: the rows of positive probability */
	double		effective_size; /* sum(1/pi)^2 / sum(1/pi^2) of the kept rows, both expected */
	double		pi_low;			/* smallest and largest probability; NaN without rows */
	double		pi_high;
} GrovePruneSummary;

extern void grove_prune_summarize(const GrovePruneCell *cells, size_t n_cells, const uint32_t *order,
								  GrovePruneSummary *summary);

#endif							/* GROVE_PRUNE_H */
