/*
 * bind.h: the arguments of predict() and its relatives -> rows for
 * core/predict.h.
 *
 * "VARIADIC features" is one of: the values in the order of training, also as
 * an array; one row, bound by column name; one jsonb (or json) object, bound by key.
 * Columns and keys that the model does not know are ignored, one that it misses
 * is an ERROR.  A row whose columns are only named f1, f2, ... is taken by
 * position when these names do not fit and the count does.  A row or object
 * that is NULL as a whole has no known value: every feature is missing.
 */
#ifndef GROVE_BIND_H
#define GROVE_BIND_H

#include "fmgr.h"

#include "model_cache.h"

/* What a call site passes, found out once. */
typedef struct GroveArguments GroveArguments;

/* first: number of the first feature argument.  Allocates in fn_mcxt. */
extern GroveArguments *grovepg_bind_arguments(FunctionCallInfo fcinfo, int first);

/* The row of this call, for the model of use; valid until the next call.  Keeps its plan in use->work. */
extern const double *grovepg_bind_row(GroveArguments *arguments, FunctionCallInfo fcinfo, GroveModelUse *use);

#endif							/* GROVE_BIND_H */
