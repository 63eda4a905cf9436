/*
 * intake_record.c: a row of the source as a record of doubles, and a hash of
 * its content.
 *
 * A record holds the features (categorical ones as the code of their level),
 * the target, the weight, 1 for a validation row, the margins, and the hash of
 * the group.  The hash of the content is of values and labels, never of codes,
 * which depend on the order of rows; it is computed column by column for a
 * tile of rows.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../core/identity.h"
#include "../core/lambdarank.h"
#include "../core/rng.h"
#include "intake_record.h"

#define TARGET_MAX		1e37	/* residuals are single precision */
#define TARGET_LEAST	1e-37	/* smaller ones are not normal in single precision */

static void
reject_value(const GroveIntakeColumn *column, const char *role, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s column \"%s\" contains %s", role, column->name, what),
			 errhint("%s", hint)));
}

/* A feature that is not double precision. */
static double
read_other(GroveIntakeColumn *column, Datum value, bool frozen)
{
	if (column->type.kind == GROVE_FEATURE_NUMERIC)
		return grovepg_feature_number(&column->type, value);
	/* -1: a level that is not there */
	return (double) grovepg_levels_code(column->levels, grovepg_feature_label(&column->type, value), frozen);
}

/* ERROR unless the loss can use the target. */
static void
check_target(const GroveIntake *in, double number)
{
	if (in->target_rule == GROVE_TARGET_NOT_NEGATIVE && number < 0.0)
		reject_value(&in->target, "target", "a negative value", "The objective needs a target that is not negative.");
	if (in->target_rule == GROVE_TARGET_POSITIVE && number < TARGET_LEAST)
		reject_value(&in->target, "target", "a value that is not positive", "The objective needs a target of at least 1e-37.");
	if (in->target_rule == GROVE_TARGET_RELEVANCE &&
		!(number >= 0.0 && number <= GROVE_RANK_LABEL_MAX && number == floor(number)))
		reject_value(&in->target, "target", "a value that is not a relevance",
					 "The target of a ranking is an integer from 0 to 31; its gain is 2^target - 1.");
}

/* The target: a number, or the code of a label. */
static double
read_target(GroveIntake *in, Datum value, bool isnull)
{
	GroveIntakeColumn *c = &in->target;
	double		number;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target column \"%s\" contains null values", c->name),
				 errhint("Add WHERE %s IS NOT NULL to the source.", quote_identifier(c->name))));
	if (c->type.kind == GROVE_FEATURE_CATEGORICAL)
		return (double) grovepg_levels_code(in->classes, grovepg_feature_label(&c->type, value), in->frozen);
	number = grovepg_feature_number(&c->type, value);
	if (isnan(number) || fabs(number) == DBL_MAX)
		reject_value(c, "target", "a value that is not finite", "Leave out rows whose target is NaN or infinite.");
	if (fabs(number) > TARGET_MAX)
		reject_value(c, "target", "a value beyond 1e37", "Divide the target by a constant.");
	if (in->target_rule != GROVE_TARGET_ANY)
		check_target(in, number);
	return number;
}

int64
grovepg_intake_class_code(GroveIntake *in, double target)
{
	uint64		bits = grove_identity_bits(target);
	int			slot = (int) ((bits * UINT64CONST(0x9e3779b97f4a7c15)) >> 60);
	GroveText	label = {(const char *) &bits, sizeof(bits)};

	if (in->class_seen[slot].bits != bits || in->class_seen[slot].code < 0)
	{
		in->class_seen[slot].bits = bits;
		in->class_seen[slot].code = grovepg_levels_code(in->classes, label, in->frozen);
	}
	return in->class_seen[slot].code;
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

/* Hash of the row's group. */
static uint64
read_group(GroveIntake *in, Datum value, bool isnull)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("group_by column \"%s\" contains null values", in->group.name),
				 errhint("Add WHERE %s IS NOT NULL to the source.", quote_identifier(in->group.name))));
	return grovepg_key_hash(in->group_key, grove_rng_key(0, GROVE_PURPOSE_HASH), &value, &isnull);
}

static void
check_margin(const GroveIntake *in, double margin)
{
	if (isnan(margin) || fabs(margin) >= DBL_MAX)
		reject_value(&in->margin, "base_margin", "a value that is not finite", "Margins must be finite numbers.");
	if (fabs(margin) > TARGET_MAX)
		reject_value(&in->margin, "base_margin", "a value beyond 1e37", "Divide target and margins by a constant.");
}

/* Margins of a row into the record, which has room for as many as the first row had. */
static void
read_margins(GroveIntake *in, Datum value, bool isnull)
{
	ArrayType  *array;
	double	   *margins = grovepg_intake_column(in, AT_MARGIN(in)) + in->tile_rows;
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
		double		margin = ((float8 *) ARR_DATA_PTR(array))[i];

		check_margin(in, margin);
		margins[(Size) i * GROVE_TILE_STRIDE] = margin;
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
make_runs(GroveIntake *in)
{
	int			i;

	in->runs = MemoryContextAlloc(in->context, in->n_features * sizeof(GroveIntakeRun));
	for (i = 0; i < in->n_features; i++)
	{
		const GroveIntakeColumn *c = &in->features[i];
		GroveIntakeRun *run = &in->runs[in->n_runs - 1];
		bool		real = c->type.type == FLOAT8OID;

		if (in->n_runs > 0 && run->real && real && run->at + run->n == c->attno - 1)
		{
			run->n++;
			continue;
		}
		run = &in->runs[in->n_runs++];
		run->n = 1;
		run->at = c->attno - 1;
		run->real = real;
	}
}

static void
make_tile(GroveIntake *in)
{
	Size		size;
	int			i;

	in->width = in->n_features + 3 + in->n_margins + (in->group.attno != 0);
	size = (Size) in->width * GROVE_TILE_STRIDE * sizeof(double);
	in->tile = MemoryContextAllocHuge(in->context, size);
	memset(grovepg_intake_column(in, AT_VALIDATION(in)), 0, GROVE_TILE_STRIDE * sizeof(double));
	for (i = 0; i < GROVE_TILE_STRIDE; i++)
		grovepg_intake_column(in, AT_WEIGHT(in))[i] = 1.0;
	in->tile_hash = MemoryContextAlloc(in->context, GROVE_TILE_ROWS * sizeof(uint64));
	make_runs(in);
	for (i = 0; i < (int) lengthof(in->class_seen); i++)
		in->class_seen[i].code = -1;
}

/* Double precision may still be infinite; see hash_numbers(). */
static void
read_features(GroveIntake *in, TupleTableSlot *slot, double *record)
{
	GroveIntakeColumn *column = in->features;
	int			r,
				i;

	for (r = 0; r < in->n_runs; r++)
	{
		const GroveIntakeRun *run = &in->runs[r];
		const Datum *values = slot->tts_values + run->at;
		const bool *nulls = slot->tts_isnull + run->at;

		if (!run->real)
			*record = nulls[0] ? NAN : read_other(column, values[0], in->frozen);
		else
		{
			for (i = 0; i < run->n; i++)
				record[(Size) i * GROVE_TILE_STRIDE] = nulls[i] ? NAN : DatumGetFloat8(values[i]);
		}
		record += (Size) run->n * GROVE_TILE_STRIDE;
		column += run->n;
	}
}

void
grovepg_intake_read_row(GroveIntake *in, TupleTableSlot *slot)
{
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;
	uint32		row = in->tile_rows;

	if (in->n_margins < 0)
		in->n_margins = count_margins(in, values[in->margin.attno - 1], nulls[in->margin.attno - 1]);
	if (in->tile == NULL)
		make_tile(in);
	read_features(in, slot, in->tile + row);
	grovepg_intake_column(in, AT_TARGET(in))[row] = read_target(in, values[in->target.attno - 1],
																nulls[in->target.attno - 1]);
	if (in->weight.attno != 0)
		grovepg_intake_column(in, AT_WEIGHT(in))[row] = read_weight(in, values[in->weight.attno - 1],
																	nulls[in->weight.attno - 1]);
	if (in->validation.attno != 0)
		grovepg_intake_column(in, AT_VALIDATION(in))[row] = read_validation(in, values[in->validation.attno - 1],
																			nulls[in->validation.attno - 1]);
	if (in->margin.attno != 0)
		read_margins(in, values[in->margin.attno - 1], nulls[in->margin.attno - 1]);
	if (in->group.attno != 0)
	{
		uint64		group = read_group(in, values[in->group.attno - 1], nulls[in->group.attno - 1]);

		memcpy(grovepg_intake_column(in, AT_GROUP(in)) + row, &group, sizeof(group));
	}
}

/* ---------------------------------------------------------------------- hash */

/* Infinite numbers become the largest finite ones. */
static void
hash_numbers(double *values, uint64 *lane, uint32 n)
{
	uint32		i;

	if (grove_identity_infinite(values, n))
	{
		for (i = 0; i < n; i++)
			values[i] = grovepg_feature_finite(values[i]);
	}
	grove_identity_numbers(values, lane, n);
}

static void
hash_bits(const double *values, uint64 *lane, uint32 n)
{
	uint32		i;

	for (i = 0; i < n; i++)
	{
		uint64		bits;

		memcpy(&bits, &values[i], sizeof(bits));
		lane[i] = grove_identity_step(lane[i], bits);
	}
}

/* A level counts as the hash of its label, one that is not there as 0. */
static void
hash_levels(const GroveLevels *levels, const double *codes, uint64 *lane, uint32 n)
{
	uint32		i;

	for (i = 0; i < n; i++)
		lane[i] = grove_identity_step(lane[i], isnan(codes[i]) ? grove_identity_bits(codes[i]) :
									  codes[i] < 0 ? 0 : grovepg_levels_get(levels, (uint32) codes[i])->hash);
}

void
grovepg_intake_hash(GroveIntake *in, uint32 n)
{
	uint64		lanes[4][GROVE_TILE_ROWS];	/* four chains share the columns of a row */
	uint32		i;
	int			c;

	for (c = 0; c < 4; c++)
	{
		for (i = 0; i < n; i++)
			lanes[c][i] = c + 1;
	}
	for (c = 0; c < (int) in->width; c++)
	{
		double	   *values = grovepg_intake_column(in, c);
		const GroveLevels *levels = c < in->n_features ? in->features[c].levels : NULL;

		if ((c == AT_WEIGHT(in) && in->weight.attno == 0) || (c == AT_VALIDATION(in) && in->validation.attno == 0))
			continue;
		if (c == AT_TARGET(in) && in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
			levels = in->classes;
		if (levels)
			hash_levels(levels, values, lanes[c & 3], n);
		else if (c == AT_GROUP(in))
			hash_bits(values, lanes[c & 3], n);
		else
			hash_numbers(values, lanes[c & 3], n);
	}
	for (i = 0; i < n; i++)
		in->tile_hash[i] = grove_rng_mix(lanes[0][i] ^ grove_rng_mix(lanes[1][i] ^ grove_rng_mix(lanes[2][i] ^ grove_rng_mix(lanes[3][i]))));
}

uint64
grovepg_intake_read(GroveIntake *in, TupleTableSlot *slot)
{
	grovepg_intake_read_row(in, slot);
	grovepg_intake_hash(in, 1);
	return in->tile_hash[0];
}
