/*
 * test_paired.c: errors of paired differences against loops over their
 * definitions, quantiles against tables, and the decision against its promise
 * on simulated hold-outs: a model that loses exactly the margin is accepted in
 * at most 5 of 100 cases.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/paired.h"
#include "../../src/core/rng.h"

#include "unit.h"

#define ROWS		800
#define CLUSTERS	200
#define TRIALS		200
/* accepted of 200 at a chance of 5 %: 10 are expected, more than 21 come once in 1,500 seeds */
#define MOST_WRONG	21

static uint64_t seed = 5;

static double
uniform(void)
{
	return grove_rng_u01(grove_rng_mix(seed++));
}

static double
normal(void)
{
	return grove_paired_normal(uniform());
}

static bool
close_to(double a, double b, double tolerance)
{
	return fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* A hold-out: PAIRED words, the cluster of each row, and what is worked out from them. */
typedef struct Sample
{
	uint64_t	rows[3 * ROWS];
	double		score[2][ROWS];
	bool		positive[ROWS];
	uint32_t	cluster[ROWS];
	double		place[2][ROWS];
	double		total[2];
	double		auc[2];
} Sample;

static Sample sample;

static int
compare_scores(const void *a, const void *b, int column)
{
	uint64_t	x = sample.rows[3 * *(const uint32_t *) a + column];
	uint64_t	y = sample.rows[3 * *(const uint32_t *) b + column];

	return x < y ? -1 : x > y;
}

static int
compare_first(const void *a, const void *b)
{
	return compare_scores(a, b, 0);
}

static int
compare_second(const void *a, const void *b)
{
	return compare_scores(a, b, 1);
}

/* Draws rows whose AUCs are Phi(mean / sqrt 2) and Phi(mean / sqrt(2 (1 + noise^2))). */
static void
draw(double mean, double noise, double shared)
{
	uint32_t	i;

	for (i = 0; i < ROWS; i++)
	{
		static double effect;

		if (i % (ROWS / CLUSTERS) == 0)
			effect = normal();
		sample.cluster[i] = i / (ROWS / CLUSTERS);
		sample.positive[i] = uniform() < 0.25;
		sample.score[0][i] = (sample.positive[i] ? mean : 0) + normal();
		sample.score[1][i] = sample.score[0][i] +
			noise * (sqrt(shared) * effect + sqrt(1 - shared) * normal());
	}
}

/* Ties for the comparison with the definitions. */
static void
round_scores(void)
{
	uint32_t	i;

	for (i = 0; i < ROWS; i++)
	{
		sample.score[0][i] = floor(sample.score[0][i] * 8) / 8;
		sample.score[1][i] = floor(sample.score[1][i] * 4) / 4;
	}
}

static void
place(void)
{
	uint32_t	order[ROWS];
	int			column;
	uint32_t	i;

	sample.total[0] = sample.total[1] = 0;
	for (i = 0; i < ROWS; i++)
	{
		sample.rows[3 * i] = grove_ranked_key(sample.score[0][i]);
		sample.rows[3 * i + 1] = grove_ranked_key(sample.score[1][i]);
		sample.rows[3 * i + 2] = grove_ranked_class(sample.positive[i], 1);
		sample.total[sample.positive[i]]++;
	}
	for (column = 0; column < 2; column++)
	{
		GroveRankedCurve curve;
		size_t		start = 0;

		memset(&curve, 0, sizeof(curve));
		for (i = 0; i < ROWS; i++)
			order[i] = i;
		qsort(order, ROWS, sizeof(uint32_t), column == 0 ? compare_first : compare_second);
		while (start < ROWS)
			start = grove_ranked_place(sample.rows, order, ROWS, start, column, sample.total, &curve,
									   sample.place[column]);
		grove_ranked_auc(&curve, &sample.auc[column]);
	}
}

static void
fill_test(GrovePairedTest *test)
{
	double		sums[CLUSTERS] = {0};

	memset(test, 0, sizeof(*test));
	test->difference = sample.auc[0] - sample.auc[1];
	grove_paired_auc_add(sample.rows, sample.cluster, 0, ROWS / 3, sample.place[0], sample.place[1],
						 test->difference, sample.total, sums);
	grove_paired_auc_add(sample.rows, sample.cluster, ROWS / 3, ROWS, sample.place[0], sample.place[1],
						 test->difference, sample.total, sums);
	test->error = grove_paired_auc_error(sums, CLUSTERS);
	test->clusters = CLUSTERS;
	test->units = (uint64_t) sample.total[1];
}

/*
 * AUC by its definition, in which a cluster counts as often as told.  The counts
 * are volatile since gcc 12 at -O2 takes the stores of the caller for dead.
 */
static double
slow_auc(int column, const volatile double *count)
{
	double		won = 0;
	double		pairs = 0;
	int			i;
	int			j;

	for (i = 0; i < ROWS; i++)
		for (j = 0; j < ROWS; j++)
		{
			double		weight = count[sample.cluster[i]] * count[sample.cluster[j]];

			if (!sample.positive[i] || sample.positive[j])
				continue;
			pairs += weight;
			won += weight * (sample.score[column][i] > sample.score[column][j] ? 1 :
							 sample.score[column][i] == sample.score[column][j] ? 0.5 : 0);
		}
	return won / pairs;
}

/* The error is the infinitesimal jackknife: the derivative of the difference in the count of each cluster. */
static void
test_auc_error(void)
{
	GrovePairedTest test;
	volatile double count[CLUSTERS];
	double		square = 0;
	int			c;

	draw(1.2, 0.6, 0.5);
	round_scores();
	place();
	fill_test(&test);
	for (c = 0; c < CLUSTERS; c++)
		count[c] = 1;
	CHECK(close_to(sample.auc[0], slow_auc(0, count), 1e-12));
	CHECK(close_to(sample.auc[1], slow_auc(1, count), 1e-12));
	for (c = 0; c < CLUSTERS; c += 8)
	{
		double		up;
		double		sums[CLUSTERS] = {0};

		count[c] = 1 + 1e-6;
		up = slow_auc(0, count) - slow_auc(1, count);
		count[c] = 1 - 1e-6;
		up -= slow_auc(0, count) - slow_auc(1, count);
		count[c] = 1;
		grove_paired_auc_add(sample.rows, sample.cluster, 0, ROWS, sample.place[0], sample.place[1],
							 test.difference, sample.total, sums);
		CHECK(fabs(up / 2e-6 - sums[c]) < 1e-7);
		square += 8 * sums[c] * sums[c];
	}
	CHECK(test.error > 0.5 * sqrt(square) && test.error < 2 * sqrt(square));
}

static void
test_one_row_clusters(void)
{
	GroveRankedTest delong;
	GroveRankedSum sum[2] = {{0, 0}, {0, 0}};
	double		sums[ROWS] = {0};
	uint32_t	own[ROWS];
	double		error;
	uint32_t	i;

	draw(1, 0.5, 0);
	place();
	for (i = 0; i < ROWS; i++)
		own[i] = i;
	grove_paired_auc_add(sample.rows, own, 0, ROWS, sample.place[0], sample.place[1],
						 sample.auc[0] - sample.auc[1], sample.total, sums);
	error = grove_paired_auc_error(sums, ROWS);
	delong.auc[0] = sample.auc[0];
	delong.auc[1] = sample.auc[1];
	grove_ranked_test_add(sample.rows, 0, ROWS, sample.place[0], sample.place[1],
						  delong.auc[0] - delong.auc[1], sum);
	grove_ranked_test_result(&delong, sample.total, sum);
	/* they differ in n / (n - 1) only */
	CHECK(close_to(error, delong.error, 5e-3));
	CHECK(isnan(grove_paired_auc_error(sums, 1)));
}

static void
test_quantiles(void)
{
	CHECK(close_to(grove_paired_normal(0.975), 1.959963984540054, 1e-15));
	CHECK(close_to(grove_paired_normal(0.05), -1.6448536269514722, 1e-15));
	CHECK(close_to(grove_paired_normal(1e-12), -7.034483825301131, 1e-13));
	CHECK(grove_paired_normal(0.5) == 0);
	CHECK(close_to(grove_paired_student(0.95, 10), 1.812461, 2e-4));
	CHECK(close_to(grove_paired_student(0.95, 29), 1.699127, 1e-5));
	CHECK(close_to(grove_paired_student(0.99, 30), 2.457262, 1e-4));
	CHECK(close_to(grove_paired_student(0.975, 1e9), 1.959963984540054, 1e-8));
}

static void
test_counts(void)
{
	int			seen[8] = {0};
	double		sum = 0;
	uint32_t	i;

	for (i = 0; i < 100000; i++)
	{
		uint32_t	k = grove_paired_count(grove_rng_mix(i), 7);

		seen[k < 7 ? k : 7]++;
		sum += k;
	}
	CHECK(fabs(seen[0] / 1e5 - 0.367879) < 0.006);
	CHECK(fabs(seen[1] / 1e5 - 0.367879) < 0.006);
	CHECK(fabs(seen[2] / 1e5 - 0.183940) < 0.005);
	CHECK(fabs(seen[4] / 1e5 - 0.015328) < 0.0016);
	CHECK(fabs(sum / 1e5 - 1) < 0.012);
}

static void
test_relative(void)
{
	const double rise[2] = {4, 9};
	const double none[2] = {0, 0};
	const double first[2] = {0, 1};

	CHECK(grove_paired_relative(GROVE_PAIRED_MEAN, rise) == 1.25);
	CHECK(grove_paired_relative(GROVE_PAIRED_ROOT, rise) == 0.5);
	CHECK(grove_paired_relative(GROVE_PAIRED_MEAN, none) == 0);
	CHECK(isinf(grove_paired_relative(GROVE_PAIRED_MEAN, first)));
}

/* Draws clusters whose second loss is `factor` times the first on average. */
static void
draw_losses(GrovePairedCluster *clusters, double factor)
{
	int			c;
	int			i;

	for (c = 0; c < CLUSTERS; c++)
	{
		double		effect = normal();

		clusters[c].hash = grove_rng_mix(seed++);
		clusters[c].loss[0] = clusters[c].loss[1] = 0;
		for (i = 0; i < 4; i++)
		{
			double		loss = -log(uniform());

			clusters[c].loss[0] += loss;
			clusters[c].loss[1] += loss + factor - 1 + 0.1 * (effect + normal());
		}
	}
}

static void
fill_bootstrap(GrovePairedTest *test, const GrovePairedCluster *clusters)
{
	static double replicates[GROVE_PAIRED_REPLICATES];
	double		loss[2] = {0, 0};
	uint32_t	i;

	memset(test, 0, sizeof(*test));
	for (i = 0; i < CLUSTERS; i++)
	{
		loss[0] += clusters[i].loss[0];
		loss[1] += clusters[i].loss[1];
	}
	for (i = 0; i < GROVE_PAIRED_REPLICATES; i++)
		replicates[i] = grove_paired_replicate(GROVE_PAIRED_MEAN, clusters, CLUSTERS, i);
	test->difference = grove_paired_relative(GROVE_PAIRED_MEAN, loss);
	test->error = grove_paired_spread(replicates, GROVE_PAIRED_REPLICATES);
	test->clusters = test->units = CLUSTERS;
}

/* The bootstrap's spread is the linearised standard error of a ratio. */
static void
test_bootstrap(void)
{
	static GrovePairedCluster clusters[CLUSTERS];
	GrovePairedTest test;
	double		loss[2] = {0, 0};
	double		square = 0;
	double		nothing[2] = {NAN, NAN};
	int			c;

	draw_losses(clusters, 1.05);
	fill_bootstrap(&test, clusters);
	for (c = 0; c < CLUSTERS; c++)
	{
		loss[0] += clusters[c].loss[0];
		loss[1] += clusters[c].loss[1];
	}
	for (c = 0; c < CLUSTERS; c++)
	{
		double		distance = clusters[c].loss[1] - loss[1] / loss[0] * clusters[c].loss[0];

		square += distance * distance;
	}
	/* 1,000 replicates know it to 2.3 % */
	CHECK(close_to(test.error, sqrt(square) / loss[0], 0.08 * test.error));
	CHECK(isnan(grove_paired_replicate(GROVE_PAIRED_MEAN, clusters, 0, 0)));
	CHECK(isnan(grove_paired_spread(nothing, 2)));
}

static void
test_decide(void)
{
	GrovePairedTest test = {{0.8, 0.8}, 0, 0.001, 1000, 500, false, 0, 0, 0};

	CHECK(grove_paired_decide(&test, 0.002, 0.95) == GROVE_PAIRED_ACCEPTED);
	CHECK(close_to(test.upper, 0.0016464, 1e-4) && close_to(test.lower, -0.0016464, 1e-4));
	/* 2.486^2 / 4 * 500 */
	CHECK(fabs(test.needed - 773) <= 1);
	test.difference = 0.001;
	CHECK(grove_paired_decide(&test, 0.002, 0.95) == GROVE_PAIRED_INCONCLUSIVE);
	test.difference = 0.004;
	CHECK(grove_paired_decide(&test, 0.002, 0.95) == GROVE_PAIRED_REJECTED);
	test.difference = 0.001;
	test.error = 0.0008;
	CHECK(grove_paired_decide(&test, 0.002, 0.95) == GROVE_PAIRED_REJECTED);
	test.difference = 0;
	test.small = true;
	CHECK(grove_paired_decide(&test, 0.002, 0.95) == GROVE_PAIRED_INCONCLUSIVE);
	test.small = false;
	test.error = NAN;
	CHECK(grove_paired_decide(&test, 0.002, 0.95) == GROVE_PAIRED_INCONCLUSIVE);
	test.error = 0;
	CHECK(grove_paired_decide(&test, 0, 0.95) == GROVE_PAIRED_ACCEPTED);
	test.difference = 1e-9;
	CHECK(grove_paired_decide(&test, 0, 0.95) == GROVE_PAIRED_REJECTED);
}

/* Noise that costs `loss` of the AUC of mean 1. */
static double
noise_for(double loss)
{
	double		auc = 0.5 * erfc(-0.5);
	double		z = grove_paired_normal(auc - loss);

	return sqrt(1 / (2 * z * z) - 1);
}

static int
count_accepted(double loss, double margin, double shared)
{
	int			accepted = 0;
	int			trial;

	for (trial = 0; trial < TRIALS; trial++)
	{
		GrovePairedTest test;

		draw(1, noise_for(loss), shared);
		place();
		fill_test(&test);
		accepted += grove_paired_decide(&test, margin, 0.95) == GROVE_PAIRED_ACCEPTED;
	}
	return accepted;
}

static void
test_error_rate(void)
{
	static GrovePairedCluster clusters[CLUSTERS];
	int			wrong = 0;
	int			right = 0;
	int			trial;

	CHECK(count_accepted(0.02, 0.02, 0) <= MOST_WRONG);
	/* rows of a cluster move together: an error that took them for independent would be too small */
	CHECK(count_accepted(0.02, 0.02, 0.9) <= MOST_WRONG);
	CHECK(count_accepted(0.04, 0.02, 0.5) <= 2);
	CHECK(count_accepted(0.002, 0.02, 0.5) >= TRIALS * 3 / 4);
	for (trial = 0; trial < TRIALS; trial++)
	{
		GrovePairedTest test;

		draw_losses(clusters, 1.02);
		fill_bootstrap(&test, clusters);
		wrong += grove_paired_decide(&test, 0.02, 0.95) == GROVE_PAIRED_ACCEPTED;
		draw_losses(clusters, 1);
		fill_bootstrap(&test, clusters);
		right += grove_paired_decide(&test, 0.02, 0.95) == GROVE_PAIRED_ACCEPTED;
	}
	CHECK(wrong <= MOST_WRONG);
	CHECK(right >= TRIALS * 3 / 4);
}

/* Models of growing loss, tested until the first that is not accepted: is any accepted that loses the margin or more? */
static void
test_fixed_sequence(void)
{
	static const double losses[] = {0.001, 0.02, 0.021, 0.022, 0.03};
	int			wrong = 0;
	int			trial;

	for (trial = 0; trial < TRIALS; trial++)
	{
		int			round;

		for (round = 0; round < 5; round++)
		{
			GrovePairedTest test;

			draw(1, noise_for(losses[round]), 0.5);
			place();
			fill_test(&test);
			if (grove_paired_decide(&test, 0.02, 0.95) != GROVE_PAIRED_ACCEPTED)
				break;
			if (losses[round] >= 0.02)
			{
				wrong++;
				break;
			}
		}
	}
	CHECK(wrong <= MOST_WRONG);
}

int
main(void)
{
	test_quantiles();
	test_counts();
	test_relative();
	test_auc_error();
	test_one_row_clusters();
	test_bootstrap();
	test_decide();
	test_error_rate();
	test_fixed_sequence();
	return unit_done();
}
