/*
 * curve.c: see curve.h.
 */
#include "curve.h"

#include <math.h>
#include <string.h>

void
grove_curve_roc_init(GroveCurveRoc *roc, const double total[2])
{
	memset(roc, 0, sizeof(*roc));
	memcpy(roc->total, total, sizeof(roc->total));
}

static void
set_point(const GroveCurveRoc *roc, const double weights[2], double threshold, GroveCurvePoint *point)
{
	point->threshold = threshold;
	point->false_positive = roc->total[0] > 0 ? weights[0] / roc->total[0] : NAN;
	point->true_positive = roc->total[1] > 0 ? weights[1] / roc->total[1] : NAN;
}

void
grove_curve_roc_first(const GroveCurveRoc *roc, GroveCurvePoint *point)
{
	static const double none[2] = {0, 0};

	set_point(roc, none, INFINITY, point);
}

bool
grove_curve_roc_add(GroveCurveRoc *roc, const GroveRankedGroup *group, GroveCurvePoint *point)
{
	double		now[2];
	bool		bends = false;
	int			class;

	for (class = 0; class < 2; class++)
	{
		grove_ranked_sum_add(&roc->above[class], group->weight[class]);
		now[class] = grove_ranked_sum_value(&roc->above[class]);
	}
	if (roc->holds)
	{
		/* slopes before and after the held point, multiplied out */
		bends = (roc->held[0] - roc->last[0]) * (now[1] - roc->held[1]) !=
			(now[0] - roc->held[0]) * (roc->held[1] - roc->last[1]);
		if (bends)
		{
			set_point(roc, roc->held, roc->held_score, point);
			memcpy(roc->last, roc->held, sizeof(roc->last));
		}
	}
	memcpy(roc->held, now, sizeof(roc->held));
	roc->held_score = group->score;
	roc->holds = true;
	return bends;
}

bool
grove_curve_roc_last(const GroveCurveRoc *roc, GroveCurvePoint *point)
{
	if (roc->holds)
		set_point(roc, roc->held, roc->held_score, point);
	return roc->holds;
}

void
grove_curve_lift_init(GroveCurveLift *lift, const double total[2], uint32_t n_buckets)
{
	memset(lift, 0, sizeof(*lift));
	memcpy(lift->total, total, sizeof(lift->total));
	lift->n_buckets = n_buckets;
}

bool
grove_curve_lift_next(GroveCurveLift *lift, const GroveRankedGroup *group, GroveCurveBucket *bucket)
{
	double		all = lift->total[0] + lift->total[1];
	double		above = grove_ranked_sum_value(&lift->above[0]) + grove_ranked_sum_value(&lift->above[1]);
	double		size = group->weight[0] + group->weight[1];
	double		end = (lift->done + 1) * all;	/* times n_buckets: where the next bucket ends */
	double		gained;

	/* rounding must not leave the last bucket open */
	if (lift->done >= lift->n_buckets || (above + size) * lift->n_buckets < end * (1 - 1e-12))
		return false;
	gained = grove_ranked_sum_value(&lift->above[1]) +
		group->weight[1] * fmin(1, fmax(0, (end / lift->n_buckets - above) / size));
	bucket->lowest = group->score;
	bucket->rate = (gained - lift->gained) / (all / lift->n_buckets);
	bucket->lift = lift->total[1] > 0 ? bucket->rate / (lift->total[1] / all) : NAN;
	bucket->gain = lift->total[1] > 0 ? gained / lift->total[1] : NAN;
	lift->gained = gained;
	lift->done++;
	return true;
}

void
grove_curve_lift_add(GroveCurveLift *lift, const GroveRankedGroup *group)
{
	grove_ranked_sum_add(&lift->above[0], group->weight[0]);
	grove_ranked_sum_add(&lift->above[1], group->weight[1]);
}

uint32_t
grove_curve_bin(double total, double above, const GroveRankedGroup *group, uint32_t n_bins)
{
	double		middle = above + (group->weight[0] + group->weight[1]) / 2;
	double		place = floor((total - middle) / total * n_bins);

	return place <= 0 ? 0 : place >= n_bins ? n_bins - 1 : (uint32_t) place;
}

void
grove_curve_bin_add(GroveCurveBin *bin, const GroveRankedGroup *group, double square)
{
	double		weight = group->weight[0] + group->weight[1];

	grove_ranked_sum_add(&bin->weight, weight);
	grove_ranked_sum_add(&bin->square, square);
	grove_ranked_sum_add(&bin->score, weight * group->score);
	grove_ranked_sum_add(&bin->positive, group->weight[1]);
}

void
grove_curve_bin_rate(const GroveCurveBin *bin, double *rate, double *lower, double *upper)
{
	double		weight = grove_ranked_sum_value(&bin->weight);
	double		n = weight * weight / grove_ranked_sum_value(&bin->square);
	double		z2 = GROVE_RANKED_Z95 * GROVE_RANKED_Z95;
	double		centre;
	double		distance;

	*rate = grove_ranked_sum_value(&bin->positive) / weight;
	centre = (*rate + z2 / (2 * n)) / (1 + z2 / n);
	distance = GROVE_RANKED_Z95 / (1 + z2 / n) * sqrt(fmax(*rate * (1 - *rate), 0) / n + z2 / (4 * n * n));
	*lower = *rate == 0 ? 0 : fmax(centre - distance, 0);
	*upper = *rate == 1 ? 1 : fmin(centre + distance, 1);
}
