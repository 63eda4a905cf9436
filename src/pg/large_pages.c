/*
 * large_pages.c: transparent huge pages of Linux, where they are given to who
 * asks.  A page fault then serves 2 MB instead of 4 kB, and addresses that are
 * scattered need fewer translations.
 */
#include "pg_grove.h"

#include <sys/mman.h>
#include <unistd.h>

#include "large_pages.h"

void
grovepg_large_pages(void *memory, Size size)
{
#ifdef MADV_HUGEPAGE
	Size		page = (Size) sysconf(_SC_PAGESIZE);
	Size		skip = TYPEALIGN(page, (uintptr_t) memory) - (uintptr_t) memory;

	if (size > skip + page)
		(void) madvise((char *) memory + skip, (size - skip) / page * page, MADV_HUGEPAGE);
#endif
}
