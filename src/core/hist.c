/*
 * hist.c: the loop that training spends most of its time in.
 *
 * Rows of a leaf are scattered, so the record of the row PREFETCH places ahead
 * is fetched while the current one is added.  A column costs a load and a
 * store at least, those of its sum.  Its code need not be loaded for itself:
 * it is cut out of a word of eight codes.  For every number of columns there
 * is a loop of its own, without jumps.
 */
#include "hist.h"

#include <string.h>

#include "clones.h"

#define PREFETCH	16
#define CACHE_LINE	64			/* bytes */

/* two words that are added at once; as aligned as a word is */
typedef int64_t Pair __attribute__((vector_size(16), aligned(8)));

/* What a row adds, one word. */
static grove_inlined int64_t
row_word(const GroveHistMode mode, int32_t gradient)
{
	int64_t		g = gradient;

	if (mode == GROVE_HIST_PACKED)
		return (g >> 16) * (INT64_C(1) << 39) + (g & 0xffff) * 32768 + 1;
	return g * 65536 + 1;
}

/* Adds a row to a column's sum. */
static grove_inlined void
add_code(const GroveHistMode mode, int64_t *acc, size_t code, Pair pair)
{
	if (mode == GROVE_HIST_WIDE)
		*(Pair *) (acc + 2 * code) += pair;
	else
		acc[code] += pair[0];
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define CODE_SHIFT(c, bytes)	(8 * ((bytes) - 1 - (c)))
#else
#define CODE_SHIFT(c, bytes)	(8 * (c))
#endif

/* Up to eight columns, whose codes begin at codes; a record is a multiple of four bytes. */
static grove_inlined void
add_codes(const GroveHistMode mode, const uint32_t n, const uint8_t *codes, Pair pair, int64_t *acc)
{
	const uint32_t bytes = n <= 4 ? 4 : 8;
	uint32_t	half;
	uint64_t	word;
	uint32_t	c;

	if (bytes == 4)
	{
		memcpy(&half, codes, 4);
		word = half;
	}
	else
		memcpy(&word, codes, 8);
#pragma GCC unroll 8
	for (c = 0; c < n; c++)
		add_code(mode, acc, c * GROVE_BINS + (uint8_t) (word >> CODE_SHIFT(c, bytes)), pair);
}

static grove_inlined void
add_records(const GroveBlock *block, const uint8_t *records, const GroveHistMode mode, const uint32_t n_columns,
			const GroveEntry *entries, uint32_t n, const int32_t *hess, int64_t *acc)
{
	const uint32_t stride = block->stride;
	const uint32_t n_wide = block->n_wide;
	const bool	crosses = CACHE_LINE % stride != 0;	/* some records lie across two lines */
	uint32_t	i,
				c;

	for (i = 0; i < n; i++)
	{
		const uint8_t *record = records + (size_t) entries[i].row * stride;
		Pair		pair = {row_word(mode, entries[i].g), mode == GROVE_HIST_WIDE ? hess[entries[i].row] : 0};

		if (i + PREFETCH < n)
		{
			const uint8_t *ahead = records + (size_t) entries[i + PREFETCH].row * stride;

			grove_prefetch(ahead);
			if (crosses)
				grove_prefetch(ahead + stride - 1);
			if (mode == GROVE_HIST_WIDE)
				grove_prefetch(hess + entries[i + PREFETCH].row);
		}
		for (c = 0; c < n_wide; c++)
		{
			uint16_t	code;

			memcpy(&code, record + block->wide_at + 2 * c, sizeof(code));
			add_code(mode, acc + GROVE_NARROW_COLUMNS_WORDS + 2 * block->codes_at[c], code, pair);
		}
#pragma GCC unroll 4
		for (c = 0; c < n_columns; c += 8)
			add_codes(mode, n_columns - c < 8 ? n_columns - c : 8, record + c, pair,
					  acc + c * grove_hist_words(mode));
	}
}

#define OF(n) \
	case (n): \
		add_records(block, records, mode, (n), entries, n_entries, hess, acc); \
		break;

static grove_inlined void
add_block_records(const GroveBlock *block, const uint8_t *records, const GroveHistMode mode,
				  const GroveEntry *entries, uint32_t n_entries, const int32_t *hess, int64_t *acc)
{
	switch (block->n_columns)
	{
			OF(0) OF(1) OF(2) OF(3) OF(4) OF(5) OF(6) OF(7) OF(8) OF(9) OF(10)
			OF(11) OF(12) OF(13) OF(14) OF(15) OF(16) OF(17) OF(18) OF(19) OF(20) OF(21)
			OF(22) OF(23) OF(24) OF(25) OF(26) OF(27) OF(28) OF(29) OF(30) OF(31) OF(32)
		default:
			break;
	}
}

/* The entry behind those of the codes: their sum. */
GROVE_CLONES static void
sum_codes(uint32_t words, uint32_t n_codes, int64_t *acc)
{
	int64_t    *sum = acc + (size_t) n_codes * words;
	uint32_t	code,
				w;

	for (w = 0; w < words; w++)
	{
		sum[w] = 0;
		for (code = 0; code < n_codes; code++)
			sum[w] += acc[code * words + w];
	}
}

void
grove_hist_clear(const GroveMatrix *matrix, const GroveBlock *block, GroveHistMode mode, int64_t *accumulators)
{
	uint32_t	words = mode == GROVE_HIST_WIDE ? 2 : 1;
	uint32_t	i;

	memset(accumulators, 0, block->n_columns * grove_hist_words(mode) * sizeof(int64_t));
	for (i = block->n_columns; i < block->n_columns + block->n_wide; i++)
		memset(grove_hist_at(block, mode, accumulators, i), 0,
			   matrix->columns[grove_hist_column(block, i)].n_codes * words * sizeof(int64_t));
}

void
grove_hist_accumulate(const GroveMatrix *matrix, const GroveBlock *block, GroveHistMode mode,
					  const GroveEntry *entries, uint32_t n, const int32_t *hess,
					  int64_t *accumulators)
{
	const uint8_t *records = matrix->records + block->at;

	if (mode == GROVE_HIST_PACKED)
		add_block_records(block, records, GROVE_HIST_PACKED, entries, n, hess, accumulators);
	else if (mode == GROVE_HIST_CONSTANT)
		add_block_records(block, records, GROVE_HIST_CONSTANT, entries, n, hess, accumulators);
	else
		add_block_records(block, records, GROVE_HIST_WIDE, entries, n, hess, accumulators);
}

void
grove_hist_finish(const GroveMatrix *matrix, const GroveBlock *block, GroveHistMode mode, int64_t *accumulators)
{
	uint32_t	i;

	for (i = block->n_columns; i < block->n_columns + block->n_wide; i++)
		sum_codes(mode == GROVE_HIST_WIDE ? 2 : 1, matrix->columns[grove_hist_column(block, i)].n_codes,
				  grove_hist_at(block, mode, accumulators, i));
}

/* Digit by digit: adds the codes that have the bin. */
static grove_inlined void
sum_joined(const uint32_t words, const int64_t *acc, uint32_t n_codes, uint32_t scale, uint32_t size, int64_t *out)
{
	uint32_t	bin = 0;
	uint32_t	code,
				i;

	memset(out, 0, size * words * sizeof(int64_t));
	for (code = 0; code < n_codes; code += scale)
	{
		for (i = code * words; i < (code + scale) * words; i += words)
		{
			out[bin * words] += acc[i];
			if (words == 2)
				out[bin * 2 + 1] += acc[i + 1];
		}
		bin = bin + 1 < size ? bin + 1 : 0;
	}
}

/* Levels of the window as they are; all other levels are its last bin. */
static grove_inlined void
copy_window(const uint32_t words, const int64_t *acc, uint32_t n_codes, const GroveFeatureBins *bins, int64_t *out)
{
	uint32_t	n = bins->n_bins - 1;
	const int64_t *levels = acc + (size_t) (bins->window_first + 1) * words;
	int64_t    *rest = out + (size_t) bins->n_bins * words;
	uint32_t	i,
				w;

	memcpy(out, acc, words * sizeof(int64_t));
	memcpy(out + words, levels, n * words * sizeof(int64_t));
	for (w = 0; w < words; w++)
	{
		rest[w] = acc[(size_t) n_codes * words + w] - acc[w];
		for (i = 0; i < n; i++)
			rest[w] -= levels[i * words + w];
	}
}

/* A feature's accumulator from that of the column it shares, into out. */
GROVE_CLONES static void
take_apart(const GroveColumn *column, const GroveFeatureBins *bins, uint32_t scale, GroveHistMode mode,
		   const int64_t *accumulator, int64_t *out)
{
	if (column->width == 2)
		copy_window(mode == GROVE_HIST_WIDE ? 2 : 1, accumulator, column->n_codes, bins, out);
	else if (mode == GROVE_HIST_WIDE)
		sum_joined(2, accumulator, column->n_codes, scale, bins->n_bins + 1, out);
	else
		sum_joined(1, accumulator, column->n_codes, scale, bins->n_bins + 1, out);
}

const int64_t *
grove_hist_feature(const GroveMatrix *matrix, const GroveFeatureBins *bins, uint32_t feature, GroveHistMode mode,
				   const int64_t *accumulator, int64_t *scratch)
{
	const GroveColumn *column = &matrix->columns[matrix->places[feature].column];

	if (column->width == 1 && bins[feature].n_bins + 1 == column->n_codes)
		return accumulator;
	take_apart(column, &bins[feature], matrix->places[feature].scale, mode, accumulator, scratch);
	return scratch;
}

/* Gradient, hessian and count of one bin of an accumulator. */
static grove_inlined void
unpack_bin(const GroveHistMode mode, const int64_t *acc, uint32_t bin, int64_t *g, int64_t *h, int64_t *c)
{
	int64_t		word = mode == GROVE_HIST_WIDE ? acc[2 * bin] : acc[bin];

	if (mode == GROVE_HIST_PACKED)
	{
		*c = word & 0x7fff;
		*h = (word >> 15) & 0xffffff;
		*g = word >> 39;
	}
	else
	{
		*c = word & 0xffff;
		*g = word >> 16;
		*h = mode == GROVE_HIST_WIDE ? acc[2 * bin + 1] : *c;
	}
}

static grove_inlined void
unpack(const GroveHistMode mode, const int64_t *acc, uint32_t n_bins, const bool add, GroveBinSums *sums)
{
	uint32_t	b;

	for (b = 0; b <= n_bins; b++)
	{
		int64_t		g,
					h,
					c;

		unpack_bin(mode, acc, b, &g, &h, &c);
		sums->g[b] = (add ? sums->g[b] : 0) + g;
		sums->h[b] = (add ? sums->h[b] : 0) + h;
		sums->c[b] = (add ? sums->c[b] : 0) + c;
	}
}

GROVE_CLONES static void
unpack_any(GroveHistMode mode, const int64_t *accumulator, uint32_t n_bins, bool add, GroveBinSums *sums)
{
	if (mode == GROVE_HIST_PACKED)
	{
		if (add)
			unpack(GROVE_HIST_PACKED, accumulator, n_bins, true, sums);
		else
			unpack(GROVE_HIST_PACKED, accumulator, n_bins, false, sums);
	}
	else if (mode == GROVE_HIST_CONSTANT)
		unpack(GROVE_HIST_CONSTANT, accumulator, n_bins, add, sums);
	else
		unpack(GROVE_HIST_WIDE, accumulator, n_bins, add, sums);
}

void
grove_hist_unpack(GroveHistMode mode, const int64_t *accumulator, uint32_t n_bins, bool add,
				  GroveBinSums *sums)
{
	unpack_any(mode, accumulator, n_bins, add, sums);
}

void
grove_hist_pack(GroveHistMode mode, const GroveBinSums *sums, uint32_t n_bins, int64_t *accumulator)
{
	uint32_t	b;

	for (b = 0; b <= n_bins; b++)
	{
		if (mode == GROVE_HIST_PACKED)
			accumulator[b] = sums->g[b] * (INT64_C(1) << 39) + sums->h[b] * 32768 + sums->c[b];
		else if (mode == GROVE_HIST_CONSTANT)
			accumulator[b] = sums->g[b] * 65536 + sums->c[b];
		else
		{
			accumulator[2 * b] = sums->g[b] * 65536 + sums->c[b];
			accumulator[2 * b + 1] = sums->h[b];
		}
	}
}
