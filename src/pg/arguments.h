/*
 * arguments.h: arguments of SQL functions that are not strict: a NULL or a
 * value outside its range is an ERROR that names the argument.
 */
#ifndef GROVE_ARGUMENTS_H
#define GROVE_ARGUMENTS_H

#include "fmgr.h"

/* ERROR 22004. */
extern void grovepg_argument_reject_null(const char *name) pg_attribute_noreturn();

/* ERROR 22023 with a hint that tells the range in words. */
extern void grovepg_argument_reject(const char *name, double value, const char *range) pg_attribute_noreturn();

/* Of a number: ERROR 22023. */
extern void grovepg_argument_reject_float(const char *name, double value, double low, double high) pg_attribute_noreturn();

/* A number in [low, high]; NaN is outside. */
static inline double
grovepg_argument_float(FunctionCallInfo fcinfo, int i, const char *name, double low, double high)
{
	double		value;

	if (unlikely(PG_ARGISNULL(i)))
		grovepg_argument_reject_null(name);
	value = PG_GETARG_FLOAT8(i);
	if (unlikely(!(value >= low && value <= high)))
		grovepg_argument_reject_float(name, value, low, high);
	return value;
}

/* A text as a C string, palloc'd. */
extern char *grovepg_argument_text(FunctionCallInfo fcinfo, int i, const char *name);

/* A bigint in [low, high]. */
extern int64 grovepg_argument_int64(FunctionCallInfo fcinfo, int i, const char *name, int64 low, int64 high);

/* An integer in [low, high]. */
extern int	grovepg_argument_int(FunctionCallInfo fcinfo, int i, const char *name, int low, int high);

#endif							/* GROVE_ARGUMENTS_H */
