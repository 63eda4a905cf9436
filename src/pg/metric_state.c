/*
 * metric_state.c: the type grove.metric_state.
 *
 * Rows are kept as a sorted run followed by a tail in order of arrival.  When
 * the array is full the tail is sorted and merged into the run, equal rows
 * becoming one where that is exact; the array grows by half only when that
 * did not free enough.  Scores with few values therefore need little memory,
 * and the final sort has little left to do.
 *
 * Bytes of a state: format version (1), kind, rows (8 bytes), then
 *   metrics of sums: R2 lowest and highest truth (8 each); the packed sums;
 *   ranked shapes: k (8 bytes, QUERY only); the sorted rows, 8 bytes a word.
 * All numbers are little-endian.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "port.h"
#include "utils/memutils.h"

#include "../core/bytes.h"
#include "metric_state.h"
#include "portable.h"

#define STATE_VERSION	1
#define STATE_HEADER	10		/* bytes before what depends on the kind */
#define SMALL_CAPACITY	1024	/* rows up to which a state just doubles */

PG_FUNCTION_INFO_V1(grove_metric_state_in);
PG_FUNCTION_INFO_V1(grove_metric_state_out);
PG_FUNCTION_INFO_V1(grove_metric_state_recv);
PG_FUNCTION_INFO_V1(grove_metric_state_send);

static Size flat_size(ExpandedObjectHeader *header);
static void flatten_into(ExpandedObjectHeader *header, void *result, Size allocated);

static const ExpandedObjectMethods methods = {flat_size, flatten_into};

/* The most rows whose bytes fit into a value. */
static Size
max_rows(int kind)
{
	return (MaxAllocSize - VARHDRSZ - STATE_HEADER - 8) / (grove_ranked_words(kind) * sizeof(uint64));
}

static void
check_rows(const GroveMetricState *state)
{
	if (state->n_rows > max_rows(state->kind))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many rows for one metric"),
				 errdetail("It keeps every distinct score, at most %zu rows.", max_rows(state->kind)),
				 errhint("Round the scores, or judge a sample of the rows.")));
}

static void
report_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("value is not a metric state"),
			 errhint("Pass a state that an aggregate of grove made.")));
}

GroveMetricState *
grovepg_metric_state_make(int kind, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "grove metric state", ALLOCSET_START_SMALL_SIZES);
	GroveMetricState *state = MemoryContextAllocZero(context, sizeof(GroveMetricState));

	EOH_init_header(&state->header, &methods, context);
	state->kind = kind;
	if (grove_metric_sums(kind) > 0)
	{
		state->sums = MemoryContextAlloc(context, grove_metric_size((GroveMetric) kind));
		grove_metric_init(state->sums, (GroveMetric) kind);
	}
	return state;
}

/* Makes the array hold that many rows. */
static void
reserve_rows(GroveMetricState *state, Size capacity)
{
	Size		bytes = capacity * grove_ranked_words(state->kind) * sizeof(uint64);

	if (capacity <= state->capacity)
		return;
	if (state->rows == NULL)
		state->rows = MemoryContextAllocHuge(state->header.eoh_context, bytes);
	else
		state->rows = repalloc_huge(state->rows, bytes);
	state->capacity = capacity;
}

/* qsort_arg comparator; a sort of many rows can be cancelled. */
static int
compare_rows(const void *a, const void *b, void *kind)
{
	CHECK_FOR_INTERRUPTS();
	return grove_ranked_compare(*(GroveRankedShape *) kind, a, b);
}

/* Appends a row to a sorted run of n rows; returns the new number of rows. */
static Size
append_sorted(const GroveMetricState *state, uint64 *run, Size n, const uint64 *row)
{
	int			words = grove_ranked_words(state->kind);

	if (!state->separate)
		return grove_ranked_append((GroveRankedShape) state->kind, run, n, row);
	memmove(run + n * words, row, words * sizeof(uint64));
	return n + 1;
}

/* Merges the sorted run of the state with another one into a new array; drops the tail. */
static void
merge_run(GroveMetricState *state, const uint64 *other, Size n_other)
{
	GroveRankedShape shape = (GroveRankedShape) state->kind;
	int			words = grove_ranked_words(state->kind);
	Size		capacity = state->n_sorted + n_other;
	uint64	   *merged = MemoryContextAllocHuge(state->header.eoh_context, capacity * words * sizeof(uint64));
	Size		n = 0;
	Size		i = 0;
	Size		j = 0;

	while (i < state->n_sorted || j < n_other)
	{
		if (j >= n_other || (i < state->n_sorted &&
							 grove_ranked_compare(shape, state->rows + i * words, other + j * words) <= 0))
			n = append_sorted(state, merged, n, state->rows + i++ * words);
		else
			n = append_sorted(state, merged, n, other + j++ * words);
		CHECK_FOR_INTERRUPTS();
	}
	if (state->rows != NULL)
		pfree(state->rows);
	state->rows = merged;
	state->n_rows = n;
	state->n_sorted = n;
	state->capacity = capacity;
}

void
grovepg_metric_state_sort(GroveMetricState *state)
{
	GroveRankedShape shape = (GroveRankedShape) state->kind;
	int			words = grove_ranked_words(state->kind);
	Size		n_tail = state->n_rows - state->n_sorted;
	uint64	   *tail;
	Size		n = 0;
	Size		i;

	if (n_tail == 0)			/* and there may be no array yet */
		return;
	tail = state->rows + state->n_sorted * words;
	qsort_arg(tail, n_tail, words * sizeof(uint64), compare_rows, &shape);
	for (i = 0; i < n_tail; i++)
		n = append_sorted(state, tail, n, tail + i * words);
	if (state->n_sorted == 0)
		state->n_rows = state->n_sorted = n;
	else
		merge_run(state, tail, n);
	check_rows(state);
}

void
grovepg_metric_state_append(GroveMetricState *state, const uint64 *row)
{
	int			words = grove_ranked_words(state->kind);

	if (state->n_rows == state->capacity)
	{
		if (state->capacity < SMALL_CAPACITY)
			reserve_rows(state, Max(16, state->capacity * 2));
		else
		{
			grovepg_metric_state_sort(state);
			reserve_rows(state, state->n_rows + Max(SMALL_CAPACITY, state->n_rows / 2));
		}
	}
	memcpy(state->rows + state->n_rows * words, row, words * sizeof(uint64));
	state->n_rows++;
}

void
grovepg_metric_state_merge(GroveMetricState *state, GroveMetricState *other)
{
	if (state->sums != NULL)
	{
		grove_metric_merge(state->sums, other->sums);
		return;
	}
	grovepg_metric_state_sort(state);
	grovepg_metric_state_sort(other);
	if (other->n_rows > 0)
		merge_run(state, other->rows, other->n_rows);
	check_rows(state);
}

/* Packs the sums behind one another; returns the bytes.  result may be NULL. */
static Size
pack_sums(GroveMetricSums *sums, uint8 *result)
{
	Size		bytes = 0;
	int			i;

	if (sums->metric == GROVE_METRIC_R2)
	{
		if (result != NULL)
		{
			grove_bytes_put_double(result, sums->lowest);
			grove_bytes_put_double(result + 8, sums->highest);
		}
		bytes = 16;
	}
	for (i = 0; i < grove_metric_sums(sums->metric); i++)
	{
		uint8		packed[GROVE_EXACTSUM_BYTES];
		Size		used = grove_exactsum_pack(&sums->sum[i], packed);

		if (result != NULL)
			memcpy(result + bytes, packed, used);
		bytes += used;
	}
	return bytes;
}

static Size
flat_size(ExpandedObjectHeader *header)
{
	GroveMetricState *state = (GroveMetricState *) header;

	if (state->sums != NULL)
		return VARHDRSZ + STATE_HEADER + pack_sums(state->sums, NULL);
	grovepg_metric_state_sort(state);
	return VARHDRSZ + STATE_HEADER + (state->kind == GROVE_RANKED_QUERY ? 8 : 0) +
		state->n_rows * grove_ranked_words(state->kind) * sizeof(uint64);
}

static void
flatten_into(ExpandedObjectHeader *header, void *result, Size allocated)
{
	GroveMetricState *state = (GroveMetricState *) header;
	uint8	   *bytes = (uint8 *) result + VARHDRSZ;
	Size		n_words;
	Size		i;

	SET_VARSIZE(result, allocated);
	bytes[0] = STATE_VERSION;
	bytes[1] = (uint8) state->kind;
	grove_bytes_put64(bytes + 2, state->sums != NULL ? state->sums->rows : state->n_rows);
	bytes += STATE_HEADER;
	if (state->sums != NULL)
	{
		pack_sums(state->sums, bytes);
		return;
	}
	if (state->kind == GROVE_RANKED_QUERY)
	{
		grove_bytes_put64(bytes, state->k);
		bytes += 8;
	}
	n_words = state->n_rows * grove_ranked_words(state->kind);
	for (i = 0; i < n_words; i++)
		grove_bytes_put64(bytes + 8 * i, state->rows[i]);
}

/* Reads the sums of a flat state that begins at bytes. */
static void
read_sums(GroveMetricSums *sums, const uint8 *bytes, Size available)
{
	int			i;

	if (sums->metric == GROVE_METRIC_R2)
	{
		if (available < 16)
			report_damaged();
		sums->lowest = grove_bytes_get_double(bytes);
		sums->highest = grove_bytes_get_double(bytes + 8);
		if (isnan(sums->lowest) || isnan(sums->highest))
			report_damaged();
		bytes += 16;
		available -= 16;
	}
	for (i = 0; i < grove_metric_sums(sums->metric); i++)
	{
		size_t		used;

		if (grove_exactsum_unpack(&sums->sum[i], bytes, available, &used) != GROVE_OK)
			report_damaged();
		bytes += used;
		available -= used;
	}
	if (available != 0)
		report_damaged();
}

/* Reads the n_rows rows of a flat state, which must be a sorted run of valid rows. */
static void
read_rows(GroveMetricState *state, const uint8 *bytes, Size available)
{
	GroveRankedShape shape = (GroveRankedShape) state->kind;
	int			words = grove_ranked_words(state->kind);
	Size		i;

	if (state->kind == GROVE_RANKED_QUERY)
	{
		if (available < 8)
			report_damaged();
		state->k = grove_bytes_get64(bytes);
		bytes += 8;
		available -= 8;
	}
	if (state->n_rows > max_rows(state->kind) || available != state->n_rows * words * sizeof(uint64))
		report_damaged();
	reserve_rows(state, state->n_rows);
	for (i = 0; i < state->n_rows; i++)
	{
		uint64	   *row = state->rows + i * words;
		int			j;

		for (j = 0; j < words; j++, bytes += 8)
			row[j] = grove_bytes_get64(bytes);
		if (!grove_ranked_valid(shape, row) ||
			(i > 0 && grove_ranked_compare(shape, row - words, row) > 0))
			report_damaged();
		CHECK_FOR_INTERRUPTS();
	}
	state->n_sorted = state->n_rows;
}

GroveMetricState *
grovepg_metric_state_open(Datum datum, bool change, MemoryContext parent)
{
	GroveMetricState *state;
	struct varlena *flat;
	const uint8 *bytes;
	Size		available;

	if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(datum)) ||
		(!change && VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum))))
	{
		state = (GroveMetricState *) DatumGetEOHP(datum);
		if (state->header.eoh_methods == &methods)
			return state;
	}
	flat = PG_DETOAST_DATUM(datum);
	bytes = (const uint8 *) VARDATA(flat);
	available = VARSIZE(flat) - VARHDRSZ;
	if (available < STATE_HEADER || bytes[0] != STATE_VERSION ||
		(grove_metric_sums(bytes[1]) == 0 && grove_ranked_words(bytes[1]) == 0))
		report_damaged();
	state = grovepg_metric_state_make(bytes[1], parent);
	if (state->sums != NULL)
	{
		state->sums->rows = grove_bytes_get64(bytes + 2);
		read_sums(state->sums, bytes + STATE_HEADER, available - STATE_HEADER);
	}
	else
	{
		state->n_rows = grove_bytes_get64(bytes + 2);
		read_rows(state, bytes + STATE_HEADER, available - STATE_HEADER);
	}
	if ((Pointer) flat != DatumGetPointer(datum))
		pfree(flat);
	return state;
}

static void
check_flat(struct varlena *flat)
{
	(void) grovepg_metric_state_open(PointerGetDatum(flat), false, CurrentMemoryContext);
}

/* metric_state_in(cstring) RETURNS metric_state */
Datum
grove_metric_state_in(PG_FUNCTION_ARGS)
{
	return grovepg_portable_in(fcinfo, check_flat);
}

Datum
grove_metric_state_out(PG_FUNCTION_ARGS)
{
	return grovepg_portable_out(fcinfo);
}

Datum
grove_metric_state_recv(PG_FUNCTION_ARGS)
{
	return grovepg_portable_recv(fcinfo, check_flat);
}

Datum
grove_metric_state_send(PG_FUNCTION_ARGS)
{
	return grovepg_portable_send(fcinfo);
}
