/*
 * tally.h: a table from keys to counts and exact sums, in one piece of memory.
 *
 * Sums are integers of 128 bits, so that neither the order of rows nor the
 * way in which they are divided between processes shows in a result.  A
 * double goes in exactly: its 53-bit integer is shifted into one of many
 * parts, each of 32 binary exponents, and every part has a sum of its own.
 */
#ifndef GROVE_TALLY_H
#define GROVE_TALLY_H

#include "grove_core.h"

#define GROVE_TALLY_MAX_CELLS	(UINT64_C(1) << 24)
#define GROVE_TALLY_PART_BITS	32	/* binary exponents of a part */
#define GROVE_TALLY_PART_MAX	40	/* parts of doubles lie within -40 to 40 */

typedef struct GroveTallyCell
{
	uint64_t	key;
	uint64_t	count;
	uint64_t	low;			/* of the sum, 128 bits in two's complement */
	uint64_t	high;
	int32_t		part;
	uint32_t	used;			/* 0: an empty cell */
} GroveTallyCell;

/* Position-independent; cells stand where an open-addressing hash puts them. */
typedef struct GroveTally
{
	uint64_t	capacity;		/* cells, a power of two */
	uint64_t	used;
	GroveTallyCell cells[];
} GroveTally;

/* A double without error: value = (low + 2^64 * high) * 2^(32 * part). */
typedef struct GroveTallyNumber
{
	uint64_t	low;
	uint64_t	high;
	int32_t		part;
} GroveTallyNumber;

/* Bytes of a tally of this capacity, a power of two up to 2 * GROVE_TALLY_MAX_CELLS. */
extern size_t grove_tally_size(uint64_t capacity);

extern void grove_tally_init(GroveTally *tally, uint64_t capacity);

/* New cells that can be added before the tally has to move to a larger piece of memory. */
extern uint64_t grove_tally_room(const GroveTally *tally);

/* Adds to the cell of (key, part); needs room for one cell. */
extern void grove_tally_add(GroveTally *tally, uint64_t key, int32_t part, uint64_t count, uint64_t low, uint64_t high);

/* Adds all cells of another tally; needs room for them. */
extern void grove_tally_merge(GroveTally *into, const GroveTally *from);

/* Copies the cells in use to cells[tally->used], ordered by key and part. */
extern void grove_tally_sorted(const GroveTally *tally, GroveTallyCell *cells);

/* The number that a finite double is. */
extern GroveTallyNumber grove_tally_number(double value);

#endif							/* GROVE_TALLY_H */
