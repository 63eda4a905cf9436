/*
 * sample_draw.c: from candidates to a sample of exactly k rows in which each
 * row has exactly the probability pi = min(1, w / tau).
 *
 * 1. tau: sum(pi) = k over all rows, candidates one by one and the rest by
 *    its exact sum of weights (pps.h; the scale there is 1 / tau).
 * 2. A candidate's rows get p = pi / q, where q = min(1, kappa * w) is the
 *    probability that the row is a candidate: so p is pi on average.
 * 3. The p of candidates do not sum to k, only on average.  Let e be by how
 *    much the p of a class exceed the class's sum of pi.  Classes 0 and 1, and
 *    2 and 3, are partners: each takes the other's e off its own p, shared out
 *    in proportion to p * (1 - p).  Then the p sum to k.  And no expectation
 *    has moved: under cuts that neither partner has a part in, e is a function
 *    of one partner's random numbers with mean 0, the shares are a function of
 *    the other's.
 * 4. Systematic sampling (Madow 1949) of the p, in a random order that has
 *    nothing to do with weights and with a random start: exactly k rows, each
 *    with probability p.
 *
 * Step 3 fails when a p would leave [0,1].  With n candidates of one row in
 * each class e has a standard deviation of about sqrt(n) * p, and the room
 * n * p * (1 - p) is at least 50 times as much for every k when spare is
 * 16,384 or more: such a draw does not fail.  Units of many rows count with their
 * rows, so there is a limit when more units exist than are remembered: a unit
 * of more than about spare / 4 times as many rows as the average one, each
 * too light to be a candidate for certain, does not fit when it comes and
 * leaves a hole when it does not.  A hole shows as an e far outside of its
 * standard deviation and fails the draw too, unless it is too small for that.
 *
 * Without a cut steps 2 and 3 change nothing and the sample is plain
 * systematic sampling in random order, which for equal weights is simple
 * random sampling.  This combination is ours; its parts are bottom-k sketches
 * (Cohen and Kaplan 2007), Poisson and systematic sampling.
 */
#include "sample.h"

#define WEIGHT_EXPONENT 500		/* the largest weight is brought to 2^500: far from both ends of the range */
#define MAX_DEVIATION	8		/* standard deviations of e: 10^-15 for units of one row */
#define ROUNDING		1e-6	/* rows that rounding may make of an e of 0 */

typedef struct DrawClass
{
	double		excess;			/* e: sum of p - pi, the rest's -pi included */
	double		variance;		/* of e, estimated from the candidates */
	double		room;			/* sum of p * (1 - p) */
} DrawClass;

/* Decides how weights are seen in this draw. */
typedef struct DrawWeights
{
	bool		certain_only;	/* k or more rows have infinite weight: they have weight 1, the others 0 */
	int			shift;			/* power of two that the finite weights are multiplied by */
} DrawWeights;

static double
seen_weight(const DrawWeights *weights, double weight)
{
	if (weights->certain_only)
		return isinf(weight) ? 1 : 0;
	return isinf(weight) ? weight : ldexp(weight, weights->shift);
}

static bool
is_candidate(const GroveSampleSet *set, const GroveSampleUnit *unit)
{
	uint64_t	cut = set->cut[unit->hash % GROVE_SAMPLE_CLASSES / 2];

	return cut == GROVE_SAMPLE_NO_CUT || unit->priority < cut;
}

/* q, the probability that the priority u / weight lies below a cut. */
static double
candidate_probability(uint64_t cut, double weight)
{
	uint64_t	bits = (cut & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
	int			exponent = 1200;
	double		kappa;
	double		q;

	if (cut == GROVE_SAMPLE_NO_CUT)
		return 1;
	memcpy(&kappa, &bits, sizeof(kappa));
	if (!isinf(weight))
		kappa *= frexp(weight, &exponent);
	q = ldexp(kappa, (int) (cut >> 52) - 2048 + exponent);
	return q < 1 ? q : 1;
}

/* Mean finite weight of the rest; their sum may be beyond the doubles. */
static double
mean_weight(const GroveSampleRest *rest)
{
	GroveExactSum sum = rest->weights;
	GroveExactSum high;
	double		mean = grove_exactsum_round(&sum) / (double) rest->rows;

	if (!isinf(mean))
		return mean;
	/* without the two lowest chunks the sum is 2^64 times smaller */
	grove_exactsum_init(&high);
	memcpy(high.chunk, &sum.chunk[2], (GROVE_EXACTSUM_CHUNKS - 2) * sizeof(sum.chunk[0]));
	return ldexp(grove_exactsum_round(&high) / (double) rest->rows, 64);
}

static void
choose_weights(const GroveSampleSet *set, const GroveSampleUnit *units, size_t n, DrawWeights *weights)
{
	double		largest = 0;
	int			exponent = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (!isinf(units[i].weight) && units[i].weight > largest)
			largest = units[i].weight;
	}
	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
	{
		const GroveSampleRest *rest = &set->rest[class];

		if (rest->rows > 0)
			largest = fmax(largest, mean_weight(rest));
	}
	frexp(largest, &exponent);
	weights->certain_only = set->certain_rows >= set->k;
	weights->shift = largest > 0 ? WEIGHT_EXPONENT - exponent : 0;
}

/*
 * pi of every unit into probability, and of the rest of each class into
 * rest_rows, as an expected number of rows.
 */
static GroveStatus
solve_inclusion(const GroveSampleSet *set, const GroveSampleUnit *units, size_t n, const DrawWeights *weights,
				GroveSampleDraw *draw, double *rest_rows)
{
	GrovePpsShare *shares = draw->shares;
	double		scale;
	GroveStatus status;

	for (size_t i = 0; i < n; i++)
		shares[i] = (GrovePpsShare) {seen_weight(weights, units[i].weight), (double) units[i].rows, 0};
	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
	{
		const GroveSampleRest *rest = &set->rest[class];
		GrovePpsShare *share = &shares[n + (size_t) class];

		*share = (GrovePpsShare) {0, 0, 0};
		if (weights->certain_only)
			*share = (GrovePpsShare) {1, (double) rest->certain_rows, 0};
		else if (rest->certain_rows > 0)
			return GROVE_ERR_DATA;
		else if (rest->rows > 0)
		{
			share->weight = seen_weight(weights, mean_weight(rest));
			share->units = (double) rest->rows;
		}
	}
	status = grove_pps_scale(shares, n + GROVE_SAMPLE_CLASSES, (double) set->k, &scale);
	if (status != GROVE_OK)
		return status;

	for (size_t i = 0; i < n; i++)
		draw->probability[i] = grove_pps_probability(scale, shares[i].weight, 0);
	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
	{
		const GrovePpsShare *share = &shares[n + (size_t) class];

		rest_rows[class] = share->units > 0 ? share->units * grove_pps_probability(scale, share->weight, 0) : 0;
	}
	return GROVE_OK;
}

/* Steps 2 and 3: from pi to the p of this draw. */
static GroveStatus
balance_classes(const GroveSampleSet *set, const GroveSampleUnit *units, size_t n, const double *rest_rows,
				double *probability)
{
	DrawClass	classes[GROVE_SAMPLE_CLASSES];

	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
		classes[class] = (DrawClass) {-rest_rows[class], 0, 0};
	for (size_t i = 0; i < n; i++)
	{
		DrawClass  *class = &classes[units[i].hash % GROVE_SAMPLE_CLASSES];
		double		pi = probability[i];
		double		rows = (double) units[i].rows;
		double		p = 0;

		if (is_candidate(set, &units[i]))
		{
			double		q = candidate_probability(set->cut[units[i].hash % GROVE_SAMPLE_CLASSES / 2],
												  units[i].weight);

			p = q < 1 ? pi / q : pi;
			class->variance += rows * p * rows * p * (1 - q);
		}
		if (p > 1)
			return GROVE_ERR_DATA;
		class->excess += rows * (p - pi);
		class->room += rows * p * (1 - p);
		probability[i] = p;
	}

	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
	{
		if (fabs(classes[class].excess) > MAX_DEVIATION * sqrt(classes[class].variance) + ROUNDING)
			return GROVE_ERR_DATA;
	}
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	class = units[i].hash % GROVE_SAMPLE_CLASSES;
		double		excess = classes[class ^ 1].excess;
		double		p = probability[i];

		if (excess == 0 || p <= 0 || p >= 1)
			continue;
		p -= excess / classes[class].room * p * (1 - p);
		if (!(p >= 0 && p <= 1))
			return GROVE_ERR_DATA;
		probability[i] = p;
	}
	return GROVE_OK;
}

/* Whole numbers of rows from expected ones, k in all. */
static GroveStatus
take_systematically(const GroveSampleSet *set, const GroveSampleUnit *units, size_t n, uint64_t start,
					GroveSampleDraw *draw)
{
	GrovePpsRounding rounding = {{0, 0}, {0, 0}, 0, 0};
	uint64_t	position = start >> 1;

	for (size_t i = 0; i < n; i++)
		grove_pps_rounding_add(&rounding, i, draw->probability[i] * (double) units[i].rows, (double) units[i].rows);
	if (!grove_pps_rounding_settle(&rounding, set->k))
		return GROVE_ERR_DATA;
	for (size_t i = 0; i < n; i++)
	{
		size_t		unit = (size_t) draw->pairs[i].index;
		double		expected = draw->probability[unit] * (double) units[unit].rows;

		draw->take[unit] = grove_pps_round(&position, grove_pps_rounding_amount(&rounding, unit, expected));
	}
	return GROVE_OK;
}

static GroveStatus
draw_weighted(const GroveSampleSet *set, const GroveSampleUnit *units, size_t n, uint64_t key,
			  GroveSampleDraw *draw)
{
	double		rest_rows[GROVE_SAMPLE_CLASSES];
	DrawWeights weights;
	GroveStatus status;

	for (size_t i = 0; i < n; i++)
		draw->pairs[i] = (GroveSamplePair) {grove_rng_mix(units[i].hash ^ key), i};
	grove_sample_sort_pairs(draw->pairs, n);

	if (set->rows <= set->k || set->k == 0)
	{
		uint64_t	rows = 0;

		for (size_t i = 0; i < n; i++)
			rows += draw->take[i] = set->k == 0 ? 0 : units[i].rows;
		return set->k == 0 || rows == set->rows ? GROVE_OK : GROVE_ERR_DATA;
	}

	choose_weights(set, units, n, &weights);
	status = solve_inclusion(set, units, n, &weights, draw, rest_rows);
	if (status == GROVE_OK)
		status = balance_classes(set, units, n, rest_rows, draw->probability);
	if (status == GROVE_OK)
		status = take_systematically(set, units, n, grove_rng_key(key, GROVE_PURPOSE_SAMPLE), draw);
	return status;
}

GroveStatus
grove_sample_draw(const GroveSampleSet *set, const GroveSampleUnit *units, size_t n, uint64_t key,
				  GroveSampleDraw *draw)
{
	uint64_t	left = set->k;

	if (set->weighted)
		return draw_weighted(set, units, n, key, draw);

	for (size_t i = 0; i < n; i++)
	{
		draw->pairs[i] = (GroveSamplePair) {units[i].hash, i};
		draw->take[i] = units[i].rows < left ? units[i].rows : left;
		left -= draw->take[i];
	}
	return GROVE_OK;
}
