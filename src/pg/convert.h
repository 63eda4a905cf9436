/*
 * convert.h: one value -> what a feature of a model takes: a double, or an
 * ordinal as a whole number (core/predict.h).
 *
 * The type rule of feature.h decides what a value means; here it is decided
 * which values a feature accepts.  The scale must be the one of training: a
 * number for a number, a date or time for a date or time (cast to the type of
 * training), a label for a label.  Numbers given for a column that was text
 * become their output text.  Numbers for a real column are rounded to real,
 * as they were in training.  Untyped literals and JSON strings are read as the
 * feature's type, and so is text for a boolean column.
 */
#ifndef GROVE_CONVERT_H
#define GROVE_CONVERT_H

#include "utils/float.h"
#include "utils/jsonb.h"

#include "feature.h"

/* What the SQL type of the training column was, as far as it matters here. */
typedef enum GroveScale
{
	GROVE_SCALE_NUMBER,
	GROVE_SCALE_REAL,
	GROVE_SCALE_DATE,
	GROVE_SCALE_TIMESTAMP,
	GROVE_SCALE_TIMESTAMPTZ,
	GROVE_SCALE_TEXT,			/* labels of any text type */
	GROVE_SCALE_CHARACTER,		/* char(n): trailing blanks do not count */
	GROVE_SCALE_BOOLEAN,
	GROVE_SCALE_UUID,
	GROVE_SCALE_LABEL			/* enum */
} GroveScale;

typedef struct GroveConverter
{
	const GroveFeature *feature;
	GroveScale	scale;
	bool		literal;		/* values are C strings of an unknown type */
	bool		plain;			/* values are float8, taken as they are */
	PGFunction	cast;			/* between dates and times, or NULL */
	GroveFeatureType type;		/* of the values, after cast */
} GroveConverter;

/* For JSON values, which say themselves what they are. */
extern void grovepg_convert_init(GroveConverter *converter, const GroveFeature *feature);

/* For values of an SQL type; ERROR 42804 when the feature does not accept it.  Allocates in the current context. */
extern void grovepg_convert_init_type(GroveConverter *converter, const GroveFeature *feature, Oid type);

/* What a NULL is for the feature. */
static inline double
grovepg_convert_null(const GroveConverter *converter)
{
	return converter->feature->kind == GROVE_FEATURE_NUMERIC ? get_float8_nan() : GROVE_MISSING_BIN;
}

/* A value that is not NULL, of the type of grovepg_convert_init_type(). */
extern double grovepg_convert_datum(GroveConverter *converter, Datum value);

/* A value that may be NULL; float8, the type of most features, without a call. */
static inline double
grovepg_convert_value(GroveConverter *converter, Datum value, bool is_null)
{
	if (is_null)
		return grovepg_convert_null(converter);
	if (likely(converter->plain))
		return grovepg_feature_finite(DatumGetFloat8(value));
	return grovepg_convert_datum(converter, value);
}

extern double grovepg_convert_json(GroveConverter *converter, const JsonbValue *value);

/*
 * A value of a feature in a row as text, palloc'd: the number, date or time,
 * or label that it stands for; NULL when it is missing.
 */
extern char *grovepg_convert_text(const GroveFeature *feature, double value);

#endif							/* GROVE_CONVERT_H */
