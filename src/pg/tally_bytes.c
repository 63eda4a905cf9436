/*
 * tally_bytes.c: the bytes of grove.tally_state, written and read.
 *
 * Version (1), kind (1), argument (8), then
 *   blocks: the packed sum of squares; the number of cells (8); the cells;
 *   weights: mantissa bits (4), infinite weights (8), number of cells (8), the
 *	 cells;
 *   hashes: rows, rows below, rows above, lower limit, upper limit, number of
 *	 entries (8 each); the entries: hash, count (8 each).
 * A cell is key (8), part (4), count (8), sum (16).  Cells and entries are in
 * order and distinct.  All numbers are little-endian.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/bytes.h"
#include "portable.h"
#include "tally_bytes.h"

#define STATE_VERSION	1
#define STATE_HEADER	10
#define CELL_BYTES		36
#define ENTRY_BYTES		16
#define WEIGHTS_HEADER	20
#define HASHES_HEADER	48

PG_FUNCTION_INFO_V1(grove_tally_state_in);
PG_FUNCTION_INFO_V1(grove_tally_state_out);
PG_FUNCTION_INFO_V1(grove_tally_state_recv);
PG_FUNCTION_INFO_V1(grove_tally_state_send);

/* Bytes that are being read; every read is checked against what is left. */
typedef struct TallyReader
{
	const uint8 *bytes;
	Size		left;
} TallyReader;

static void
report_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("value is not a tally state"),
			 errhint("Pass a state that an aggregate of grove made.")));
}

static Size
flat_size(ExpandedObjectHeader *header)
{
	GroveTallyState *state = (GroveTallyState *) header;
	uint8		packed[GROVE_EXACTSUM_BYTES];
	Size		size = VARHDRSZ + STATE_HEADER;

	switch (state->kind)
	{
		case GROVE_TALLY_BLOCKS:
			size += grove_exactsum_pack(state->squares, packed) + 8 + state->blocks->used * CELL_BYTES;
			break;
		case GROVE_TALLY_WEIGHTS:
			size += WEIGHTS_HEADER + state->weights->tally->used * CELL_BYTES;
			break;
		case GROVE_TALLY_FRACTION:
		case GROVE_TALLY_COUNT:
			grove_quantile_compact(state->quantile);
			size += HASHES_HEADER + state->quantile->used * ENTRY_BYTES;
			break;
	}
	return size;
}

/*
 * The scratch array is of the state's own context: the current one may be that
 * of the rows of a sort, which since PostgreSQL 17 cannot free a single piece.
 */
static void
write_cells(MemoryContext context, const GroveTally *tally, uint8 *bytes)
{
	GroveTallyCell *cells = MemoryContextAllocHuge(context, Max(tally->used, 1) * sizeof(GroveTallyCell));

	grove_tally_sorted(tally, cells);
	grove_bytes_put64(bytes, tally->used);
	bytes += 8;
	for (uint64 i = 0; i < tally->used; i++, bytes += CELL_BYTES)
	{
		grove_bytes_put64(bytes, cells[i].key);
		grove_bytes_put32(bytes + 8, (uint32) cells[i].part);
		grove_bytes_put64(bytes + 12, cells[i].count);
		grove_bytes_put64(bytes + 20, cells[i].low);
		grove_bytes_put64(bytes + 28, cells[i].high);
	}
	pfree(cells);
}

static void
write_hashes(const GroveQuantile *quantile, uint8 *bytes)
{
	grove_bytes_put64(bytes, quantile->rows);
	grove_bytes_put64(bytes + 8, quantile->below);
	grove_bytes_put64(bytes + 16, quantile->above);
	grove_bytes_put64(bytes + 24, quantile->lower_limit);
	grove_bytes_put64(bytes + 32, quantile->upper_limit);
	grove_bytes_put64(bytes + 40, quantile->used);
	bytes += HASHES_HEADER;
	for (uint64 i = 0; i < quantile->used; i++, bytes += ENTRY_BYTES)
	{
		grove_bytes_put64(bytes, quantile->entries[i].hash);
		grove_bytes_put64(bytes + 8, quantile->entries[i].count);
	}
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated)
{
	GroveTallyState *state = (GroveTallyState *) header;
	uint8	   *bytes = (uint8 *) result + VARHDRSZ;
	uint8		packed[GROVE_EXACTSUM_BYTES];
	Size		n_packed;

	SET_VARSIZE(result, allocated);
	bytes[0] = STATE_VERSION;
	bytes[1] = (uint8) state->kind;
	grove_bytes_put64(bytes + 2, state->argument);
	bytes += STATE_HEADER;
	switch (state->kind)
	{
		case GROVE_TALLY_BLOCKS:
			n_packed = grove_exactsum_pack(state->squares, packed);
			memcpy(bytes, packed, n_packed);
			write_cells(header->eoh_context, state->blocks, bytes + n_packed);
			break;
		case GROVE_TALLY_WEIGHTS:
			grove_bytes_put32(bytes, state->weights->bits);
			grove_bytes_put64(bytes + 4, state->weights->infinite);
			write_cells(header->eoh_context, state->weights->tally, bytes + 12);
			break;
		case GROVE_TALLY_FRACTION:
		case GROVE_TALLY_COUNT:
			write_hashes(state->quantile, bytes);
			break;
	}
}

const ExpandedObjectMethods grovepg_tally_methods = {flat_size, flatten_into};

static const uint8 *
read_bytes(TallyReader *reader, Size n)
{
	const uint8 *bytes = reader->bytes;

	if (reader->left < n)
		report_damaged();
	reader->bytes += n;
	reader->left -= n;
	return bytes;
}

static uint64
read_word(TallyReader *reader)
{
	return grove_bytes_get64(read_bytes(reader, 8));
}

/* The number of items of this width, which must be all that is left. */
static uint64
read_count(TallyReader *reader, Size width, uint64 most)
{
	uint64		n = read_word(reader);

	if (n > most || reader->left != n * width)
		report_damaged();
	return n;
}

static void
read_cells(TallyReader *reader, GroveTally *tally, uint64 n, uint64 key_limit, int32 part_limit)
{
	uint64		last_key = 0;
	int32		last_part = 0;

	for (uint64 i = 0; i < n; i++)
	{
		const uint8 *bytes = read_bytes(reader, CELL_BYTES);
		uint64		key = grove_bytes_get64(bytes);
		int32		part = (int32) grove_bytes_get32(bytes + 8);
		uint64		count = grove_bytes_get64(bytes + 12);

		if (key > key_limit || part < -part_limit || part > part_limit || count == 0 ||
			(i > 0 && (key < last_key || (key == last_key && part <= last_part))))
			report_damaged();
		grove_tally_add(tally, key, part, count, grove_bytes_get64(bytes + 20), grove_bytes_get64(bytes + 28));
		last_key = key;
		last_part = part;
		CHECK_FOR_INTERRUPTS();
	}
}

static void
read_blocks(GroveTallyState *state, TallyReader *reader)
{
	size_t		used;
	uint64		n;

	if (grove_exactsum_unpack(state->squares, reader->bytes, reader->left, &used) != GROVE_OK)
		report_damaged();
	(void) read_bytes(reader, used);
	n = read_count(reader, CELL_BYTES, GROVE_TALLY_MAX_CELLS);
	grovepg_tally_reserve_blocks(state, n);
	read_cells(reader, state->blocks, n, PG_UINT64_MAX, GROVE_TALLY_PART_MAX);
}

static void
read_weights(GroveTallyState *state, TallyReader *reader)
{
	uint32		bits = grove_bytes_get32(read_bytes(reader, 4));
	uint64		infinite = read_word(reader);
	uint64		n = read_count(reader, CELL_BYTES, GROVE_WEIGHTS_LIMIT);

	if (bits > GROVE_WEIGHTS_EXACT)
		report_damaged();
	grovepg_tally_reserve_weights(state, bits, n);
	state->weights->infinite = infinite;
	/* the largest key is that of the largest double */
	read_cells(reader, state->weights->tally, n, (UINT64CONST(2047) << bits) - 1, 0);
}

static void
read_hashes(GroveTallyState *state, TallyReader *reader)
{
	GroveQuantile *quantile;
	uint64		counted;
	uint64		n;

	state->quantile->rows = read_word(reader);
	state->quantile->below = read_word(reader);
	state->quantile->above = read_word(reader);
	state->quantile->lower_limit = read_word(reader);
	state->quantile->upper_limit = read_word(reader);
	n = read_count(reader, ENTRY_BYTES, GROVE_QUANTILE_KEEP);
	grovepg_tally_reserve_hashes(state, n);
	quantile = state->quantile;
	counted = quantile->below + quantile->above;
	if ((quantile->below == 0 && quantile->lower_limit != 0) ||
		(quantile->above == 0 && quantile->upper_limit != PG_UINT64_MAX) ||
		quantile->below > quantile->rows || quantile->above > quantile->rows - quantile->below)
		report_damaged();
	for (uint64 i = 0; i < n; i++)
	{
		const uint8 *bytes = read_bytes(reader, ENTRY_BYTES);
		uint64		hash = grove_bytes_get64(bytes);
		uint64		count = grove_bytes_get64(bytes + 8);

		if (count == 0 || count > quantile->rows - counted ||
			(i > 0 && hash <= quantile->entries[i - 1].hash) ||
			(quantile->below > 0 && hash <= quantile->lower_limit) ||
			(quantile->above > 0 && hash >= quantile->upper_limit))
			report_damaged();
		quantile->entries[i].hash = hash;
		quantile->entries[i].count = count;
		counted += count;
		CHECK_FOR_INTERRUPTS();
	}
	quantile->used = n;
	if (counted != quantile->rows)
		report_damaged();
}

/* May the aggregate have this argument? */
static bool
valid_argument(int kind, uint64 argument)
{
	double		fraction;

	switch (kind)
	{
		case GROVE_TALLY_BLOCKS:
			return argument == 0;
		case GROVE_TALLY_FRACTION:
			memcpy(&fraction, &argument, sizeof(fraction));
			return fraction >= 0 && fraction <= 1;
		case GROVE_TALLY_WEIGHTS:
		case GROVE_TALLY_COUNT:
			return argument >= 1 && argument <= PG_INT64_MAX;
		default:
			return false;
	}
}

static GroveTallyState *
read_state(struct varlena *flat, MemoryContext parent)
{
	TallyReader reader;
	GroveTallyState *state;
	const uint8 *header;

	reader.bytes = (const uint8 *) VARDATA(flat);
	reader.left = VARSIZE(flat) - VARHDRSZ;
	header = read_bytes(&reader, STATE_HEADER);
	if (header[0] != STATE_VERSION || !valid_argument(header[1], grove_bytes_get64(header + 2)))
		report_damaged();
	state = grovepg_tally_make((GroveTallyKind) header[1], grove_bytes_get64(header + 2), parent);
	switch (state->kind)
	{
		case GROVE_TALLY_BLOCKS:
			read_blocks(state, &reader);
			break;
		case GROVE_TALLY_WEIGHTS:
			read_weights(state, &reader);
			break;
		case GROVE_TALLY_FRACTION:
		case GROVE_TALLY_COUNT:
			read_hashes(state, &reader);
			break;
	}
	return state;
}

GroveTallyState *
grovepg_tally_open(Datum datum, bool change, MemoryContext parent)
{
	GroveTallyState *state;
	struct varlena *flat;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)) ||
		(!change && VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum))))
	{
		state = (GroveTallyState *) DatumGetEOHP(datum);
		if (state->header.eoh_methods == &grovepg_tally_methods)
			return state;
	}
	flat = PG_DETOAST_DATUM(datum);
	state = read_state(flat, parent);
	if ((Pointer) flat != DatumGetPointer(datum))
		pfree(flat);
	return state;
}

static void
check_flat(struct varlena *flat)
{
	(void) read_state(flat, CurrentMemoryContext);
}

/* tally_state_in(cstring) RETURNS tally_state */
Datum
grove_tally_state_in(PG_FUNCTION_ARGS)
{
	return grovepg_portable_in(fcinfo, check_flat);
}

Datum
grove_tally_state_out(PG_FUNCTION_ARGS)
{
	return grovepg_portable_out(fcinfo);
}

Datum
grove_tally_state_recv(PG_FUNCTION_ARGS)
{
	return grovepg_portable_recv(fcinfo, check_flat);
}

Datum
grove_tally_state_send(PG_FUNCTION_ARGS)
{
	return grovepg_portable_send(fcinfo);
}
