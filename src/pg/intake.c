/*
 * intake.c: the two readings of a source: records feed the sketch, then bins.
 *
 * The first reading shows the records to the sketch, the second fills tiles of
 * 1,024 rows that are binned column by column.  Floats of the whole set are
 * kept only while they take less than KEEP_BYTES and a quarter of grove.max_memory.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/identity.h"
#include "intake_record.h"

#define KEEP_BYTES		(16 * 1024 * 1024)
#define SKETCH_VALUES	(6 * 1024 * 1024)
#define SKETCH_ROWS_MAX	100000
#define SKETCH_ROWS_MIN	4096
#define WINDOW_LEVELS	254			/* levels of a column that is one of several of its feature */
#define MAX_WINDOWS		16
#define MAPPED_BYTES	(33 * 1024 * 1024)
#define CHECK_ROWS		4096		/* between looks at the memory taken */

/* ------------------------------------------------------------- first reading */

/*
 * Memory for the time of the first reading.  Pages that are not touched take
 * none, and so large a piece malloc() maps for itself and gives back to the
 * system when it is freed; a smaller one may stay as a hole.
 */
static void *
allocate_mapped(GroveIntake *in, Size size)
{
	return MemoryContextAllocHuge(in->context, Max(size, MAPPED_BYTES));
}

static void
make_sketch(GroveIntake *in)
{
	uint32		columns = in->n_features + 1;
	uint32		capacity = Min(Max(SKETCH_VALUES / columns, SKETCH_ROWS_MIN), SKETCH_ROWS_MAX);
	size_t		size;
	GroveStatus status = grove_sketch_size(columns, capacity, &size);

	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	grove_sketch_init(&in->sketch, allocate_mapped(in, size), columns, capacity);
}

/* Adds the record to the rows that are kept, or gives them up when they become many. */
static void
keep_record(GroveIntake *in, uint64 hash)
{
	Size		record_bytes = in->width * sizeof(double);

	if (!in->keeps || (in->kept == NULL && in->n_rows > 0))
		return;
	if (in->kept == NULL)
	{
		in->kept_capacity = Max(Min(KEEP_BYTES, grovepg_max_memory() / 4) / record_bytes, 1);
		in->kept = allocate_mapped(in, in->kept_capacity * record_bytes);
		in->kept_hash = allocate_mapped(in, in->kept_capacity * sizeof(uint64));
	}
	if (in->n_rows == in->kept_capacity)
	{
		grovepg_intake_forget(in);
		return;
	}
	memcpy(in->kept + in->n_rows * in->width, in->record, record_bytes);
	in->kept_hash[in->n_rows] = hash;
}

static Size
kept_memory(const GroveIntake *in)
{
	return in->kept ? in->n_rows * (in->width * sizeof(double) + sizeof(uint64)) : 0;
}

static Size
labels_memory(const GroveIntake *in, uint32 more)
{
	Size		bytes = grovepg_levels_memory(in->classes, more);
	int			i;

	for (i = 0; i < in->n_features; i++)
	{
		if (in->features[i].levels)
			bytes += grovepg_levels_memory(in->features[i].levels, more);
	}
	return bytes;
}

Size
grovepg_intake_memory(const GroveIntake *in)
{
	return kept_memory(in) + labels_memory(in, 0);
}

Size
grovepg_intake_forget(GroveIntake *in)
{
	Size		bytes = kept_memory(in);

	if (in->kept)
	{
		pfree(in->kept);
		pfree(in->kept_hash);
		in->kept = NULL;
	}
	return bytes;
}

/* The sample, the labels and the rows that are kept may not grow beyond what training may use. */
static void
check_memory(GroveIntake *in)
{
	Size		labels = labels_memory(in, CHECK_ROWS);
	Size		bytes = kept_memory(in) + labels + grove_sketch_used(&in->sketch);

	if (bytes > grovepg_max_memory())
		bytes -= grovepg_intake_forget(in);
	if (bytes > grovepg_max_memory())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("reading the source needs more than %zu kB of memory", grovepg_max_memory() / 1024),
				 errdetail("The sample for bins takes %zu kB, labels of text columns take %zu kB.",
						   grove_sketch_used(&in->sketch) / 1024, labels / 1024),
				 errhint("Raise \"grove.max_memory\", or name columns of many different labels in \"ignore\".")));
}

void
grovepg_intake_show_row(GroveIntake *in, TupleTableSlot *slot)
{
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
	if (in->n_rows % CHECK_ROWS == 0)
		check_memory(in);
	if (in->n_rows % GROVE_PROGRESS_ROWS == 0)
		grovepg_progress_rows(in->progress, in->n_rows);
	if (in->record[AT_VALIDATION(in)] != 0.0)
	{
		in->n_validation++;
		return;
	}
	grove_sketch_add(&in->sketch, hash, in->record);
	in->target_zero &= in->record[AT_TARGET(in)] == 0.0;
	if (in->target_code >= 0 && in->target_code < GROVE_MAX_CLASSES)
		grovepg_levels_get(in->classes, (uint32) in->target_code)->count++;
	for (i = 0; i < in->n_features; i++)
	{
		if (in->features[i].levels && !isnan(in->record[i]))
			grovepg_levels_get(in->features[i].levels, (uint32) in->record[i])->count++;
	}
}

static void
scan_row(TupleTableSlot *slot, void *arg)
{
	grovepg_intake_show_row(arg, slot);
}

void
grovepg_intake_show_begin(GroveIntake *in)
{
	make_sketch(in);
}

void
grovepg_intake_show_end(GroveIntake *in)
{
	check_memory(in);
	in->scratch = MemoryContextAllocHuge(in->context, grove_sketch_scratch(&in->sketch));
}

void
grovepg_intake_scan(GroveIntake *in)
{
	in->keeps = true;
	grovepg_intake_show_begin(in);
	in->visit(in->rows, scan_row, in);
	grovepg_intake_show_end(in);
	if (in->n_rows == in->n_validation)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("source has no rows to train on"),
				 in->n_rows > 0 ? errdetail("All %llu rows are validation rows.", (unsigned long long) in->n_rows) : 0));
	if (in->progress)
		in->progress->rows_total = in->n_rows;
	grovepg_progress_rows(in->progress, in->n_rows);
	if (in->target.type.kind == GROVE_FEATURE_NUMERIC)
		in->centre = grove_sketch_median(&in->sketch, AT_TARGET(in), in->scratch);
}

/* ---------------------------------------------------------------------- cut */

static GroveIntakeCut *
add_cut(GroveIntake *in, int feature, uint32 first, uint32 n_levels)
{
	GroveIntakeCut *cut = &in->cuts[in->n_cuts++];

	cut->feature = feature;
	cut->first = first;
	cut->n_levels = n_levels;
	return cut;
}

/* Ranks the levels of a categorical feature; what is kept stands first in the order of the model. */
static void
rank_levels(GroveIntakeColumn *c, uint32 max_bin, uint64 min_count)
{
	uint32		count = grovepg_levels_count(c->levels);
	uint64		total = 0;
	uint64		covered = 0;
	uint32		n = 0;
	uint32		i;

	c->order = grovepg_levels_rank(c->levels, true);
	for (i = 0; i < count; i++)
		total += grovepg_levels_get(c->levels, i)->count;
	while (n < count && n < WINDOW_LEVELS * MAX_WINDOWS)
	{
		uint64		rows = grovepg_levels_get(c->levels, c->order[n])->count;

		if (rows == 0 || (n >= max_bin && (max_bin < GROVE_BINS - 1 || rows < min_count || covered >= total * 0.99)))
			break;
		covered += rows;
		n++;
	}
	c->n_levels = n;
}

static void
list_cuts(GroveIntake *in, uint32 max_bin, uint64 min_count)
{
	int			i;

	in->cuts = palloc((Size) in->n_features * MAX_WINDOWS * sizeof(GroveIntakeCut));
	for (i = 0; i < in->n_features; i++)
	{
		GroveIntakeColumn *c = &in->features[i];
		uint32		first;

		if (c->levels)
			rank_levels(c, max_bin, min_count);
		if (c->n_levels < GROVE_BINS)
		{
			add_cut(in, i, 0, c->n_levels);
			continue;
		}
		for (first = 0; first < c->n_levels; first += WINDOW_LEVELS)
			add_cut(in, i, first, Min(WINDOW_LEVELS, c->n_levels - first));
	}
	if (in->n_cuts > GROVE_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has too many columns with many different labels"),
				 errhint("Name some of them in \"ignore\", or merge rare labels.")));
}

GroveFeatureBins *
grovepg_intake_cut(GroveIntake *in, uint32 max_bin, uint64 min_count)
{
	GroveFeatureBins *bins;
	int			i;

	list_cuts(in, max_bin, min_count);
	bins = palloc_extended(in->n_cuts * sizeof(GroveFeatureBins), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (i = 0; i < in->n_cuts; i++)
	{
		const GroveIntakeCut *cut = &in->cuts[i];
		const GroveIntakeColumn *c = &in->features[cut->feature];

		CHECK_FOR_INTERRUPTS();
		if (c->levels)
		{
			bins[i].categorical = true;
			bins[i].has_rest = c->n_levels >= GROVE_BINS;
			bins[i].window_levels = bins[i].has_rest ? c->n_levels : 0;
			bins[i].window_first = cut->first;
			bins[i].n_bins = cut->n_levels + bins[i].has_rest;
		}
		else
			grove_sketch_edges(&in->sketch, cut->feature, max_bin, in->scratch, bins[i].edges, &bins[i].n_bins);
		grove_bins_finish(&bins[i]);
	}
	pfree(in->scratch);
	pfree(in->sketch.hash);		/* the start of the sketch's buffer */
	in->scratch = NULL;
	in->frozen = true;
	return bins;
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
		grove_matrix_fill(&in->trainer->matrix, in->trainer->bins, in->tile, in->tile_first, in->tile_rows);
	in->tile_first += in->tile_rows;
	in->tile_rows = 0;
	if (in->tile_first % GROVE_PROGRESS_ROWS == 0)
		grovepg_progress_rows(in->progress, in->tile_first);
}

/* A feature's value, or the bin of its level, as one column of the matrix shows it. */
static inline double
cut_value(const GroveIntake *in, const GroveIntakeCut *cut, const double *record)
{
	const GroveIntakeColumn *c = &in->features[cut->feature];
	double		v = record[cut->feature];
	uint32		rank;

	if (c->levels == NULL || isnan(v))
		return v;
	if (v < 0)
		reject_other_rows();
	rank = grovepg_levels_get(c->levels, (uint32) v)->rank;
	if (rank >= c->n_levels)
		return GROVE_MISSING_BIN;
	/* levels of the other columns of this feature are the rest of this one */
	return (double) (rank - cut->first < cut->n_levels ? rank - cut->first : cut->n_levels) + 1;
}

bool
grovepg_intake_bin(const GroveIntake *in, const GroveFeatureBins *bins, uint8 *row)
{
	int			i;

	for (i = 0; i < in->n_cuts; i++)
	{
		if (in->record[in->cuts[i].feature] < 0 && in->features[in->cuts[i].feature].levels)
			return false;
		row[i] = grove_bins_of(&bins[i], cut_value(in, &in->cuts[i], in->record));
	}
	return true;
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
	for (i = 0; i < in->n_cuts; i++)
		tile[(Size) i * GROVE_TILE_STRIDE] = cut_value(in, &in->cuts[i], record);
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
		t->weight[row] = (float) Min(record[AT_WEIGHT(in)] * (in->class_weight ? in->class_weight[(uint32) target] : 1.0), FLT_MAX);
	if (t->validation)
		t->validation[row] = record[AT_VALIDATION(in)] != 0.0;
	for (i = 0; i < (int) t->shared->dims.n_outputs; i++)
		t->score[(Size) i * in->n_rows + row] = in->n_margins > 0 ? (float) record[AT_MARGIN(in) + i] : 0.0f;
	in->hashes[row] = hash;
	if (in->groups)
		memcpy(&in->groups[row], &record[AT_GROUP(in)], sizeof(uint64));
	if (++in->tile_rows == GROVE_TILE_ROWS)
		flush_tile(in);
}

static void
fill_row(TupleTableSlot *slot, void *arg)
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
	grovepg_intake_forget(in);
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
}

void
grovepg_intake_fill(GroveIntake *in, GroveTrainer *trainer, const uint32 *class_of,
					const double *class_weight)
{
	in->trainer = trainer;
	in->class_of = class_of;
	in->class_weight = class_weight;
	in->hashes = MemoryContextAllocHuge(in->context, in->n_rows * sizeof(uint64));
	if (in->group.attno != 0)
		in->groups = MemoryContextAllocHuge(in->context, in->n_rows * sizeof(uint64));
	in->tile = MemoryContextAllocHuge(in->context, (Size) in->n_cuts * GROVE_TILE_STRIDE * sizeof(double));
	in->tile_first = 0;
	in->tile_rows = 0;
	if (in->kept)
		fill_kept(in);
	else
	{
		in->visit(in->rows, fill_row, in);
		if (in->content != 0)
			reject_other_rows();
	}
	flush_tile(in);
	if (in->tile_first != in->n_rows)
		reject_other_rows();
	grovepg_progress_rows(in->progress, in->n_rows);
	pfree(in->tile);
	assign_identities(in);
	if (in->groups)
		grovepg_intake_groups(in);
	pfree(in->hashes);
}
