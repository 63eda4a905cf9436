/*
 * arena.h: several arrays in one piece of the caller's memory.
 *
 * The same function carves twice: without memory it only counts, then with
 * it, so that the size and the use of it cannot disagree.
 *
 * The address sanitizer knows the piece only.  With GROVE_ARENA_GUARDS (for
 * such a build, and memory that is the arena's alone until it is freed) the
 * arrays are apart, and nobody may touch what is between them.
 */
#ifndef GROVE_ARENA_H
#define GROVE_ARENA_H

#include "grove_core.h"

#ifdef GROVE_ARENA_GUARDS
#define GROVE_ARENA_GUARD 16
extern void __asan_poison_memory_region(void const volatile *memory, size_t size);
extern void __asan_unpoison_memory_region(void const volatile *memory, size_t size);
#endif

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
#ifdef GROVE_ARENA_GUARDS
	if (arena->fits && !grove_size_add(&arena->used, GROVE_ARENA_GUARD, 1))
		arena->fits = false;
	if (arena->memory && arena->fits)
	{
		__asan_unpoison_memory_region(arena->memory + at, count * width);
		__asan_poison_memory_region(arena->memory + at + count * width, arena->used - at - count * width);
	}
#endif
	return arena->memory && arena->fits ? arena->memory + at : NULL;
}

#endif							/* GROVE_ARENA_H */
