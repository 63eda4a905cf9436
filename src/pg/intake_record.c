/*
 * intake_record.c: a row of the source as a record of doubles and a hash of its
 * content.
 *
 * A record holds the features (categorical ones as the code of their level),
 * the target, the weight, 1 for a validation row, the margins, and the hash of
 * the group.  The hash of the content is of values and labels, never of codes, which depend on the order of rows.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "../core/lambdarank.h"
#include "../core/rng.h"
#include "intake_record.h"

#define TARGET_MAX		1e37	/* residuals are single precision */
#define TARGET_LEAST	1e-37	/* smaller ones are not normal in single precision */

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

GroveText
grovepg_intake_number_label(double target, uint64 *bits)
{
	GroveText	label;

	*bits = double_bits(target);
	label.data = (const char *) bits;
	label.length = sizeof(*bits);
	return label;
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
		if (in->target_rule != GROVE_TARGET_ANY)
			check_target(in, number);
		label = grovepg_intake_number_label(number, bits);
		in->target_code = -1;
		if (in->too_many_classes || (in->trainer != NULL && in->class_of == NULL))
			return number;
	}
	else
		label = grovepg_feature_label(&c->type, value);
	code = grovepg_levels_code(in->classes, label, in->frozen);
	in->target_code = code;
	if (c->type.kind == GROVE_FEATURE_CATEGORICAL)
		*bits = code < 0 ? 0 : grovepg_levels_get(in->classes, (uint32) code)->hash;
	if (code >= GROVE_MAX_CLASSES)
		in->too_many_classes = true;
	else if (code >= 0)
		in->class_value[code] = number;
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
	in->width = in->n_features + 3 + in->n_margins + (in->group.attno != 0);
	in->record = MemoryContextAllocZero(in->context, in->width * sizeof(double));
	in->record[AT_WEIGHT(in)] = 1.0;
}

uint64
grovepg_intake_read(GroveIntake *in, TupleTableSlot *slot)
{
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;
	ContentHash hash = {{1, 2, 3, 4}};
	double	   *record;
	uint64		bits = 0;
	int			i;

	if (in->n_margins < 0)
		in->n_margins = count_margins(in, values[in->margin.attno - 1], nulls[in->margin.attno - 1]);
	if (in->record == NULL)
		make_record(in);
	record = in->record;
	for (i = 0; i < in->n_features; i++)
	{
		GroveIntakeColumn *c = &in->features[i];

		record[i] = read_feature(c, values[c->attno - 1], nulls[c->attno - 1], in->frozen, &bits);
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
	if (in->group.attno != 0)
	{
		bits = read_group(in, values[in->group.attno - 1], nulls[in->group.attno - 1]);
		memcpy(&record[AT_GROUP(in)], &bits, sizeof(bits));
		content_add(&hash, AT_GROUP(in), bits);
	}
	return content_finish(&hash);
}
