/*
 * sample_state.c: units of a sampling aggregate in memory: added, compacted,
 * merged, sent to another process, drawn.
 *
 * The state is a growing array of units (core/sample.h) and copies of their
 * elements.  A row that cannot be chosen leaves only a number behind.  The
 * array is compacted when it is full and grows by half of what compaction
 * leaves, so it holds at most one and a half times the units that matter:
 * k of them in a uniform sample, 5/4 k + spare in a weighted one.
 *
 * One gigabyte, or grove.max_memory when that is set and less, is the limit
 * of a state: a larger one could not be sent to the leader of a parallel
 * plan, and its result would not be a value.
 */
#include "pg_grove.h"

#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "sample_state.h"

#define UNIT_SIZE		(sizeof(GroveSampleUnit) + 2 * sizeof(GroveSamplePair))
#define FIRST_CAPACITY	16
#define QUICK_CAPACITY	1024	/* up to here the array doubles */

/* The fixed part of a state on its way to another process. */
typedef struct StateHead
{
	Oid			type;
	int64		seed;
	uint64		n;				/* units */
	GroveSampleSet set;			/* but for what it points to */
} StateHead;

static Size
memory_limit(void)
{
	Size		limit = MaxAllocSize;

	if (grovepg_max_memory_kb >= 0 && grovepg_max_memory() < limit)
		limit = grovepg_max_memory();
	return limit;
}

/* ERROR when the state, with room for this many units, would exceed the limit. */
static void
check_memory(const GroveSampleState *state, Size capacity)
{
	if (capacity > state->limit / UNIT_SIZE || state->elements.bytes > state->limit - capacity * UNIT_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sample needs more than %zu MB of memory", state->limit / (1024 * 1024)),
				 state->limit < MaxAllocSize ?
				 errhint("Increase grove.max_memory, or sample keys instead of whole rows.") :
				 errhint("Sample keys instead of whole rows, or filter rows with grove.keep().")));
}

static void
reserve_units(GroveSampleState *state, Size capacity)
{
	check_memory(state, capacity);
	if (state->units == NULL)
		state->units = MemoryContextAllocHuge(state->context, capacity * sizeof(GroveSampleUnit));
	else
		state->units = repalloc_huge(state->units, capacity * sizeof(GroveSampleUnit));
	if (state->pairs != NULL)
		pfree(state->pairs);
	state->pairs = NULL;
	state->capacity = capacity;
}

GroveSampleState *
grovepg_sample_create(MemoryContext context, GroveElementType *type, bool weighted, int32 k, int64 seed)
{
	GroveSampleState *state = MemoryContextAllocZero(context, sizeof(GroveSampleState));
	GroveSampleRest *rest = NULL;

	if (weighted)
		rest = MemoryContextAlloc(context, GROVE_SAMPLE_CLASSES * sizeof(GroveSampleRest));
	state->context = context;
	state->seed = seed;
	state->rng_key = grove_rng_key((uint64) seed, GROVE_PURPOSE_SAMPLE);
	grove_sample_init(&state->set, (uint64) k, weighted ? grovepg_element_spare(type) : 0, rest);
	state->limit = memory_limit();
	state->elements.type = type;
	state->elements.context = context;
	return state;
}

static int
compare_elements(void *arg, const GroveSampleUnit *a, const GroveSampleUnit *b)
{
	GroveSampleState *state = arg;

	if (a->null || b->null)
		return (int) a->null - (int) b->null;
	return grovepg_element_compare(state->elements.type, (Datum) a->element, (Datum) b->element);
}

static void
release_element(void *arg, GroveSampleUnit *unit)
{
	GroveSampleState *state = arg;

	if (!unit->null)
		grovepg_elements_release(&state->elements, (Datum) unit->element);
}

void
grovepg_sample_compact(GroveSampleState *state)
{
	const GroveSampleCaller caller = {compare_elements, release_element, state};

	if (state->n == state->n_compacted)
		return;
	CHECK_FOR_INTERRUPTS();
	if (state->pairs == NULL)
		state->pairs = MemoryContextAllocHuge(state->context, 2 * state->capacity * sizeof(GroveSamplePair));
	state->n = grove_sample_compact(&state->set, state->units, state->n_compacted, state->n, state->pairs, &caller);
	state->n_compacted = state->n;
	CHECK_FOR_INTERRUPTS();
}

/* Makes room for one more unit. */
static void
make_room(GroveSampleState *state)
{
	Size		wanted;

	if (state->capacity == 0)
	{
		reserve_units(state, FIRST_CAPACITY);
		return;
	}
	grovepg_sample_compact(state);
	wanted = state->n + Max(state->n / 2, Min(state->n, QUICK_CAPACITY)) + 1;
	if (wanted > state->capacity)
		reserve_units(state, wanted);
}

void
grovepg_sample_add(GroveSampleState *state, Datum value, bool null, double weight)
{
	uint64		hash = grovepg_element_hash(state->elements.type, state->rng_key, value, null);
	GroveSampleUnit unit;

	if (!grove_sample_offer(&state->set, hash, weight, &unit))
		return;
	if (state->n == state->capacity)
		make_room(state);
	unit.null = null;
	if (!null)
		unit.element = (uint64) grovepg_elements_keep(&state->elements, value);
	state->units[state->n++] = unit;
	if (state->elements.bytes > state->limit - state->capacity * UNIT_SIZE)
	{
		grovepg_sample_compact(state);
		check_memory(state, state->capacity);
	}
}

void
grovepg_sample_combine(GroveSampleState *state, const GroveSampleState *other)
{
	if (state->n + other->n > state->capacity)
		reserve_units(state, state->n + other->n);
	grove_sample_merge(&state->set, &other->set);
	for (Size i = 0; i < other->n; i++)
	{
		GroveSampleUnit *unit = &state->units[state->n];

		*unit = other->units[i];
		if (!unit->null)
			unit->element = (uint64) grovepg_elements_keep(&state->elements, (Datum) other->units[i].element);
		state->n++;
		if (state->n % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	grovepg_sample_compact(state);
	check_memory(state, state->capacity);
}

bytea *
grovepg_sample_write(GroveSampleState *state)
{
	const GroveElementType *type = state->elements.type;
	StringInfoData buffer;
	StateHead	head;
	Size		size = VARHDRSZ + sizeof(StateHead) + GROVE_SAMPLE_CLASSES * sizeof(GroveSampleRest);

	grovepg_sample_compact(state);
	size += state->n * sizeof(GroveSampleUnit);
	for (Size i = 0; i < state->n; i++)
	{
		if (!state->units[i].null)
			size += grovepg_element_size(type, (Datum) state->units[i].element);
	}
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sample is too large for a parallel plan"),
				 errhint("Sample keys instead of whole rows, or set max_parallel_workers_per_gather to 0.")));

	initStringInfo(&buffer);
	enlargeStringInfo(&buffer, (int) size);
	buffer.len = VARHDRSZ;
	memset(&head, 0, sizeof(head));
	head.type = grovepg_element_oid(type);
	head.seed = state->seed;
	head.n = state->n;
	head.set = state->set;
	head.set.rest = NULL;
	appendBinaryStringInfo(&buffer, (char *) &head, sizeof(head));
	if (state->set.weighted)
		appendBinaryStringInfo(&buffer, (char *) state->set.rest, GROVE_SAMPLE_CLASSES * sizeof(GroveSampleRest));
	for (Size i = 0; i < state->n; i++)
	{
		appendBinaryStringInfo(&buffer, (char *) &state->units[i], sizeof(GroveSampleUnit));
		if (!state->units[i].null)
			grovepg_elements_write(type, &buffer, (Datum) state->units[i].element);
	}
	SET_VARSIZE(buffer.data, buffer.len);
	return (bytea *) buffer.data;
}

Oid
grovepg_sample_read_type(bytea *bytes)
{
	StateHead	head;

	memcpy(&head, VARDATA_ANY(bytes), sizeof(head));
	return head.type;
}

GroveSampleState *
grovepg_sample_read(bytea *bytes, MemoryContext context, GroveElementType *type)
{
	StringInfoData buffer;
	StateHead	head;
	GroveSampleState *state;
	GroveSampleRest *rest;

	buffer.data = VARDATA_ANY(bytes);
	buffer.len = (int) VARSIZE_ANY_EXHDR(bytes);
	buffer.maxlen = buffer.len;
	buffer.cursor = 0;

	memcpy(&head, pq_getmsgbytes(&buffer, sizeof(head)), sizeof(head));
	state = grovepg_sample_create(context, type, head.set.weighted, (int32) head.set.k, head.seed);
	rest = state->set.rest;
	state->set = head.set;
	state->set.rest = rest;
	if (rest != NULL)
		memcpy(rest, pq_getmsgbytes(&buffer, GROVE_SAMPLE_CLASSES * sizeof(*rest)), GROVE_SAMPLE_CLASSES * sizeof(*rest));
	if (head.n > 0)
		reserve_units(state, head.n);
	for (Size i = 0; i < head.n; i++)
	{
		GroveSampleUnit *unit = &state->units[i];

		memcpy(unit, pq_getmsgbytes(&buffer, sizeof(*unit)), sizeof(*unit));
		if (!unit->null)
			unit->element = (uint64) grovepg_elements_read(&state->elements, &buffer, (Datum) unit->element);
	}
	state->n = state->n_compacted = head.n;
	return state;
}

/* Memory of a draw of n units, in the current context. */
static void
make_draw(GroveSampleDraw *draw, Size n, bool weighted)
{
	draw->pairs = palloc_extended(2 * n * sizeof(GroveSamplePair), MCXT_ALLOC_HUGE);
	draw->take = palloc_extended(n * sizeof(uint64), MCXT_ALLOC_HUGE);
	draw->shares = NULL;
	draw->probability = NULL;
	if (weighted)
	{
		draw->shares = palloc_extended((n + GROVE_SAMPLE_CLASSES) * sizeof(GrovePpsShare), MCXT_ALLOC_HUGE);
		draw->probability = palloc_extended(n * sizeof(double), MCXT_ALLOC_HUGE);
	}
}

Datum
grovepg_sample_array(GroveSampleState *state)
{
	GroveSampleDraw draw;
	Size		rows = 0;
	int			n = 0;
	Datum	   *values;
	bool	   *nulls;

	grovepg_sample_compact(state);
	make_draw(&draw, state->n, state->set.weighted);
	if (grove_sample_draw(&state->set, state->units, state->n, state->rng_key, &draw) != GROVE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("elements repeat too unevenly for a sample of %llu with exact probabilities",
						(unsigned long long) state->set.k),
				 errdetail("There are more than %llu distinct elements, and some occur far more often than others.",
						   (unsigned long long) grovepg_element_spare(state->elements.type)),
				 errhint("Sample rows that have a key, or sum up the weights of equal elements first.")));
	CHECK_FOR_INTERRUPTS();

	for (Size i = 0; i < state->n; i++)
		rows += draw.take[i];
	values = palloc_extended(rows * sizeof(Datum), MCXT_ALLOC_HUGE);
	nulls = palloc_extended(rows * sizeof(bool), MCXT_ALLOC_HUGE);
	for (Size i = 0; i < state->n; i++)
	{
		const GroveSampleUnit *unit = &state->units[draw.pairs[i].index];

		for (uint64 left = draw.take[draw.pairs[i].index]; left > 0; left--)
		{
			values[n] = (Datum) unit->element;
			nulls[n] = unit->null;
			n++;
		}
	}
	return grovepg_element_array(state->elements.type, values, nulls, n);
}
