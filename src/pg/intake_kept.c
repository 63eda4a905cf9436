/*
 * intake_kept.c: rows that wait in memory for their bins.
 *
 * Where to cut is known only when all rows have been read.  Until then a tile
 * of rows is kept column by column, each value in as few bytes as it needs: the
 * number of a value in the sketch's set of distinct values, or the code of a
 * level, is one byte while there are at most 255; other numbers are in single
 * precision (singles.h).  When the cuts are known these become bins in place, so
 * that three of four bytes are given back before the trainer's memory is taken.
 * Where an edge is no single-precision number they cannot tell the bins; then
 * the rows are given up and read again.
 *
 * Tiles stand in blocks so large that malloc maps them one by one: what is
 * given back is given back to the system.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/singles.h"
#include "intake_record.h"
#include "large_pages.h"

#define FIRST_BLOCK		(512 * 1024)
#define MISSING_CODE	GROVE_DISTINCT_MAX
#define MISSING_LEVEL	PG_UINT32_MAX

typedef enum KeptKind
{
	KEPT_CODE,					/* uint8, number in the distinct set */
	KEPT_BIN,					/* uint8 */
	KEPT_LEVEL8,				/* uint8, code of a level or other small integer */
	KEPT_LEVEL32,				/* uint32 */
	KEPT_SINGLE,				/* float, rounded up */
	KEPT_DOUBLE
} KeptKind;

static const uint8 kind_width[] = {1, 1, 1, 4, 4, 8};

/* One column of a tile. */
typedef struct KeptColumn
{
	uint32		kind;
	uint32		at;				/* bytes from the start of the tile */
} KeptColumn;

/* A tile: its columns, then the hashes of its rows, then the values. */
typedef struct KeptTile
{
	uint32		block;
	uint32		rows;
	Size		at;				/* bytes from the start of the block */
	Size		size;
} KeptTile;

typedef struct KeptBlock
{
	char	   *data;
	Size		used;
	Size		size;
} KeptBlock;

struct GroveIntakeKept
{
	MemoryContext context;
	int			n_columns;
	int		   *place;			/* [n_columns] of each column in a record */
	Size		tile_most;		/* bytes of a tile at most */
	KeptBlock  *blocks;
	uint32		n_blocks;
	KeptTile   *tiles;
	uint32		n_tiles;
	uint32		tile_capacity;
	Size		bytes;			/* of the tiles */
	bool	   *rounded;		/* [n_features] there are singles of the column */
	uint8		(*bin_of_code)[GROVE_DISTINCT_MAX + 1]; /* [n_features] */
	double		target_of_code[GROVE_DISTINCT_MAX];
};

/* ------------------------------------------------------------------- keeping */

static GroveIntakeKept *
make_kept(GroveIntake *in)
{
	GroveIntakeKept *k = MemoryContextAllocZero(in->context, sizeof(GroveIntakeKept));
	int			i;

	k->context = in->context;
	k->place = MemoryContextAlloc(in->context, in->width * sizeof(int));
	k->rounded = MemoryContextAllocZero(in->context, in->n_features * sizeof(bool));
	for (i = 0; i < (int) in->width; i++)
	{
		if ((i == AT_WEIGHT(in) && in->weight.attno == 0) || (i == AT_VALIDATION(in) && in->validation.attno == 0))
			continue;
		k->place[k->n_columns++] = i;
	}
	k->tile_most = k->n_columns * sizeof(KeptColumn) + GROVE_TILE_ROWS * sizeof(uint64) +
		(Size) in->n_features * GROVE_TILE_ROWS * sizeof(float) +
		(Size) (k->n_columns - in->n_features) * GROVE_TILE_ROWS * sizeof(double);
	k->tile_capacity = 64;
	k->tiles = MemoryContextAlloc(in->context, k->tile_capacity * sizeof(KeptTile));
	return k;
}

/* A new tile at the end of the last block, or of a new one. */
static KeptTile *
add_tile(GroveIntakeKept *k, uint32 rows)
{
	KeptBlock  *block = k->n_blocks > 0 ? &k->blocks[k->n_blocks - 1] : NULL;
	KeptTile   *tile;

	if (block == NULL || block->size - block->used < k->tile_most)
	{
		k->blocks = k->blocks ? repalloc(k->blocks, (k->n_blocks + 1) * sizeof(KeptBlock)) :
			MemoryContextAlloc(k->context, sizeof(KeptBlock));
		block = &k->blocks[k->n_blocks];
		block->size = Max(k->n_blocks == 0 ? FIRST_BLOCK : GROVE_MAPPED_BYTES, k->tile_most);
		block->used = 0;
		block->data = MemoryContextAllocHuge(k->context, block->size);
		if (k->n_blocks > 0)
			grovepg_large_pages(block->data, block->size);
		k->n_blocks++;
	}
	if (k->n_tiles == k->tile_capacity)
	{
		k->tile_capacity *= 2;
		k->tiles = repalloc_huge(k->tiles, k->tile_capacity * sizeof(KeptTile));
	}
	tile = &k->tiles[k->n_tiles++];
	tile->block = k->n_blocks - 1;
	tile->rows = rows;
	tile->at = block->used;
	return tile;
}

static inline char *
tile_data(const GroveIntakeKept *k, const KeptTile *tile)
{
	return k->blocks[tile->block].data + tile->at;
}

static inline Size
hashes_at(const GroveIntakeKept *k)
{
	return k->n_columns * sizeof(KeptColumn);
}

/* Codes of levels in as few bytes as they need. */
static KeptKind
keep_levels(const double *values, void *out, uint32 n)
{
	uint8	   *small = out;
	uint32	   *large = out;
	double		most = 0.0;
	uint32		i;

	for (i = 0; i < n; i++)
		most = values[i] > most ? values[i] : most;
	if (most < MISSING_CODE)
	{
		for (i = 0; i < n; i++)
			small[i] = isnan(values[i]) ? MISSING_CODE : (uint8) values[i];
		return KEPT_LEVEL8;
	}
	for (i = 0; i < n; i++)
		large[i] = isnan(values[i]) ? MISSING_LEVEL : (uint32) values[i];
	return KEPT_LEVEL32;
}

/* Column i of a record, rows side by side. */
static KeptKind
keep_column(GroveIntake *in, int i, void *out, uint32 n)
{
	const double *values = in->tile + (Size) i * GROVE_TILE_STRIDE;
	bool		feature = i < in->n_features;

	if (feature ? in->features[i].levels != NULL :
		i == AT_VALIDATION(in) || (i == AT_TARGET(in) && in->target.type.kind == GROVE_FEATURE_CATEGORICAL))
		return keep_levels(values, out, n);
	if (i <= AT_TARGET(in) && grove_sketch_codes(&in->sketch, i, values, n, out))
		return KEPT_CODE;
	if (feature)
	{
		in->kept->rounded[i] = true;
		grove_singles_make(values, out, n);
		return KEPT_SINGLE;
	}
	memcpy(out, values, n * sizeof(double));
	return KEPT_DOUBLE;
}

void
grovepg_intake_keep(GroveIntake *in, uint32 n)
{
	GroveIntakeKept *k;
	KeptTile   *tile;
	KeptColumn *columns;
	char	   *data;
	int			c;

	if (in->kept == NULL)
		in->kept = make_kept(in);
	k = in->kept;
	tile = add_tile(k, n);
	data = tile_data(k, tile);
	columns = (KeptColumn *) data;
	memcpy(data + hashes_at(k), in->tile_hash, n * sizeof(uint64));
	tile->size = hashes_at(k) + n * sizeof(uint64);
	for (c = 0; c < k->n_columns; c++)
	{
		columns[c].at = tile->size;
		columns[c].kind = keep_column(in, k->place[c], data + tile->size, n);
		tile->size += MAXALIGN(n * kind_width[columns[c].kind]);
	}
	k->blocks[tile->block].used += tile->size;
	k->bytes += tile->size;
}

Size
grovepg_intake_kept_memory(const GroveIntakeKept *k)
{
	return k->bytes + k->tile_capacity * sizeof(KeptTile);
}

static void
free_block(KeptBlock *block)
{
	if (block->data)
		pfree(block->data);
	block->data = NULL;
}

void
grovepg_intake_kept_free(GroveIntakeKept *k)
{
	uint32		b;

	for (b = 0; b < k->n_blocks; b++)
		free_block(&k->blocks[b]);
	if (k->blocks)
		pfree(k->blocks);
	if (k->bin_of_code)
		pfree(k->bin_of_code);
	pfree(k->tiles);
	pfree(k->rounded);
	pfree(k->place);
	pfree(k);
}

/* ---------------------------------------------------------------- narrowing */

/* Asks for a column of a tile, if there is such a tile: the tiles lie apart, so the processor does not foresee it. */
static inline void
prefetch_column(const GroveIntakeKept *k, uint32 t, int c)
{
	const char *data;
	const KeptColumn *column;
	Size		at;

	if (t >= k->n_tiles)
		return;
	data = tile_data(k, &k->tiles[t]);
	column = (const KeptColumn *) data + c;
	for (at = 0; at < k->tiles[t].rows * kind_width[column->kind]; at += 64)
		grove_prefetch(data + column->at + at);
}

/* Singles of one feature become bins, where they stand. */
static void
bin_singles(GroveIntakeKept *k, int feature, const GroveSingleBins *singles)
{
	uint32		t;

	for (t = 0; t < k->n_tiles; t++)
	{
		char	   *data = tile_data(k, &k->tiles[t]);
		KeptColumn *column = (KeptColumn *) data + feature;
		uint8		bins[GROVE_TILE_ROWS];

		CHECK_FOR_INTERRUPTS();
		prefetch_column(k, t + 1, feature);
		if (column->kind != KEPT_SINGLE)
			continue;
		grove_singles_bins(singles, (const float *) (data + column->at), bins, k->tiles[t].rows);
		memcpy(data + column->at, bins, k->tiles[t].rows);
		column->kind = KEPT_BIN;
	}
}

/* Moves the columns of a tile, and the tile, down to where the one before ends. */
static void
compact_tile(GroveIntakeKept *k, KeptTile *tile)
{
	KeptBlock  *block = &k->blocks[tile->block];
	char	   *from = tile_data(k, tile);
	char	   *to = block->data + block->used;
	Size		size = hashes_at(k) + tile->rows * sizeof(uint64);
	int			c;

	if (from != to)
		memmove(to, from, size);
	for (c = 0; c < k->n_columns; c++)
	{
		KeptColumn *column = (KeptColumn *) to + c;
		Size		bytes = MAXALIGN(tile->rows * kind_width[column->kind]);

		if (from + column->at != to + size)
			memmove(to + size, from + column->at, bytes);
		column->at = size;
		size += bytes;
	}
	k->bytes -= tile->size - size;
	tile->size = size;
	tile->at = block->used;
	block->used += size;
}

static void
compact_tiles(GroveIntakeKept *k)
{
	uint32		b,
				t;

	for (b = 0; b < k->n_blocks; b++)
		k->blocks[b].used = 0;
	for (t = 0; t < k->n_tiles; t++)
	{
		CHECK_FOR_INTERRUPTS();
		compact_tile(k, &k->tiles[t]);
	}
	for (b = 0; b < k->n_blocks; b++)
	{
		KeptBlock  *block = &k->blocks[b];

		block->data = repalloc_huge(block->data, block->used);
		block->size = block->used;
	}
}

static void
note_codes(const GroveIntake *in, GroveIntakeKept *k, int feature, const GroveFeatureBins *bins)
{
	double		values[GROVE_DISTINCT_MAX];
	int			i;

	grove_sketch_code_values(&in->sketch, feature, values);
	for (i = 0; i < GROVE_DISTINCT_MAX; i++)
		k->bin_of_code[feature][i] = grove_bins_of(bins, values[i]);
	k->bin_of_code[feature][MISSING_CODE] = GROVE_MISSING_BIN;
}

bool
grovepg_intake_narrow(GroveIntake *in, const GroveFeatureBins *bins)
{
	GroveIntakeKept *k = in->kept;
	GroveSingleBins *singles = palloc(sizeof(GroveSingleBins));
	int			i;

	k->bin_of_code = MemoryContextAllocHuge(k->context, (Size) in->n_features * sizeof(*k->bin_of_code));
	for (i = 0; i < in->n_cuts; i++)
	{
		int			feature = in->cuts[i].feature;

		if (in->features[feature].levels)
			continue;
		if (k->rounded[feature])
		{
			if (!grove_singles_prepare(singles, &bins[i]))
				break;
			bin_singles(k, feature, singles);
		}
		note_codes(in, k, feature, &bins[i]);
	}
	pfree(singles);
	if (i < in->n_cuts)
		return false;
	if (in->target.type.kind == GROVE_FEATURE_NUMERIC)
		grove_sketch_code_values(&in->sketch, AT_TARGET(in), k->target_of_code);
	compact_tiles(k);
	return true;
}

/* ------------------------------------------------------------------- reading */

/* The bins of one column of the matrix; ranks: of the levels of the feature at hand, made with the first of its columns. */
static void
show_bins(const GroveIntake *in, const KeptColumn *column, const GroveIntakeCut *cut, const void *data,
		  uint32 *ranks, uint8 *out, uint32 n)
{
	const GroveIntakeColumn *feature = &in->features[cut->feature];
	const uint8 *small = data;
	const uint32 *large = data;
	uint32		i;

	switch ((KeptKind) column->kind)
	{
		case KEPT_BIN:
			memcpy(out, data, n);
			break;
		case KEPT_CODE:
			for (i = 0; i < n; i++)
				out[i] = in->kept->bin_of_code[cut->feature][small[i]];
			break;
		case KEPT_LEVEL8:
			for (i = 0; i < n && cut->first == 0; i++)
				ranks[i] = small[i] == MISSING_CODE ? GROVE_NO_RANK : grovepg_intake_level_rank(feature, small[i]);
			grovepg_intake_rank_bins(cut, ranks, out, n);
			break;
		case KEPT_LEVEL32:
			for (i = 0; i < n && cut->first == 0; i++)
				ranks[i] = large[i] == MISSING_LEVEL ? GROVE_NO_RANK : grovepg_intake_level_rank(feature, large[i]);
			grovepg_intake_rank_bins(cut, ranks, out, n);
			break;
		default:
			Assert(false);
	}
}

/* A column that is no feature as doubles again. */
static void
show_values(const GroveIntakeKept *k, const KeptColumn *column, const void *data, double *out, uint32 n)
{
	const uint8 *small = data;
	const uint32 *large = data;
	uint32		i;

	switch ((KeptKind) column->kind)
	{
		case KEPT_CODE:
			for (i = 0; i < n; i++)
				out[i] = k->target_of_code[small[i]];
			break;
		case KEPT_LEVEL8:
			for (i = 0; i < n; i++)
				out[i] = small[i];
			break;
		case KEPT_LEVEL32:
			for (i = 0; i < n; i++)
				out[i] = large[i];
			break;
		case KEPT_DOUBLE:
			memcpy(out, data, n * sizeof(double));
			break;
		default:
			Assert(false);
	}
}

uint32
grovepg_intake_kept_tile(GroveIntake *in, uint32 t, uint8 *bins)
{
	GroveIntakeKept *k = in->kept;
	const KeptTile *tile;
	const char *data;
	const KeptColumn *columns;
	uint32		ranks[GROVE_TILE_ROWS];
	int			i;

	if (t > 0 && (t == k->n_tiles || k->tiles[t].block != k->tiles[t - 1].block))
		free_block(&k->blocks[k->tiles[t - 1].block]);
	if (t == k->n_tiles)
		return 0;
	tile = &k->tiles[t];
	data = tile_data(k, tile);
	columns = (const KeptColumn *) data;
	memcpy(in->tile_hash, data + hashes_at(k), tile->rows * sizeof(uint64));
	for (i = 0; i < in->n_cuts; i++)
	{
		const KeptColumn *column = &columns[in->cuts[i].feature];

		show_bins(in, column, &in->cuts[i], data + column->at, ranks, bins + (Size) i * GROVE_TILE_ROWS, tile->rows);
	}
	for (i = in->n_features; i < k->n_columns; i++)
		show_values(k, &columns[i], data + columns[i].at, in->tile + (Size) k->place[i] * GROVE_TILE_STRIDE, tile->rows);
	return tile->rows;
}
