/*
 * sketch.c: order-independent sample of rows and the bin edges cut from it.
 */
#include "sketch.h"

#include "arena.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "singles.h"
#include "sort.h"

#define FREE_SLOT	UINT64_C(0x7ff8000000000000)	/* a NaN: never a stored value */

#define FIRST_SLOTS	64
#define SHORT_RUN	32			/* values that are sorted by insertion */
#define AHEAD		24			/* rows of the sample that are fetched before they are needed */

/* A value of a column and how many rows carry it; key orders like the value. */
typedef struct ValueCount
{
	uint64_t	key;
	uint64_t	count;
} ValueCount;

static uint64_t
bits_of(double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static double
value_of(uint64_t key)
{
	uint64_t	bits = (key >> 63) ? key & ~UINT64_C(0x8000000000000000) : ~key;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint32_t
slots_for(uint32_t capacity)
{
	uint32_t	slots = FIRST_SLOTS;

	while (slots < capacity * 2)
		slots *= 2;
	return slots;
}

static void
lay_out(GroveArena *arena, GroveSketch *sketch, uint32_t n_columns, uint32_t capacity)
{
	sketch->hash = grove_arena_carve(arena, capacity, sizeof(uint64_t));
	sketch->values = grove_arena_carve(arena, capacity, (size_t) n_columns * sizeof(double));
	sketch->distinct = grove_arena_carve(arena, n_columns, sizeof(GroveDistinct));
	sketch->count = grove_arena_carve(arena, capacity, sizeof(uint32_t));
	sketch->slots = grove_arena_carve(arena, slots_for(capacity), sizeof(uint32_t));
	sketch->active = grove_arena_carve(arena, n_columns, sizeof(uint32_t));
}

GroveStatus
grove_sketch_size(uint32_t n_columns, uint32_t capacity, size_t *size)
{
	GroveArena	arena = {NULL, 0, true};
	GroveSketch unused;

	if (capacity < 16 || capacity > (UINT32_C(1) << 24))
		return GROVE_ERR_RANGE;
	lay_out(&arena, &unused, n_columns, capacity);
	if (!arena.fits)
		return GROVE_ERR_SIZE;
	*size = arena.used;
	return GROVE_OK;
}

void
grove_sketch_init(GroveSketch *sketch, void *buffer, uint32_t n_columns, uint32_t capacity)
{
	GroveArena	arena = {buffer, 0, true};
	uint32_t	i,
				s;

	lay_out(&arena, sketch, n_columns, capacity);
	sketch->n_columns = n_columns;
	sketch->capacity = capacity;
	sketch->n_rows = 0;
	sketch->n_slots = FIRST_SLOTS;
	sketch->threshold = UINT64_MAX;
	sketch->n_active = n_columns;
	memset(sketch->slots, 0, sketch->n_slots * sizeof(uint32_t));
	for (i = 0; i < n_columns; i++)
	{
		GroveDistinct *d = &sketch->distinct[i];

		sketch->active[i] = i;
		d->count = 0;
		for (s = 0; s < GROVE_DISTINCT_SLOTS; s++)
			d->slots[s] = FREE_SLOT;
	}
}

/* Slot of a value, which is not NaN, or the free slot for it. */
static inline uint32_t
distinct_slot(const GroveDistinct *d, double value, uint64_t *bits)
{
	uint32_t	slot;

	*bits = bits_of(value + 0.0);	/* -0 is 0 */
	slot = (uint32_t) ((*bits * UINT64_C(0x9e3779b97f4a7c15)) >> 55);
	while (d->slots[slot] != *bits && d->slots[slot] != FREE_SLOT)
		slot = (slot + 1) & (GROVE_DISTINCT_SLOTS - 1);
	return slot;
}

/* Adds values of one column; false once they are too many to keep. */
static bool
distinct_add(GroveDistinct *d, const double *values, const uint8_t *skip, uint32_t n)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		uint64_t	bits;
		uint32_t	slot;

		if (values[i] != values[i] || (skip && skip[i]))
			continue;
		slot = distinct_slot(d, values[i], &bits);
		if (d->slots[slot] == bits)
			continue;
		if (d->count == GROVE_DISTINCT_MAX)
		{
			d->count++;
			return false;
		}
		d->slots[slot] = bits;
		d->code[slot] = (uint8_t) d->count++;
	}
	return true;
}

bool
grove_sketch_codes(const GroveSketch *sketch, uint32_t column, const double *values, uint32_t n,
				   uint8_t *codes)
{
	const GroveDistinct *d = &sketch->distinct[column];
	uint32_t	i;

	if (d->count > GROVE_DISTINCT_MAX)
		return false;
	for (i = 0; i < n; i++)
	{
		uint64_t	bits;
		uint32_t	slot;

		if (values[i] != values[i])
		{
			codes[i] = GROVE_DISTINCT_MAX;
			continue;
		}
		slot = distinct_slot(d, values[i], &bits);
		if (d->slots[slot] != bits)
			return false;
		codes[i] = d->code[slot];
	}
	return true;
}

void
grove_sketch_code_values(const GroveSketch *sketch, uint32_t column, double *values)
{
	const GroveDistinct *d = &sketch->distinct[column];
	uint32_t	i;

	for (i = 0; i < GROVE_DISTINCT_MAX; i++)
		values[i] = NAN;
	for (i = 0; i < GROVE_DISTINCT_SLOTS; i++)
	{
		if (d->slots[i] != FREE_SLOT)
			memcpy(&values[d->code[i]], &d->slots[i], sizeof(double));
	}
}

/* Where the row of this hash stands in the table, or the free slot for it. */
static uint32_t
find_slot(const GroveSketch *sketch, uint64_t hash)
{
	uint32_t	slot = (uint32_t) (hash * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (sketch->n_slots - 1);

	while (sketch->slots[slot] != 0 && sketch->hash[sketch->slots[slot] - 1] != hash)
		slot = (slot + 1) & (sketch->n_slots - 1);
	return slot;
}

/* Enters all rows of the sample anew. */
static void
fill_slots(GroveSketch *sketch)
{
	uint32_t	i;

	memset(sketch->slots, 0, sketch->n_slots * sizeof(uint32_t));
	for (i = 0; i < sketch->n_rows; i++)
		sketch->slots[find_slot(sketch, sketch->hash[i])] = i + 1;
}

/*
 * Lowers the threshold by an eighth until one row less is below it: one of the
 * sample, or the new one, whose hash this is.  That way the threshold depends
 * on which rows have come, not on which of them came last.
 */
static void
shrink(GroveSketch *sketch, uint64_t hash)
{
	uint32_t	kept;
	uint32_t	i;

	do
	{
		sketch->threshold -= sketch->threshold / 8 + 1;
		kept = sketch->n_rows;
		for (i = 0; i < kept;)
		{
			if (sketch->hash[i] < sketch->threshold)
				i++;
			else if (i < --kept)
			{
				/* the last row takes its place */
				sketch->hash[i] = sketch->hash[kept];
				sketch->count[i] = sketch->count[kept];
				memcpy(sketch->values + (size_t) i * sketch->n_columns,
					   sketch->values + (size_t) kept * sketch->n_columns,
					   sketch->n_columns * sizeof(double));
			}
		}
	} while (kept == sketch->n_rows && hash < sketch->threshold);
	sketch->n_rows = kept;
	fill_slots(sketch);
}

/* Adds a row whose hash is below the threshold. */
static void
add_row(GroveSketch *sketch, uint64_t hash, const double *row, size_t stride)
{
	uint32_t	slot = find_slot(sketch, hash);
	double	   *values;
	uint32_t	i;

	if (sketch->slots[slot] != 0)
	{
		uint32_t   *count = &sketch->count[sketch->slots[slot] - 1];

		if (*count < UINT32_MAX)
			(*count)++;
		return;
	}
	if (sketch->n_rows == sketch->capacity)
	{
		shrink(sketch, hash);
		if (hash >= sketch->threshold)
			return;
		slot = find_slot(sketch, hash);
	}
	else if (sketch->n_rows * 2 == sketch->n_slots)
	{
		sketch->n_slots *= 2;
		fill_slots(sketch);
		slot = find_slot(sketch, hash);
	}
	sketch->hash[sketch->n_rows] = hash;
	sketch->count[sketch->n_rows] = 1;
	values = sketch->values + (size_t) sketch->n_rows * sketch->n_columns;
	for (i = 0; i < sketch->n_columns; i++)
		values[i] = row[i * stride];
	sketch->slots[slot] = ++sketch->n_rows;
}

void
grove_sketch_add(GroveSketch *sketch, const uint64_t *hash, uint32_t n, const double *values,
				 size_t stride, const uint8_t *skip)
{
	uint32_t	i;

	for (i = 0; i < sketch->n_active;)
	{
		uint32_t	column = sketch->active[i];

		if (distinct_add(&sketch->distinct[column], values + column * stride, skip, n))
			i++;
		else
			sketch->active[i] = sketch->active[--sketch->n_active];
	}
	for (i = 0; i < n; i++)
	{
		if (hash[i] < sketch->threshold && !(skip && skip[i]))
			add_row(sketch, hash[i], values + i, stride);
	}
}

size_t
grove_sketch_used(const GroveSketch *sketch)
{
	return (size_t) sketch->n_rows * (sizeof(uint64_t) + sizeof(uint32_t) + sketch->n_columns * sizeof(double)) +
		sketch->n_slots * sizeof(uint32_t) + sketch->n_columns * (sizeof(GroveDistinct) + sizeof(uint32_t)) +
		grove_sketch_scratch(sketch);
}

size_t
grove_sketch_scratch(const GroveSketch *sketch)
{
	uint32_t	n = sketch->n_rows > GROVE_DISTINCT_MAX ? sketch->n_rows : GROVE_DISTINCT_MAX;

	return (size_t) n * 2 * sizeof(ValueCount) + 2048 * sizeof(uint32_t);
}

/*
 * Sorts by the bits of the key from shift on, 11 a pass, passes in which all
 * digits agree left out; returns where the result is.
 */
static ValueCount *
sort_digits(ValueCount *a, ValueCount *b, uint32_t n, int shift, uint32_t *bucket)
{
	uint32_t	i;

	for (; shift < 64; shift += 11)
	{
		uint32_t	sum = 0;
		ValueCount *t;

		memset(bucket, 0, 2048 * sizeof(uint32_t));
		for (i = 0; i < n; i++)
			bucket[(a[i].key >> shift) & 2047]++;
		if (n == 0 || bucket[(a[0].key >> shift) & 2047] == n)
			continue;
		for (i = 0; i < 2048; i++)
		{
			uint32_t	c = bucket[i];

			bucket[i] = sum;
			sum += c;
		}
		for (i = 0; i < n; i++)
			b[bucket[(a[i].key >> shift) & 2047]++] = a[i];
		t = a;
		a = b;
		b = t;
	}
	return a;
}

/*
 * Sorts by key.  The upper half of the bits nearly does it: sign, exponent and
 * 19 bits behind the point.  Values that agree in them are few, or all alike.
 */
static ValueCount *
sort_values(ValueCount *a, ValueCount *b, uint32_t n, uint32_t *bucket)
{
	ValueCount *sorted = sort_digits(a, b, n, 33, bucket);
	ValueCount *spare = sorted == a ? b : a;
	uint32_t	begin,
				end,
				i,
				j;

	for (begin = 0; begin < n; begin = end)
	{
		uint64_t	top = sorted[begin].key >> 33;

		for (end = begin + 1; end < n && sorted[end].key >> 33 == top; end++)
			;
		if (end - begin > SHORT_RUN)
		{
			if (sort_digits(sorted + begin, spare + begin, end - begin, 0, bucket) != sorted + begin)
				memcpy(sorted + begin, spare + begin, (end - begin) * sizeof(ValueCount));
			continue;
		}
		for (i = begin + 1; i < end; i++)
		{
			ValueCount	v = sorted[i];

			for (j = i; j > begin && sorted[j - 1].key > v.key; j--)
				sorted[j] = sorted[j - 1];
			sorted[j] = v;
		}
	}
	return sorted;
}

/* The column's values in ascending order, equal ones merged; *n is their number. */
static ValueCount *
sorted_column(const GroveSketch *sketch, uint32_t column, void *scratch, uint32_t *n)
{
	uint32_t	room = sketch->n_rows > GROVE_DISTINCT_MAX ? sketch->n_rows : GROVE_DISTINCT_MAX;
	ValueCount *a = scratch;
	ValueCount *b = a + room;
	uint32_t   *bucket = (uint32_t *) (b + room);
	uint32_t	filled = 0;
	uint32_t	merged = 0;
	uint32_t	i;

	for (i = 0; i < sketch->n_rows; i++)
	{
		const double *at = sketch->values + (size_t) i * sketch->n_columns + column;
		double		v = *at;

		if (i + AHEAD < sketch->n_rows)
			grove_prefetch(at + (size_t) AHEAD * sketch->n_columns);
		if (v != v)
			continue;
		a[filled].key = grove_sort_key(v == 0.0 ? 0.0 : v);
		a[filled].count = sketch->count[i];
		filled++;
	}
	a = sort_values(a, b, filled, bucket);
	for (i = 0; i < filled; i++)
	{
		if (merged > 0 && a[merged - 1].key == a[i].key)
			a[merged - 1].count += a[i].count;
		else
			a[merged++] = a[i];
	}
	*n = merged;
	return a;
}

/* Whether a single-precision number lies between a and b, a < b: a <= single < b. */
static bool
has_single(double a, double b)
{
	return (double) grove_singles_ceil(a) < b;
}

/*
 * A finite number that separates a from b, a < b: a <= edge < b.  Only minus
 * infinity and the lowest finite double cannot be told apart.  The middle, as
 * a single-precision number; if that is not between them, the lowest that is;
 * if none is, the middle itself.
 */
static double
edge_between(double a, double b)
{
	double		middle;
	double		single;

	if (a == -INFINITY)
		return b == INFINITY ? 0.0 : -DBL_MAX;
	middle = b == INFINITY ? a : a * 0.5 + b * 0.5;
	single = middle > FLT_MAX ? FLT_MAX : middle < -FLT_MAX ? -FLT_MAX : (double) (float) middle + 0.0;
	if (single >= a && single < b)
		return single;
	if (has_single(a, b))
		return (double) grove_singles_ceil(a) + 0.0;
	return middle >= a && middle < b ? middle : a;
}

/* Whether values that no single-precision number separates are more rows than a bin's share. */
static bool
has_crowd(const ValueCount *a, uint32_t n, uint64_t total, uint32_t max_bins)
{
	uint32_t	begin,
				end;

	for (begin = 0; begin < n; begin = end)
	{
		uint64_t	count = a[begin].count;

		for (end = begin + 1; end < n && !has_single(value_of(a[end - 1].key), value_of(a[end].key)); end++)
			count += a[end].count;
		if (end - begin > 1 && count > total / max_bins)
			return true;
	}
	return false;
}

/* One bin a value of the distinct set. */
static void
edges_of_distinct(const GroveDistinct *d, void *scratch, double *edges, uint32_t *n_bins)
{
	ValueCount *a = scratch;
	uint32_t	n = 0;
	uint32_t	i;

	for (i = 0; i < GROVE_DISTINCT_SLOTS; i++)
	{
		double		v;

		if (d->slots[i] == FREE_SLOT)
			continue;
		memcpy(&v, &d->slots[i], sizeof(v));
		a[n].key = grove_sort_key(v);
		a[n].count = 1;
		n++;
	}
	a = sort_values(a, a + GROVE_DISTINCT_MAX, n, (uint32_t *) (a + 2 * GROVE_DISTINCT_MAX));
	for (i = 0; i + 1 < n; i++)
		edges[i] = edge_between(value_of(a[i].key), value_of(a[i + 1].key));
	*n_bins = n;
}

void
grove_sketch_edges(const GroveSketch *sketch, uint32_t column, uint32_t max_bins,
				   void *scratch, double *edges, uint32_t *n_bins)
{
	const GroveDistinct *d = &sketch->distinct[column];
	ValueCount *a;
	uint64_t	left = 0;
	uint64_t	filled = 0;
	uint32_t	n;
	uint32_t	bins = 1;
	bool		crowded;
	uint32_t	i;

	if (d->count <= max_bins)
	{
		edges_of_distinct(d, scratch, edges, n_bins);
		return;
	}
	a = sorted_column(sketch, column, scratch, &n);
	for (i = 0; i < n; i++)
		left += a[i].count;
	crowded = has_crowd(a, n, left, max_bins);
	for (i = 0; i + 1 < n && bins < max_bins; i++)
	{
		uint64_t	share = left / (max_bins - bins + 1);

		/* close the bin when it is full, or when the next value fills one alone and this one is half full */
		filled += a[i].count;
		if ((filled >= share || (a[i + 1].count >= share && filled * 2 >= share) ||
			 n - i <= max_bins - bins + 1) &&
			(crowded || has_single(value_of(a[i].key), value_of(a[i + 1].key))))
		{
			edges[bins - 1] = edge_between(value_of(a[i].key), value_of(a[i + 1].key));
			bins++;
			left -= filled;
			filled = 0;
		}
	}
	*n_bins = n == 0 ? 0 : bins;
}

double
grove_sketch_median(const GroveSketch *sketch, uint32_t column, void *scratch)
{
	ValueCount *a;
	uint64_t	total = 0;
	uint64_t	seen = 0;
	uint32_t	n;
	uint32_t	i;

	a = sorted_column(sketch, column, scratch, &n);
	for (i = 0; i < n; i++)
		total += a[i].count;
	for (i = 0; i < n; i++)
	{
		seen += a[i].count;
		if (seen * 2 >= total)
			return value_of(a[i].key);
	}
	return 0.0;
}
