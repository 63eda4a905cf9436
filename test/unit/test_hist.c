/*
 * test_hist.c: packed histograms against plain sums: all modes, all widths of
 * a block, joined columns, windows, rows more than once, a full chunk of gradients at their limits in
 * one bin, and packing as the reverse of unpacking.
 */
#include <stdlib.h>

#include "../../src/core/hist.h"
#include "engine_kit.h"
#include "unit.h"

static const GroveHistMode modes[] = {GROVE_HIST_PACKED, GROVE_HIST_CONSTANT, GROVE_HIST_WIDE};

/* Random bins, kept as the core keeps them and in plain form. */
typedef struct Matrix
{
	GroveMatrix matrix;
	GroveFeatureBins *bins;
	uint8_t    *plain;			/* [n_rows][n_features] */
} Matrix;

/* n columns that are windows on one feature with the levels of all. */
static void
set_windows(GroveFeatureBins *bins, uint32_t n)
{
	uint32_t	levels = 0;

	for (uint32_t w = 0; w < n; w++)
	{
		bins[w].has_rest = true;
		bins[w].window_first = levels;
		levels += bins[w].n_bins - 1;
	}
	for (uint32_t w = 0; w < n; w++)
		bins[w].window_levels = levels;
}

/* Columns from here on that can be windows, most at most. */
static uint32_t
count_windows(const GroveFeatureBins *bins, uint32_t most)
{
	uint32_t	n = 0;

	while (n < most && bins[n].n_bins >= 2)
		n++;
	return n;
}

/* level: of the feature that the windows at hand are on; UINT32_MAX: missing. */
static uint8_t
draw_bin(KitRandom *random, const GroveFeatureBins *bins, uint32_t *level)
{
	if (bins->window_levels == 0)
		return (uint8_t) kit_below(random, bins->n_bins + 1);
	if (bins->window_first == 0)
		*level = kit_chance(random, 0.1) ? UINT32_MAX : kit_below(random, bins->window_levels);
	if (*level == UINT32_MAX)
		return 0;
	return (uint8_t) (*level - bins->window_first < bins->n_bins - 1 ? *level - bins->window_first + 1 : bins->n_bins);
}

/* windows: on one feature at most. */
static Matrix
make_matrix(KitRandom *random, uint32_t n_rows, uint32_t n_features, uint32_t n_bins, uint32_t windows)
{
	double		few = windows > 2 ? 0.01 : 0.3;
	Matrix		m;
	GroveMatrixSize size;
	uint8_t    *tile = kit_alloc((size_t) n_features * GROVE_TILE_ROWS, 1);

	m.bins = kit_alloc(n_features, sizeof(GroveFeatureBins));
	for (uint32_t f = 0; f < n_features; f++)
	{
		m.bins[f].categorical = true;
		m.bins[f].n_bins = kit_chance(random, few) ? kit_below(random, n_bins < 6 ? n_bins + 1 : 6) : n_bins;
	}
	for (uint32_t f = 0, n; f < n_features; f += n)
	{
		uint32_t	most = windows < n_features - f ? windows : n_features - f;

		n = count_windows(m.bins + f, most);
		if (n >= 2 && kit_chance(random, windows > 2 ? 0.9 : 0.2))
			set_windows(m.bins + f, n);
		else
			n = n == 0 ? 1 : n;
	}
	if (grove_matrix_size(m.bins, n_rows, n_features, true, &size) != GROVE_OK)
		abort();
	m.matrix.n_rows = n_rows;
	m.matrix.n_features = n_features;
	m.matrix.columns = kit_alloc(size.n_columns, sizeof(GroveColumn));
	m.matrix.places = kit_alloc(n_features, sizeof(GrovePlace));
	m.matrix.blocks = kit_alloc(size.n_blocks, sizeof(GroveBlock));
	m.matrix.codes = kit_alloc(size.code_bytes, 1);
	m.matrix.records = kit_alloc(size.record_bytes, 1);
	grove_matrix_layout(&m.matrix, m.bins, true);
	m.plain = kit_alloc((size_t) n_rows * n_features, 1);
	for (uint32_t first = 0; first < n_rows; first += GROVE_TILE_ROWS)
	{
		uint32_t	n = n_rows - first < GROVE_TILE_ROWS ? n_rows - first : GROVE_TILE_ROWS;

		for (uint32_t i = 0; i < n; i++)
		{
			uint32_t	level = 0;

			for (uint32_t f = 0; f < n_features; f++)
			{
				uint8_t		bin = draw_bin(random, &m.bins[f], &level);

				m.plain[(size_t) (first + i) * n_features + f] = bin;
				tile[(size_t) f * GROVE_TILE_ROWS + i] = bin;
			}
		}
		grove_matrix_fill(&m.matrix, m.bins, tile, first, n);
	}
	free(tile);
	return m;
}

static void
free_matrix(Matrix *m)
{
	free(m->plain);
	free(m->bins);
	free(m->matrix.columns);
	free(m->matrix.places);
	free(m->matrix.blocks);
	free(m->matrix.codes);
	free(m->matrix.records);
}

/* A gradient and hessian within the limits of the mode; extreme: at them. */
static void
draw_gradient(KitRandom *random, GroveHistMode mode, bool extreme, int64_t *g, int64_t *h)
{
	int64_t		top = mode == GROVE_HIST_PACKED ? GROVE_PACKED_G_MAX : GROVE_WIDE_MAX;
	int64_t		top_h = mode == GROVE_HIST_PACKED ? GROVE_PACKED_H_MAX : mode == GROVE_HIST_WIDE ? GROVE_WIDE_MAX : 1;

	*g = (int64_t) kit_below(random, (uint32_t) (2 * top + 1)) - top;
	*h = mode == GROVE_HIST_CONSTANT ? 1 : kit_below(random, (uint32_t) (top_h + 1));
	if (extreme)
	{
		*g = *g < 0 ? -top : top;
		*h = top_h;
	}
}

static int32_t
entry_word(GroveHistMode mode, int64_t g, int64_t h)
{
	return (int32_t) (mode == GROVE_HIST_PACKED ? g * 65536 + h : g);
}

static bool
bin_equals(const GroveBinSums *sums, uint32_t b, int64_t g, int64_t h, int64_t c)
{
	return sums->g[b] == g && sums->h[b] == h && sums->c[b] == c;
}

static bool
sums_equal(const GroveBinSums *a, const GroveBinSums *b, uint32_t n_bins)
{
	for (uint32_t i = 0; i <= n_bins; i++)
	{
		if (!bin_equals(a, i, b->g[i], b->h[i], b->c[i]))
			return false;
	}
	return true;
}

/* Sums of a feature over entries, one after another. */
static GroveBinSums
plain_sums(const Matrix *m, uint32_t feature, GroveHistMode mode, const GroveEntry *entries, uint32_t n,
		   const int64_t *g, const int64_t *h)
{
	GroveBinSums sums;

	memset(&sums, 0, sizeof(sums));
	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	row = entries[i].row;
		uint8_t		bin = m->plain[(size_t) row * m->matrix.n_features + feature];

		sums.g[bin] += g[row];
		sums.h[bin] += mode == GROVE_HIST_CONSTANT ? 1 : h[row];
		sums.c[bin]++;
	}
	return sums;
}

/* One feature's accumulator: unpacked, unpacked on top of itself, packed again. */
static void
check_accumulator(GroveHistMode mode, const int64_t *accumulator, uint32_t n_bins, const GroveBinSums *expected)
{
	size_t		words = grove_hist_words(mode);
	size_t		used = (n_bins + 1) * words / GROVE_BINS;
	int64_t    *again = kit_alloc(words, sizeof(int64_t));
	GroveBinSums sums;
	GroveBinSums twice;

	memset(&sums, 0x55, sizeof(sums));
	grove_hist_unpack(mode, accumulator, n_bins, false, &sums);
	CHECK(sums_equal(&sums, expected, n_bins));
	twice = sums;
	grove_hist_unpack(mode, accumulator, n_bins, true, &twice);
	for (uint32_t b = 0; b <= n_bins; b++)
	{
		twice.g[b] -= sums.g[b];
		twice.h[b] -= sums.h[b];
		twice.c[b] -= sums.c[b];
	}
	CHECK(sums_equal(&twice, expected, n_bins));
	grove_hist_pack(mode, &sums, n_bins, again);
	CHECK(memcmp(again, accumulator, used * sizeof(int64_t)) == 0);
	free(again);
}

/* The accumulator of each feature of a block; returns how many there were. */
static uint32_t
check_block(const Matrix *m, const GroveBlock *block, GroveHistMode mode, const GroveEntry *entries, uint32_t n,
			const int64_t *g, const int64_t *h, const int32_t *hess)
{
	int64_t    *accumulators = kit_alloc(GROVE_HIST_SCRATCH, sizeof(int64_t));
	int64_t		scratch[2 * GROVE_BINS];
	uint32_t	n_features = 0;

	memset(accumulators, 0x5a, GROVE_HIST_SCRATCH * sizeof(int64_t));
	grove_hist_clear(&m->matrix, block, mode, accumulators);
	grove_hist_accumulate(&m->matrix, block, mode, entries, n / 3, mode == GROVE_HIST_WIDE ? hess : NULL, accumulators);
	grove_hist_accumulate(&m->matrix, block, mode, entries + n / 3, n - n / 3, mode == GROVE_HIST_WIDE ? hess : NULL,
						  accumulators);
	grove_hist_finish(&m->matrix, block, mode, accumulators);
	for (uint32_t i = 0; i < block->n_columns + block->n_wide; i++)
	{
		const int64_t *column = grove_hist_at(block, mode, accumulators, i);
		uint32_t	f = m->matrix.columns[grove_hist_column(block, i)].feature;

		for (; f != GROVE_NO_FEATURE; f = m->matrix.places[f].next, n_features++)
		{
			GroveBinSums expected = plain_sums(m, f, mode, entries, n, g, h);

			check_accumulator(mode, grove_hist_feature(&m->matrix, m->bins, f, mode, column, scratch),
							  m->bins[f].n_bins, &expected);
		}
	}
	free(accumulators);
	return n_features;
}

static void
check_blocks(const Matrix *m, GroveHistMode mode, const GroveEntry *entries, uint32_t n,
			 const int64_t *g, const int64_t *h, const int32_t *hess)
{
	uint32_t	n_features = 0;

	for (uint32_t b = 0; b < m->matrix.n_blocks; b++)
		n_features += check_block(m, &m->matrix.blocks[b], mode, entries, n, g, h, hess);
	CHECK(n_features == m->matrix.n_features);
}

/* n entries, of rows drawn with replacement. */
static void
check_entries(KitRandom *random, GroveHistMode mode, uint32_t n_features, uint32_t n_bins, uint32_t windows,
			  uint32_t n_rows, uint32_t n, bool extreme)
{
	Matrix		m = make_matrix(random, n_rows, n_features, n_bins, windows);
	GroveEntry *entries = kit_alloc(n, sizeof(GroveEntry));
	int64_t    *g = kit_alloc(n_rows, sizeof(int64_t));
	int64_t    *h = kit_alloc(n_rows, sizeof(int64_t));
	int32_t    *hess = kit_alloc(n_rows, sizeof(int32_t));

	for (uint32_t i = 0; i < n_rows; i++)
	{
		draw_gradient(random, mode, extreme, &g[i], &h[i]);
		hess[i] = (int32_t) h[i];
	}
	for (uint32_t i = 0; i < n; i++)
	{
		entries[i].row = kit_below(random, n_rows);
		entries[i].g = entry_word(mode, g[entries[i].row], h[entries[i].row]);
	}
	check_blocks(&m, mode, entries, n, g, h, hess);
	free_matrix(&m);
	free(entries);
	free(g);
	free(h);
	free(hess);
}

static void
test_random(void)
{
	KitRandom	random = kit_random(1);

	for (uint32_t n_features = 1; n_features <= 70; n_features++)
	{
		for (int mode = 0; mode < 3; mode++)
		{
			uint32_t	n_bins = n_features % 4 == 0 ? 255 : 1 + kit_below(&random, 255);

			check_entries(&random, modes[mode], n_features, n_bins, 2, 1 + kit_below(&random, 300),
						  kit_below(&random, 600), n_features % 3 == 0);
		}
	}
}

/* Features of so many levels that few of them, or one, are a block. */
static void
test_many_levels(void)
{
	KitRandom	random = kit_random(3);

	for (int mode = 0; mode < 3; mode++)
	{
		for (uint32_t windows = 3; windows <= 64; windows += 1 + kit_below(&random, windows))
			check_entries(&random, modes[mode], 150, 255, windows, 2000, 2000, false);
		check_entries(&random, modes[mode], 64, 255, 64, 2000, 2000, false);
	}
}

/* A whole chunk at the limits, all of one sign or of both, in few bins. */
static void
test_extremes(void)
{
	KitRandom	random = kit_random(2);

	for (int mode = 0; mode < 3; mode++)
	{
		check_entries(&random, modes[mode], 5, 0, 2, 1, GROVE_HIST_CHUNK, true);
		check_entries(&random, modes[mode], 5, 1, 2, 2, GROVE_HIST_CHUNK, true);
		check_entries(&random, modes[mode], 17, 2, 2, 2000, GROVE_HIST_CHUNK, true);
	}
}

/* A chunk of rows in one bin, written down: gradients at both limits, hessians at both. */
static void
test_full_bin(void)
{
	for (int mode = 0; mode < 3; mode++)
	{
		int64_t		top = modes[mode] == GROVE_HIST_PACKED ? GROVE_PACKED_G_MAX : GROVE_WIDE_MAX;
		int64_t		top_h = modes[mode] == GROVE_HIST_PACKED ? GROVE_PACKED_H_MAX : GROVE_WIDE_MAX;

		for (int sign = -1; sign <= 1; sign++)
		{
			GroveBinSums sums;
			GroveBinSums back;
			int64_t		accumulator[2 * GROVE_BINS];

			memset(&sums, 0, sizeof(sums));
			sums.c[255] = GROVE_HIST_CHUNK;
			sums.g[255] = sign * top * GROVE_HIST_CHUNK;
			sums.h[255] = modes[mode] == GROVE_HIST_CONSTANT ? sums.c[255] : sign == 0 ? 0 : top_h * GROVE_HIST_CHUNK;
			grove_hist_pack(modes[mode], &sums, 255, accumulator);
			grove_hist_unpack(modes[mode], accumulator, 255, false, &back);
			CHECK(sums_equal(&back, &sums, 255));
		}
	}
}

/*
 * Subtraction of words that are full: the larger child is the parent's word
 * minus the smaller one's, for leaves of up to a chunk of rows, with gradients
 * at both limits, hessians at theirs or 0, and any share of the rows.
 */
static void
test_full_difference(void)
{
	static const int64_t parts[] = {0, 1, 2, 8191, 8192, GROVE_HIST_CHUNK - 2, GROVE_HIST_CHUNK - 1, GROVE_HIST_CHUNK};

	for (int i = 0; i < 3 * 2 * 9 * 4 * 8; i++)
	{
		GroveHistMode mode = modes[i % 3];
		int64_t		n = i / 3 % 2 ? GROVE_HIST_CHUNK : GROVE_HIST_CHUNK - 1;
		int64_t		n_small = parts[i / 216] < n ? parts[i / 216] : n;
		int64_t		top = mode == GROVE_HIST_PACKED ? GROVE_PACKED_G_MAX : GROVE_WIDE_MAX;
		int64_t		top_h = mode == GROVE_HIST_PACKED ? GROVE_PACKED_H_MAX : GROVE_WIDE_MAX;
		int64_t		sign[2] = {i / 6 % 3 - 1, i / 18 % 3 - 1};
		int64_t		hessian[2] = {i / 54 % 2, i / 108 % 2};
		GroveBinSums sums[2];
		GroveBinSums back;
		int64_t		small[2 * GROVE_BINS];
		int64_t		parent[2 * GROVE_BINS];
		int64_t		rest[2 * GROVE_BINS];

		memset(sums, 0, sizeof(sums));
		for (int k = 0; k < 2; k++)
		{
			int64_t		c = k == 0 ? n_small : n - n_small;

			sums[k].c[1] = c;
			sums[k].g[1] = sign[k] * top * c;
			sums[k].h[1] = mode == GROVE_HIST_CONSTANT ? c : hessian[k] * top_h * c;
		}
		grove_hist_pack(mode, &sums[0], 1, small);
		back = sums[1];
		back.c[1] += sums[0].c[1];
		back.g[1] += sums[0].g[1];
		back.h[1] += sums[0].h[1];
		grove_hist_pack(mode, &back, 1, parent);
		for (size_t w = 0; w < 2 * grove_hist_words(mode) / GROVE_BINS; w++)
			rest[w] = (int64_t) ((uint64_t) parent[w] - (uint64_t) small[w]);
		grove_hist_unpack(mode, rest, 1, false, &back);
		CHECK(sums_equal(&back, &sums[1], 1));
	}
}

int
main(void)
{
	test_random();
	test_many_levels();
	test_extremes();
	test_full_bin();
	test_full_difference();
	return unit_done();
}
