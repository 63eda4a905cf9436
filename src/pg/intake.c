/*
 * intake.c: the two readings of a source: records feed the sketch, then bins.
 *
 * The first reading shows the records to the sketch, the second fills tiles of
 * 1,024 rows that are binned column by column.  Floats of the whole set are
 * kept only while they take less than KEEP_BYTES.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/identity.h"
#include "intake_record.h"
#include "source.h"

#define KEEP_BYTES		(32 * 1024 * 1024)
#define SKETCH_VALUES	(6 * 1024 * 1024)
#define SKETCH_ROWS_MAX	100000
#define SKETCH_ROWS_MIN	4096

/* ------------------------------------------------------------- first reading */

static void
make_sketch(GroveIntake *in)
{
	uint32		columns = in->n_features + 1;
	uint32		capacity = Min(Max(SKETCH_VALUES / columns, SKETCH_ROWS_MIN), SKETCH_ROWS_MAX);
	size_t		size;
	GroveStatus status = grove_sketch_size(columns, capacity, &size);

	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	grove_sketch_init(&in->sketch, MemoryContextAllocHuge(in->context, size), columns, capacity);
}

/* Adds the record to the rows that are kept, or gives them up when they become many. */
static void
keep_record(GroveIntake *in, uint64 hash)
{
	Size		record_bytes = in->width * sizeof(double);

	if (in->kept == NULL && in->n_rows > 0)
		return;
	if ((in->n_rows + 1) * record_bytes > KEEP_BYTES)
	{
		pfree(in->kept);
		pfree(in->kept_hash);
		in->kept = NULL;
		return;
	}
	if (in->kept == NULL)
	{
		in->kept_capacity = 64;
		in->kept = MemoryContextAllocHuge(in->context, in->kept_capacity * record_bytes);
		in->kept_hash = MemoryContextAllocHuge(in->context, in->kept_capacity * sizeof(uint64));
	}
	else if (in->n_rows == in->kept_capacity)
	{
		in->kept_capacity *= 2;
		in->kept = repalloc_huge(in->kept, in->kept_capacity * record_bytes);
		in->kept_hash = repalloc_huge(in->kept_hash, in->kept_capacity * sizeof(uint64));
	}
	memcpy(in->kept + in->n_rows * in->width, in->record, record_bytes);
	in->kept_hash[in->n_rows] = hash;
}

/* Levels may not grow beyond what training may use. */
static void
check_levels(const GroveIntake *in)
{
	Size		bytes = 0;
	int			i;

	for (i = 0; i < in->n_features; i++)
	{
		if (in->features[i].levels)
			bytes += grovepg_levels_memory(in->features[i].levels);
	}
	if (bytes > grovepg_max_memory())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("labels of the text columns need more than %zu kB of memory", grovepg_max_memory() / 1024),
				 errhint("Raise \"grove.max_memory\", or name columns of many different labels in \"ignore\".")));
}

static void
scan_row(GroveSlot *slot, void *arg)
{
	GroveIntake *in = arg;
	uint64		hash = grovepg_intake_read(in, slot);
	int			i;

	if (in->n_rows >= GROVE_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has more than %llu rows", (unsigned long long) GROVE_MAX_ROWS),
				 errhint("Train on a sample; see grove.prune().")));
	keep_record(in, hash);
	in->n_rows++;
	in->content += hash;
	if ((in->n_rows & 0xffff) == 0)
		check_levels(in);
	if (in->record[AT_VALIDATION(in)] != 0.0)
	{
		in->n_validation++;
		return;
	}
	grove_sketch_add(&in->sketch, hash, in->record);
	for (i = 0; i < in->n_features; i++)
	{
		if (in->features[i].levels && !isnan(in->record[i]))
			grovepg_levels_get(in->features[i].levels, (uint32) in->record[i])->count++;
	}
}

void
grovepg_intake_scan(GroveIntake *in)
{
	make_sketch(in);
	grovepg_source_run(in->query, grovepg_source_receiver(NULL, scan_row, in));
	check_levels(in);
	if (in->n_rows == in->n_validation)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("source has no rows to train on"),
				 in->n_rows > 0 ? errdetail("All %llu rows are validation rows.", (unsigned long long) in->n_rows) : 0));
	in->scratch = MemoryContextAllocHuge(in->context, grove_sketch_scratch(&in->sketch));
	if (in->target.type.kind == GROVE_FEATURE_NUMERIC)
		in->centre = grove_sketch_median(&in->sketch, AT_TARGET(in), in->scratch);
}

/* ---------------------------------------------------------------------- cut */

/* Frequent levels get bins of their own; the others count as missing, like levels that training never saw. */
static void
cut_levels(GroveIntake *in, GroveIntakeColumn *c, uint32 max_bin, GroveFeatureBins *bins)
{
	uint32		count = grovepg_levels_count(c->levels);
	uint32		code;
	uint32		n = 0;

	c->order = grovepg_levels_rank(c->levels, true);
	while (n < count && n < max_bin && grovepg_levels_get(c->levels, c->order[n])->count > 0)
		n++;
	c->n_levels = n;
	c->bin_of = MemoryContextAllocHuge(in->context, Max(count, 1));
	for (code = 0; code < count; code++)
	{
		uint32		rank = grovepg_levels_get(c->levels, code)->rank;

		c->bin_of[code] = rank < n ? rank + 1 : GROVE_MISSING_BIN;
	}
	bins->categorical = true;
	bins->n_bins = n;
}

void
grovepg_intake_cut(GroveIntake *in, uint32 max_bin, GroveFeatureBins *bins)
{
	int			i;

	for (i = 0; i < in->n_features; i++)
	{
		GroveIntakeColumn *c = &in->features[i];

		CHECK_FOR_INTERRUPTS();
		memset(&bins[i], 0, sizeof(GroveFeatureBins));
		if (c->levels)
			cut_levels(in, c, max_bin, &bins[i]);
		else
			grove_sketch_edges(&in->sketch, i, max_bin, in->scratch, bins[i].edges, &bins[i].n_bins);
		grove_bins_finish(&bins[i]);
	}
	pfree(in->scratch);
	pfree(in->sketch.hash);		/* the start of the sketch's buffer */
	in->scratch = NULL;
}

/* ------------------------------------------------------------ second reading */

static void
reject_other_rows(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("source gave other rows when it was read again"),
			 errhint("Training reads its source twice; store the result of volatile functions such as random() in a table first.")));
}

static void
flush_tile(GroveIntake *in)
{
	if (in->tile_rows > 0)
		grove_bins_fill(&in->trainer->matrix, in->trainer->bins, in->tile, in->tile_first, in->tile_rows);
	in->tile_first += in->tile_rows;
	in->tile_rows = 0;
}

/* One record into the trainer. */
static void
fill_record(GroveIntake *in, const double *record, uint64 hash)
{
	GroveTrainer *t = in->trainer;
	uint64		row = (uint64) in->tile_first + in->tile_rows;
	double	   *tile = in->tile + in->tile_rows;
	double		target = record[AT_TARGET(in)];
	int			i;

	if (row >= in->n_rows)
		reject_other_rows();
	for (i = 0; i < in->n_features; i++)
	{
		const GroveIntakeColumn *c = &in->features[i];
		double		v = record[i];

		if (c->bin_of && !isnan(v))
		{
			if (v < 0)
				reject_other_rows();
			v = c->bin_of[(uint32) v];
		}
		tile[(Size) i * GROVE_TILE_ROWS] = v;
	}
	if (in->class_of)
	{
		if (target < 0)
			reject_other_rows();
		target = in->class_of[(uint32) target];
	}
	else
		target -= in->centre;
	t->label[row] = (float) target;
	if (t->weight)
		t->weight[row] = (float) (record[AT_WEIGHT(in)] *
								  (in->class_of && target == 1.0 ? in->positive_weight : 1.0));
	if (t->validation)
		t->validation[row] = record[AT_VALIDATION(in)] != 0.0;
	for (i = 0; i < (int) t->shared->dims.n_outputs; i++)
		t->score[(Size) i * in->n_rows + row] = in->n_margins > 0 ? (float) record[AT_MARGIN(in) + i] : 0.0f;
	in->hashes[row] = hash;
	if (++in->tile_rows == GROVE_TILE_ROWS)
		flush_tile(in);
}

static void
fill_row(GroveSlot *slot, void *arg)
{
	GroveIntake *in = arg;
	uint64		hash = grovepg_intake_read(in, slot);

	in->content -= hash;
	fill_record(in, in->record, hash);
}

/* The code of a numeric class in a kept record, which holds the number itself. */
static void
encode_kept_target(GroveIntake *in, double *record)
{
	uint64		bits;
	GroveText	label = grovepg_intake_number_label(record[AT_TARGET(in)], &bits);

	record[AT_TARGET(in)] = (double) grovepg_levels_code(in->classes, label, true);
}

static void
fill_kept(GroveIntake *in)
{
	bool		encode = in->class_of && in->target.type.kind == GROVE_FEATURE_NUMERIC;
	uint64		row;

	for (row = 0; row < in->n_rows; row++)
	{
		double	   *record = in->kept + row * in->width;

		if ((row & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (encode)
			encode_kept_target(in, record);
		fill_record(in, record, in->kept_hash[row]);
	}
	pfree(in->kept);
	pfree(in->kept_hash);
	in->kept = NULL;
}

/* Needs 16 bytes a row for the time of a sort. */
static void
assign_identities(GroveIntake *in)
{
	GroveEntry *a = MemoryContextAllocHuge(in->context, in->n_rows * sizeof(GroveEntry));
	GroveEntry *b = MemoryContextAllocHuge(in->context, in->n_rows * sizeof(GroveEntry));

	grove_identity_assign(in->hashes, (uint32) in->n_rows, a, b, in->trainer->identity);
	pfree(a);
	pfree(b);
	pfree(in->hashes);
}

void
grovepg_intake_fill(GroveIntake *in, GroveTrainer *trainer, const uint32 *class_of, double positive_weight)
{
	in->trainer = trainer;
	in->class_of = class_of;
	in->positive_weight = positive_weight;
	in->hashes = MemoryContextAllocHuge(in->context, in->n_rows * sizeof(uint64));
	in->tile = MemoryContextAllocHuge(in->context, (Size) in->n_features * GROVE_TILE_ROWS * sizeof(double));
	in->tile_first = 0;
	in->tile_rows = 0;
	if (in->kept)
		fill_kept(in);
	else
	{
		grovepg_source_run(in->query, grovepg_source_receiver(NULL, fill_row, in));
		if (in->content != 0)
			reject_other_rows();
	}
	flush_tile(in);
	if (in->tile_first != in->n_rows)
		reject_other_rows();
	pfree(in->tile);
	assign_identities(in);
}
