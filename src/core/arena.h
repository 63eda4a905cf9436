/*
 * arena.h: several arrays in one piece of the caller's memory.
 *
 * The same function carves twice: without memory it only counts, then with
 * it, so that the size and the use of it cannot disagree.
 */
#ifndef GROVE_ARENA_H
#define GROVE_ARENA_H

#include "grove_core.h"

typedef struct GroveArena
{
	uint8_t    *memory;			/* aligned to 8; NULL: only count */
	size_t		used;
	bool		fits;			/* false: the sizes overflow; starts as true */
} GroveArena;

/* Space for count elements of width bytes, aligned to 8; NULL when only counting. */
static inline void *
grove_arena_carve(GroveArena *arena, size_t count, size_t width)
{
	size_t		at = arena->used;

	if (arena->fits && !grove_size_add(&arena->used, count, width))
		arena->fits = false;
	return arena->memory && arena->fits ? arena->memory + at : NULL;
}

#endif							/* GROVE_ARENA_H */
