/*
 * intake_cut.c: where the features are cut, and which columns of the matrix
 * they become: numbers by the sketch, labels by their numbers of rows.
 */
#include "pg_grove.h"

#include "miscadmin.h"

#include "../core/params.h"
#include "intake_record.h"

#define WINDOW_LEVELS	254			/* levels of a column that is one of several of its feature */
#define LEVEL_ROWS		40			/* that a level needs where most rows have such levels */
#define LEVEL_ROWS_MIN	10
#define MAX_WINDOWS		64			/* and 254 levels in each: the codes of a column of the matrix */

static GroveIntakeCut *
add_cut(GroveIntake *in, int feature, uint32 first, uint32 n_levels)
{
	GroveIntakeCut *cut = &in->cuts[in->n_cuts++];

	cut->feature = feature;
	cut->first = first;
	cut->n_levels = n_levels;
	return cut;
}

/*
 * Rows that a level of a ranked feature needs when nobody says: fewer where
 * most rows have rarer levels, and the feature would tell nothing without them.
 */
static uint64
usual_level_rows(const GroveIntakeColumn *c, uint64 total)
{
	uint32		count = grovepg_levels_count(c->levels);
	uint64		needed = LEVEL_ROWS;
	uint64		covered = 0;
	uint32		n = 0;

	for (;; needed /= 2)
	{
		for (; n < count && grovepg_levels_get(c->levels, c->order[n])->count >= needed; n++)
			covered += grovepg_levels_get(c->levels, c->order[n])->count;
		if (covered >= total - covered || needed <= LEVEL_ROWS_MIN)
			return needed;
	}
}

/* Ranks the levels of a categorical feature; what is kept stands first in the order of the model. */
static void
rank_levels(GroveIntakeColumn *c, uint32 max_bin, int32 level_rows)
{
	uint32		count = grovepg_levels_count(c->levels);
	uint64		total = 0;
	uint64		covered = 0;
	uint64		needed;
	uint32		n = 0;
	uint32		i;

	c->order = grovepg_levels_rank(c->levels, true);
	for (i = 0; i < count; i++)
		total += grovepg_levels_get(c->levels, i)->count;
	needed = level_rows == GROVE_AUTO ? usual_level_rows(c, total) : (uint64) level_rows;
	while (n < count && n < WINDOW_LEVELS * MAX_WINDOWS)
	{
		uint64		rows = grovepg_levels_get(c->levels, c->order[n])->count;

		if (rows == 0 || (n >= max_bin && (max_bin < GROVE_BINS - 1 || rows < needed || covered >= total * 0.99)))
			break;
		covered += rows;
		n++;
	}
	c->n_levels = n;
}

/* Columns of the matrix when no feature has more than so many windows. */
static uint32
count_cuts(const GroveIntake *in, uint32 windows)
{
	uint32		n = 0;
	int			i;

	for (i = 0; i < in->n_features; i++)
	{
		uint32		levels = Min(in->features[i].n_levels, windows * WINDOW_LEVELS);

		n += levels < GROVE_BINS ? 1 : (levels + WINDOW_LEVELS - 1) / WINDOW_LEVELS;
	}
	return n;
}

static void
list_cuts(GroveIntake *in, uint32 max_bin, int32 level_rows)
{
	uint32		windows = MAX_WINDOWS;
	int			i;

	for (i = 0; i < in->n_features; i++)
	{
		if (in->features[i].levels)
			rank_levels(&in->features[i], max_bin, level_rows);
	}
	/* so that many columns of many labels fit side by side */
	while (count_cuts(in, windows) > GROVE_MAX_FEATURES)
		windows--;
	in->cuts = palloc(count_cuts(in, windows) * sizeof(GroveIntakeCut));
	for (i = 0; i < in->n_features; i++)
	{
		GroveIntakeColumn *c = &in->features[i];
		uint32		first;

		c->n_levels = Min(c->n_levels, windows * WINDOW_LEVELS);
		if (c->n_levels < GROVE_BINS)
		{
			add_cut(in, i, 0, c->n_levels);
			continue;
		}
		for (first = 0; first < c->n_levels; first += WINDOW_LEVELS)
			add_cut(in, i, first, Min(WINDOW_LEVELS, c->n_levels - first));
	}
}

GroveFeatureBins *
grovepg_intake_cut(GroveIntake *in, uint32 max_bin, int32 level_rows)
{
	GroveFeatureBins *bins;
	int			i;

	list_cuts(in, max_bin, level_rows);
	bins = palloc_extended(in->n_cuts * sizeof(GroveFeatureBins), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (i = 0; i < in->n_cuts; i++)
	{
		const GroveIntakeCut *cut = &in->cuts[i];
		const GroveIntakeColumn *c = &in->features[cut->feature];

		CHECK_FOR_INTERRUPTS();
		if (c->levels)
		{
			bins[i].categorical = true;
			bins[i].has_rest = c->n_levels >= GROVE_BINS;
			bins[i].window_levels = bins[i].has_rest ? c->n_levels : 0;
			bins[i].window_first = cut->first;
			bins[i].n_bins = cut->n_levels + bins[i].has_rest;
		}
		else
			grove_sketch_edges(&in->sketch, cut->feature, max_bin, in->scratch, bins[i].edges, &bins[i].n_bins);
		grove_bins_finish(&bins[i]);
	}
	pfree(in->scratch);
	if (in->kept && !grovepg_intake_narrow(in, bins))
		grovepg_intake_forget(in);
	pfree(in->sketch.hash);		/* the start of the sketch's buffer */
	in->scratch = NULL;
	in->frozen = true;
	return bins;
}

/* ---------------------------------------------------------------- levels as bins */

uint32
grovepg_intake_level_rank(const GroveIntakeColumn *c, uint32 code)
{
	uint32		rank = grovepg_levels_get(c->levels, code)->rank;

	return rank < c->n_levels ? rank : GROVE_NO_RANK;
}

void
grovepg_intake_rank_bins(const GroveIntakeCut *cut, const uint32 *ranks, uint8 *out, uint32 n)
{
	uint32		first = cut->first;
	uint32		n_levels = cut->n_levels;
	uint32		i;

	/* levels of the other columns of this feature are the rest of this one */
	for (i = 0; i < n; i++)
		out[i] = ranks[i] == GROVE_NO_RANK ? GROVE_MISSING_BIN : (uint8) (Min(ranks[i] - first, n_levels) + 1);
}
