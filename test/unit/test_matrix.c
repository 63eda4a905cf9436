/*
 * test_matrix.c: which feature stands where, for random features of few and of
 * many bins and windows; what both copies hold against the bins of each value;
 * records made from the columns; tables of splits by code.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/core/matrix.h"
#include "engine_kit.h"
#include "unit.h"

typedef struct Case
{
	uint32_t	n_features;
	uint32_t	n_rows;
	bool		join;
	GroveFeatureBins *bins;
	uint8_t    *expected;		/* [n_rows][n_features] */
	GroveMatrix matrix;
	GroveMatrixSize size;
} Case;

/* Windows on a feature of many levels, as far as there are features left; returns how many. */
static uint32_t
draw_windows(KitRandom *random, GroveFeatureBins *bins, uint32_t left)
{
	uint32_t	most = kit_chance(random, 0.3) ? 63 : 3;
	uint32_t	n = left < most + 1 ? left : 2 + kit_below(random, most);
	uint32_t	levels = 0;

	for (uint32_t w = 0; w < n; w++)
	{
		bins[w].categorical = true;
		bins[w].has_rest = true;
		bins[w].window_first = levels;
		bins[w].n_bins = 2 + kit_below(random, 254);
		levels += bins[w].n_bins - 1;
	}
	for (uint32_t w = 0; w < n; w++)
		bins[w].window_levels = levels;
	return n;
}

static void
draw_features(KitRandom *random, Case *c)
{
	uint32_t	few = kit_below(random, 3) * 5;

	c->bins = kit_alloc(c->n_features, sizeof(GroveFeatureBins));
	for (uint32_t f = 0; f < c->n_features;)
	{
		if (c->n_features - f >= 2 && kit_chance(random, 0.1))
		{
			f += draw_windows(random, c->bins + f, c->n_features - f);
			continue;
		}
		c->bins[f].categorical = true;
		c->bins[f++].n_bins = kit_below(random, kit_below(random, 10) < few ? 20 : 256);
	}
}

static void
make_matrix(Case *c)
{
	GroveMatrix *m = &c->matrix;

	CHECK(grove_matrix_size(c->bins, c->n_rows, c->n_features, c->join, &c->size) == GROVE_OK);
	m->n_rows = c->n_rows;
	m->n_features = c->n_features;
	m->columns = kit_alloc(c->size.n_columns, sizeof(GroveColumn));
	m->places = kit_alloc(c->n_features, sizeof(GrovePlace));
	m->blocks = kit_alloc(c->size.n_blocks, sizeof(GroveBlock));
	m->codes = kit_alloc(c->size.code_bytes, 1);
	m->records = kit_alloc(c->size.record_bytes, 1);
	memset(m->codes, 0xee, c->size.code_bytes);
	grove_matrix_layout(m, c->bins, c->join);
	CHECK(m->n_columns == c->size.n_columns && m->n_blocks == c->size.n_blocks);
}

/* Every feature is in one column, in the chain of that column, and every column in one block. */
static void
check_layout(const Case *c)
{
	const GroveMatrix *m = &c->matrix;
	uint32_t	n_features = 0;
	uint32_t	n_columns = 0;

	for (uint32_t i = 0; i < m->n_columns; i++)
	{
		const GroveColumn *column = &m->columns[i];
		uint32_t	codes = 1;

		for (uint32_t f = column->feature; f != GROVE_NO_FEATURE; f = m->places[f].next, n_features++)
		{
			CHECK(m->places[f].column == i);
			CHECK((column->width == 2) == (c->bins[f].window_levels > 0));
			if (column->width == 1)
			{
				CHECK(m->places[f].scale == codes);
				codes *= c->bins[f].n_bins + 1;
			}
		}
		CHECK(column->n_codes == (column->width == 2 ? c->bins[column->feature].window_levels + 1 : codes));
		CHECK(column->n_codes <= (column->width == 2 ? GROVE_MAX_CODES : GROVE_BINS));
		CHECK(column->at + (size_t) m->n_rows * column->width <= c->size.code_bytes);
		CHECK(c->join || column->width == 2 || m->places[column->feature].next == GROVE_NO_FEATURE);
	}
	CHECK(n_features == c->n_features);
	for (uint32_t b = 0; b < m->n_blocks; b++)
	{
		const GroveBlock *block = &m->blocks[b];
		uint32_t	n_codes = 0;

		CHECK(block->n_columns <= GROVE_BLOCK_COLUMNS && block->n_wide <= GROVE_BLOCK_WIDE);
		CHECK(block->n_columns + block->n_wide >= 1 && block->stride % 4 == 0);
		CHECK(block->n_columns <= block->wide_at && block->wide_at + 2 * block->n_wide <= block->stride);
		CHECK(block->at + (size_t) m->n_rows * block->stride <= c->size.record_bytes);
		for (uint32_t i = 0; i < block->n_columns; i++)
			CHECK(m->columns[block->first + i].block == b && m->columns[block->first + i].width == 1);
		for (uint32_t i = 0; i < block->n_wide; i++)
		{
			const GroveColumn *column = &m->columns[block->first_wide + i];

			CHECK(column->block == b && column->width == 2 && block->codes_at[i] == n_codes);
			n_codes += column->n_codes + 1;
		}
		CHECK(n_codes <= GROVE_MAX_CODES);
		n_columns += block->n_columns + block->n_wide;
	}
	CHECK(n_columns == m->n_columns);
}

/* A row's values: a bin for each feature, and where they are windows the same level in all of them. */
static void
draw_row(KitRandom *random, Case *c, uint32_t row, uint8_t *tile)
{
	uint32_t	rank = 0;
	bool		missing = false;

	for (uint32_t f = 0; f < c->n_features; f++)
	{
		const GroveFeatureBins *bins = &c->bins[f];
		uint32_t	bin = kit_below(random, bins->n_bins + 1);

		if (bins->window_levels > 0)
		{
			if (bins->window_first == 0)
			{
				rank = kit_below(random, bins->window_levels);
				missing = kit_chance(random, 0.1);
			}
			bin = missing ? 0 : rank - bins->window_first < bins->n_bins - 1 ? rank - bins->window_first + 1 : bins->n_bins;
		}
		tile[(size_t) f * GROVE_TILE_ROWS] = (uint8_t) bin;
		c->expected[(size_t) row * c->n_features + f] = (uint8_t) bin;
	}
}

static void
fill(KitRandom *random, Case *c)
{
	uint8_t    *tile = kit_alloc((size_t) c->n_features * GROVE_TILE_ROWS, 1);

	c->expected = kit_alloc((size_t) c->n_rows * c->n_features, 1);
	for (uint32_t first = 0, n; first < c->n_rows; first += n)
	{
		n = 1 + kit_below(random, GROVE_TILE_ROWS);
		n = n < c->n_rows - first ? n : c->n_rows - first;
		for (uint32_t i = 0; i < n; i++)
			draw_row(random, c, first + i, tile + i);
		grove_matrix_fill(&c->matrix, c->bins, tile, first, n);
	}
	free(tile);
}

static uint32_t
code_in_column(const GroveMatrix *m, const GroveColumn *column, uint32_t row)
{
	const uint8_t *codes = m->codes + column->at;

	return column->width == 2 ? ((const uint16_t *) codes)[row] : codes[row];
}

static uint32_t
code_in_record(const GroveMatrix *m, const GroveColumn *column, uint32_t row)
{
	const GroveBlock *block = &m->blocks[column->block];
	const uint8_t *record = m->records + block->at + (size_t) row * block->stride;
	uint32_t	number = (uint32_t) (column - m->columns);
	uint16_t	code;

	if (column->width == 1)
		return record[number - block->first];
	memcpy(&code, record + block->wide_at + 2 * (number - block->first_wide), sizeof(code));
	return code;
}

/* A table that sends each bin one way sends each row's code the way of its bin; both copies agree. */
static void
check_codes(KitRandom *random, const Case *c)
{
	const GroveMatrix *m = &c->matrix;
	uint32_t	wrong = 0;

	for (uint32_t f = 0; f < c->n_features; f++)
	{
		const GroveColumn *column = &m->columns[m->places[f].column];
		uint8_t		by_bin[GROVE_BINS];
		uint8_t		by_code[GROVE_MAX_CODES];

		for (uint32_t b = 0; b < GROVE_BINS; b++)
			by_bin[b] = (uint8_t) kit_below(random, 256);
		grove_matrix_by_code(m, c->bins, f, by_bin, by_code);
		for (uint32_t i = 0; i < c->n_rows; i++)
		{
			uint32_t	code = code_in_column(m, column, i);

			wrong += code >= column->n_codes || by_code[code] != by_bin[c->expected[(size_t) i * c->n_features + f]];
			wrong += code_in_record(m, column, i) != code;
		}
	}
	CHECK(wrong == 0);
}

static void
check_case(KitRandom *random, uint32_t n_features, uint32_t n_rows, bool join)
{
	Case		c = {.n_features = n_features,.n_rows = n_rows,.join = join};
	uint8_t    *records;

	draw_features(random, &c);
	make_matrix(&c);
	check_layout(&c);
	fill(random, &c);
	check_codes(random, &c);
	records = c.matrix.records;
	c.matrix.records = kit_alloc(c.size.record_bytes, 1);
	grove_matrix_records(&c.matrix, n_rows / 3, n_rows - n_rows / 3);
	grove_matrix_records(&c.matrix, 0, n_rows / 3);
	CHECK(memcmp(records, c.matrix.records, c.size.record_bytes) == 0);
	free(records);
	free(c.matrix.records);
	free(c.matrix.codes);
	free(c.matrix.columns);
	free(c.matrix.places);
	free(c.matrix.blocks);
	free(c.expected);
	free(c.bins);
}

static void
check_limits(void)
{
	GroveFeatureBins *bins = kit_alloc(GROVE_MAX_FEATURES, sizeof(GroveFeatureBins));
	GroveMatrixSize size;

	for (uint32_t f = 0; f < GROVE_MAX_FEATURES; f++)
		bins[f].n_bins = 255;
	CHECK(grove_matrix_size(bins, 1, 0, false, &size) == GROVE_ERR_SIZE);
	CHECK(grove_matrix_size(bins, 1, GROVE_MAX_FEATURES + 1, false, &size) == GROVE_ERR_SIZE);
	CHECK(grove_matrix_size(bins, (uint32_t) GROVE_MAX_ROWS + 1, 1, false, &size) == GROVE_ERR_SIZE);
	if (sizeof(size_t) > 4)
	{
		CHECK(grove_matrix_size(bins, (uint32_t) GROVE_MAX_ROWS, GROVE_MAX_FEATURES, true, &size) == GROVE_OK);
		CHECK(size.record_bytes == (size_t) GROVE_MAX_ROWS * GROVE_MAX_FEATURES && size.code_bytes == size.record_bytes);
	}
	/* the most windows that can be: no more blocks than a worker has room for */
	for (uint32_t f = 0; f < GROVE_MAX_FEATURES; f++)
	{
		bins[f].n_bins = 2;
		bins[f].window_levels = 2;
		bins[f].window_first = f % 2;
	}
	CHECK(grove_matrix_size(bins, 10, GROVE_MAX_FEATURES, false, &size) == GROVE_OK);
	CHECK(size.n_blocks <= GROVE_MAX_BLOCKS);
	/* as many as possible of which each needs most of a block */
	for (uint32_t f = 0; f < GROVE_MAX_FEATURES; f++)
	{
		bins[f].n_bins = 255;
		bins[f].window_levels = f / 33 * 33 + 33 > GROVE_MAX_FEATURES ? GROVE_MAX_FEATURES % 33 * 254 : 33 * 254;
		bins[f].window_first = f % 33 * 254;
	}
	CHECK(grove_matrix_size(bins, 10, GROVE_MAX_FEATURES, false, &size) == GROVE_OK);
	CHECK(size.n_blocks + 1 == size.n_columns && size.n_blocks <= GROVE_MAX_BLOCKS);
	for (uint32_t f = 0; f < GROVE_MAX_FEATURES; f++)
		bins[f].window_levels = GROVE_MAX_CODES - 1;
	CHECK(grove_matrix_size(bins, 10, GROVE_MAX_FEATURES, false, &size) == GROVE_ERR_SIZE);
	free(bins);
}

int
main(void)
{
	KitRandom	random = kit_random(1);

	for (uint32_t n_features = 1; n_features <= 80; n_features++)
	{
		check_case(&random, n_features, 1 + kit_below(&random, 2500), false);
		check_case(&random, n_features, 1 + kit_below(&random, 2500), true);
	}
	for (uint32_t n_features = 150; n_features <= 300; n_features += 50)
		check_case(&random, n_features, 20, false);
	check_limits();
	return unit_done();
}
