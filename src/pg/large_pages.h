/*
 * large_pages.h: pages of memory that are larger than usual.
 */
#ifndef GROVE_LARGE_PAGES_H
#define GROVE_LARGE_PAGES_H

/*
 * Asks for large pages for memory that has not been touched yet.  Without
 * effect where the system does not have them.
 */
extern void grovepg_large_pages(void *memory, Size size);

#endif							/* GROVE_LARGE_PAGES_H */
