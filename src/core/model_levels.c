/*
 * model_levels.c: texts of a model as keys: unique, and found fast.
 *
 * The labels of a categorical feature get a hash table of two bytes an entry,
 * at most half full, probed linearly: an entry holds an ordinal, 0 is free.
 * Labels that lie far from where their hash points were made to collide, or
 * are the victims of a rare accident; such a feature's lookup is instead the
 * list of its ordinals in the order of the labels, searched by halving.  So
 * nobody's input makes filling or finding slow.  Uniqueness is decided by heap
 * sort, which has no bad input either.
 */
#include "bytes.h"
#include "model.h"

#define MAX_PROBES	256			/* features of at most 255 levels never need so many */

/* Shorter texts first, then by bytes: an order that is cheap to compare, not one to show. */
static int
compare_texts(GroveText a, GroveText b)
{
	if (a.length != b.length)
		return a.length < b.length ? -1 : 1;
	return a.length == 0 ? 0 : memcmp(a.data, b.data, a.length);
}

static uint32_t
hash_text(GroveText text)
{
	const uint8_t *bytes = (const uint8_t *) text.data;
	uint32_t	length = text.length;
	uint64_t	hash = length;

	for (; length >= 8; length -= 8, bytes += 8)
	{
		hash = (hash ^ grove_bytes_get64(bytes)) * UINT64_C(0x9fb21c651e98df25);
		hash ^= hash >> 32;
	}
	for (; length > 0; length--, bytes++)
		hash = (hash ^ *bytes) * UINT64_C(0x100000001b3);
	return (uint32_t) (hash ^ hash >> 29);
}

uint32_t
grove_model_lookup_size(uint32_t n_levels)
{
	uint32_t	size = 1;

	while (size < 2 * n_levels)
		size *= 2;
	return size;
}

/* Whether every label found a place near the one that its hash points to. */
static bool
fill_table(const GroveFeature *feature, uint16_t *lookup, uint32_t mask)
{
	memset(lookup, 0, ((size_t) mask + 1) * sizeof(*lookup));
	for (uint32_t level = 0; level < feature->n_levels; level++)
	{
		uint32_t	entry = hash_text(feature->levels[level]) & mask;

		for (int probes = 1; lookup[entry] != 0; probes++)
		{
			if (probes == MAX_PROBES)
				return false;
			entry = (entry + 1) & mask;
		}
		lookup[entry] = (uint16_t) (level + 1);
	}
	return true;
}

void
grove_model_lookup_fill(GroveFeature *feature, const GroveText *const *order, uint16_t *lookup)
{
	uint32_t	mask = grove_model_lookup_size(feature->n_levels) - 1;

	feature->lookup = lookup;
	feature->lookup_mask = mask;
	if (fill_table(feature, lookup, mask))
		return;
	for (uint32_t i = 0; i < feature->n_levels; i++)
		lookup[i] = (uint16_t) (order[i] - feature->levels + 1);
	feature->lookup_mask = 0;
}

static uint32_t
search_table(const GroveFeature *feature, GroveText label)
{
	for (uint32_t entry = hash_text(label) & feature->lookup_mask; feature->lookup[entry] != 0;
		 entry = (entry + 1) & feature->lookup_mask)
	{
		uint32_t	ordinal = feature->lookup[entry];

		if (compare_texts(feature->levels[ordinal - 1], label) == 0)
			return ordinal;
	}
	return GROVE_MISSING_BIN;
}

static uint32_t
search_order(const GroveFeature *feature, GroveText label)
{
	uint32_t	low = 0;
	uint32_t	high = feature->n_levels;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;
		uint32_t	ordinal = feature->lookup[middle];
		int			comparison = compare_texts(feature->levels[ordinal - 1], label);

		if (comparison == 0)
			return ordinal;
		if (comparison < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return GROVE_MISSING_BIN;
}

uint32_t
grove_model_bin(const GroveFeature *feature, GroveText label)
{
	if (feature->lookup)
		return feature->lookup_mask > 0 ? search_table(feature, label) : search_order(feature, label);
	for (uint32_t level = 0; level < feature->n_levels; level++)
	{
		if (compare_texts(feature->levels[level], label) == 0)
			return level + 1;
	}
	return GROVE_MISSING_BIN;
}

/* Lets the text at root sink to its place in the heap of the first count ones. */
static void
sift_down(const GroveText **order, uint32_t root, uint32_t count)
{
	const GroveText *sinking = order[root];

	for (;;)
	{
		uint32_t	child = 2 * root + 1;

		if (child >= count)
			break;
		if (child + 1 < count && compare_texts(*order[child], *order[child + 1]) < 0)
			child++;
		if (compare_texts(*sinking, *order[child]) >= 0)
			break;
		order[root] = order[child];
		root = child;
	}
	order[root] = sinking;
}

const GroveText *
grove_model_duplicate(const GroveText **order, uint32_t count)
{
	for (uint32_t root = count / 2; root-- > 0;)
		sift_down(order, root, count);
	for (uint32_t last = count; last-- > 1;)
	{
		const GroveText *largest = order[0];

		order[0] = order[last];
		order[last] = largest;
		sift_down(order, 0, last);
	}
	for (uint32_t i = 1; i < count; i++)
	{
		if (compare_texts(*order[i - 1], *order[i]) == 0)
			return order[i];
	}
	return NULL;
}
