/*
 * unit.h: what a unit test of the core needs, and nothing more.
 *
 * A test is one program, test/unit/test_<file>.c.  It calls CHECK() as often
 * as it likes and ends main() with "return unit_done();".  A failed check
 * prints its place and its text and the program goes on, so that one run
 * shows all failures.
 */
#ifndef GROVE_UNIT_H
#define GROVE_UNIT_H

#include <stdio.h>
#include <string.h>

static long unit_passed;
static long unit_failed;
static const char *unit_name = "";

static inline void
unit_check(int holds, const char *text, const char *file, int line)
{
	const char *slash = strrchr(file, '/');

	unit_name = slash ? slash + 1 : file;
	if (holds)
		unit_passed++;
	else
	{
		unit_failed++;
		printf("%s:%d: failed: %s\n", file, line, text);
		fflush(stdout);
	}
}

#define CHECK(cond)  unit_check((cond) ? 1 : 0, #cond, __FILE__, __LINE__)

/* The exit status of a test; a program that checked nothing has failed. */
static inline int
unit_done(void)
{
	printf("%s: %ld passed, %ld failed\n", unit_name, unit_passed, unit_failed);
	return unit_failed != 0 || unit_passed == 0;
}

#endif							/* GROVE_UNIT_H */
