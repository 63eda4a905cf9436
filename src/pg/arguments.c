/*
 * arguments.c: one wording for arguments that are NULL or out of range.
 */
#include "pg_grove.h"

#include "utils/builtins.h"

#include "arguments.h"

void
grovepg_argument_reject_null(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("argument \"%s\" must not be null", name),
			 errhint("Pass a value, or leave the argument out where it has a default.")));
}

void
grovepg_argument_reject(const char *name, double value, const char *range)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" is out of range: %g", name, value),
			 errhint("It must be %s.", range)));
}

void
grovepg_argument_reject_float(const char *name, double value, double low, double high)
{
	grovepg_argument_reject(name, value, psprintf("between %g and %g", low, high));
}

char *
grovepg_argument_text(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static void
check_integer(const char *name, int64 value, int64 low, int64 high)
{
	if (value < low || value > high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" is out of range: %lld", name, (long long) value),
				 errhint("It must be between %lld and %lld.", (long long) low, (long long) high)));
}

int64
grovepg_argument_int64(FunctionCallInfo fcinfo, int i, const char *name, int64 low, int64 high)
{
	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null(name);
	check_integer(name, PG_GETARG_INT64(i), low, high);
	return PG_GETARG_INT64(i);
}

int
grovepg_argument_int(FunctionCallInfo fcinfo, int i, const char *name, int low, int high)
{
	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null(name);
	check_integer(name, PG_GETARG_INT32(i), low, high);
	return PG_GETARG_INT32(i);
}
