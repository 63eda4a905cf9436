/*
 * prune_groups.c: method duplicates: rows that a histogram learner cannot tell
 * apart, and the one of each group that stays.
 *
 * A learner sees the bins of a row, its target and its weight.  Rows that
 * agree in bins and target can be merged into one whose weight is their
 * number, and every sum of gradients and hessians stays what it was.
 *
 * Bins are cut by the code that training uses, so they are those that train()
 * would have.  First visit: what the cut needs.  Second visit: every row finds
 * its group, and the group the lowest hash of its rows' keys.  If a group
 * has more than one row of that hash (rows of one key; different keys hardly
 * ever), a third visit compares those rows by a hash of all their columns.
 * The last visit, which belongs to the caller, gives each group's row.  So
 * nothing depends on the order of rows or on settings; rows that look alike in
 * every column are one as good as the other.
 *
 * A group is known by two independent hashes of 64 bits each of its bins and
 * target: 40 bytes a group in a hash table of up to twice that, bounded by
 * grove.max_memory.  Two of 10^9 groups share both with probability 10^-21.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"

#include "intake_record.h"
#include "prune_job.h"
#include "value_hash.h"

typedef struct GroupId
{
	uint64		high;
	uint64		low;
} GroupId;

typedef struct GroupEntry
{
	GroupId		id;
	uint64		hash;			/* lowest of its rows' keys */
	uint64		look;			/* of the rows of that hash, the lowest hash of all columns; only when there are more */
	uint32		rows;			/* a source has at most GROVE_MAX_ROWS */
	bool		tied;			/* more than one row has the lowest hash */
	bool		given;			/* its row has been found in the last visit */
	char		status;			/* of simplehash */
} GroupEntry;

#define SH_PREFIX group
#define SH_ELEMENT_TYPE GroupEntry
#define SH_KEY_TYPE GroupId
#define SH_KEY id
#define SH_HASH_KEY(table, key) ((uint32) (key).low)
#define SH_EQUAL(table, a, b) ((a).high == (b).high && (a).low == (b).low)
#define SH_SCOPE static inline
#define SH_USE_NONDEFAULT_ALLOCATOR
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define FIRST_GROUPS	256

struct PruneGroups
{
	PruneRequest *request;
	GroveIntake *intake;
	GroveFeatureBins *bins;		/* NULL: there are no rows */
	uint8	   *content;		/* bins and target of the row at hand */
	size_t		content_size;

	GroveKey   *key;
	Datum	   *key_values;
	bool	   *key_nulls;
	GroveValueHash **looks;		/* of every column of the source; NULL: no ties */

	uint64		keep_key;		/* of the hash that decides what is kept */
	uint64		look_key;		/* of the hash of all columns */
	uint64		id_keys[2];
	group_hash *table;
	Size		table_bytes;
	uint64		ties;			/* groups with more than one row of the lowest hash */
	uint64		given;			/* groups whose row has been found */
	uint64		expected;		/* sum over the rows of what the first visit saw of them */
	uint64		seen;			/* the same sum, of the visit at hand */
};

/* What a row is: its group, and the hash of its key. */
typedef struct GroupRow
{
	GroupId		id;
	uint64		hash;
} GroupRow;

/* The table may take what grove.max_memory allows, while it moves included. */
static inline void *
group_allocate(group_hash *table, Size size)
{
	PruneGroups *groups = table->private_data;

	if (groups->table_bytes > 0 && groups->table_bytes + size > grovepg_max_memory())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has more than %u different rows, which needs more memory than allowed", table->members),
				 errhint("Raise grove.max_memory, which is now %zu kB, choose a smaller \"max_bin\", or name columns in \"ignore\".",
						 grovepg_max_memory() / 1024)));
	groups->table_bytes = size;
	return MemoryContextAllocExtended(table->ctx, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static inline void
group_free(group_hash *table, void *pointer)
{
	pfree(pointer);
}

/* Everything but the key, the target and what is ignored is a feature. */
static GroveIntake *
begin_intake(const PruneRequest *request)
{
	GroveIntakeRoles roles = {0};
	ListCell   *lc;

	roles.target = NameStr(TupleDescAttr(request->columns, request->target - 1)->attname);
	roles.ignore = palloc(sizeof(Datum) * (request->n_key + list_length(request->ignore)));
	for (int i = 0; i < request->n_key; i++)
		roles.ignore[roles.n_ignore++] =
			CStringGetTextDatum(NameStr(TupleDescAttr(request->columns, request->deciding[i] - 1)->attname));
	foreach(lc, request->ignore)
		roles.ignore[roles.n_ignore++] = CStringGetTextDatum((char *) lfirst(lc));
	return grovepg_intake_begin(request->query, &roles, NULL);
}

static void
prepare_key(PruneGroups *groups)
{
	const PruneRequest *request = groups->request;
	Oid		   *types = palloc(sizeof(Oid) * request->n_key);

	for (int i = 0; i < request->n_key; i++)
		types[i] = TupleDescAttr(request->columns, request->deciding[i] - 1)->atttypid;
	groups->key = grovepg_key_make(request->n_key, types);
	groups->key_values = palloc(sizeof(Datum) * request->n_key);
	groups->key_nulls = palloc(sizeof(bool) * request->n_key);
}

/* ------------------------------------------------------------------ one row */

/* The group of the record that the intake has read last. */
static GroupId
find_id(PruneGroups *groups)
{
	const GroveIntake *in = groups->intake;
	double		target = *grovepg_intake_column(in, AT_TARGET(in)) + 0.0;	/* -0 becomes 0; a label is its code */
	GroupId		id;

	if (!grovepg_intake_bin(in, groups->bins, groups->content))
		grovepg_reread_changed();
	memcpy(groups->content + in->n_cuts, &target, sizeof(target));
	id.high = grove_rng_bytes(groups->id_keys[0], groups->content, groups->content_size);
	id.low = grove_rng_bytes(groups->id_keys[1], groups->content, groups->content_size);
	return id;
}

static void
read_row(PruneGroups *groups, TupleTableSlot *slot, GroupRow *row)
{
	const PruneRequest *request = groups->request;

	if (groups->bins == NULL)
		grovepg_reread_changed();
	slot_getallattrs(slot);
	groups->seen += grovepg_intake_read(groups->intake, slot);
	row->id = find_id(groups);
	for (int i = 0; i < request->n_key; i++)
	{
		groups->key_values[i] = slot->tts_values[request->deciding[i] - 1];
		groups->key_nulls[i] = slot->tts_isnull[request->deciding[i] - 1];
	}
	row->hash = grovepg_key_hash(groups->key, groups->keep_key, groups->key_values, groups->key_nulls);
}

/* Hash of all columns of a row. */
static uint64
hash_look(const PruneGroups *groups, TupleTableSlot *slot)
{
	TupleDesc	columns = groups->request->columns;
	uint64		hash = 0;

	for (int i = 0; i < columns->natts; i++)
	{
		uint64		bits = slot->tts_isnull[i] ? grovepg_value_hash_null(groups->look_key) :
			grovepg_value_hash(groups->looks[i], groups->look_key, slot->tts_values[i]);

		hash = grove_rng_hash(groups->look_key, hash ^ bits);
	}
	return hash;
}

/* ------------------------------------------------------------------- visits */

static void
show_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneGroups *groups = arg;

	slot_getallattrs(slot);
	grovepg_intake_show_row(groups->intake, slot);
}

static void
group_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneGroups *groups = arg;
	GroupRow	row;
	GroupEntry *entry;
	bool		found;

	read_row(groups, slot, &row);
	entry = group_insert(groups->table, row.id, &found);
	if (!found)
	{
		entry->rows = 0;
		entry->hash = row.hash;
		entry->look = PG_UINT64_MAX;
		entry->tied = false;
		entry->given = false;
	}
	else if (row.hash <= entry->hash)
	{
		bool		tied = row.hash == entry->hash;

		groups->ties += tied;
		groups->ties -= entry->tied;
		entry->hash = row.hash;
		entry->tied = tied;
	}
	entry->rows++;
}

static void
untie_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneGroups *groups = arg;
	GroupRow	row;
	GroupEntry *entry;

	read_row(groups, slot, &row);
	entry = group_lookup(groups->table, row.id);
	if (entry == NULL)
		grovepg_reread_changed();
	if (entry->tied && row.hash == entry->hash)
		entry->look = Min(entry->look, hash_look(groups, slot));
}

static void
visit_rows(PruneGroups *groups, GroveRereadRow row)
{
	const PruneRequest *request = groups->request;

	groups->seen = 0;
	grovepg_reread_visit(request->source, request->n_columns, request->deciding, true, row, groups);
	if (groups->seen != groups->expected)
		grovepg_reread_changed();
}

static void
cut_features(PruneGroups *groups)
{
	GroveIntake *in = groups->intake;
	const PruneRequest *request = groups->request;

	grovepg_intake_show_begin(in);
	visit_rows(groups, show_row);
	grovepg_intake_show_end(in);
	groups->expected = in->content;
	if (in->n_rows == 0)
		return;
	groups->bins = grovepg_intake_cut(in, request->training.max_bin, request->training.min_data_per_level);
	groups->content_size = in->n_cuts + sizeof(double);
	groups->content = palloc(groups->content_size);
}

static void
break_ties(PruneGroups *groups)
{
	TupleDesc	columns = groups->request->columns;

	groups->looks = palloc(sizeof(GroveValueHash *) * columns->natts);
	for (int i = 0; i < columns->natts; i++)
		groups->looks[i] = grovepg_value_hash_make(TupleDescAttr(columns, i)->atttypid, true);
	visit_rows(groups, untie_row);
}

PruneGroups *
grovepg_prune_groups(PruneRequest *request, bool choose)
{
	PruneGroups *groups = palloc0(sizeof(PruneGroups));

	groups->request = request;
	groups->keep_key = grove_rng_key((uint64) request->seed, GROVE_PURPOSE_PRUNE);
	groups->look_key = grove_rng_key((uint64) request->seed, GROVE_PURPOSE_READMIT);	/* nothing is drawn back here */
	groups->id_keys[0] = grove_rng_key(1, GROVE_PURPOSE_HASH);
	groups->id_keys[1] = grove_rng_key(2, GROVE_PURPOSE_HASH);
	groups->intake = begin_intake(request);
	prepare_key(groups);
	groups->table = group_create(CurrentMemoryContext, FIRST_GROUPS, groups);
	cut_features(groups);
	visit_rows(groups, group_row);
	if (choose && groups->ties > 0)
		break_ties(groups);
	groups->seen = 0;
	return groups;
}

uint64
grovepg_prune_groups_weight(PruneGroups *groups, TupleTableSlot *slot)
{
	GroupRow	row;
	GroupEntry *entry;

	read_row(groups, slot, &row);
	entry = group_lookup(groups->table, row.id);
	if (entry == NULL)
		grovepg_reread_changed();
	if (entry->given || row.hash != entry->hash || (entry->tied && hash_look(groups, slot) != entry->look))
		return 0;
	entry->given = true;
	groups->given++;
	return entry->rows;
}

void
grovepg_prune_groups_check(const PruneGroups *groups)
{
	if (groups->seen != groups->expected || groups->given != groups->table->members)
		grovepg_reread_changed();
}

void
grovepg_prune_groups_summarize(const PruneGroups *groups, GrovePruneSummary *summary)
{
	group_iterator iterator;
	const GroupEntry *entry;
	uint64		squares = 0;	/* at most GROVE_MAX_ROWS^2 < 2^62 */
	uint64		n = 0;

	memset(summary, 0, sizeof(*summary));
	group_start_iterate(groups->table, &iterator);
	while ((entry = group_iterate(groups->table, &iterator)) != NULL)
	{
		if ((n++ & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		summary->rows += entry->rows;
		squares += (uint64) entry->rows * entry->rows;
	}
	summary->certainty_rows = summary->rows;
	summary->kept_rows = (double) n;
	summary->sum_weights = (double) summary->rows;
	summary->effective_size = squares > 0 ? summary->sum_weights * summary->sum_weights / (double) squares : 0;
	summary->pi_low = summary->pi_high = n > 0 ? 1 : NAN;
}
