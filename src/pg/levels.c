/*
 * levels.c: a hash table of labels (the server's simplehash).
 *
 * A column may have as many labels as rows, so a label should take little and
 * growing should leave nothing behind: the table holds codes only, and the
 * labels stand in chunks, each as large as all before it, which never move.
 */
#include "pg_grove.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "../core/rng.h"
#include "levels.h"

#define CHUNK_BITS	4			/* of the number of labels in the first chunk */
#define CHUNKS		(32 - CHUNK_BITS)
#define CHUNK_HEADER 16			/* of palloc's at most */
#define PROBE		PG_UINT32_MAX	/* code of the label that is looked for */

typedef struct LevelEntry
{
	uint32		code;
	uint32		hash;
	char		status;
} LevelEntry;

struct GroveLevels
{
	MemoryContext context;
	struct level_table_hash *table;
	GroveLevel *chunks[CHUNKS];
	GroveText	probe;
	uint64		probe_hash;
	uint32		count;
	Size		bytes;			/* of the labels */
};

static inline GroveLevel *
get_level(const GroveLevels *levels, uint32 code)
{
	uint32		place = code + (1 << CHUNK_BITS);
	int			bit = pg_leftmost_one_pos32(place);

	return &levels->chunks[bit - CHUNK_BITS][place - (1U << bit)];
}

static inline bool
is_probe(const GroveLevels *levels, uint32 code)
{
	const GroveLevel *level = get_level(levels, code);

	return level->hash == levels->probe_hash && level->label.length == levels->probe.length &&
		memcmp(level->label.data, levels->probe.data, level->label.length) == 0;
}

/*
 * Only the label that is looked for is hashed: the others keep their hashes.
 * A fuller table would grow before it is full, when a run of entries becomes
 * long, which grovepg_levels_memory() could not foresee.
 */
#define SH_PREFIX level_table
#define SH_ELEMENT_TYPE LevelEntry
#define SH_KEY_TYPE uint32
#define SH_KEY code
#define SH_HASH_KEY(tb, code) ((uint32) (((GroveLevels *) (tb)->private_data)->probe_hash >> 32))
#define SH_EQUAL(tb, a, b) is_probe((tb)->private_data, a)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, entry) (entry)->hash
#define SH_FILLFACTOR (0.6)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

GroveLevels *
grovepg_levels_make(MemoryContext context)
{
	GroveLevels *levels = MemoryContextAllocZero(context, sizeof(GroveLevels));

	levels->context = context;
	levels->table = level_table_create(context, 16, levels);
	return levels;
}

/* The label that is looked for becomes one with the next code: its bytes are copied. */
static uint32
add_level(GroveLevels *levels)
{
	uint32		place = levels->count + (1 << CHUNK_BITS);
	int			bit = pg_leftmost_one_pos32(place);
	GroveLevel *level;
	char	   *copy;

	if (place == 1U << bit)
		levels->chunks[bit - CHUNK_BITS] = MemoryContextAllocHuge(levels->context, (Size) place * sizeof(GroveLevel));
	copy = MemoryContextAlloc(levels->context, levels->probe.length + 1);
	memcpy(copy, levels->probe.data, levels->probe.length);
	level = get_level(levels, levels->count);
	level->label.data = copy;
	level->label.length = levels->probe.length;
	level->hash = levels->probe_hash;
	level->count = 0;
	level->rank = 0;
	levels->bytes += pg_nextpower2_32(Max(levels->probe.length + 1, 8)) + CHUNK_HEADER;
	return levels->count++;
}

int64
grovepg_levels_code(GroveLevels *levels, GroveText label, bool frozen)
{
	LevelEntry *entry;
	bool		found;

	levels->probe = label;
	levels->probe_hash = grove_rng_bytes(grove_rng_key(0, GROVE_PURPOSE_SKETCH), (const uint8 *) label.data, label.length);
	if (frozen)
	{
		entry = level_table_lookup(levels->table, PROBE);
		return entry ? (int64) entry->code : -1;
	}
	entry = level_table_insert(levels->table, PROBE, &found);
	if (!found)
		entry->code = add_level(levels);
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
	return get_level(levels, code);
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
	return compare_labels(&get_level(arg, *(const uint32 *) a)->label, &get_level(arg, *(const uint32 *) b)->label);
}

static int
compare_by_count(const void *a, const void *b, void *arg)
{
	uint64		ca = get_level(arg, *(const uint32 *) a)->count;
	uint64		cb = get_level(arg, *(const uint32 *) b)->count;

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
	qsort_arg(order, levels->count, sizeof(uint32), by_count ? compare_by_count : compare_by_label, (void *) levels);
	for (i = 0; i < levels->count; i++)
		get_level(levels, order[i])->rank = i;
	return order;
}

Size
grovepg_levels_memory(const GroveLevels *levels, uint32 more)
{
	Size		entries = levels->table->size;

	if (more > 0)
	{
		if (entries > more && levels->table->members + more > levels->table->grow_threshold)
			entries *= 2;
		entries += entries / 2;
	}
	/* the order that they are ranked in comes on top */
	return levels->bytes + levels->count * (sizeof(GroveLevel) + sizeof(uint32)) + entries * sizeof(LevelEntry);
}
