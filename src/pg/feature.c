/*
 * feature.c: SQL values -> doubles and labels, by the one type rule.
 *
 * Training and scoring call the same functions here, so that a value means
 * the same on both sides.  Nothing is cached beyond the type: the caller keeps
 * a GroveFeatureType a column.
 */
#include "pg_grove.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "feature.h"

bool
grovepg_feature_type(Oid type, GroveFeatureType *feature)
{
	Oid			output;
	bool		varlena;

	memset(feature, 0, sizeof(*feature));
	feature->type = getBaseType(type);
	switch (feature->type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			feature->kind = GROVE_FEATURE_NUMERIC;
			return true;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case BOOLOID:
			feature->kind = GROVE_FEATURE_CATEGORICAL;
			return true;
		case CHAROID:
		case UUIDOID:
			break;
		default:
			if (!type_is_enum(feature->type))
				return false;
	}
	feature->kind = GROVE_FEATURE_CATEGORICAL;
	getTypeOutputInfo(feature->type, &output, &varlena);
	fmgr_info(output, &feature->output);
	return true;
}

bool
grovepg_feature_is_number(const GroveFeatureType *feature)
{
	return feature->kind == GROVE_FEATURE_NUMERIC && feature->type != DATEOID &&
		feature->type != TIMESTAMPOID && feature->type != TIMESTAMPTZOID;
}

char *
grovepg_feature_type_name(Oid type)
{
	return format_type_be(getBaseType(type));
}

double
grovepg_feature_unbounded(const GroveFeatureType *feature, Datum value)
{
	switch (feature->type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case NUMERICOID:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
		case DATEOID:
			{
				DateADT		days = DatumGetDateADT(value);

				if (DATE_IS_NOBEGIN(days))
					return -INFINITY;
				return DATE_IS_NOEND(days) ? INFINITY : (double) days;
			}
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			{
				Timestamp	microseconds = DatumGetTimestamp(value);

				if (TIMESTAMP_IS_NOBEGIN(microseconds))
					return -INFINITY;
				return TIMESTAMP_IS_NOEND(microseconds) ? INFINITY : (double) microseconds / USECS_PER_SEC;
			}
		default:
			Assert(false);
			return NAN;
	}
}

double
grovepg_feature_number(const GroveFeatureType *feature, Datum value)
{
	return grovepg_feature_finite(grovepg_feature_unbounded(feature, value));
}

GroveText
grovepg_feature_label(GroveFeatureType *feature, Datum value)
{
	GroveText	label;

	switch (feature->type)
	{
		case BOOLOID:
			label.data = DatumGetBool(value) ? "true" : "false";
			label.length = strlen(label.data);
			break;
		case NAMEOID:
			label.data = NameStr(*DatumGetName(value));
			label.length = strlen(label.data);
			break;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			{
				text	   *string = DatumGetTextPP(value);

				label.data = VARDATA_ANY(string);
				label.length = VARSIZE_ANY_EXHDR(string);
				if (feature->type == BPCHAROID)
					label.length = bpchartruelen(unconstify(char *, label.data), label.length);
			}
			break;
		default:
			label.data = OutputFunctionCall(&feature->output, value);
			label.length = strlen(label.data);
	}
	return label;
}
