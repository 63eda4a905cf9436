/*
 * memcheck.h: what the server tells valgrind, told to the address sanitizer.
 *
 * The server takes memory from malloc() in blocks and hands out pieces, so the
 * sanitizer alone sees nothing wrong with a read behind a piece or after
 * pfree().  With USE_VALGRIND the server says which bytes nobody may touch: the
 * ends of pieces, freed pieces, pages of tables without a pin.  This header is
 * found in place of valgrind's (checked_server.sh) and marks them as poisoned.
 *
 * Whether bytes hold a value is not known to this sanitizer.
 */
#ifndef GROVE_TEST_MEMCHECK_H
#define GROVE_TEST_MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_NOACCESS(addr, size) ASAN_POISON_MEMORY_REGION(addr, size)
#define VALGRIND_MAKE_MEM_UNDEFINED(addr, size) ASAN_UNPOISON_MEMORY_REGION(addr, size)
#define VALGRIND_MAKE_MEM_DEFINED(addr, size) ASAN_UNPOISON_MEMORY_REGION(addr, size)
#define VALGRIND_CHECK_MEM_IS_DEFINED(addr, size) ((void) 0)

#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed) ((void) 0)
#define VALGRIND_DESTROY_MEMPOOL(pool) ((void) 0)
#define VALGRIND_MEMPOOL_ALLOC(pool, addr, size) ASAN_UNPOISON_MEMORY_REGION(addr, size)
#define VALGRIND_MEMPOOL_CHANGE(pool, from, to, size) ASAN_UNPOISON_MEMORY_REGION(to, size)

/* The allocator has wiped and forbidden the piece before. */
#define VALGRIND_MEMPOOL_FREE(pool, addr) ((void) 0)

/* Used by newer servers to tell how many errors a query had. */
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_COUNT_ERRORS 0
#define VALGRIND_PRINTF(...) ((void) 0)

#endif							/* GROVE_TEST_MEMCHECK_H */
