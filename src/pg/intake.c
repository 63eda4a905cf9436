/*
 * intake.c: what is done to the rows of a source, tile by tile: they feed the
 * sketch and are kept; when the features are cut, they become rows of the
 * trainer, from what was kept or from a second reading.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/identity.h"
#include "intake_record.h"

#define SKETCH_VALUES	(6 * 1024 * 1024)
#define SKETCH_ROWS_MAX	65536
#define SKETCH_ROWS_MIN	4096

/* ------------------------------------------------------------- first reading */

/* Memory for the time of the first reading.  Pages that are not touched take none; a smaller piece might stay as a hole. */
static void *
allocate_mapped(GroveIntake *in, Size size)
{
	return MemoryContextAllocHuge(in->context, Max(size, GROVE_MAPPED_BYTES));
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

/* Of labels; at most, while up to so many more come. */
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
	return labels_memory(in, 0) + (in->kept ? grovepg_intake_kept_memory(in->kept) : 0);
}

/* Hashes of all rows, and of their groups; kept rows until all have gone over, then room for two sorts. */
Size
grovepg_intake_fill_memory(const GroveIntake *in)
{
	bool		ranked = in->group.attno != 0;
	Size		kept = in->kept ? grovepg_intake_kept_memory(in->kept) : 0;

	return grovepg_intake_memory(in) - kept + in->n_rows * (ranked ? 16 : 8) +
		Max(in->n_rows * (ranked ? 24 : 16), kept);
}

void
grovepg_intake_forget(GroveIntake *in)
{
	if (in->kept)
		grovepg_intake_kept_free(in->kept);
	in->kept = NULL;
	in->keeps = false;
}

/* The sample, the labels and the rows that are kept may not grow beyond what training may use. */
static void
check_memory(GroveIntake *in)
{
	Size		sketch = grove_sketch_used(&in->sketch);
	Size		labels = labels_memory(in, GROVE_TILE_ROWS);

	if (in->kept && labels + grovepg_intake_kept_memory(in->kept) + sketch > grovepg_max_memory())
		grovepg_intake_forget(in);
	if (labels + sketch > grovepg_max_memory())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("reading the source needs more than %zu kB of memory", grovepg_max_memory() / 1024),
				 errdetail("The sample for bins takes %zu kB, labels of text columns take %zu kB.",
						   sketch / 1024, labels / 1024),
				 errhint("Raise \"grove.max_memory\", or name columns of many different labels in \"ignore\".")));
}

/*
 * Counts the training rows of each class.  As long as they are few, distinct
 * numbers get codes, too, in case they turn out to be classes.
 */
static void
note_targets(GroveIntake *in, const uint8 *skip, uint32 n)
{
	const double *targets = grovepg_intake_column(in, AT_TARGET(in));
	bool		numeric = in->target.type.kind == GROVE_FEATURE_NUMERIC;
	uint32		i;

	for (i = 0; i < n; i++)
	{
		bool		training = !(skip && skip[i]);
		int64		code;

		in->target_zero &= targets[i] == 0.0 || !training;
		if (numeric && in->too_many_classes)
			continue;
		code = numeric ? grovepg_intake_class_code(in, targets[i]) : (int64) targets[i];
		if (code >= GROVE_MAX_CLASSES)
		{
			in->too_many_classes = true;
			continue;
		}
		if (numeric)
			in->class_value[code] = targets[i];
		grovepg_levels_get(in->classes, (uint32) code)->count += training;
	}
}

static void
note_weights(GroveIntake *in, const uint8 *skip, uint32 n)
{
	const double *weights = grovepg_intake_column(in, AT_WEIGHT(in));
	uint32		i;

	/* what is 0 in single precision is 0 for the trainer */
	for (i = 0; i < n && in->weight_zero; i++)
		in->weight_zero = (skip && skip[i]) || (float) weights[i] == 0.0f;
}

static void
count_levels(const GroveIntakeColumn *c, const double *codes, const uint8 *skip, uint32 n)
{
	uint32		i;

	for (i = 0; i < n; i++)
	{
		if (!isnan(codes[i]) && !(skip && skip[i]))
			grovepg_levels_get(c->levels, (uint32) codes[i])->count++;
	}
}

/* The validation rows of the tile; NULL: there are none. */
static const uint8 *
mark_validation(GroveIntake *in, uint8 *skip, uint32 n)
{
	const double *validation = grovepg_intake_column(in, AT_VALIDATION(in));
	uint64		before = in->n_validation;
	uint32		i;

	if (in->validation.attno == 0)
		return NULL;
	for (i = 0; i < n; i++)
	{
		skip[i] = validation[i] != 0.0;
		in->n_validation += skip[i];
	}
	return in->n_validation > before ? skip : NULL;
}

/* Shows the rows of the tile to the sketch, counts and keeps them; the tile is empty then. */
static void
show_tile(GroveIntake *in)
{
	uint32		n = in->tile_rows;
	uint8		marks[GROVE_TILE_ROWS];
	const uint8 *skip;
	uint32		r;
	int			i;

	if (n == 0)
		return;
	in->tile_rows = 0;
	if (in->n_rows + n > GROVE_MAX_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has more than %llu rows", (unsigned long long) GROVE_MAX_ROWS),
				 errhint("Train on a sample; see grove.prune().")));
	grovepg_intake_hash(in, n);
	for (r = 0; r < n; r++)
		in->content += in->tile_hash[r];
	skip = mark_validation(in, marks, n);
	grove_sketch_add(&in->sketch, in->tile_hash, n, in->tile, GROVE_TILE_STRIDE, skip);
	note_targets(in, skip, n);
	if (in->weight.attno != 0)
		note_weights(in, skip, n);
	for (i = 0; i < in->n_features; i++)
	{
		if (in->features[i].levels)
			count_levels(&in->features[i], grovepg_intake_column(in, i), skip, n);
	}
	if (in->keeps)
		grovepg_intake_keep(in, n);
	in->n_rows += n;
	check_memory(in);
	if (in->n_rows % GROVE_PROGRESS_ROWS == 0)
		grovepg_progress_rows(in->progress, in->n_rows);
}

void
grovepg_intake_show_row(GroveIntake *in, TupleTableSlot *slot)
{
	grovepg_intake_read_row(in, slot);
	if (++in->tile_rows == GROVE_TILE_ROWS)
		show_tile(in);
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
	show_tile(in);
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
				 in->n_rows > 0 ? errdetail("All %llu rows are validation rows.", (unsigned long long) in->n_rows) : 0,
				 in->n_rows > 0 ?
				 errhint("Make column \"%s\" false in the rows to train on.", in->validation.name) :
				 errhint("Check the WHERE clause and the joins of the source, and whether row security hides its rows.")));
	if (in->weight.attno != 0 && in->weight_zero)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("weight column \"%s\" is 0 in every training row", in->weight.name),
				 errhint("Give rows to train on a weight above 0, or leave out the argument \"weight\" so that all count alike.")));
	if (in->progress)
		in->progress->rows_total = in->n_rows;
	grovepg_progress_rows(in->progress, in->n_rows);
	if (in->target.type.kind == GROVE_FEATURE_NUMERIC)
		in->centre = grove_sketch_median(&in->sketch, AT_TARGET(in), in->scratch);
}

/* ---------------------------------------------------------------------- fill */

static void
reject_other_rows(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("source gave other rows when it was read again"),
			 errhint("Rows that cannot be kept are read twice; store the result of volatile functions such as random() in a table first.")));
}

/*
 * The bins of the tile's first n rows in a column of the matrix; false: there
 * is a level that the first reading did not meet.  ranks: of the feature at
 * hand, made with the first of its columns.
 */
static bool
bin_column(const GroveIntake *in, const GroveIntakeCut *cut, const GroveFeatureBins *bins, uint32 *ranks,
		   uint8 *out, uint32 n)
{
	const GroveIntakeColumn *c = &in->features[cut->feature];
	const double *values = grovepg_intake_column(in, cut->feature);
	uint32		i;

	if (c->levels == NULL)
	{
		grove_bins_column(bins, values, out, n);
		return true;
	}
	for (i = 0; i < n && cut->first == 0; i++)
	{
		if (values[i] < 0)
			return false;
		ranks[i] = isnan(values[i]) ? GROVE_NO_RANK : grovepg_intake_level_rank(c, (uint32) values[i]);
	}
	grovepg_intake_rank_bins(cut, ranks, out, n);
	return true;
}

bool
grovepg_intake_bin(const GroveIntake *in, const GroveFeatureBins *bins, uint8 *row)
{
	uint32		rank;
	int			i;

	for (i = 0; i < in->n_cuts; i++)
	{
		if (!bin_column(in, &in->cuts[i], &bins[i], &rank, &row[i], 1))
			return false;
	}
	return true;
}

/* Labels of the tile's rows, which go to first: classes, or the distance to the centre. */
static void
place_labels(GroveIntake *in, uint32 first, uint32 n)
{
	const double *targets = grovepg_intake_column(in, AT_TARGET(in));
	float	   *label = in->trainer->label + first;
	bool		numeric = in->target.type.kind == GROVE_FEATURE_NUMERIC;
	uint32		i;

	for (i = 0; i < n; i++)
	{
		double		target = targets[i];

		if (in->class_of)
		{
			int64		code = numeric ? grovepg_intake_class_code(in, target) : (int64) target;

			if (code < 0)
				reject_other_rows();
			target = in->class_of[code];
		}
		else
			target -= in->centre;
		label[i] = (float) target;
	}
}

/*
 * Where the next tile of n rows goes.  Full ones are dealt to the processes in
 * turn, each of which gets rows that follow each other: were rows in the order
 * of a feature, the rows of a leaf would else be those of one process.
 */
static uint32
tile_place(const GroveIntake *in, uint32 n)
{
	uint32		hands = in->trainer->shared->dims.n_workers;
	uint32		tile = in->first / GROVE_TILE_ROWS;
	uint32		tiles = in->n_rows / GROVE_TILE_ROWS;
	uint32		hand = tile % hands;

	Assert(in->first % GROVE_TILE_ROWS == 0);
	if (n < GROVE_TILE_ROWS)
		return in->first;
	return (hand * (tiles / hands) + Min(hand, tiles % hands) + tile / hands) * GROVE_TILE_ROWS;
}

/* The tile's first n rows, whose bins and hashes are there, become rows of the trainer. */
static void
place_tile(GroveIntake *in, uint32 n)
{
	GroveTrainer *t = in->trainer;
	const double *weight = grovepg_intake_column(in, AT_WEIGHT(in));
	const double *validation = grovepg_intake_column(in, AT_VALIDATION(in));
	uint32		first = tile_place(in, n);
	uint32		i,
				k;

	grove_matrix_fill(&t->matrix, t->bins, in->bins, first, n);
	place_labels(in, first, n);
	for (i = 0; i < n && t->weight; i++)
		t->weight[first + i] = (float) Min(weight[i] * (in->class_weight ? in->class_weight[(uint32) t->label[first + i]] : 1.0), FLT_MAX);
	for (i = 0; i < n && t->validation; i++)
		t->validation[first + i] = validation[i] != 0.0;
	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		float	   *score = t->score + (Size) k * in->n_rows + first;
		const double *margin = in->n_margins > 0 ? grovepg_intake_column(in, AT_MARGIN(in) + k) : NULL;

		for (i = 0; i < n; i++)
			score[i] = margin ? (float) margin[i] : 0.0f;
	}
	memcpy(in->hashes + first, in->tile_hash, n * sizeof(uint64));
	if (in->groups)
		memcpy(in->groups + first, grovepg_intake_column(in, AT_GROUP(in)), n * sizeof(uint64));
	in->first += n;
	if (in->first % GROVE_PROGRESS_ROWS == 0)
		grovepg_progress_rows(in->progress, in->first);
}

static void
flush_tile(GroveIntake *in)
{
	uint32		n = in->tile_rows;
	uint32		ranks[GROVE_TILE_ROWS];
	uint32		r;
	int			i;

	if (n > in->n_rows - in->first)
		reject_other_rows();
	in->tile_rows = 0;
	if (n == 0)
		return;
	grovepg_intake_hash(in, n);
	for (r = 0; r < n; r++)
		in->content -= in->tile_hash[r];
	for (i = 0; i < in->n_cuts; i++)
	{
		if (!bin_column(in, &in->cuts[i], &in->trainer->bins[i], ranks, in->bins + (Size) i * GROVE_TILE_ROWS, n))
			reject_other_rows();
	}
	place_tile(in, n);
}

static void
fill_row(TupleTableSlot *slot, void *arg)
{
	GroveIntake *in = arg;

	grovepg_intake_read_row(in, slot);
	if (++in->tile_rows == GROVE_TILE_ROWS)
		flush_tile(in);
}

static void
fill_again(GroveIntake *in)
{
	in->visit(in->rows, fill_row, in);
	flush_tile(in);
	if (in->content != 0 || in->first != in->n_rows)
		reject_other_rows();
}

static void
fill_kept(GroveIntake *in)
{
	uint32		n;
	uint32		t;

	for (t = 0; (n = grovepg_intake_kept_tile(in, t, in->bins)) > 0; t++)
	{
		CHECK_FOR_INTERRUPTS();
		place_tile(in, n);
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
	in->bins = MemoryContextAllocHuge(in->context, (Size) in->n_cuts * GROVE_TILE_ROWS);
	in->first = 0;
	if (in->kept)
		fill_kept(in);
	else
		fill_again(in);
	grovepg_progress_rows(in->progress, in->n_rows);
	pfree(in->bins);
	pfree(in->tile);
	assign_identities(in);
	if (in->groups)
		grovepg_intake_groups(in);
	pfree(in->hashes);
}
