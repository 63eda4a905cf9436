/*
 * tally.c: open addressing with linear probing; cells are only ever added.
 */
#include "tally.h"

#include <math.h>

#include "rng.h"
#include "sort.h"

size_t
grove_tally_size(uint64_t capacity)
{
	return sizeof(GroveTally) + (size_t) capacity * sizeof(GroveTallyCell);
}

void
grove_tally_init(GroveTally *tally, uint64_t capacity)
{
	memset(tally, 0, grove_tally_size(capacity));
	tally->capacity = capacity;
}

/* Three quarters of the cells may be in use. */
uint64_t
grove_tally_room(const GroveTally *tally)
{
	return tally->capacity / 4 * 3 - tally->used;
}

void
grove_tally_add(GroveTally *tally, uint64_t key, int32_t part, uint64_t count, uint64_t low, uint64_t high)
{
	uint64_t	place = grove_rng_mix(key + (uint64_t) (int64_t) part * UINT64_C(0x9e3779b97f4a7c15));
	GroveTallyCell *cell;

	for (;; place++)
	{
		cell = &tally->cells[place & (tally->capacity - 1)];
		if (cell->used == 0)
		{
			cell->used = 1;
			cell->key = key;
			cell->part = part;
			tally->used++;
			break;
		}
		if (cell->key == key && cell->part == part)
			break;
	}
	cell->count += count;
	cell->low += low;
	cell->high += high + (cell->low < low);
}

void
grove_tally_merge(GroveTally *into, const GroveTally *from)
{
	for (uint64_t i = 0; i < from->capacity; i++)
	{
		const GroveTallyCell *cell = &from->cells[i];

		if (cell->used != 0)
			grove_tally_add(into, cell->key, cell->part, cell->count, cell->low, cell->high);
	}
}

static bool
cell_before(const void *a, const void *b)
{
	const GroveTallyCell *first = a;
	const GroveTallyCell *second = b;

	if (first->key != second->key)
		return first->key < second->key;
	return first->part < second->part;
}

void
grove_tally_sorted(const GroveTally *tally, GroveTallyCell *cells)
{
	uint64_t	n = 0;

	for (uint64_t i = 0; i < tally->capacity; i++)
	{
		if (tally->cells[i].used != 0)
			cells[n++] = tally->cells[i];
	}
	grove_sort(cells, (size_t) n, sizeof(GroveTallyCell), cell_before);
}

GroveTallyNumber
grove_tally_number(double value)
{
	GroveTallyNumber number;
	uint64_t	integer;
	int			exponent;
	int			shift;

	/* |value| = integer * 2^exponent, and exponent = part * GROVE_TALLY_PART_BITS + shift with shift >= 0 */
	integer = (uint64_t) ldexp(frexp(fabs(value), &exponent), 53);
	exponent -= 53;
	number.part = (exponent + GROVE_TALLY_PART_MAX * GROVE_TALLY_PART_BITS) / GROVE_TALLY_PART_BITS - GROVE_TALLY_PART_MAX;
	shift = exponent - number.part * GROVE_TALLY_PART_BITS;
	number.low = integer << shift;
	number.high = shift > 0 ? integer >> (64 - shift) : 0;
	if (value < 0)
	{
		number.low = ~number.low + 1;
		number.high = ~number.high + (number.low == 0);
	}
	return number;
}
