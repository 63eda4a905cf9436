/*
 * paired.c: see paired.h.
 *
 * Bounds use Student's t with one degree of freedom less than there are
 * clusters.  A difference without error (two models that score every row
 * alike) is a number and is compared as it is.
 */
#include <math.h>

#include "paired.h"
#include "rng.h"

/* Rational approximations of Wichura's algorithm AS 241 (Applied Statistics 37, 1988), relative error 1e-16. */
static double
ratio(const double *numerator, const double *denominator, double x)
{
	double		above = numerator[7];
	double		below = denominator[7];
	int			i;

	for (i = 6; i >= 0; i--)
	{
		above = above * x + numerator[i];
		below = below * x + denominator[i];
	}
	return above / below;
}

double
grove_paired_normal(double p)
{
	static const double centre_above[] = {
		3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
		4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
	static const double centre_below[] = {
		1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
		2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3};
	static const double middle_above[] = {
		1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
		1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
	static const double middle_below[] = {
		1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9};
	static const double tail_above[] = {
		6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
		2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
	static const double tail_below[] = {
		1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15};
	double		q = p - 0.5;
	double		r;
	double		x;

	if (fabs(q) <= 0.425)
		return q * ratio(centre_above, centre_below, 0.180625 - q * q);
	r = sqrt(-log(q < 0 ? p : 1 - p));
	x = r <= 5 ? ratio(middle_above, middle_below, r - 1.6) : ratio(tail_above, tail_below, r - 5);
	return q < 0 ? -x : x;
}

/* Cornish and Fisher's expansion: within 1e-4 of the quantile for the degrees and levels that occur here. */
double
grove_paired_student(double p, double degrees)
{
	double		z = grove_paired_normal(p);
	double		z2 = z * z;
	double		first = (z2 + 1) * z / 4;
	double		second = ((5 * z2 + 16) * z2 + 3) * z / 96;
	double		third = (((3 * z2 + 19) * z2 + 17) * z2 - 15) * z / 384;

	return z + (first + (second + third / degrees) / degrees) / degrees;
}

void
grove_paired_auc_add(const uint64_t *rows, const uint32_t *cluster, size_t from, size_t to,
					 const double *placement_a, const double *placement_b, double difference,
					 const double total[2], double *cluster_sum)
{
	size_t		i;

	for (i = from; i < to; i++)
		cluster_sum[cluster[i]] += (placement_a[i] - placement_b[i] - difference) /
			total[grove_ranked_positive(rows[3 * i + 2])];
}

double
grove_paired_auc_error(const double *cluster_sum, size_t n)
{
	GroveRankedSum square = {0, 0};
	size_t		i;

	if (n < 2)
		return NAN;
	for (i = 0; i < n; i++)
		grove_ranked_sum_add(&square, cluster_sum[i] * cluster_sum[i]);
	return sqrt(grove_ranked_sum_value(&square) * ((double) n / ((double) n - 1)));
}

double
grove_paired_relative(GrovePairedMetric metric, const double loss[2])
{
	double		quotient;

	if (loss[0] == 0)
		return loss[1] == 0 ? 0 : INFINITY;
	quotient = loss[1] / loss[0];
	return (metric == GROVE_PAIRED_ROOT ? sqrt(quotient) : quotient) - 1;
}

/* Inverts the distribution function: 1/e, 2/e, 5/2e, ... */
uint32_t
grove_paired_count(uint64_t hash, uint32_t replicate)
{
	double		u = grove_rng_u01(grove_rng_hash(hash, replicate));
	double		term = 0.36787944117144233;
	double		sum = term;
	uint32_t	k = 0;

	while (u > sum && k < 20)
	{
		k++;
		term /= k;
		sum += term;
	}
	return k;
}

double
grove_paired_replicate(GrovePairedMetric metric, const GrovePairedCluster *clusters, size_t n, uint32_t replicate)
{
	double		loss[2] = {0, 0};
	uint64_t	drawn = 0;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		uint32_t	k = grove_paired_count(clusters[i].hash, replicate);

		loss[0] += k * clusters[i].loss[0];
		loss[1] += k * clusters[i].loss[1];
		drawn += k;
	}
	return drawn > 0 ? grove_paired_relative(metric, loss) : NAN;
}

double
grove_paired_spread(const double *replicates, size_t n)
{
	double		sum = 0;
	double		square = 0;
	size_t		count = 0;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		if (isnan(replicates[i]))
			continue;
		sum += replicates[i];
		count++;
	}
	if (count < 2)
		return NAN;
	for (i = 0; i < n; i++)
	{
		double		distance = replicates[i] - sum / (double) count;

		if (!isnan(distance))
			square += distance * distance;
	}
	return sqrt(square / ((double) count - 1));
}

GrovePairedDecision
grove_paired_decide(GrovePairedTest *test, double max_loss, double confidence)
{
	bool		known = !isnan(test->error) && !test->small;
	double		reach = test->clusters < 11 ? NAN :
		test->error * grove_paired_student(confidence, (double) test->clusters - 1);
	double		size;

	test->lower = test->difference - reach;
	test->upper = test->difference + reach;
	if (test->error == 0)
		test->needed = 0;
	else
	{
		size = (grove_paired_normal(confidence) + grove_paired_normal(GROVE_PAIRED_POWER)) * test->error / max_loss;
		test->needed = ceil(size * size * (double) test->units);
	}
	if (known && test->upper <= max_loss)
		return GROVE_PAIRED_ACCEPTED;
	if (known && (test->lower > max_loss || test->needed <= (double) test->units))
		return GROVE_PAIRED_REJECTED;
	return GROVE_PAIRED_INCONCLUSIVE;
}
