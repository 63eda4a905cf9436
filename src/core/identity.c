/*
 * identity.c: radix sort of the hashes' upper halves, then a look at the runs:
 * mostly single rows, or equal ones.  Any other run is sorted by the lower
 * half, too, in linear time however its rows were made.
 */
#include "identity.h"

#include <string.h>

#include "rng.h"

#define DIGIT_BITS	11
#define DIGITS		(1 << DIGIT_BITS)
#define SHORT_RUN	64			/* rows that are sorted by insertion */

/* Sorts by the unsigned value of g; returns where the result is. */
static GroveEntry *
sort_entries(GroveEntry *a, GroveEntry *b, uint32_t n)
{
	uint32_t	count[DIGITS];
	int			shift;
	uint32_t	i;

	for (shift = 0; shift < 32; shift += DIGIT_BITS)
	{
		uint32_t	sum = 0;
		GroveEntry *swap;

		memset(count, 0, sizeof(count));
		for (i = 0; i < n; i++)
			count[((uint32_t) a[i].g >> shift) & (DIGITS - 1)]++;
		for (i = 0; i < DIGITS; i++)
		{
			uint32_t	c = count[i];

			count[i] = sum;
			sum += c;
		}
		for (i = 0; i < n; i++)
			b[count[((uint32_t) a[i].g >> shift) & (DIGITS - 1)]++] = a[i];
		swap = a;
		a = b;
		b = swap;
	}
	return a;
}

/* Sorts a run by the lower half of the hashes, which replaces the upper one in g; returns where the result is. */
static GroveEntry *
sort_run(const uint64_t *hash, GroveEntry *run, GroveEntry *spare, uint32_t n)
{
	uint32_t	i,
				j;

	for (i = 0; i < n; i++)
		run[i].g = (int32_t) (uint32_t) hash[run[i].row];
	if (n > SHORT_RUN)
		return sort_entries(run, spare, n);
	for (i = 1; i < n; i++)
	{
		GroveEntry	e = run[i];

		for (j = i; j > 0 && (uint32_t) run[j - 1].g > (uint32_t) e.g; j--)
			run[j] = run[j - 1];
		run[j] = e;
	}
	return run;
}

/* Identities of a run of rows whose hashes agree in the upper half: sorted by the whole hash, equal ones numbered. */
static void
assign_run(const uint64_t *hash, GroveEntry *run, GroveEntry *spare, uint32_t n, uint32_t *identity)
{
	uint64_t	number = 0;
	uint32_t	i;

	for (i = 1; i < n && hash[run[i].row] == hash[run[0].row]; i++)
		;
	if (i < n)
		run = sort_run(hash, run, spare, n);
	for (i = 0; i < n; i++)
	{
		number = i > 0 && hash[run[i].row] == hash[run[i - 1].row] ? number + 1 : 0;
		identity[run[i].row] = (uint32_t) grove_rng_mix(hash[run[i].row] + number * UINT64_C(0x9e3779b97f4a7c15));
	}
}

void
grove_identity_assign(const uint64_t *hash, uint32_t n, GroveEntry *a, GroveEntry *b, uint32_t *identity)
{
	GroveEntry *sorted;
	GroveEntry *spare;
	uint32_t	begin,
				end,
				i;

	for (i = 0; i < n; i++)
	{
		a[i].row = i;
		a[i].g = (int32_t) (uint32_t) (hash[i] >> 32);
	}
	sorted = sort_entries(a, b, n);
	spare = sorted == a ? b : a;
	for (begin = 0; begin < n; begin = end)
	{
		end = begin + 1;
		while (end < n && sorted[end].g == sorted[begin].g)
			end++;
		assign_run(hash, sorted + begin, spare + begin, end - begin, identity);
	}
}
