/*
 * levels.c: a hash table of labels (the server's simplehash).
 */
#include "pg_grove.h"

#include "utils/memutils.h"

#include "../core/rng.h"
#include "levels.h"

typedef struct LevelKey
{
	GroveText	label;
	uint64		hash;
} LevelKey;

typedef struct LevelEntry
{
	LevelKey	key;
	uint32		code;
	char		status;
} LevelEntry;

static inline bool
same_label(LevelKey a, LevelKey b)
{
	return a.hash == b.hash && a.label.length == b.label.length &&
		memcmp(a.label.data, b.label.data, a.label.length) == 0;
}

#define SH_PREFIX level_table
#define SH_ELEMENT_TYPE LevelEntry
#define SH_KEY_TYPE LevelKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) ((uint32) ((k).hash >> 32))
#define SH_EQUAL(tb, a, b) same_label(a, b)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct GroveLevels
{
	MemoryContext context;
	level_table_hash *table;
	GroveLevel *levels;			/* [capacity] by code */
	uint32		count;
	uint32		capacity;
	Size		bytes;			/* of the labels */
};

GroveLevels *
grovepg_levels_make(MemoryContext context)
{
	GroveLevels *levels = MemoryContextAllocZero(context, sizeof(GroveLevels));

	levels->context = context;
	levels->table = level_table_create(context, 64, NULL);
	levels->capacity = 64;
	levels->levels = MemoryContextAlloc(context, levels->capacity * sizeof(GroveLevel));
	return levels;
}

/* A label that is new: its bytes are copied. */
static void
add_level(GroveLevels *levels, LevelEntry *entry)
{
	GroveLevel *level;
	char	   *copy;

	if (levels->count == levels->capacity)
	{
		levels->capacity *= 2;
		levels->levels = repalloc_huge(levels->levels, (Size) levels->capacity * sizeof(GroveLevel));
	}
	copy = MemoryContextAlloc(levels->context, entry->key.label.length + 1);
	memcpy(copy, entry->key.label.data, entry->key.label.length);
	entry->key.label.data = copy;
	entry->code = levels->count++;
	level = &levels->levels[entry->code];
	level->label = entry->key.label;
	level->hash = entry->key.hash;
	level->count = 0;
	level->rank = 0;
	levels->bytes += entry->key.label.length + 17;
}

int64
grovepg_levels_code(GroveLevels *levels, GroveText label, bool frozen)
{
	LevelKey	key;
	LevelEntry *entry;
	bool		found;

	key.label = label;
	key.hash = grove_rng_bytes(grove_rng_key(0, GROVE_PURPOSE_SKETCH), (const uint8 *) label.data, label.length);
	if (frozen)
	{
		entry = level_table_lookup(levels->table, key);
		return entry ? (int64) entry->code : -1;
	}
	entry = level_table_insert(levels->table, key, &found);
	if (!found)
		add_level(levels, entry);
	return entry->code;
}

uint32
grovepg_levels_count(const GroveLevels *levels)
{
	return levels->count;
}

GroveLevel *
grovepg_levels_get(const GroveLevels *levels, uint32 code)
{
	return &levels->levels[code];
}

static int
compare_labels(const GroveText *a, const GroveText *b)
{
	int			c = memcmp(a->data, b->data, Min(a->length, b->length));

	if (c != 0)
		return c;
	return a->length < b->length ? -1 : a->length > b->length;
}

static int
compare_by_label(const void *a, const void *b, void *arg)
{
	const GroveLevel *levels = arg;

	return compare_labels(&levels[*(const uint32 *) a].label, &levels[*(const uint32 *) b].label);
}

static int
compare_by_count(const void *a, const void *b, void *arg)
{
	const GroveLevel *levels = arg;
	uint64		ca = levels[*(const uint32 *) a].count;
	uint64		cb = levels[*(const uint32 *) b].count;

	if (ca != cb)
		return ca > cb ? -1 : 1;
	return compare_by_label(a, b, arg);
}

uint32 *
grovepg_levels_rank(const GroveLevels *levels, bool by_count)
{
	uint32	   *order = palloc_extended(Max(levels->count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	uint32		i;

	for (i = 0; i < levels->count; i++)
		order[i] = i;
	qsort_arg(order, levels->count, sizeof(uint32), by_count ? compare_by_count : compare_by_label, levels->levels);
	for (i = 0; i < levels->count; i++)
		levels->levels[order[i]].rank = i;
	return order;
}

Size
grovepg_levels_memory(const GroveLevels *levels)
{
	return levels->bytes + (Size) levels->capacity * sizeof(GroveLevel) +
		(Size) levels->table->size * sizeof(LevelEntry);
}
