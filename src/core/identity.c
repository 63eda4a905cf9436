/*
 * identity.c: most rows are like no other, and their identity follows from
 * their hash alone.  A table of counters of two bits finds those that may have
 * a twin; only these are sorted, by the hashes' upper halves, and then there is
 * a look at the runs: mostly single rows, or equal ones.  Any other run is
 * sorted by the lower half, too, in linear time however its rows were made.
 */
#include "identity.h"

#include "clones.h"
#include "rng.h"

#define DIGIT_BITS	11
#define DIGITS		(1 << DIGIT_BITS)
#define SHORT_RUN	64			/* rows that are sorted by insertion */

GROVE_CLONES static void
chain_numbers(const double *numbers, uint64_t *chains, uint32_t n)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
		chains[i] = grove_identity_step(chains[i], grove_identity_bits(numbers[i]));
}

GROVE_CLONES static uint64_t
count_infinite(const double *numbers, uint32_t n)
{
	uint64_t	count = 0;
	uint32_t	i;

	for (i = 0; i < n; i++)
	{
		uint64_t	bits;

		memcpy(&bits, &numbers[i], sizeof(bits));
		count += bits << 1 == UINT64_C(0x7ff0000000000000) << 1;
	}
	return count;
}

void
grove_identity_numbers(const double *numbers, uint64_t *chains, uint32_t n)
{
	chain_numbers(numbers, chains, n);
}

bool
grove_identity_infinite(const double *numbers, uint32_t n)
{
	return count_infinite(numbers, n) > 0;
}

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

/*
 * Gives all rows the identity of a row without a twin, and lists those in a
 * whose counter says more than one; returns how many.  b: the counters.
 */
static uint32_t
list_twins(const uint64_t *hash, uint32_t n, GroveEntry *a, GroveEntry *b, uint32_t *identity)
{
	uint8_t    *counters = (uint8_t *) b;
	uint32_t	listed = 0;
	int			bits = 4;
	uint32_t	i;

	/* at most 16 counters, four bytes, a row */
	while (UINT64_C(2) << bits <= UINT64_C(16) * n)
		bits++;
	memset(counters, 0, (size_t) 1 << (bits - 2));
	for (i = 0; i < n; i++)
	{
		uint64_t	at = hash[i] >> (64 - bits);
		int			shift = (int) (at & 3) * 2;
		uint8_t		more = ((counters[at >> 2] >> shift) & 3) < 2;

		counters[at >> 2] += (uint8_t) (more << shift);
	}
	for (i = 0; i < n; i++)
	{
		uint64_t	at = hash[i] >> (64 - bits);

		identity[i] = (uint32_t) grove_rng_mix(hash[i]);
		a[listed].row = i;
		a[listed].g = (int32_t) (uint32_t) (hash[i] >> 32);
		listed += ((counters[at >> 2] >> ((at & 3) * 2)) & 3) == 2;
	}
	return listed;
}

void
grove_identity_assign(const uint64_t *hash, uint32_t n, GroveEntry *a, GroveEntry *b, uint32_t *identity)
{
	GroveEntry *sorted;
	GroveEntry *spare;
	uint32_t	begin,
				end;

	if (n == 0)
		return;
	n = list_twins(hash, n, a, b, identity);
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
