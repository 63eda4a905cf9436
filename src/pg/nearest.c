/*
 * nearest.c: edit distance for hints.
 *
 * A name that differs in more than a third of its characters was hardly meant;
 * then it helps more to see which names there are.
 */
#include "pg_grove.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/varlena.h"

#include "nearest.h"

#define MAX_LISTED	20

/* Edits that may lie between two names of that many characters: a third, rounded up, never all of them. */
static int
most_edits(int characters)
{
	return Min((characters + 2) / 3, characters - 1);
}

const char *
grovepg_nearest_name(const char *given, const char *const *names, int n)
{
	int			length = pg_mbcliplen(given, strlen(given), NAMEDATALEN - 1);
	int			characters = pg_mbstrlen_with_len(given, length);
	const char *nearest = NULL;
	int			best = NAMEDATALEN;

	for (int i = 0; i < n; i++)
	{
		int			bytes = strlen(names[i]);
		int			most = Min(best - 1, most_edits(Max(characters, pg_mbstrlen_with_len(names[i], bytes))));
		int			distance = varstr_levenshtein_less_equal(given, length, names[i], bytes, 1, 1, 1, most, true);

		if (distance <= most)
		{
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}

char *
grovepg_nearest_hint(const char *given, const char *const *names, int n, const char *kind)
{
	const char *nearest = grovepg_nearest_name(given, names, n);
	StringInfoData hint;

	if (nearest != NULL)
		return psprintf("Perhaps you mean \"%s\".", nearest);
	if (n == 0)
		return psprintf("There is no %s to name.", kind);
	initStringInfo(&hint);
	appendStringInfo(&hint, n == 1 ? "The only %s is " : "The %ss are ", kind);
	for (int i = 0; i < Min(n, MAX_LISTED); i++)
	{
		if (i > 0)
			appendStringInfoString(&hint, i == n - 1 ? " and " : ", ");
		appendStringInfo(&hint, "\"%s\"", names[i]);
	}
	if (n > MAX_LISTED)
		appendStringInfo(&hint, " and %d more", n - MAX_LISTED);
	appendStringInfoChar(&hint, '.');
	return hint.data;
}
