/*
 * test_partition.c: rows sent to two children: each one on its side, none
 * lost, none doubled.
 */
#include <stdlib.h>

#include "../../src/core/partition.h"
#include "engine_kit.h"
#include "unit.h"

#define ROWS	400

/* One list through one table; entries carry their place in g, so that each can be told from its copies. */
static void
check_list(KitRandom *random, bool wide, const uint16_t *column, const uint8_t *table, uint32_t n)
{
	uint8_t		narrow[ROWS];
	GroveEntry *in = kit_alloc(n, sizeof(GroveEntry));
	GroveEntry *out = kit_alloc(n, sizeof(GroveEntry));
	uint32_t   *rows_in = kit_alloc(n, sizeof(uint32_t));
	uint32_t   *rows_out = kit_alloc(n, sizeof(uint32_t));
	uint8_t    *seen = kit_alloc(n, 1);
	uint32_t	left;
	uint32_t	rows_left;
	uint32_t	expected = 0;
	bool		sides = true;
	bool		once = true;
	bool		same = true;

	for (uint32_t i = 0; i < n; i++)
	{
		in[i].row = rows_in[i] = kit_below(random, ROWS);
		in[i].g = (int32_t) i;
		expected += table[column[in[i].row]];
	}
	for (uint32_t i = 0; i < ROWS; i++)
		narrow[i] = (uint8_t) column[i];
	left = wide ? grove_partition_entries_wide(column, table, in, out, n) :
		grove_partition_entries(narrow, table, in, out, n);
	rows_left = wide ? grove_partition_rows_wide(column, table, rows_in, rows_out, n) :
		grove_partition_rows(narrow, table, rows_in, rows_out, n);
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	from = (uint32_t) out[i].g;

		sides = sides && table[column[out[i].row]] == (i < left);
		once = once && from < n && !seen[from] && in[from].row == out[i].row;
		same = same && rows_out[i] == out[i].row;
		if (from < n)
			seen[from] = 1;
	}
	CHECK(left == expected && rows_left == expected);
	CHECK(sides);
	CHECK(once);
	CHECK(same);
	free(in);
	free(out);
	free(rows_in);
	free(rows_out);
	free(seen);
}

int
main(void)
{
	KitRandom	random = kit_random(1);
	uint16_t	column[ROWS];
	uint8_t		table[GROVE_MAX_CODES];

	for (uint32_t round = 0; round < 500; round++)
	{
		double		share = round % 5 == 0 ? 0.0 : round % 5 == 1 ? 1.0 : kit_unit(&random);

		bool		wide = round % 2 == 0;
		uint32_t	n_codes = wide ? GROVE_MAX_CODES : GROVE_BINS;

		for (uint32_t i = 0; i < ROWS; i++)
			column[i] = (uint16_t) kit_below(&random, n_codes);
		for (uint32_t b = 0; b < n_codes; b++)
			table[b] = kit_chance(&random, share);
		check_list(&random, wide, column, table, round < 20 ? round : kit_below(&random, 1000));
	}
	return unit_done();
}
