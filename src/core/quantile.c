/*
 * quantile.c: a window of hashes around a target that narrows as they come.
 *
 * New hashes are appended; when the memory is full the entries are sorted,
 * joined and cut to the nearest `keep`, and the nearest of those cut
 * off on each side becomes a limit that keeps later ones out.  With two
 * equally far from the target the upper one goes first.
 */
#include "quantile.h"

#include "sort.h"

#define SORT_BUCKETS	1024

size_t
grove_quantile_size(uint64_t capacity)
{
	return sizeof(GroveQuantile) + (size_t) capacity * sizeof(GroveQuantileEntry);
}

void
grove_quantile_init(GroveQuantile *quantile, uint64_t target, uint64_t keep, uint64_t capacity)
{
	memset(quantile, 0, sizeof(GroveQuantile));
	quantile->target = target;
	quantile->keep = keep;
	quantile->upper_limit = UINT64_MAX;
	quantile->capacity = capacity;
}

void
grove_quantile_move(GroveQuantile *into, uint64_t capacity, const GroveQuantile *from)
{
	memcpy(into, from, grove_quantile_size(from->used));
	into->capacity = capacity;
}

/* Counts a hash that a limit keeps out; the limits themselves are out. */
static bool
count_outside(GroveQuantile *quantile, uint64_t hash, uint64_t count)
{
	if (quantile->below > 0 && hash <= quantile->lower_limit)
		quantile->below += count;
	else if (quantile->above > 0 && hash >= quantile->upper_limit)
		quantile->above += count;
	else
		return false;
	return true;
}

bool
grove_quantile_add(GroveQuantile *quantile, uint64_t hash)
{
	if (!count_outside(quantile, hash, 1))
	{
		if (quantile->used == quantile->capacity)
			return false;
		quantile->entries[quantile->used].hash = hash;
		quantile->entries[quantile->used].count = 1;
		quantile->used++;
	}
	quantile->rows++;
	return true;
}

static bool
entry_before(const void *a, const void *b)
{
	return ((const GroveQuantileEntry *) a)->hash < ((const GroveQuantileEntry *) b)->hash;
}

/*
 * Sorts by hash.  Many entries are first dealt to buckets by their leading
 * bits, in place; for spread hashes each bucket then fits into the nearest
 * cache.  Crowded ones end in few buckets and still take n log n steps.
 */
static void
sort_entries(GroveQuantileEntry *entries, size_t n)
{
	size_t		next[SORT_BUCKETS];
	size_t		end[SORT_BUCKETS] = {0};
	uint64_t	lowest = UINT64_MAX;
	uint64_t	highest = 0;
	size_t		start = 0;
	int			shift = 0;

	if (n < SORT_BUCKETS * 4)
	{
		grove_sort(entries, n, sizeof(GroveQuantileEntry), entry_before);
		return;
	}
	for (size_t i = 0; i < n; i++)
	{
		lowest = entries[i].hash < lowest ? entries[i].hash : lowest;
		highest = entries[i].hash > highest ? entries[i].hash : highest;
	}
	while ((highest - lowest) >> shift >= SORT_BUCKETS)
		shift++;

	for (size_t i = 0; i < n; i++)
		end[(entries[i].hash - lowest) >> shift]++;
	for (int bucket = 0; bucket < SORT_BUCKETS; bucket++)
	{
		next[bucket] = start;
		start = end[bucket] += start;
	}
	for (int bucket = 0; bucket < SORT_BUCKETS; bucket++)
	{
		while (next[bucket] < end[bucket])
		{
			GroveQuantileEntry moving = entries[next[bucket]];
			uint64_t	home = (moving.hash - lowest) >> shift;

			entries[next[bucket]] = entries[next[home]];
			entries[next[home]++] = moving;
		}
	}
	start = 0;
	for (int bucket = 0; bucket < SORT_BUCKETS; bucket++)
	{
		grove_sort(entries + start, end[bucket] - start, sizeof(GroveQuantileEntry), entry_before);
		start = end[bucket];
	}
}

/* Sorts, joins equal hashes and leaves out those beyond the limits. */
static void
join_entries(GroveQuantile *quantile)
{
	GroveQuantileEntry *entries = quantile->entries;
	uint64_t	n = 0;

	sort_entries(entries, (size_t) quantile->used);
	for (uint64_t i = 0; i < quantile->used; i++)
	{
		if (count_outside(quantile, entries[i].hash, entries[i].count))
			continue;
		if (n > 0 && entries[n - 1].hash == entries[i].hash)
			entries[n - 1].count += entries[i].count;
		else
			entries[n++] = entries[i];
	}
	quantile->used = n;
}

void
grove_quantile_compact(GroveQuantile *quantile)
{
	GroveQuantileEntry *entries = quantile->entries;
	uint64_t	first = 0;
	uint64_t	end;

	join_entries(quantile);
	end = quantile->used;
	while (end - first > quantile->keep)
	{
		const GroveQuantileEntry *low = &entries[first];
		const GroveQuantileEntry *high = &entries[end - 1];
		bool		drop_low;

		/* the side on which the target does not lie is farther */
		if (low->hash >= quantile->target)
			drop_low = false;
		else if (high->hash <= quantile->target)
			drop_low = true;
		else
			drop_low = quantile->target - low->hash > high->hash - quantile->target;
		if (drop_low)
		{
			quantile->below += low->count;
			quantile->lower_limit = low->hash;
			first++;
		}
		else
		{
			quantile->above += high->count;
			quantile->upper_limit = high->hash;
			end--;
		}
	}
	memmove(entries, entries + first, (size_t) (end - first) * sizeof(GroveQuantileEntry));
	quantile->used = end - first;
}

void
grove_quantile_merge(GroveQuantile *into, const GroveQuantile *from)
{
	if (from->below > 0)
	{
		if (into->below == 0 || from->lower_limit > into->lower_limit)
			into->lower_limit = from->lower_limit;
		into->below += from->below;
	}
	if (from->above > 0)
	{
		if (into->above == 0 || from->upper_limit < into->upper_limit)
			into->upper_limit = from->upper_limit;
		into->above += from->above;
	}
	into->rows += from->rows;
	memcpy(into->entries + into->used, from->entries, (size_t) from->used * sizeof(GroveQuantileEntry));
	into->used += from->used;
	/* entries that lie beyond the new limits are counted out by the next compaction */
}

bool
grove_quantile_rank(const GroveQuantile *quantile, uint64_t rank, uint64_t *hash)
{
	uint64_t	reached = quantile->below;

	if (rank <= reached)
		return false;
	for (uint64_t i = 0; i < quantile->used; i++)
	{
		reached += quantile->entries[i].count;
		if (rank <= reached)
		{
			*hash = quantile->entries[i].hash;
			return true;
		}
	}
	return false;
}
