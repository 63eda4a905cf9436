/*
 * clones.h: functions that are compiled more than once, for several instruction
 * sets, of which the loader takes what the machine has.
 *
 * All of them compute the same bits: the operations are those of IEEE 754 in
 * the same order, never contracted, only more of them at once.  Where the
 * compiler or the C library cannot do it, or sanitizers are in the way, there
 * is one for the baseline.  GROVE_NO_CLONES asks for that, too: a test compares
 * the digests of both.  Such functions are static: the loader's own would be
 * seen outside of the library.
 */
#ifndef GROVE_CLONES_H
#define GROVE_CLONES_H

#include <limits.h>				/* tells whether this is glibc */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(GROVE_NO_CLONES)
#define GROVE_CLONES	__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GROVE_CLONES
#endif

/* For the parts of such functions: compiled with each of them. */
#define grove_inlined inline __attribute__((always_inline))

#endif							/* GROVE_CLONES_H */
