/*
 * matrix.c: which feature stands in which column and block, and tiles of
 * doubles into both copies.
 */
#include "matrix.h"

#include <string.h>

#define RECORD_MAX	32
#define JOIN_BINS_MAX	16		/* features of more bins keep a column */

/* Records of more than 24 bytes would often lie across two lines of the cache. */
static uint32_t
stride_of(uint32_t bytes)
{
	return bytes > 24 ? RECORD_MAX : (bytes + 3) / 4 * 4;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Columns that are in no block yet; the next wide one begins with this feature or one behind it. */
typedef struct Left
{
	uint32_t	narrow;
	uint32_t	wide;
	uint32_t	feature;
} Left;

/* The next block of what is left of both kinds of columns, which it takes away. */
static GroveBlock
next_block(const GroveFeatureBins *bins, Left *left)
{
	GroveBlock	block = {0};
	uint32_t	most;
	uint32_t	codes = 0;

	block.n_columns = least(left->narrow, GROVE_BLOCK_COLUMNS);
	block.wide_at = (block.n_columns + 1) / 2 * 2;
	for (most = least(least(left->wide, GROVE_BLOCK_WIDE), (RECORD_MAX - block.wide_at) / 2);
		 block.n_wide < most; block.n_wide++, left->feature++)
	{
		while (bins[left->feature].window_levels == 0 || !grove_bins_first(&bins[left->feature]))
			left->feature++;
		if (codes + bins[left->feature].window_levels + 2 > GROVE_MAX_CODES)
			break;
		block.codes_at[block.n_wide] = codes;
		codes += bins[left->feature].window_levels + 2;
	}
	block.stride = stride_of(block.wide_at + 2 * block.n_wide);
	left->narrow -= block.n_columns;
	left->wide -= block.n_wide;
	return block;
}

static bool
may_join(const GroveFeatureBins *bins)
{
	return bins->n_bins < JOIN_BINS_MAX;
}

/* Bytes of n_rows elements, up to where the next part starts. */
static size_t
part_bytes(uint32_t n_rows, uint32_t width)
{
	return ((size_t) n_rows * width + 7) & ~(size_t) 7;
}

/* Columns of one byte, and wide ones. */
static void
count_columns(const GroveFeatureBins *bins, uint32_t n_features, bool join, uint32_t *narrow, uint32_t *wide)
{
	uint32_t	codes = GROVE_BINS + 1; /* of the column that is being joined; none yet */
	uint32_t	f;

	*narrow = 0;
	*wide = 0;
	for (f = 0; f < n_features; f++)
	{
		uint32_t	size = bins[f].n_bins + 1;

		if (bins[f].window_levels > 0)
			*wide += bins[f].window_first == 0;
		else if (!join || !may_join(&bins[f]))
			++*narrow;
		else if (codes * size <= GROVE_BINS)
			codes *= size;
		else
		{
			++*narrow;
			codes = size;
		}
	}
}

GroveStatus
grove_matrix_size(const GroveFeatureBins *bins, uint32_t n_rows, uint32_t n_features, bool join,
				  GroveMatrixSize *size)
{
	Left		left = {0, 0, 0};
	uint32_t	f;

	if (n_features < 1 || n_features > GROVE_MAX_FEATURES || n_rows > GROVE_MAX_ROWS)
		return GROVE_ERR_SIZE;
	for (f = 0; f < n_features; f++)
	{
		if (bins[f].window_levels > GROVE_MAX_CODES - 2)
			return GROVE_ERR_SIZE;
	}
	count_columns(bins, n_features, join, &left.narrow, &left.wide);
	memset(size, 0, sizeof(*size));
	size->n_columns = left.narrow + left.wide;
	if (!grove_size_add(&size->code_bytes, left.wide, part_bytes(n_rows, sizeof(uint16_t))) ||
		!grove_size_add(&size->code_bytes, left.narrow, n_rows))
		return GROVE_ERR_SIZE;
	for (; left.narrow + left.wide > 0; size->n_blocks++)
	{
		if (!grove_size_add(&size->record_bytes, n_rows, next_block(bins, &left).stride))
			return GROVE_ERR_SIZE;
	}
	return GROVE_OK;
}

/* A column that begins with this feature. */
static GroveColumn *
begin_column(GroveMatrix *m, uint32_t feature, uint32_t n_codes, uint32_t width)
{
	GroveColumn *column = &m->columns[m->n_columns];
	GrovePlace *place = &m->places[feature];

	column->n_codes = n_codes;
	column->width = width;
	column->feature = (uint16_t) feature;
	place->column = (uint16_t) m->n_columns++;
	place->next = GROVE_NO_FEATURE;
	place->scale = 1;
	return column;
}

/* One more feature for a column whose last one so far is last. */
static void
add_to_column(GroveMatrix *m, uint32_t feature, uint32_t last, uint32_t scale)
{
	GrovePlace *place = &m->places[feature];

	m->places[last].next = (uint16_t) feature;
	place->column = m->places[last].column;
	place->next = GROVE_NO_FEATURE;
	place->scale = (uint16_t) scale;
}

static void
place_narrow(GroveMatrix *m, const GroveFeatureBins *bins, bool join)
{
	GroveColumn *joined = NULL;
	uint32_t	last = 0;
	uint32_t	f;

	for (f = 0; f < m->n_features; f++)
	{
		uint32_t	size = bins[f].n_bins + 1;

		if (bins[f].window_levels > 0)
			continue;
		if (!join || !may_join(&bins[f]))
			begin_column(m, f, size, 1);
		else if (joined && joined->n_codes * size <= GROVE_BINS)
		{
			add_to_column(m, f, last, joined->n_codes);
			joined->n_codes *= size;
			last = f;
		}
		else
		{
			joined = begin_column(m, f, size, 1);
			last = f;
		}
	}
}

static void
place_windows(GroveMatrix *m, const GroveFeatureBins *bins)
{
	uint32_t	f;

	for (f = 0; f < m->n_features; f++)
	{
		if (bins[f].window_levels == 0)
			continue;
		if (bins[f].window_first == 0)
			begin_column(m, f, bins[f].window_levels + 1, 2);
		else
			add_to_column(m, f, f - 1, 1);
	}
}

void
grove_matrix_layout(GroveMatrix *m, const GroveFeatureBins *bins, bool join)
{
	Left		left = {0, 0, 0};
	uint32_t	narrow,
				c;
	size_t		at = 0;

	m->n_columns = 0;
	place_narrow(m, bins, join);
	narrow = m->n_columns;
	place_windows(m, bins);
	for (c = narrow; c < m->n_columns; c++, at += part_bytes(m->n_rows, sizeof(uint16_t)))
		m->columns[c].at = at;
	for (c = 0; c < narrow; c++, at += m->n_rows)
		m->columns[c].at = at;

	left.narrow = narrow;
	left.wide = m->n_columns - narrow;
	at = 0;
	for (m->n_blocks = 0; left.narrow + left.wide > 0; m->n_blocks++)
	{
		GroveBlock *block = &m->blocks[m->n_blocks];
		GroveBlock *before = block - 1;

		*block = next_block(bins, &left);
		block->first = m->n_blocks > 0 ? before->first + before->n_columns : 0;
		block->first_wide = m->n_columns - left.wide - block->n_wide;
		block->at = at;
		at += part_bytes(m->n_rows, block->stride);
		for (c = 0; c < block->n_columns; c++)
			m->columns[block->first + c].block = m->n_blocks;
		for (c = 0; c < block->n_wide; c++)
			m->columns[block->first_wide + c].block = m->n_blocks;
	}
}

/* Codes of a column of one byte. */
static void
fill_narrow(const GroveMatrix *m, const GroveColumn *column, const uint8_t *tile, uint8_t *codes, uint32_t n)
{
	uint32_t	f = column->feature;
	uint32_t	i;

	memcpy(codes, tile + (size_t) f * GROVE_TILE_ROWS, n);
	while ((f = m->places[f].next) != GROVE_NO_FEATURE)
	{
		const uint8_t *digits = tile + (size_t) f * GROVE_TILE_ROWS;
		uint32_t	scale = m->places[f].scale;

		for (i = 0; i < n; i++)
			codes[i] = (uint8_t) (codes[i] + digits[i] * scale);
	}
}

/* Codes of a column of windows: the one window that has the level tells its rank. */
static void
fill_windows(const GroveMatrix *m, const GroveFeatureBins *bins, const GroveColumn *column, const uint8_t *tile,
			 uint16_t *codes, uint32_t n)
{
	uint32_t	f;
	uint32_t	i;

	memset(codes, 0, n * sizeof(uint16_t));
	for (f = column->feature; f != GROVE_NO_FEATURE; f = m->places[f].next)
	{
		const uint8_t *bin = tile + (size_t) f * GROVE_TILE_ROWS;

		for (i = 0; i < n; i++)
		{
			if (bin[i] != GROVE_MISSING_BIN && bin[i] < bins[f].n_bins)
				codes[i] = (uint16_t) (bins[f].window_first + bin[i]);
		}
	}
}

/* A tile of columns as it stands in GroveMatrix.codes side by side in the records. */
static void
fill_records(const GroveMatrix *m, const GroveBlock *block, uint32_t first, uint32_t n)
{
	uint32_t	stride = block->stride;
	uint8_t    *records = m->records + block->at + (size_t) first * stride;
	uint32_t	i,
				c;

	if (block->wide_at + 2 * block->n_wide < stride || block->n_columns < block->wide_at)
		memset(records, 0, (size_t) n * stride);
	for (c = 0; c + 4 <= block->n_columns; c += 4)
	{
		const GroveColumn *column = &m->columns[block->first + c];
		const uint8_t *a = m->codes + column[0].at + first;
		const uint8_t *b = m->codes + column[1].at + first;
		const uint8_t *d = m->codes + column[2].at + first;
		const uint8_t *e = m->codes + column[3].at + first;
		uint8_t    *out = records + c;

		for (i = 0; i < n; i++, out += stride)
		{
			out[0] = a[i];
			out[1] = b[i];
			out[2] = d[i];
			out[3] = e[i];
		}
	}
	for (; c < block->n_columns; c++)
	{
		const uint8_t *codes = m->codes + m->columns[block->first + c].at + first;

		for (i = 0; i < n; i++)
			records[(size_t) i * stride + c] = codes[i];
	}
	for (c = 0; c < block->n_wide; c++)
	{
		const uint16_t *codes = (const uint16_t *) (m->codes + m->columns[block->first_wide + c].at) + first;

		for (i = 0; i < n; i++)
			memcpy(records + (size_t) i * stride + block->wide_at + 2 * c, &codes[i], sizeof(uint16_t));
	}
}

void
grove_matrix_fill(GroveMatrix *m, const GroveFeatureBins *bins, const uint8_t *tile, uint32_t first, uint32_t n)
{
	uint32_t	b,
				c;

	for (c = 0; c < m->n_columns; c++)
	{
		const GroveColumn *column = &m->columns[c];

		if (column->width == 2)
			fill_windows(m, bins, column, tile, (uint16_t *) (m->codes + column->at) + first, n);
		else
			fill_narrow(m, column, tile, m->codes + column->at + first, n);
	}
	for (b = 0; b < m->n_blocks; b++)
		fill_records(m, &m->blocks[b], first, n);
}

void
grove_matrix_records(GroveMatrix *m, uint32_t first, uint32_t n)
{
	uint32_t	b,
				done;

	for (b = 0; b < m->n_blocks; b++)
	{
		for (done = 0; done < n; done += GROVE_TILE_ROWS)
			fill_records(m, &m->blocks[b], first + done, least(n - done, GROVE_TILE_ROWS));
	}
}

void
grove_matrix_by_code(const GroveMatrix *m, const GroveFeatureBins *bins, uint32_t feature,
					 const uint8_t *by_bin, uint8_t *by_code)
{
	uint32_t	n_codes = m->columns[m->places[feature].column].n_codes;
	uint32_t	scale = m->places[feature].scale;
	const GroveFeatureBins *own = &bins[feature];
	uint32_t	code;

	if (own->window_levels == 0)
	{
		for (code = 0; code < n_codes; code++)
			by_code[code] = by_bin[code / scale % (own->n_bins + 1)];
		return;
	}
	/* what the other windows tell apart is this one's last bin */
	memset(by_code, by_bin[own->n_bins], n_codes);
	by_code[0] = by_bin[0];
	memcpy(by_code + own->window_first + 1, by_bin + 1, own->n_bins - 1);
}
