/*
 * feature.h: the one type rule for training and scoring.
 *
 * smallint, integer, bigint, real, double precision, numeric, date, timestamp
 * and timestamptz are numeric: dates are days and timestamps seconds since
 * 2000-01-01, everything becomes a double (bigint and numeric beyond 2^53 are
 * rounded).  text, varchar, char, name, enum, boolean and uuid are
 * categorical: the label is what the type prints ("true" and "false" for
 * boolean, char(n) without its padding).  A domain counts as its base type.
 * NULL and NaN are missing; an infinite value counts as the largest finite one.
 */
#ifndef GROVE_FEATURE_H
#define GROVE_FEATURE_H

#include <float.h>

#include "fmgr.h"

#include "../core/model.h"

typedef struct GroveFeatureType
{
	Oid			type;			/* base type */
	GroveFeatureKind kind;
	FmgrInfo	output;			/* categorical types other than text-like ones: output function */
} GroveFeatureType;

/* False when the type can not be a feature.  output lives in the current memory context. */
extern bool grovepg_feature_type(Oid type, GroveFeatureType *feature);

/* Whether values of the type are plain numbers: no dates, whose unit nobody named, no labels. */
extern bool grovepg_feature_is_number(const GroveFeatureType *feature);

/* What GroveFeature.type_name holds: the base type as format_type() prints it, without length; palloc'd. */
extern char *grovepg_feature_type_name(Oid type);

/* What an infinite value counts as; others, also NaN, as themselves. */
static inline double
grovepg_feature_finite(double number)
{
	return number > DBL_MAX ? DBL_MAX : number < -DBL_MAX ? -DBL_MAX : number;
}

/* Value of a numeric type, not NULL. */
extern double grovepg_feature_number(const GroveFeatureType *feature, Datum value);

/* The same, but an infinite value stays infinite. */
extern double grovepg_feature_unbounded(const GroveFeatureType *feature, Datum value);

/* Label of a categorical type, not NULL; points into value or palloc'd memory, valid until the current context is reset. */
extern GroveText grovepg_feature_label(GroveFeatureType *feature, Datum value);

#endif							/* GROVE_FEATURE_H */
