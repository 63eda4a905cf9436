/*
 * prune_cells.c: from rows to cells, from cells to the fate of each row.
 *
 * First visit: every row finds its stratum (the values of its by columns, a
 * null is a value) and its class, and is counted; for an exact size its cell
 * and key hash are kept.  Then the core turns counts into probabilities, and
 * the hashes in order tell each cell's cut-off.  In the last
 * visit a row needs nothing but its hash and its cell.
 *
 * A stratum is known by 128 hash bits of its values, so that memory is the
 * same for any type; two strata of 10^9 share them with probability 10^-21.
 * Cells come in the order in which rows arrive, which nothing may depend on:
 * the core walks them in an order that depends on the seed and on their
 * values only.  What the cells need is bounded by grove.max_memory.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "../core/guide.h"
#include "prune_job.h"
#include "prune_units.h"

typedef struct StratumId
{
	uint64		high;
	uint64		low;
} StratumId;

typedef struct StratumEntry
{
	StratumId	id;
	uint32		number;
	char		status;			/* of simplehash */
} StratumEntry;

#define SH_PREFIX stratum
#define SH_ELEMENT_TYPE StratumEntry
#define SH_KEY_TYPE StratumId
#define SH_KEY id
#define SH_HASH_KEY(table, key) ((uint32) (key).low)
#define SH_EQUAL(table, a, b) ((a).high == (b).high && (a).low == (b).low)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* What one cell costs while the design is made: the cell, its rows, its cut-off, its share, its place in the order. */
#define CELL_BYTES		(sizeof(GrovePruneCell) + 2 * sizeof(uint64) + sizeof(GrovePpsShare) + sizeof(uint32))
/* and one stratum: its identity, and its place in a hash table that has just doubled. */
#define STRATUM_BYTES	(sizeof(StratumId) + 3 * sizeof(StratumEntry))

/* What is to be counted of a row. */
typedef struct CountedRow
{
	StratumId	id;
	uint32		class;
	uint64		hash;			/* of the key; 0 when keys do not matter */
} CountedRow;

#define WAITING_ROWS	16		/* that are counted together, while the memory of their strata is fetched */

struct PruneCells
{
	PruneRequest *request;
	uint64		keep_key;		/* of the hash that decides what is kept */
	uint64		readmit_key;	/* of the hash that decides what is drawn back */
	uint64		id_keys[2];		/* of the hashes that name a stratum, high and low: nothing to do with the seed */
	GroveKey   *key;
	GroveKey   *by;
	Datum	   *values;			/* of the deciding columns */
	bool	   *nulls;

	uint32		n_classes;		/* 2 for negatives, and for a guide of two: the others, the positive class */
	PruneClass *positive;		/* negatives only */
	PruneWeight *weight;		/* weighted only; the weights are the strata */
	PruneGuide *guide;			/* surprise, gradient and noise only; its codes are the strata */
	stratum_hash *strata;		/* NULL: one stratum */
	uint32		n_strata;
	uint32		capacity;		/* of ids and, times n_classes, of cells */
	StratumId  *ids;
	GrovePruneCell *cells;		/* stratum s, class c at s * n_classes + c */
	uint64	   *rows;			/* of each cell, side by side while they are counted: cells are wide and met in any order */
	uint64	   *cutoffs;		/* exact size: highest hash that a cell keeps */
	PruneUnits *units;
	bool		keyed;			/* keys are looked at while rows are counted */
	bool		uncounted;		/* one probability for all, nothing was counted */
	CountedRow	waiting[WAITING_ROWS];
	int			n_waiting;
	uint64		counted;		/* sum over the rows of what was seen of them */
	uint64		decided;		/* the same sum, of the rows that were decided about */
};

static void
reserve_strata(PruneCells *cells, uint32 capacity)
{
	Size		bytes = (Size) capacity * (STRATUM_BYTES + cells->n_classes * CELL_BYTES);
	Size		n_cells = (Size) capacity * cells->n_classes;

	if (capacity > 1 && (bytes > grovepg_max_memory() || n_cells > PG_INT32_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the \"by\" columns have more than %u different values, which needs more memory than allowed",
						cells->n_strata),
				 errhint("Raise grove.max_memory, which is now %zu kB, or %s.", grovepg_max_memory() / 1024,
						 cells->weight != NULL ? "round the weights" : "group the values more coarsely")));
	if (cells->cells == NULL)
	{
		cells->ids = palloc_extended(capacity * sizeof(StratumId), MCXT_ALLOC_HUGE);
		cells->cells = palloc_extended(n_cells * sizeof(GrovePruneCell), MCXT_ALLOC_HUGE);
		cells->rows = palloc_extended(n_cells * sizeof(uint64), MCXT_ALLOC_HUGE);
	}
	else
	{
		cells->ids = repalloc_huge(cells->ids, capacity * sizeof(StratumId));
		cells->cells = repalloc_huge(cells->cells, n_cells * sizeof(GrovePruneCell));
		cells->rows = repalloc_huge(cells->rows, n_cells * sizeof(uint64));
	}
	cells->capacity = capacity;
}

static uint32
add_stratum(PruneCells *cells, StratumId id)
{
	uint32		number = cells->n_strata;

	if (number == cells->capacity)
		reserve_strata(cells, cells->capacity * 2);
	cells->ids[number] = id;
	memset(&cells->cells[(Size) number * cells->n_classes], 0, cells->n_classes * sizeof(GrovePruneCell));
	memset(&cells->rows[(Size) number * cells->n_classes], 0, cells->n_classes * sizeof(uint64));
	cells->n_strata++;
	return number;
}

/* The code of a guide, or the bits of a weight, as a stratum. */
static StratumId
coded_id(const PruneCells *cells, uint64 code)
{
	StratumId	id = {code, grove_rng_hash(cells->id_keys[1], code)};

	return id;
}

static uint64
bits_of_double(double value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static StratumId
stratum_id(const PruneCells *cells, const Datum *values, const bool *nulls)
{
	StratumId	id = {0, 0};

	if (cells->weight != NULL)
		return coded_id(cells, bits_of_double(grovepg_weight_read(cells->weight, values[0], nulls[0])));
	if (cells->strata != NULL)
	{
		id.high = grovepg_key_hash_nulls(cells->by, cells->id_keys[0], values, nulls);
		id.low = grovepg_key_hash_nulls(cells->by, cells->id_keys[1], values, nulls);
	}
	return id;
}

static uint32
known_stratum(const PruneCells *cells, StratumId id)
{
	StratumEntry *entry;

	if (cells->strata == NULL)
		return 0;
	entry = stratum_lookup(cells->strata, id);
	if (entry == NULL)
		grovepg_reread_changed();
	return entry->number;
}

uint32
grovepg_prune_stratum(const PruneCells *cells, const Datum *values, const bool *nulls)
{
	return known_stratum(cells, stratum_id(cells, values, nulls));
}

static uint32
met_stratum(PruneCells *cells, StratumId id)
{
	StratumEntry *entry;
	bool		found;

	if (cells->strata == NULL)
		return 0;
	entry = stratum_insert(cells->strata, id, &found);
	if (!found)
		entry->number = add_stratum(cells, id);
	return entry->number;
}

/* The class of the row whose values are at hand: 1 for the positive one of negatives, else 0. */
static uint32
class_number(const PruneCells *cells)
{
	int			target = cells->request->n_key + cells->request->n_by;

	if (cells->positive == NULL)
		return 0;
	return grovepg_class_equal(cells->positive, cells->values[target], cells->nulls[target]) ? 1 : 0;
}

static void
fetch_values(PruneCells *cells, TupleTableSlot *slot, const AttrNumber *places, int first)
{
	for (int i = first; i < cells->request->n_columns; i++)
		cells->values[i] = slot_getattr(slot, places[i - first], &cells->nulls[i]);
}

static uint64
hash_key(PruneCells *cells, uint64 rng_key)
{
	return grovepg_key_hash(cells->key, rng_key, cells->values, cells->nulls);
}

/* One term of the sums that tell whether two visits saw the same rows. */
static uint64
trace_row(StratumId id, uint32 class, uint64 hash)
{
	return grove_rng_mix(hash ^ grove_rng_mix(id.low + class));
}

/* Where a row belongs whose values are at hand. */
static void
locate_row(PruneCells *cells, TupleTableSlot *slot, StratumId *id, uint32 *class)
{
	PruneGuideRow guided;

	if (cells->guide == NULL)
	{
		*id = stratum_id(cells, cells->values + cells->request->n_key, cells->nulls + cells->request->n_key);
		*class = class_number(cells);
		return;
	}
	grovepg_guide_row(cells->guide, slot, &guided);
	*id = coded_id(cells, guided.code);
	*class = guided.class;
}

/* Counts the rows that wait for it, in the order in which they came. */
static void
count_waiting(PruneCells *cells)
{
	for (int i = 0; i < cells->n_waiting; i++)
	{
		const CountedRow *row = &cells->waiting[i];
		uint32		cell = met_stratum(cells, row->id) * cells->n_classes + row->class;

		cells->rows[cell]++;
		cells->counted += trace_row(row->id, row->class, row->hash);
		if (cells->units != NULL)
			grovepg_units_add(cells->units, cell, row->hash);
	}
	cells->n_waiting = 0;
}

/* Counts a row whose values are at hand, now or with those that follow. */
static inline void
count_values(PruneCells *cells, TupleTableSlot *slot, uint64 hash)
{
	CountedRow *row = &cells->waiting[cells->n_waiting++];

	locate_row(cells, slot, &row->id, &row->class);
	row->hash = hash;
	if (cells->strata != NULL)
		grove_prefetch(&cells->strata->data[row->id.low & cells->strata->sizemask]);
	if (cells->n_waiting == WAITING_ROWS)
		count_waiting(cells);
}

static void
count_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneCells *cells = arg;

	if (cells->guide == NULL)
		fetch_values(cells, slot, places, cells->request->n_key);
	count_values(cells, slot, 0);
}

static void
count_keyed_row(TupleTableSlot *slot, const AttrNumber *places, void *arg)
{
	PruneCells *cells = arg;

	fetch_values(cells, slot, places, 0);
	count_values(cells, slot, hash_key(cells, cells->keep_key));
}

typedef struct CellOrder
{
	const PruneCells *cells;
	uint64		salt;
} CellOrder;

static int
compare_cells(const void *a, const void *b, void *arg)
{
	const CellOrder *order = arg;
	uint32		n_classes = order->cells->n_classes;
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;
	const StratumId *p = &order->cells->ids[x / n_classes];
	const StratumId *q = &order->cells->ids[y / n_classes];
	uint64		s = grove_rng_hash(order->salt, p->low);
	uint64		t = grove_rng_hash(order->salt, q->low);

	if (s != t)
		return s < t ? -1 : 1;
	if (p->high != q->high)
		return p->high < q->high ? -1 : 1;
	return x % n_classes < y % n_classes ? -1 : x % n_classes > y % n_classes;
}

/* The cells in an order that depends on nothing but the seed and their values. */
static uint32 *
canonical_order(const PruneCells *cells, uint32 n_cells)
{
	uint32	   *order = palloc_extended(Max(n_cells, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	CellOrder	arg = {cells, cells->readmit_key};

	for (uint32 i = 0; i < n_cells; i++)
		order[i] = i;
	qsort_arg(order, n_cells, sizeof(uint32), compare_cells, &arg);
	return order;
}

static uint64
total_units(const PruneCells *cells, uint32 class)
{
	uint64		sum = 0;

	for (uint32 s = 0; s < cells->n_strata; s++)
		sum += cells->cells[(Size) s * cells->n_classes + class].units;
	return sum;
}

/*
 * The cells get their weights as sizes, and identities that do not depend on
 * the unit of the weights: these decide the order of the cells.
 */
static void
set_weights(PruneCells *cells)
{
	for (uint32 s = 0; s < cells->n_strata; s++)
		memcpy(&cells->cells[s].size, &cells->ids[s].high, sizeof(double));
	cells->request->design.exponent = grove_prune_normalize(cells->cells, cells->n_strata);
	for (uint32 s = 0; s < cells->n_strata; s++)
		cells->ids[s].low = grove_rng_hash(cells->id_keys[1], bits_of_double(cells->cells[s].size));
}

static void
make_design(PruneCells *cells)
{
	GrovePruneDesign *design = &cells->request->design;
	uint32		n_cells = cells->n_strata * cells->n_classes;
	uint32	   *order;
	GrovePpsShare *shares = palloc_extended(Max(n_cells, 1) * sizeof(GrovePpsShare), MCXT_ALLOC_HUGE);
	GroveStatus status;

	if (cells->weight != NULL)
		set_weights(cells);
	order = canonical_order(cells, n_cells);
	for (uint32 i = 0; i < n_cells; i++)
	{
		GrovePruneCell *cell = &cells->cells[i];
		GrovePruneCell *first = cell - i % cells->n_classes;

		cell->certain = cells->positive != NULL && i % 2 == 1;
		if (cells->guide != NULL)
		{
			uint32		code = (uint32) cells->ids[i / cells->n_classes].high;

			cell->size = grovepg_guide_size(cells->guide, code, i % cells->n_classes);
			cell->group = grovepg_guide_group(cells->guide, code);
		}
		cell->frequency = first[0].rows + (cells->n_classes == 2 ? first[1].rows : 0);
		if (cells->units == NULL)
			cell->units = cell->rows;
	}
	if (cells->positive != NULL && total_units(cells, 1) == 0 && total_units(cells, 0) > 0)
		grovepg_class_missing(cells->positive, cells->request->positive_class);
	if (cells->guide != NULL)
		grovepg_guide_finish(cells->guide, cells->cells, n_cells, order);
	if (cells->request->spread != 0)
		grovepg_prune_spread(cells->request, cells, cells->n_strata, cells->cells);

	/* the hash of drawing back is free for this in an exact-size design */
	design->start = grove_rng_hash(cells->readmit_key, 0);
	if (design->method == GROVE_PRUNE_NOISE)
		status = grove_guide_noise(design, cells->cells, n_cells, order, shares);
	else
		status = grove_prune_design(design, cells->cells, n_cells, order, shares);
	if (status != GROVE_OK)
		grovepg_prune_refuse(cells->request, status, cells->cells, n_cells, cells->n_strata);
	pfree(shares);
	pfree(order);
}

/* Does Poisson sampling with one probability for all need no count of the rows? */
static bool
is_uncounted(const PruneRequest *request)
{
	const GrovePruneDesign *design = &request->design;

	return design->method == GROVE_PRUNE_RANDOM && !design->exact && !design->counted && design->readmit == 0;
}

static void
count_rows(PruneCells *cells)
{
	PruneRequest *request = cells->request;
	int			first = cells->keyed ? 0 : request->n_key;

	if (cells->keyed)
		cells->units = grovepg_units_begin();
	grovepg_reread_visit(request->source, request->n_columns - first, request->deciding + first, request->guided,
						 cells->keyed ? count_keyed_row : count_row, cells);
	count_waiting(cells);
	for (Size i = 0; i < (Size) cells->n_strata * cells->n_classes; i++)
		cells->cells[i].rows = cells->rows[i];
	if (cells->weight != NULL && !grovepg_units_agree(cells->units))
		grovepg_weight_differs(cells->weight);
	if (request->design.exact)
		grovepg_units_count(cells->units, cells->cells, cells->n_strata * cells->n_classes);
	else if (cells->units != NULL)
	{
		/* it was only asked whether they agree: Poisson sampling counts rows */
		grovepg_units_end(cells->units);
		cells->units = NULL;
	}
}

PruneCells *
grovepg_prune_cells(PruneRequest *request, bool need_counts)
{
	PruneCells *cells = palloc0(sizeof(PruneCells));
	Oid		   *types = palloc(sizeof(Oid) * request->n_columns);
	bool		has_strata = request->n_by > 0 || request->guided;

	for (int i = 0; i < request->n_columns; i++)
		types[i] = TupleDescAttr(request->columns, request->deciding[i] - 1)->atttypid;
	cells->request = request;
	cells->keep_key = grove_rng_key((uint64) request->seed, GROVE_PURPOSE_PRUNE);
	cells->readmit_key = grove_rng_key((uint64) request->seed, GROVE_PURPOSE_READMIT);
	cells->id_keys[0] = grove_rng_key(1, GROVE_PURPOSE_HASH);
	cells->id_keys[1] = grove_rng_key(2, GROVE_PURPOSE_HASH);
	cells->key = grovepg_key_make(request->n_key, types);
	if (request->n_by > 0)
		cells->by = grovepg_key_make(request->n_by, types + request->n_key);
	cells->values = palloc(sizeof(Datum) * request->n_columns);
	cells->nulls = palloc(sizeof(bool) * request->n_columns);
	cells->n_classes = request->design.method == GROVE_PRUNE_NEGATIVES ? 2 : 1;
	if (cells->n_classes == 2)
		cells->positive = grovepg_class_positive(request);
	if (request->design.method == GROVE_PRUNE_WEIGHTED)
		cells->weight = grovepg_weight_begin(request);
	cells->keyed = request->design.exact || cells->weight != NULL;
	if (request->guided)
	{
		cells->guide = grovepg_guide_begin(request);
		cells->n_classes = grovepg_guide_classes(cells->guide);
	}

	reserve_strata(cells, has_strata ? 256 : 1);
	if (!need_counts && is_uncounted(request))
	{
		/* by columns, if any, change nothing then */
		cells->uncounted = true;
		(void) add_stratum(cells, (StratumId) {0, 0});
		cells->cells[0].pi = cells->cells[0].keep = request->design.keep;
		return cells;
	}
	if (has_strata)
		cells->strata = stratum_create(CurrentMemoryContext, 256, NULL);
	else
		(void) add_stratum(cells, (StratumId) {0, 0});
	count_rows(cells);
	make_design(cells);
	if (cells->units != NULL)
	{
		uint32		n_cells = cells->n_strata * cells->n_classes;

		cells->cutoffs = palloc_extended(Max(n_cells, 1) * sizeof(uint64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
		grovepg_units_cut(cells->units, cells->cells, n_cells, cells->cutoffs);
		grovepg_units_end(cells->units);
	}
	return cells;
}

void
grovepg_prune_decide(PruneCells *cells, TupleTableSlot *slot, const AttrNumber *places, PruneFate *fate)
{
	const PruneRequest *request = cells->request;
	const GrovePruneCell *cell;
	StratumId	id;
	uint32		number;
	uint32		class;
	uint64		hash;

	fetch_values(cells, slot, places, 0);
	hash = hash_key(cells, cells->keep_key);
	locate_row(cells, slot, &id, &class);
	number = known_stratum(cells, id) * cells->n_classes;
	cell = &cells->cells[number + class];

	if (!request->design.exact)
		fate->kept = grove_rng_below(hash, cell->keep) ||
			(cell->readmit > 0 && grove_rng_below(hash_key(cells, cells->readmit_key), cell->readmit));
	else
		fate->kept = hash <= cells->cutoffs[number + class] && cell->take > 0;
	if (fate->kept)
	{
		fate->pi = cell->pi;
		fate->log_offset = cells->n_classes < 2 ? 0 :
			grove_guide_offset(cells->positive != NULL ? 1 : cells->cells[number + 1].pi, cells->cells[number].pi);
	}
	cells->decided += trace_row(id, class, cells->keyed ? hash : 0);
}

void
grovepg_prune_check(const PruneCells *cells)
{
	if (!cells->uncounted && cells->decided != cells->counted)
		grovepg_reread_changed();
}

void
grovepg_prune_summarize(const PruneCells *cells, GrovePruneSummary *summary, int64 *units, int64 *n_strata)
{
	uint32		n_cells = cells->n_strata * cells->n_classes;
	uint32	   *order = canonical_order(cells, n_cells);

	grove_prune_summarize(cells->cells, n_cells, order, summary);
	*units = -1;
	if (cells->request->design.exact)
	{
		*units = (int64) total_units(cells, 0);
		if (cells->n_classes == 2)
			*units += (int64) total_units(cells, 1);
	}
	*n_strata = cells->guide != NULL || cells->weight != NULL ? -1 : summary->rows > 0 ? (int64) cells->n_strata : 0;
	pfree(order);
}
