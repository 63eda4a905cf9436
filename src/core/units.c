/*
 * units.c: an in-place radix sort from the leading byte on (American flag
 * sort, McIlroy, Bostic and McIlroy 1993).
 *
 * Hashes are uniform, so one byte cuts n units into 256 parts of nearly equal
 * size; after two or three bytes a part is small enough to be dealt into as
 * many places of its own and mended by insertion sort.  Units with
 * equal hashes (one key in many rows) are told apart by their cell's bytes in
 * the same way; no input makes it slower than 12 passes.
 */
#include "units.h"

#include <string.h>

#define BYTES			12		/* 8 of the hash, 4 of the cell */
#define SMALL			24		/* units that insertion sort takes */
#define MEDIUM			256		/* units that deal_sort() takes */
#define DEAL_BITS		6

static inline unsigned
byte_of(const GroveUnit *unit, int depth)
{
	if (depth < 8)
		return (unsigned) (unit->hash >> (56 - 8 * depth)) & 0xff;
	return (unit->cell >> (24 - 8 * (depth - 8))) & 0xff;
}

static inline bool
comes_before(const GroveUnit *a, const GroveUnit *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash;
	return a->cell < b->cell;
}

static void
insertion_sort(GroveUnit *units, size_t n_units)
{
	for (size_t i = 1; i < n_units; i++)
	{
		GroveUnit	moved = units[i];
		size_t		j = i;

		for (; j > 0 && comes_before(&moved, &units[j - 1]); j--)
			units[j] = units[j - 1];
		units[j] = moved;
	}
}

/*
 * Sorts at most MEDIUM units whose bytes before depth are equal: dealt by the
 * next bits they are nearly in order.  False and nothing done when too many
 * would fall together.
 */
static bool
deal_sort(GroveUnit *units, size_t n_units, int depth)
{
	GroveUnit	dealt[MEDIUM];
	uint16_t	next[1 << DEAL_BITS];
	unsigned	sum = 0;

	memset(next, 0, sizeof(next));
	for (size_t i = 0; i < n_units; i++)
		next[byte_of(&units[i], depth) >> (8 - DEAL_BITS)]++;
	for (unsigned b = 0; b < 1 << DEAL_BITS; b++)
	{
		unsigned	count = next[b];

		if (count > SMALL)
			return false;
		next[b] = (uint16_t) sum;
		sum += count;
	}
	for (size_t i = 0; i < n_units; i++)
		dealt[next[byte_of(&units[i], depth) >> (8 - DEAL_BITS)]++] = units[i];
	memcpy(units, dealt, n_units * sizeof(GroveUnit));
	insertion_sort(units, n_units);
	return true;
}

/* Permutes units into the parts of one byte, each cycle of the permutation at one go. */
static void
split_by_byte(GroveUnit *units, size_t n_units, int depth, size_t start[GROVE_UNITS_PARTS + 1])
{
	size_t		next[GROVE_UNITS_PARTS];
	size_t		sum = 0;

	memset(next, 0, sizeof(next));
	for (size_t i = 0; i < n_units; i++)
		next[byte_of(&units[i], depth)]++;
	for (int b = 0; b < GROVE_UNITS_PARTS; b++)
	{
		start[b] = sum;
		sum += next[b];
		next[b] = start[b];
	}
	start[GROVE_UNITS_PARTS] = sum;

	for (unsigned b = 0; b < GROVE_UNITS_PARTS; b++)
	{
		while (next[b] < start[b + 1])
		{
			GroveUnit	moved = units[next[b]];
			unsigned	home = byte_of(&moved, depth);

			while (home != b)
			{
				GroveUnit	other = units[next[home]];

				units[next[home]++] = moved;
				moved = other;
				home = byte_of(&moved, depth);
			}
			units[next[b]++] = moved;
		}
	}
}

void
grove_units_split(GroveUnit *units, size_t n_units, size_t start[GROVE_UNITS_PARTS + 1])
{
	split_by_byte(units, n_units, 0, start);
}

void
grove_units_sort(GroveUnit *units, size_t n_units, int skip)
{
	size_t		start[GROVE_UNITS_PARTS + 1];

	if (n_units <= SMALL)
	{
		insertion_sort(units, n_units);
		return;
	}
	if (skip >= BYTES)
		return;
	if (n_units <= MEDIUM && deal_sort(units, n_units, skip))
		return;
	split_by_byte(units, n_units, skip, start);
	for (int b = 0; b < GROVE_UNITS_PARTS; b++)
	{
		if (start[b + 1] - start[b] > 1)
			grove_units_sort(units + start[b], start[b + 1] - start[b], skip + 1);
	}
}

size_t
grove_units_distinct(GroveUnit *units, size_t n_units)
{
	size_t		left = 0;

	for (size_t i = 0; i < n_units; i++)
	{
		if (left == 0 || units[i].hash != units[left - 1].hash || units[i].cell != units[left - 1].cell)
			units[left++] = units[i];
	}
	return left;
}
