/*
 * fn_keys.c: decisions about one row by the hash of its key: hash64, u01,
 * keep, split, fold, and what goes with them.
 *
 * All take (..., seed, VARIADIC key "any").  They are not strict: a NULL key
 * or seed would silently drop a row from every part, so it is an error.  What
 * a call site can know once (types, the mixed seed, the cuts of split) is kept
 * in fn_extra; a key of one integer column costs two rounds of the mixer.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "../core/pps.h"
#include "arguments.h"
#include "keys.h"

#define SPLIT_SUM_TOLERANCE	1e-9	/* fractions written as decimals do not sum to 1 exactly */

PG_FUNCTION_INFO_V1(grove_hash64);
PG_FUNCTION_INFO_V1(grove_u01);
PG_FUNCTION_INFO_V1(grove_keep);
PG_FUNCTION_INFO_V1(grove_keep_support);
PG_FUNCTION_INFO_V1(grove_split);
PG_FUNCTION_INFO_V1(grove_fold);
PG_FUNCTION_INFO_V1(grove_shuffle_hash);
PG_FUNCTION_INFO_V1(grove_key_bytes);
PG_FUNCTION_INFO_V1(grove_inverse_pi);
PG_FUNCTION_INFO_V1(grove_prior_correct);

/* Cuts of split, made from one value of its array. */
typedef struct SplitCuts
{
	ArrayType  *fractions;		/* the value that the cuts belong to */
	double		upper[FLEXIBLE_ARRAY_MEMBER];	/* cumulated fractions; from the last positive one on exactly 1 */
} SplitCuts;

/* What one call site remembers. */
typedef struct KeyCall
{
	MemoryContext key_context;	/* of key; reset when an array of another length comes */
	MemoryContext cuts_context; /* of cuts; reset when other fractions come */
	bool		is_array;		/* VARIADIC array: the elements are the columns */
	Oid			element_type;
	int16		element_length;
	bool		element_byval;
	char		element_align;
	Oid			integer_type;	/* of a key that is one integer column, else InvalidOid */
	int			n;				/* columns that key is made for; 0: not made yet */
	GroveKey   *key;
	bool		seeded;
	int64		seed;
	uint64		rng_key;		/* of seed and the function's purpose */
	SplitCuts  *cuts;			/* split only */
} KeyCall;

/* The call site's memory at its first call; the key begins at argument first. */
static pg_noinline KeyCall *
make_call(FunctionCallInfo fcinfo, int first)
{
	FmgrInfo   *flinfo = fcinfo->flinfo;
	KeyCall    *call = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(KeyCall));
	Oid			type = get_fn_expr_argtype(flinfo, first);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("could not determine data type of the key"),
				 errhint("Cast it, as in $1::bigint.")));
	type = getBaseType(type);
	call->key_context = AllocSetContextCreate(flinfo->fn_mcxt, "grove key", ALLOCSET_SMALL_SIZES);
	call->cuts_context = AllocSetContextCreate(flinfo->fn_mcxt, "grove split", ALLOCSET_SMALL_SIZES);
	call->is_array = get_fn_expr_variadic(flinfo);
	if (call->is_array)
	{
		call->element_type = get_base_element_type(type);
		get_typlenbyvalalign(call->element_type, &call->element_length, &call->element_byval, &call->element_align);
	}
	else if (PG_NARGS() == first + 1 && (type == INT2OID || type == INT4OID || type == INT8OID))
		call->integer_type = type;
	flinfo->fn_extra = call;
	return call;
}

static inline KeyCall *
key_call(FunctionCallInfo fcinfo, int first)
{
	return likely(fcinfo->flinfo->fn_extra != NULL) ? fcinfo->flinfo->fn_extra : make_call(fcinfo, first);
}

/* Makes the key of n columns again when n has changed, which only a VARIADIC array can do. */
static GroveKey *
key_of_columns(FunctionCallInfo fcinfo, KeyCall *call, int first, int n)
{
	MemoryContext old;
	Oid		   *types;

	if (call->n == n)
		return call->key;

	call->n = 0;
	MemoryContextReset(call->key_context);
	old = MemoryContextSwitchTo(call->key_context);
	types = palloc(n * sizeof(Oid));
	for (int i = 0; i < n; i++)
		types[i] = call->is_array ? call->element_type : get_fn_expr_argtype(fcinfo->flinfo, first + i);
	call->key = grovepg_key_make(n, types);
	MemoryContextSwitchTo(old);
	call->n = n;
	return call->key;
}

/* The columns of a key as arrays; returns their number. */
static int
key_columns(FunctionCallInfo fcinfo, KeyCall *call, int first, Datum **values, bool **nulls)
{
	int			n;

	if (call->is_array)
	{
		if (PG_ARGISNULL(first))
			grovepg_argument_reject_null("key");
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(first), call->element_type, call->element_length,
						  call->element_byval, call->element_align, values, nulls, &n);
		if (n == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("key must have at least one column"),
					 errhint("Pass the columns that identify a row, for example the primary key.")));
		return n;
	}

	n = PG_NARGS() - first;
	*values = palloc(n * sizeof(Datum));
	*nulls = palloc(n * sizeof(bool));
	for (int i = 0; i < n; i++)
	{
		(*values)[i] = fcinfo->args[first + i].value;
		(*nulls)[i] = fcinfo->args[first + i].isnull;
	}
	return n;
}

static pg_noinline uint64
hash_columns(FunctionCallInfo fcinfo, KeyCall *call, int first)
{
	Datum	   *values;
	bool	   *nulls;
	int			n = key_columns(fcinfo, call, first, &values, &nulls);
	uint64		hash = grovepg_key_hash(key_of_columns(fcinfo, call, first, n), call->rng_key, values, nulls);

	pfree(values);
	pfree(nulls);
	return hash;
}

/* Hash for one purpose of the key that stands behind the seed, which is argument i. */
static pg_attribute_always_inline uint64
key_hash(FunctionCallInfo fcinfo, int i, GrovePurpose purpose)
{
	KeyCall    *call = key_call(fcinfo, i + 1);
	int64		seed;

	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null("seed");
	seed = PG_GETARG_INT64(i);
	if (!call->seeded || call->seed != seed)
	{
		call->seed = seed;
		call->rng_key = grove_rng_key((uint64) seed, purpose);
		call->seeded = true;
	}

	if (OidIsValid(call->integer_type) && !PG_ARGISNULL(i + 1))
	{
		Datum		value = PG_GETARG_DATUM(i + 1);

		return grove_rng_hash(call->rng_key, (uint64) (call->integer_type == INT8OID ? DatumGetInt64(value) :
													   call->integer_type == INT4OID ? DatumGetInt32(value) :
													   DatumGetInt16(value)));
	}
	return hash_columns(fcinfo, call, i + 1);
}

/* hash64(seed bigint, VARIADIC key "any") RETURNS bigint */
Datum
grove_hash64(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) key_hash(fcinfo, 0, GROVE_PURPOSE_HASH));
}

/* u01(seed bigint, VARIADIC key "any") RETURNS double precision */
Datum
grove_u01(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(grove_rng_u01(key_hash(fcinfo, 0, GROVE_PURPOSE_HASH)));
}

/* shuffle_hash(seed bigint, VARIADIC key "any") RETURNS bigint: the order of shuffle() */
Datum
grove_shuffle_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) key_hash(fcinfo, 0, GROVE_PURPOSE_SHUFFLE));
}

/* keep(fraction float8, seed bigint, VARIADIC key "any") RETURNS boolean */
Datum
grove_keep(PG_FUNCTION_ARGS)
{
	double		fraction = grovepg_argument_float(fcinfo, 0, "fraction", 0, 1);

	PG_RETURN_BOOL(grove_rng_below(key_hash(fcinfo, 1, GROVE_PURPOSE_KEEP), fraction));
}

/* keep_support(internal) RETURNS internal: keep lets through as many rows as its fraction says */
Datum
grove_keep_support(PG_FUNCTION_ARGS)
{
	SupportRequestSelectivity *request = (SupportRequestSelectivity *) PG_GETARG_POINTER(0);
	Node	   *fraction;

	if (!IsA(request, SupportRequestSelectivity))
		PG_RETURN_POINTER(NULL);
	fraction = estimate_expression_value(request->root, linitial(request->args));
	if (!IsA(fraction, Const) || ((Const *) fraction)->constisnull)
		PG_RETURN_POINTER(NULL);
	request->selectivity = DatumGetFloat8(((Const *) fraction)->constvalue);
	/* outside it is an error when it runs */
	if (!(request->selectivity >= 0 && request->selectivity <= 1))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(request);
}

/* fold(k int, seed bigint, VARIADIC key "any") RETURNS int */
Datum
grove_fold(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		grovepg_argument_reject_null("k");
	if (PG_GETARG_INT32(0) < 1)
		grovepg_argument_reject("k", PG_GETARG_INT32(0), "1 or more");
	PG_RETURN_INT32((int32) grove_rng_range(key_hash(fcinfo, 1, GROVE_PURPOSE_FOLD), PG_GETARG_INT32(0)));
}

/* Checks the fractions and cumulates them; what it returns lives in context. */
static SplitCuts *
make_cuts(ArrayType *fractions, MemoryContext context)
{
	SplitCuts  *cuts = MemoryContextAlloc(context, offsetof(SplitCuts, upper) +
										  ArrayGetNItems(ARR_NDIM(fractions), ARR_DIMS(fractions)) * sizeof(double));
	Datum	   *values;
	bool	   *nulls;
	double		sum = 0;
	int			last = 0;
	int			n;

	if (ARR_NDIM(fractions) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"fractions\" must be an array of one dimension with at least one element"),
				 errhint("Pass the share of each part, for example '{0.8,0.2}'.")));
	deconstruct_array(fractions, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		double		fraction;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("element %d of argument \"fractions\" must not be null", i + 1),
					 errhint("Pass the share of each part, for example '{0.8,0.2}'.")));
		fraction = DatumGetFloat8(values[i]);
		if (!(fraction >= 0 && fraction <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("element %d of argument \"fractions\" is out of range: %g", i + 1, fraction),
					 errhint("It must be between 0 and 1.")));
		if (fraction > 0)
			last = i;
		sum += fraction;
		cuts->upper[i] = sum;
	}
	if (!(fabs(sum - 1) <= SPLIT_SUM_TOLERANCE))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("elements of argument \"fractions\" sum to %.10g, not to 1", sum),
				 errhint("Add a part for the remaining rows, or divide every element by the sum.")));
	for (int i = last; i < n; i++)
		cuts->upper[i] = 1;
	cuts->fractions = MemoryContextAlloc(context, VARSIZE(fractions));
	memcpy(cuts->fractions, fractions, VARSIZE(fractions));
	return cuts;
}

/* split(fractions float8[], seed bigint, VARIADIC key "any") RETURNS int, 1 to n */
Datum
grove_split(PG_FUNCTION_ARGS)
{
	KeyCall    *call = key_call(fcinfo, 2);
	ArrayType  *fractions;
	uint64		hash;
	int			i = 0;

	if (PG_ARGISNULL(0))
		grovepg_argument_reject_null("fractions");
	fractions = PG_GETARG_ARRAYTYPE_P(0);
	if (call->cuts == NULL || VARSIZE(fractions) != VARSIZE(call->cuts->fractions) ||
		memcmp(fractions, call->cuts->fractions, VARSIZE(fractions)) != 0)
	{
		call->cuts = NULL;
		MemoryContextReset(call->cuts_context);
		call->cuts = make_cuts(fractions, call->cuts_context);
	}
	hash = key_hash(fcinfo, 1, GROVE_PURPOSE_SPLIT);
	while (!grove_rng_below(hash, call->cuts->upper[i]))
		i++;
	PG_FREE_IF_COPY(fractions, 0);
	PG_RETURN_INT32(i + 1);
}

/* key_bytes(VARIADIC key "any") RETURNS bytea */
Datum
grove_key_bytes(PG_FUNCTION_ARGS)
{
	KeyCall    *call = key_call(fcinfo, 0);
	Datum	   *values;
	bool	   *nulls;
	int			n = key_columns(fcinfo, call, 0, &values, &nulls);

	PG_RETURN_BYTEA_P(grovepg_key_bytes(key_of_columns(fcinfo, call, 0, n), values, nulls));
}

/* inverse_pi(frequency, gamma, tau, pi_min) RETURNS double precision: min(1, max(pi_min, tau * frequency^-gamma)) */
Datum
grove_inverse_pi(PG_FUNCTION_ARGS)
{
	double		frequency = PG_GETARG_FLOAT8(0);
	double		gamma = grovepg_argument_float(fcinfo, 1, "gamma", 0, 1000);
	double		tau = PG_GETARG_FLOAT8(2);
	double		pi_min = grovepg_argument_float(fcinfo, 3, "pi_min", 0, 1);
	double		pi;

	if (!(frequency > 0 && frequency <= DBL_MAX))
		grovepg_argument_reject("frequency", frequency, "positive and finite: what occurs has a frequency");
	if (!(tau >= 0))
		grovepg_argument_reject("tau", tau, "0 or more");

	/* 0 * infinity is the one form that has no value: tau decides; it is infinite in a plan that keeps all */
	pi = tau == 0 ? 0 : isinf(tau) ? 1 : tau * grove_pps_inverse(frequency, gamma);
	PG_RETURN_FLOAT8(Min(1, Max(pi_min, pi)));
}

/* prior_correct(p, keep_positive, keep_negative) RETURNS double precision */
Datum
grove_prior_correct(PG_FUNCTION_ARGS)
{
	double		p = grovepg_argument_float(fcinfo, 0, "p", 0, 1);
	double		keep[2];

	for (int i = 0; i < 2; i++)
	{
		const char *name = i == 0 ? "keep_positive" : "keep_negative";

		keep[i] = grovepg_argument_float(fcinfo, i + 1, name, 0, 1);
		if (keep[i] == 0)
			grovepg_argument_reject(name, 0, "greater than 0: a class of which nothing was kept cannot be restored");
	}
	if (p == 0 || p == 1)
		PG_RETURN_FLOAT8(p);
	PG_RETURN_FLOAT8(1 / (1 + (1 - p) / p * (keep[0] / keep[1])));
}
