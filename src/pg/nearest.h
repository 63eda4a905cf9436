/*
 * nearest.h: the valid name that somebody probably meant.
 */
#ifndef GROVE_NEAREST_H
#define GROVE_NEAREST_H

/* The name with the smallest edit distance, ties to the first; NULL when there are no names. */
extern const char *grovepg_nearest_name(const char *given, const char *const *names, int n);

#endif							/* GROVE_NEAREST_H */
