/*
 * nearest.c: edit distance for hints.
 */
#include "pg_grove.h"

#include "utils/varlena.h"

#include "nearest.h"

const char *
grovepg_nearest_name(const char *given, const char *const *names, int n)
{
	int			length = strnlen(given, NAMEDATALEN - 1);
	const char *nearest = NULL;
	int			best = NAMEDATALEN;

	for (int i = 0; i < n; i++)
	{
		int			distance = varstr_levenshtein_less_equal(given, length, names[i], strlen(names[i]),
															 1, 1, 1, best - 1, true);

		if (distance < best)
		{
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}
