/*
 * intake.c: rows of a source become records of doubles, records become bins.
 *
 * A record holds the features (categorical ones as the code of their level),
 * the target, the weight, 1 for a validation row, and the margins.  The first
 * reading feeds records to the sketch, the second to tiles of 1,024 rows that
 * are binned column by column.  Floats of the whole set are kept only while
 * they take less than KEEP_BYTES.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "../core/identity.h"
#include "../core/rng.h"
#include "intake.h"
#include "source.h"

#define KEEP_BYTES		(32 * 1024 * 1024)
#define SKETCH_VALUES	(6 * 1024 * 1024)
#define SKETCH_ROWS_MAX	100000
#define SKETCH_ROWS_MIN	4096
#define TARGET_MAX		1e37		/* residuals are single precision */

/* Places in a record behind the features. */
#define AT_TARGET(in)		((in)->n_features)
#define AT_WEIGHT(in)		((in)->n_features + 1)
#define AT_VALIDATION(in)	((in)->n_features + 2)
#define AT_MARGIN(in)		((in)->n_features + 3)

/* ------------------------------------------------------------------ columns */

static void
reject_type(const char *role, const GroveIntakeColumn *column, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s column \"%s\" has type %s", role, column->name, column->type_name),
			 errhint("%s", hint)));
}

static void
set_column(GroveIntakeColumn *column, TupleDesc desc, int attno)
{
	Form_pg_attribute att = TupleDescAttr(desc, attno - 1);

	column->attno = attno;
	column->name = pstrdup(NameStr(att->attname));
	column->type_name = grovepg_feature_type_name(att->atttypid);
}

static void
resolve_target(GroveIntake *in, TupleDesc desc, const char *name)
{
	GroveIntakeColumn *c = &in->target;

	set_column(c, desc, grovepg_source_column(desc, name, "target"));
	if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type))
		reject_type("target", c, "Cast the target to a number, boolean, text or enum type.");
	in->target_integer = c->type.type == INT2OID || c->type.type == INT4OID || c->type.type == INT8OID;
}

static void
resolve_number(GroveIntakeColumn *c, TupleDesc desc, const char *name, const char *role)
{
	if (name == NULL)
		return;
	set_column(c, desc, grovepg_source_column(desc, name, role));
	if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type) ||
		c->type.kind != GROVE_FEATURE_NUMERIC)
		reject_type(role, c, "It must be a number.");
}

static void
resolve_margin(GroveIntake *in, TupleDesc desc, const char *name)
{
	GroveIntakeColumn *c = &in->margin;

	if (name == NULL)
		return;
	set_column(c, desc, grovepg_source_column(desc, name, "base_margin"));
	if (TupleDescAttr(desc, c->attno - 1)->atttypid == FLOAT8ARRAYOID)
		c->type.type = FLOAT8ARRAYOID;
	else if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type) ||
			 c->type.kind != GROVE_FEATURE_NUMERIC)
		reject_type("base_margin", c, "It must be a number, or for a multiclass target an array double precision[] with one number for each class.");
}

static void
resolve_validation(GroveIntake *in, TupleDesc desc, const char *name)
{
	GroveIntakeColumn *c = &in->validation;

	if (name == NULL)
		return;
	set_column(c, desc, grovepg_source_column(desc, name, "validation"));
	if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type) || c->type.type != BOOLOID)
		reject_type("validation", c, "It must be boolean; rows where it is true are not trained on.");
}

/* Whether a column has another role; two roles for one column are an ERROR. */
static bool
has_role(const GroveIntake *in, int attno)
{
	const GroveIntakeColumn *roles[4] = {&in->target, &in->weight, &in->margin, &in->validation};
	const GroveIntakeColumn *found = NULL;
	int			i;

	for (i = 0; i < 4; i++)
	{
		if (roles[i]->attno != attno)
			continue;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" is named for two roles", roles[i]->name),
					 errhint("Target, weight, base_margin and validation must be different columns.")));
		found = roles[i];
	}
	return found != NULL;
}

/* Marks the columns that are to be ignored. */
static bool *
ignored_columns(TupleDesc desc, const GroveIntakeRoles *roles)
{
	bool	   *ignored = palloc0(desc->natts * sizeof(bool));
	int			i;

	for (i = 0; i < roles->n_ignore; i++)
		ignored[grovepg_source_column(desc, TextDatumGetCString(roles->ignore[i]), "ignored") - 1] = true;
	return ignored;
}

static void
reject_duplicate_names(const GroveIntake *in)
{
	int			i,
				j;

	for (i = 0; i < in->n_features; i++)
	{
		for (j = i + 1; j < in->n_features; j++)
		{
			if (strcmp(in->features[i].name, in->features[j].name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("column \"%s\" appears twice in the source", in->features[i].name),
						 errhint("Give every column of the query a name of its own.")));
		}
	}
}

static void
resolve_features(GroveIntake *in, TupleDesc desc, const GroveIntakeRoles *roles)
{
	bool	   *ignored = ignored_columns(desc, roles);
	int			i;

	in->features = palloc0(desc->natts * sizeof(GroveIntakeColumn));
	for (i = 1; i <= desc->natts; i++)
	{
		GroveIntakeColumn *c = &in->features[in->n_features];

		if (TupleDescAttr(desc, i - 1)->attisdropped || has_role(in, i) || ignored[i - 1])
			continue;
		set_column(c, desc, i);
		if (!grovepg_feature_type(TupleDescAttr(desc, i - 1)->atttypid, &c->type))
			reject_type("feature", c, "Cast it to a number, date, timestamp, text, boolean, enum or uuid, or name it in \"ignore\".");
		if (c->type.kind == GROVE_FEATURE_CATEGORICAL)
			c->levels = grovepg_levels_make(in->context);
		in->n_features++;
	}
	if (in->n_features == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source has no feature columns"),
				 errhint("Every column that has no other role is a feature; select at least one beside the target.")));
	if (in->n_features > GROVE_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has %d feature columns", in->n_features),
				 errdetail("A model can use at most %d.", GROVE_MAX_FEATURES)));
	reject_duplicate_names(in);
}

GroveIntake *
grovepg_intake_begin(const char *query, const GroveIntakeRoles *roles)
{
	GroveIntake *in = palloc0(sizeof(GroveIntake));
	TupleDesc	desc = grovepg_source_columns(query);

	in->context = CurrentMemoryContext;
	in->query = pstrdup(query);
	resolve_target(in, desc, roles->target);
	resolve_number(&in->weight, desc, roles->weight, "weight");
	resolve_margin(in, desc, roles->margin);
	resolve_validation(in, desc, roles->validation);
	resolve_features(in, desc, roles);
	in->classes = grovepg_levels_make(in->context);
	in->class_value = palloc(GROVE_MAX_CLASSES * sizeof(double));
	in->n_margins = in->margin.attno == 0 ? 0 : -1;
	return in;
}

/* ------------------------------------------------------------------ records */

/* Two chains of multiply and shift side by side; the content hash of a row ends here. */
typedef struct ContentHash
{
	uint64		lane[4];
} ContentHash;

static inline void
content_add(ContentHash *h, int i, uint64 bits)
{
	uint64		x = (h->lane[i & 3] ^ bits) * UINT64CONST(0x9fb21c651e98df25);

	h->lane[i & 3] = x ^ (x >> 32);
}

static inline uint64
content_finish(const ContentHash *h)
{
	return grove_rng_mix(h->lane[0] ^ grove_rng_mix(h->lane[1] ^ grove_rng_mix(h->lane[2] ^ grove_rng_mix(h->lane[3]))));
}

static inline uint64
double_bits(double value)
{
	uint64		bits;

	if (value != value)
		return UINT64CONST(0x7ff8000000000000);
	value += 0.0;				/* -0 becomes 0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void
reject_value(const GroveIntakeColumn *column, const char *role, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s column \"%s\" contains %s", role, column->name, what),
			 errhint("%s", hint)));
}

/* One feature of a row; its bits go into the content hash. */
static inline double
read_feature(GroveIntakeColumn *column, Datum value, bool isnull, bool frozen, uint64 *bits)
{
	double		number;
	GroveText	label;
	int64		code;

	if (isnull)
		number = NAN;
	else if (column->type.type == FLOAT8OID)
	{
		number = DatumGetFloat8(value);
		if (unlikely(isinf(number)))
			number = number > 0 ? DBL_MAX : -DBL_MAX;
	}
	else if (column->type.kind == GROVE_FEATURE_NUMERIC)
		number = grovepg_feature_number(&column->type, value);
	else
	{
		label = grovepg_feature_label(&column->type, value);
		code = grovepg_levels_code(column->levels, label, frozen);
		if (code < 0)
		{
			*bits = 0;
			return -1.0;
		}
		*bits = grovepg_levels_get(column->levels, (uint32) code)->hash;
		return (double) code;
	}
	*bits = double_bits(number);
	return number;
}

/*
 * The target: a number, or the code of a label.  As long as they are few,
 * distinct numbers get codes, too, in case they turn out to be classes.
 */
static double
read_target(GroveIntake *in, Datum value, bool isnull, uint64 *bits)
{
	GroveIntakeColumn *c = &in->target;
	GroveText	label;
	double		number = 0.0;
	int64		code;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target column \"%s\" contains null values", c->name),
				 errhint("Add WHERE %s IS NOT NULL to the source.", quote_identifier(c->name))));
	if (c->type.kind == GROVE_FEATURE_NUMERIC)
	{
		number = grovepg_feature_number(&c->type, value);
		if (isnan(number) || fabs(number) == DBL_MAX)
			reject_value(c, "target", "a value that is not finite", "Leave out rows whose target is NaN or infinite.");
		if (fabs(number) > TARGET_MAX)
			reject_value(c, "target", "a value beyond 1e37", "Divide the target by a constant.");
		*bits = double_bits(number);
		if (in->too_many_classes || (in->trainer != NULL && in->class_of == NULL))
			return number;
		label.data = (const char *) bits;
		label.length = sizeof(*bits);
	}
	else
		label = grovepg_feature_label(&c->type, value);
	code = grovepg_levels_code(in->classes, label, in->trainer != NULL);
	if (c->type.kind == GROVE_FEATURE_CATEGORICAL)
		*bits = code < 0 ? 0 : grovepg_levels_get(in->classes, (uint32) code)->hash;
	if (code >= GROVE_MAX_CLASSES)
		in->too_many_classes = true;
	else if (code >= 0)
	{
		in->class_value[code] = number;
		grovepg_levels_get(in->classes, (uint32) code)->count++;
	}
	return c->type.kind == GROVE_FEATURE_NUMERIC && in->class_of == NULL ? number : (double) code;
}

static double
read_weight(GroveIntake *in, Datum value, bool isnull)
{
	double		weight;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("weight column \"%s\" contains null values", in->weight.name),
				 errhint("Use coalesce() to give those rows a weight, or leave them out.")));
	weight = grovepg_feature_number(&in->weight.type, value);
	if (isnan(weight) || weight < 0 || weight > FLT_MAX)
		reject_value(&in->weight, "weight", "a value that is not a weight", "Weights are finite and not negative.");
	return weight;
}

static bool
read_validation(GroveIntake *in, Datum value, bool isnull)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("validation column \"%s\" contains null values", in->validation.name),
				 errhint("It must be true or false in every row.")));
	return DatumGetBool(value);
}

static void
check_margin(const GroveIntake *in, double margin)
{
	if (isnan(margin) || fabs(margin) > FLT_MAX)
		reject_value(&in->margin, "base_margin", "a value that is not finite", "Margins must be finite numbers.");
}

/* Margins of a row into the record, which has room for as many as the first row had. */
static void
read_margins(GroveIntake *in, Datum value, bool isnull, double **record)
{
	ArrayType  *array;
	double	   *margins = *record + AT_MARGIN(in);
	int			n;
	int			i;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("base_margin column \"%s\" contains null values", in->margin.name),
				 errhint("Use coalesce() to give those rows a margin.")));
	if (in->margin.type.type != FLOAT8ARRAYOID)
	{
		margins[0] = grovepg_feature_number(&in->margin.type, value);
		check_margin(in, margins[0]);
		return;
	}
	array = DatumGetArrayTypeP(value);
	n = ARR_NDIM(array) == 1 ? ArrayGetNItems(1, ARR_DIMS(array)) : 0;
	if (array_contains_nulls(array) || n != in->n_margins)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("base_margin column \"%s\" contains an array of another length", in->margin.name),
				 errhint("Every row needs an array with one number for each class.")));
	for (i = 0; i < n; i++)
	{
		margins[i] = ((float8 *) ARR_DATA_PTR(array))[i];
		check_margin(in, margins[i]);
	}
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
}

/* Margins a row has: those of the first row are those of all. */
static int
count_margins(const GroveIntake *in, Datum value, bool isnull)
{
	ArrayType  *array;

	if (in->margin.type.type != FLOAT8ARRAYOID || isnull)
		return 1;
	array = DatumGetArrayTypeP(value);
	return ARR_NDIM(array) == 1 ? Min(ArrayGetNItems(1, ARR_DIMS(array)), GROVE_MAX_CLASSES) : 0;
}

static void
make_record(GroveIntake *in)
{
	in->width = in->n_features + 3 + in->n_margins;
	in->record = MemoryContextAllocZero(in->context, in->width * sizeof(double));
	in->record[AT_WEIGHT(in)] = 1.0;
}

/* Deforms a row into in->record; returns the hash of its content. */
static uint64
read_record(GroveIntake *in, TupleTableSlot *slot)
{
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;
	bool		frozen = in->trainer != NULL;
	ContentHash hash = {{1, 2, 3, 4}};
	double	   *record;
	uint64		bits;
	int			i;

	if (in->n_margins < 0)
		in->n_margins = count_margins(in, values[in->margin.attno - 1], nulls[in->margin.attno - 1]);
	if (in->record == NULL)
		make_record(in);
	record = in->record;
	for (i = 0; i < in->n_features; i++)
	{
		GroveIntakeColumn *c = &in->features[i];

		record[i] = read_feature(c, values[c->attno - 1], nulls[c->attno - 1], frozen, &bits);
		content_add(&hash, i, bits);
	}
	record[i] = read_target(in, values[in->target.attno - 1], nulls[in->target.attno - 1], &bits);
	content_add(&hash, i, bits);
	if (in->weight.attno != 0)
	{
		record[AT_WEIGHT(in)] = read_weight(in, values[in->weight.attno - 1], nulls[in->weight.attno - 1]);
		content_add(&hash, AT_WEIGHT(in), double_bits(record[AT_WEIGHT(in)]));
	}
	if (in->validation.attno != 0)
	{
		record[AT_VALIDATION(in)] = read_validation(in, values[in->validation.attno - 1],
													nulls[in->validation.attno - 1]);
		content_add(&hash, AT_VALIDATION(in), double_bits(record[AT_VALIDATION(in)]));
	}
	if (in->margin.attno != 0)
	{
		read_margins(in, values[in->margin.attno - 1], nulls[in->margin.attno - 1], &record);
		for (i = 0; i < in->n_margins; i++)
			content_add(&hash, AT_MARGIN(in) + i, double_bits(record[AT_MARGIN(in) + i]));
	}
	return content_finish(&hash);
}

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
	uint64		hash = read_record(in, slot);
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
	uint64		hash = read_record(in, slot);

	in->content -= hash;
	fill_record(in, in->record, hash);
}

/* The code of a numeric class in a kept record, which holds the number itself. */
static void
encode_kept_target(GroveIntake *in, double *record)
{
	uint64		bits = double_bits(record[AT_TARGET(in)]);
	GroveText	label;

	label.data = (const char *) &bits;
	label.length = sizeof(bits);
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
