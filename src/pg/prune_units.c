/*
 * prune_units.c: counting distinct keys and finding the k-th lowest hash of
 * every cell.
 *
 * Both are one walk over the units in ascending order of the hash.  Within
 * work_mem that is an array, sorted once.  Beyond it the array is emptied
 * into files by the leading bits of the hash whenever it is full, and the
 * walk loads and sorts one file after the other; since hashes are uniform,
 * files are equally large, and one that is still too large is read several
 * times, for one range of hashes each time.  So a walk over 10^9 units moves
 * 16 bytes each and compares next to nothing, where a general sort would
 * merge tuples.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

#include "../core/units.h"
#include "prune_units.h"

#define PART_BITS		6
#define PARTS			(1 << PART_BITS)
#define FIRST_CAPACITY	1024
#define CHUNK			1024	/* units that are read from a file at once */

struct PruneUnits
{
	MemoryContext context;
	GroveUnit  *buffer;
	size_t		used;
	size_t		capacity;
	size_t		limit;			/* units that fit into work_mem */
	bool		sorted;			/* buffer is in order and has no duplicates */
	BufFile    *parts[PARTS];	/* units by the leading bits of the hash; NULL: none yet */
	uint64		written[PARTS];
	bool		spilled;
};

typedef void (*UnitVisitor) (const GroveUnit *unit, void *arg);

PruneUnits *
grovepg_units_begin(void)
{
	PruneUnits *units = palloc0(sizeof(PruneUnits));

	units->context = CurrentMemoryContext;
	units->capacity = FIRST_CAPACITY;
	units->limit = Max((size_t) work_mem * 1024 / sizeof(GroveUnit), FIRST_CAPACITY);
	units->buffer = palloc(units->capacity * sizeof(GroveUnit));
	return units;
}

static void
sort_buffer(PruneUnits *units)
{
	size_t		start[GROVE_UNITS_PARTS + 1];

	grove_units_split(units->buffer, units->used, start);
	for (int b = 0; b < GROVE_UNITS_PARTS; b++)
	{
		CHECK_FOR_INTERRUPTS();
		grove_units_sort(units->buffer + start[b], start[b + 1] - start[b], 1);
	}
	units->used = grove_units_distinct(units->buffer, units->used);
}

/* Writes the sorted buffer to the files and empties it. */
static void
spill_buffer(PruneUnits *units)
{
	MemoryContext previous = MemoryContextSwitchTo(units->context);
	size_t		first = 0;

	while (first < units->used)
	{
		uint64		part = units->buffer[first].hash >> (64 - PART_BITS);
		size_t		end = first;

		while (end < units->used && units->buffer[end].hash >> (64 - PART_BITS) == part)
			end++;
		if (units->parts[part] == NULL)
			units->parts[part] = BufFileCreateTemp(false);
		BufFileWrite(units->parts[part], units->buffer + first, (end - first) * sizeof(GroveUnit));
		units->written[part] += end - first;
		first = end;
	}
	units->used = 0;
	units->spilled = true;
	MemoryContextSwitchTo(previous);
}

static void
grow_buffer(PruneUnits *units, size_t capacity)
{
	units->buffer = repalloc_huge(units->buffer, capacity * sizeof(GroveUnit));
	units->capacity = capacity;
}

/* Makes room in a full buffer: more memory, or fewer duplicates, or a file. */
static void
make_room(PruneUnits *units)
{
	if (units->capacity < units->limit)
		grow_buffer(units, Min(units->capacity * 2, units->limit));
	else
	{
		sort_buffer(units);
		if (units->used > units->limit / 2)
			spill_buffer(units);
	}
}

void
grovepg_units_add(PruneUnits *units, uint32 cell, uint64 hash)
{
	GroveUnit  *unit;

	if (units->used == units->capacity)
		make_room(units);
	unit = &units->buffer[units->used++];
	unit->hash = hash;
	unit->cell = cell;
	unit->spare = 0;
}

static void
visit_buffer(const PruneUnits *units, UnitVisitor visit, void *arg)
{
	for (size_t i = 0; i < units->used; i++)
	{
		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		visit(&units->buffer[i], arg);
	}
}

/* Loads the units of a file whose hashes lie between two bounds, both included. */
static void
load_range(PruneUnits *units, int part, uint64 low, uint64 high)
{
	GroveUnit	chunk[CHUNK];
	uint64		left = units->written[part];

	units->used = 0;
	if (BufFileSeek(units->parts[part], 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind temporary file")));
	while (left > 0)
	{
		size_t		n = Min(left, CHUNK);

		CHECK_FOR_INTERRUPTS();
		if (BufFileRead(units->parts[part], chunk, n * sizeof(GroveUnit)) != n * sizeof(GroveUnit))
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read from temporary file")));
		left -= n;
		for (size_t i = 0; i < n; i++)
		{
			if (chunk[i].hash < low || chunk[i].hash > high)
				continue;
			if (units->used == units->capacity)
			{
				sort_buffer(units);
				if (units->used > units->capacity / 2)
					grow_buffer(units, units->capacity * 2);
			}
			units->buffer[units->used++] = chunk[i];
		}
	}
	sort_buffer(units);
}

/* Visits the units of a file in order, as many at a time as the buffer holds. */
static void
visit_part(PruneUnits *units, int part, UnitVisitor visit, void *arg)
{
	const uint64 width = UINT64CONST(1) << (64 - PART_BITS);
	uint64		slices = units->written[part] / (units->limit - units->limit / 4) + 1;
	uint64		step = width / slices + 1;

	for (uint64 first = 0; first < width; first += step)
	{
		uint64		last = Min(first + step, width) - 1;

		load_range(units, part, (uint64) part * width + first, (uint64) part * width + last);
		visit_buffer(units, visit, arg);
	}
}

/* Visits each distinct unit once, in ascending order of the hash. */
static void
visit_units(PruneUnits *units, UnitVisitor visit, void *arg)
{
	if (!units->sorted)
	{
		sort_buffer(units);
		if (units->spilled)
			spill_buffer(units);
		units->sorted = true;
	}
	if (!units->spilled)
	{
		visit_buffer(units, visit, arg);
		return;
	}
	for (int part = 0; part < PARTS; part++)
	{
		if (units->parts[part] != NULL)
			visit_part(units, part, visit, arg);
	}
}

/*
 * Numbers of the cells stand side by side during a walk: cells are wide, and
 * the walk meets them in any order.
 */
static uint64 *
make_numbers(uint32 n_cells)
{
	return palloc_extended(Max(n_cells, 1) * sizeof(uint64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void
count_unit(const GroveUnit *unit, void *arg)
{
	uint64	   *met = arg;

	met[unit->cell]++;
}

void
grovepg_units_count(PruneUnits *units, GrovePruneCell *cells, uint32 n_cells)
{
	uint64	   *met = make_numbers(n_cells);

	visit_units(units, count_unit, met);
	for (uint32 i = 0; i < n_cells; i++)
		cells[i].units = met[i];
	pfree(met);
}

typedef struct Agreement
{
	uint64		last;			/* hash of the unit before */
	bool		begun;
	bool		broken;
} Agreement;

static void
compare_unit(const GroveUnit *unit, void *arg)
{
	Agreement  *agreement = arg;

	if (agreement->begun && unit->hash == agreement->last)
		agreement->broken = true;
	agreement->last = unit->hash;
	agreement->begun = true;
}

bool
grovepg_units_agree(PruneUnits *units)
{
	Agreement	agreement = {0, false, false};

	visit_units(units, compare_unit, &agreement);
	return !agreement.broken;
}

typedef struct Cut
{
	uint64	   *left;			/* units that a cell still takes */
	uint64	   *cutoffs;
} Cut;

static void
cut_unit(const GroveUnit *unit, void *arg)
{
	Cut		   *cut = arg;

	/* below 0 it takes 2^64 steps to be 0 again */
	if (--cut->left[unit->cell] == 0)
		cut->cutoffs[unit->cell] = unit->hash;
}

void
grovepg_units_cut(PruneUnits *units, const GrovePruneCell *cells, uint32 n_cells, uint64 *cutoffs)
{
	Cut			cut = {make_numbers(n_cells), cutoffs};

	for (uint32 i = 0; i < n_cells; i++)
		cut.left[i] = cells[i].take;
	visit_units(units, cut_unit, &cut);
	pfree(cut.left);
}

void
grovepg_units_end(PruneUnits *units)
{
	for (int part = 0; part < PARTS; part++)
	{
		if (units->parts[part] != NULL)
			BufFileClose(units->parts[part]);
	}
	pfree(units->buffer);
	pfree(units);
}
