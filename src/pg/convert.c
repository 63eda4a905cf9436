/*
 * convert.c: SQL and JSON values as values of a model's features.
 *
 * What can be decided from the types is decided once, by
 * grovepg_convert_init_type(); a row then costs one switch and, for a label,
 * one look into the feature's hash table.  A label that training did not see
 * is missing, not an error.
 */
#include "pg_grove.h"

#include <ctype.h>
#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "convert.h"
#include "model_cache.h"

static bool
begins_with(GroveText text, const char *prefix)
{
	size_t		length = strlen(prefix);

	return text.length >= length && memcmp(text.data, prefix, length) == 0;
}

static bool
ends_with(GroveText text, const char *suffix)
{
	size_t		length = strlen(suffix);

	return text.length >= length && memcmp(text.data + text.length - length, suffix, length) == 0;
}

static bool
is_exactly(GroveText text, const char *string)
{
	return text.length == strlen(string) && begins_with(text, string);
}

static GroveScale
scale_of(const GroveFeature *feature)
{
	GroveText	type = feature->type_name;

	if (feature->kind == GROVE_FEATURE_NUMERIC)
	{
		if (is_exactly(type, "real"))
			return GROVE_SCALE_REAL;
		if (is_exactly(type, "date"))
			return GROVE_SCALE_DATE;
		if (begins_with(type, "timestamp"))
			return ends_with(type, "with time zone") ? GROVE_SCALE_TIMESTAMPTZ : GROVE_SCALE_TIMESTAMP;
		return GROVE_SCALE_NUMBER;
	}
	if (is_exactly(type, "text") || is_exactly(type, "name") || is_exactly(type, "\"char\"") ||
		begins_with(type, "character varying"))
		return GROVE_SCALE_TEXT;
	if (begins_with(type, "character") || is_exactly(type, "bpchar"))
		return GROVE_SCALE_CHARACTER;
	if (is_exactly(type, "boolean"))
		return GROVE_SCALE_BOOLEAN;
	return is_exactly(type, "uuid") ? GROVE_SCALE_UUID : GROVE_SCALE_LABEL;
}

/* Whether labels are texts, so that the text of a number can be one. */
static bool
is_text_scale(GroveScale scale)
{
	return scale == GROVE_SCALE_TEXT || scale == GROVE_SCALE_CHARACTER;
}

static bool
is_number_type(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID ||
		type == FLOAT4OID || type == FLOAT8OID || type == NUMERICOID;
}

/* The SQL type that a date or time feature is read as. */
static Oid
time_type(GroveScale scale)
{
	return scale == GROVE_SCALE_DATE ? DATEOID : scale == GROVE_SCALE_TIMESTAMP ? TIMESTAMPOID : TIMESTAMPTZOID;
}

static bool
is_time_scale(GroveScale scale)
{
	return scale == GROVE_SCALE_DATE || scale == GROVE_SCALE_TIMESTAMP || scale == GROVE_SCALE_TIMESTAMPTZ;
}

/* The cast from one of the three time types to the type of the scale; false when type is none of them. */
static bool
find_time_cast(GroveScale scale, Oid type, PGFunction *cast)
{
	static const PGFunction casts[3][3] = {	/* [from][to]: date, timestamp, timestamptz */
		{NULL, date_timestamp, date_timestamptz},
		{timestamp_date, NULL, timestamp_timestamptz},
		{timestamptz_date, timestamptz_timestamp, NULL}
	};
	static const Oid types[3] = {DATEOID, TIMESTAMPOID, TIMESTAMPTZOID};

	for (int from = 0; from < 3; from++)
	{
		if (types[from] == type)
		{
			*cast = casts[from][scale - GROVE_SCALE_DATE];
			return true;
		}
	}
	return false;
}

static void
reject_type(const GroveConverter *converter, const char *given)
{
	const GroveFeature *feature = converter->feature;

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("feature \"%s\" cannot take a value of type %s", grovepg_model_text(feature->name), given),
			 errdetail("The model was trained with a column of type %s.", grovepg_model_text(feature->type_name)),
			 errhint("Cast the value.")));
}

void
grovepg_convert_init(GroveConverter *converter, const GroveFeature *feature)
{
	memset(converter, 0, sizeof(*converter));
	converter->feature = feature;
	converter->scale = scale_of(feature);
	if (is_time_scale(converter->scale))
		grovepg_feature_type(time_type(converter->scale), &converter->type);
}

void
grovepg_convert_init_type(GroveConverter *converter, const GroveFeature *feature, Oid type)
{
	GroveFeatureType given;

	grovepg_convert_init(converter, feature);
	converter->literal = type == UNKNOWNOID;
	if (converter->literal)
		return;
	if (!grovepg_feature_type(type, &given))
		reject_type(converter, format_type_be(type));
	if (is_time_scale(converter->scale))
	{
		if (!find_time_cast(converter->scale, given.type, &converter->cast))
			reject_type(converter, format_type_be(type));
		return;
	}
	converter->type = given;
	if (feature->kind == GROVE_FEATURE_NUMERIC)
	{
		if (!is_number_type(given.type))
			reject_type(converter, format_type_be(type));
		converter->plain = given.type == FLOAT8OID && converter->scale == GROVE_SCALE_NUMBER;
	}
	else if (given.kind == GROVE_FEATURE_NUMERIC)
	{
		Oid			output;
		bool		varlena;

		if (!is_text_scale(converter->scale) || !is_number_type(given.type))
			reject_type(converter, format_type_be(type));
		getTypeOutputInfo(given.type, &output, &varlena);
		fmgr_info(output, &converter->type.output);
	}
}

/* Numbers of a real column were rounded in training, so are those given now; infinite ones count as the largest finite one. */
static inline double
round_to_scale(const GroveConverter *converter, double value)
{
	if (converter->scale == GROVE_SCALE_REAL)
		value = (double) (float) value;
	return value > DBL_MAX ? DBL_MAX : value < -DBL_MAX ? -DBL_MAX : value;
}

static double
label_bin(const GroveConverter *converter, GroveText label)
{
	bool		truth;

	if (converter->scale == GROVE_SCALE_CHARACTER)
		label.length = bpchartruelen(unconstify(char *, label.data), label.length);
	else if (converter->scale == GROVE_SCALE_BOOLEAN && parse_bool_with_len(label.data, label.length, &truth))
	{
		label.data = truth ? "true" : "false";
		label.length = strlen(label.data);
	}
	return grove_model_bin(converter->feature, label);
}

static void
reject_string(const GroveConverter *converter, const char *string, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid value for feature \"%s\": \"%s\"", grovepg_model_text(converter->feature->name), string),
			 errdetail("The feature takes %s.", wanted),
			 errhint("Pass a value of that type, or null when it is not known.")));
}

static double
parse_number(const GroveConverter *converter, const char *string)
{
	char	   *end;
	double		value = strtod(string, &end);

	while (isspace((unsigned char) *end))
		end++;
	if (end == string || *end != '\0')
		reject_string(converter, string, "numbers");
	return round_to_scale(converter, value);
}

static double
parse_time(const GroveConverter *converter, char *string)
{
	PGFunction	input = converter->scale == GROVE_SCALE_DATE ? date_in :
		converter->scale == GROVE_SCALE_TIMESTAMP ? timestamp_in : timestamptz_in;
	Datum		value = DirectFunctionCall3(input, CStringGetDatum(string),
											ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));

	return grovepg_feature_number(&converter->type, value);
}

/* A string that is to be read as the feature's type. */
static double
convert_string(const GroveConverter *converter, char *string)
{
	bool		truth;

	if (converter->scale == GROVE_SCALE_BOOLEAN && !parse_bool(string, &truth))
		reject_string(converter, string, "true and false");
	if (converter->scale == GROVE_SCALE_UUID)
		string = DatumGetCString(DirectFunctionCall1(uuid_out, DirectFunctionCall1(uuid_in, CStringGetDatum(string))));
	if (converter->feature->kind == GROVE_FEATURE_CATEGORICAL)
	{
		GroveText	label = {string, strlen(string)};

		return label_bin(converter, label);
	}
	if (is_time_scale(converter->scale))
		return parse_time(converter, string);
	return parse_number(converter, string);
}

double
grovepg_convert_datum(GroveConverter *converter, Datum value)
{
	if (converter->literal)
		return convert_string(converter, DatumGetCString(value));
	if (converter->cast)
		value = DirectFunctionCall1(converter->cast, value);
	if (converter->feature->kind == GROVE_FEATURE_NUMERIC)
		return round_to_scale(converter, grovepg_feature_number(&converter->type, value));
	return label_bin(converter, grovepg_feature_label(&converter->type, value));
}

double
grovepg_convert_json(GroveConverter *converter, const JsonbValue *value)
{
	bool		categorical = converter->feature->kind == GROVE_FEATURE_CATEGORICAL;
	Datum		number;

	switch (value->type)
	{
		case jbvNull:
			return grovepg_convert_null(converter);
		case jbvString:
			return convert_string(converter, pnstrdup(value->val.string.val, value->val.string.len));
		case jbvNumeric:
			number = NumericGetDatum(value->val.numeric);
			if (categorical ? !is_text_scale(converter->scale) : is_time_scale(converter->scale))
				reject_type(converter, "number");
			if (categorical)
				return convert_string(converter, DatumGetCString(DirectFunctionCall1(numeric_out, number)));
			return round_to_scale(converter,
								  DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number)));
		case jbvBool:
			if (!categorical)
				reject_type(converter, "boolean");
			return convert_string(converter, value->val.boolean ? "true" : "false");
		default:
			reject_type(converter, "array or object");
			return 0;
	}
}

/* Microseconds since 2000-01-01; what is beyond the type is an infinity of it. */
static Timestamp
timestamp_of(double seconds)
{
	double		microseconds = rint(seconds * USECS_PER_SEC);

	if (microseconds >= (double) END_TIMESTAMP)
		return DT_NOEND;
	return microseconds < (double) MIN_TIMESTAMP ? DT_NOBEGIN : (Timestamp) microseconds;
}

static DateADT
date_of(double days)
{
	if (days >= DATE_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return DATEVAL_NOEND;
	return days < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE ? DATEVAL_NOBEGIN : (DateADT) rint(days);
}

char *
grovepg_convert_text(const GroveFeature *feature, double value)
{
	char	   *number;

	if (feature->kind == GROVE_FEATURE_CATEGORICAL)
	{
		uint32		ordinal = grove_model_ordinal(value);

		return ordinal == GROVE_MISSING_BIN ? NULL : grovepg_model_text(feature->levels[ordinal - 1]);
	}
	if (isnan(value))
		return NULL;
	switch (scale_of(feature))
	{
		case GROVE_SCALE_DATE:
			return DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(date_of(value))));
		case GROVE_SCALE_TIMESTAMP:
			return DatumGetCString(DirectFunctionCall1(timestamp_out, TimestampGetDatum(timestamp_of(value))));
		case GROVE_SCALE_TIMESTAMPTZ:
			return DatumGetCString(DirectFunctionCall1(timestamptz_out, TimestampTzGetDatum(timestamp_of(value))));
		default:
			break;
	}
	number = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
	if (fabs(value) == DBL_MAX)
		strlcpy(number, value > 0 ? "Infinity" : "-Infinity", DOUBLE_SHORTEST_DECIMAL_LEN);
	else if (scale_of(feature) == GROVE_SCALE_REAL)
		float_to_shortest_decimal_buf((float) value, number);
	else
		double_to_shortest_decimal_buf(value, number);
	return number;
}
