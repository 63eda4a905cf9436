/*
 * sample.c: which units can still matter.
 *
 * Uniform: the k rows with the smallest hashes (bottom-k).  Equal rows have
 * one hash and come and go together; only the last unit may be cut by k.
 *
 * Weighted: the inclusion probability of a row has to be min(1, w / tau), but
 * tau depends on all rows and a sample of fixed size ties the decisions
 * together, so nothing can be decided when a row passes by.  What can be done
 * is to narrow the field: a unit is a candidate when its priority u / w lies
 * below a cut kappa, which happens with probability q = min(1, kappa * w).
 * Cuts only fall, so a unit that is a candidate in the end has been one all
 * the time and its rows are counted in full; of all others the exact sum of
 * weights is enough (sample_draw.c makes the sample of these two).
 *
 * Why four classes: the draw needs cuts that do not depend on the random
 * numbers of the units they are applied to.  The hash deals units into four
 * classes.  The cut of classes 0 and 1 is the priority in rank ranked + 1 of
 * class 2; the cut of classes 2 and 3 is found in class 0.  Both ranked
 * classes keep the units up to their rank besides their candidates.
 *
 * Memory: uniform at most k units, weighted about 5/4 k + spare, whatever
 * the number of rows.  With fewer distinct units than that there is no cut,
 * every unit is a candidate and q is 1.
 *
 * The caller owns all memory.
 */
#include "sample.h"

#include <float.h>

void
grove_sample_init(GroveSampleSet *set, uint64_t k, uint64_t spare, GroveSampleRest *rest)
{
	memset(set, 0, sizeof(*set));
	set->weighted = rest != NULL;
	set->k = k;
	set->ranked = k / GROVE_SAMPLE_CLASSES + k / 16 + spare / GROVE_SAMPLE_CLASSES + 1;
	set->cut[0] = set->cut[1] = GROVE_SAMPLE_NO_CUT;
	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
		set->last[class] = UINT64_MAX;
	set->rest = rest;
	if (rest != NULL)
		memset(rest, 0, GROVE_SAMPLE_CLASSES * sizeof(*rest));	/* empty sums are zero bytes */
}

void
grove_sample_leave(GroveSampleSet *set, uint64_t hash, double weight, uint64_t rows)
{
	GroveSampleRest *rest = &set->rest[hash % GROVE_SAMPLE_CLASSES];

	if (isinf(weight))
	{
		rest->certain_rows += rows;
		return;
	}
	rest->rows += rows;
	if (rows == 1)
		grove_exactsum_add(&rest->weights, weight);
	else
	{
		/* in one step unless the product leaves the range of doubles */
		double		most = floor(fmin(DBL_MAX / weight, 4503599627370496.0));

		/* NOLINTNEXTLINE: whole numbers that doubles hold exactly */
		for (double left = (double) rows; left > 0; left -= most)
			grove_exactsum_add_product(&rest->weights, weight, fmin(left, most));
	}
}

/* Largest priorities that can matter, from the cuts; a ranked class keeps its own cut too. */
static void
limit_classes(GroveSampleSet *set)
{
	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
	{
		uint64_t	cut = set->cut[class / 2];
		uint64_t	own = set->cut[1 - class / 2];

		set->last[class] = cut == GROVE_SAMPLE_NO_CUT ? UINT64_MAX : cut - 1;
		if (class % 2 == 0 && own > set->last[class])
			set->last[class] = own;
	}
}

void
grove_sample_merge(GroveSampleSet *set, const GroveSampleSet *other)
{
	set->rows += other->rows;
	set->certain_rows += other->certain_rows;
	if (!set->weighted)
	{
		if (other->last[0] < set->last[0])
			set->last[0] = other->last[0];
		return;
	}
	for (int pair = 0; pair < 2; pair++)
	{
		if (other->cut[pair] < set->cut[pair])
			set->cut[pair] = other->cut[pair];
	}
	limit_classes(set);
	for (int class = 0; class < GROVE_SAMPLE_CLASSES; class++)
	{
		set->rest[class].rows += other->rest[class].rows;
		set->rest[class].certain_rows += other->rest[class].certain_rows;
		grove_exactsum_merge(&set->rest[class].weights, &other->rest[class].weights);
	}
}

static void
sort_few(GroveSamplePair *pairs, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		GroveSamplePair pair = pairs[i];
		size_t		place = i;

		for (; place > 0 && pairs[place - 1].key > pair.key; place--)
			pairs[place] = pairs[place - 1];
		pairs[place] = pair;
	}
}

static void
sort_many(GroveSamplePair *pairs, size_t n)
{
	GroveSamplePair *from = pairs;
	GroveSamplePair *to = pairs + n;
	size_t		counts[8][256] = {0};

	for (size_t i = 0; i < n; i++)
	{
		for (int byte = 0; byte < 8; byte++)
			counts[byte][(pairs[i].key >> 8 * byte) & 255]++;
	}
	for (int byte = 0; byte < 8; byte++)
	{
		size_t	   *places = counts[byte];
		size_t		place = 0;
		GroveSamplePair *swap = from;

		if (places[(from[0].key >> 8 * byte) & 255] == n)
			continue;
		for (int digit = 0; digit < 256; digit++)
		{
			size_t		count = places[digit];

			places[digit] = place;
			place += count;
		}
		for (size_t i = 0; i < n; i++)
			to[places[(from[i].key >> 8 * byte) & 255]++] = from[i];
		from = to;
		to = swap;
	}
	if (from != pairs)
		memcpy(pairs, from, n * sizeof(*pairs));
}

void
grove_sample_sort_pairs(GroveSamplePair *pairs, size_t n)
{
	if (n < 64)
		sort_few(pairs, n);
	else
		sort_many(pairs, n);
}

/* Total order of units that have one priority. */
static int
compare_units(const GroveSampleCaller *caller, const GroveSampleUnit *a, const GroveSampleUnit *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	return caller->compare(caller->arg, a, b);
}

static void
sift_down(GroveSampleUnit *units, size_t root, size_t n, const GroveSampleCaller *caller)
{
	GroveSampleUnit moved = units[root];

	for (;;)
	{
		size_t		child = 2 * root + 1;

		if (child >= n)
			break;
		if (child + 1 < n && compare_units(caller, &units[child + 1], &units[child]) > 0)
			child++;
		if (compare_units(caller, &units[child], &moved) <= 0)
			break;
		units[root] = units[child];
		root = child;
	}
	units[root] = moved;
}

/*
 * Unites the equal ones among n units of one priority and sorts what is left;
 * returns how many that is.  Nearly always all of them are equal.
 */
static size_t
unite_run(GroveSampleUnit *units, size_t n, const GroveSampleCaller *caller)
{
	size_t		kept = 0;
	bool		sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = compare_units(caller, &units[i - 1], &units[i]) <= 0;
	if (!sorted)
	{
		for (size_t i = n / 2; i-- > 0;)
			sift_down(units, i, n, caller);
		for (size_t i = n; i-- > 1;)
		{
			GroveSampleUnit largest = units[0];

			units[0] = units[i];
			units[i] = largest;
			sift_down(units, 0, i, caller);
		}
	}
	for (size_t i = 1; i < n; i++)
	{
		if (compare_units(caller, &units[kept], &units[i]) == 0)
		{
			units[kept].rows += units[i].rows;
			caller->drop(caller->arg, &units[i]);
		}
		else
			units[++kept] = units[i];
	}
	return kept + 1;
}

/* The units that hold the first k rows matter, and those that share the last one's hash. */
static void
limit_uniform(GroveSampleSet *set, const GroveSampleUnit *units, size_t n)
{
	uint64_t	rows = 0;

	for (size_t i = 0; i < n; i++)
	{
		rows += units[i].rows;
		if (rows >= set->k)
		{
			set->last[0] = units[i].priority;
			return;
		}
	}
}

static void
limit_weighted(GroveSampleSet *set, const GroveSampleUnit *units, size_t n)
{
	uint64_t	ranks[2] = {0, 0};

	for (size_t i = 0; i < n; i++)
	{
		uint64_t	class = units[i].hash % GROVE_SAMPLE_CLASSES;

		/* class 2 cuts classes 0 and 1, class 0 cuts classes 2 and 3 */
		if (class % 2 == 0 && ++ranks[1 - class / 2] == set->ranked + 1)
			set->cut[1 - class / 2] = units[i].priority;
	}
	limit_classes(set);
}

/* Moves every unit to its place: place i gets the unit at pairs[i].index. */
static void
permute_units(GroveSampleUnit *units, GroveSamplePair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		GroveSampleUnit first = units[i];
		size_t		place = i;

		while (pairs[place].index != i)
		{
			size_t		source = (size_t) pairs[place].index;

			units[place] = units[source];
			pairs[place].index = place;
			place = source;
		}
		units[place] = first;
		pairs[place].index = place;
	}
}

static void
sort_units(GroveSampleUnit *units, size_t n, GroveSamplePair *pairs)
{
	for (size_t i = 0; i < n; i++)
		pairs[i] = (GroveSamplePair) {units[i].priority, i};
	grove_sample_sort_pairs(pairs, n);
	permute_units(units, pairs, n);
}

/* Merges the first n_left and the other units, each in order; the shorter part moves to scratch, of n / 2 units. */
static void
merge_units(GroveSampleUnit *units, size_t n_left, size_t n, GroveSampleUnit *scratch)
{
	size_t		n_right = n - n_left;

	if (n_left <= n_right)
	{
		size_t		right = n_left;

		memcpy(scratch, units, n_left * sizeof(*units));
		for (size_t left = 0, to = 0; left < n_left;)
			units[to++] = right < n && units[right].priority < scratch[left].priority ? units[right++] : scratch[left++];
		return;
	}
	memcpy(scratch, units + n_left, n_right * sizeof(*units));
	for (size_t to = n; n_right > 0;)
		units[--to] = n_left > 0 && units[n_left - 1].priority > scratch[n_right - 1].priority ?
			units[--n_left] : scratch[--n_right];
}

size_t
grove_sample_compact(GroveSampleSet *set, GroveSampleUnit *units, size_t n_compacted, size_t n, GroveSamplePair *pairs,
					 const GroveSampleCaller *caller)
{
	size_t		united = 0;
	size_t		kept = 0;

	sort_units(units + n_compacted, n - n_compacted, pairs);
	if (n_compacted > 0)
		merge_units(units, n_compacted, n, (GroveSampleUnit *) pairs);

	for (size_t i = 0; i < n;)
	{
		size_t		run = 0;

		do
			units[united + run++] = units[i++];
		while (i < n && units[i].priority == units[united].priority);
		united += run == 1 ? 1 : unite_run(units + united, run, caller);
	}

	if (set->weighted)
		limit_weighted(set, units, united);
	else
		limit_uniform(set, units, united);

	for (size_t i = 0; i < united; i++)
	{
		GroveSampleUnit *unit = &units[i];
		uint64_t	class = set->weighted ? unit->hash % GROVE_SAMPLE_CLASSES : 0;

		if (unit->priority <= set->last[class])
			units[kept++] = *unit;
		else
		{
			if (set->weighted)
				grove_sample_leave(set, unit->hash, unit->weight, unit->rows);
			caller->drop(caller->arg, unit);
		}
	}
	return kept;
}
