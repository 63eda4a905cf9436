/*
 * nearest.h: the valid name that somebody probably meant.
 */
#ifndef GROVE_NEAREST_H
#define GROVE_NEAREST_H

/* The name with the smallest edit distance, ties to the first; NULL when none is near. */
extern const char *grovepg_nearest_name(const char *given, const char *const *names, int n);

/* A hint: the nearest name, or when none is near all of them, at most 20.  kind: what they are, in the singular. */
extern char *grovepg_nearest_hint(const char *given, const char *const *names, int n, const char *kind);

#endif							/* GROVE_NEAREST_H */
