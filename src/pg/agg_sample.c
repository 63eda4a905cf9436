/*
 * agg_sample.c: the aggregates sample, weighted_sample and inverse_sample.
 *
 * sample takes the k rows with the smallest hashes.  The weighted two give
 * every row the probability min(1, w / tau), inverse_sample with the weight
 * 1 / frequency; core/sample.c and core/sample_draw.c tell how that is done
 * in one pass and O(k) memory.  Whatever is random is the hash of an element
 * under the seed, so that the result does not depend on the order of rows or
 * on the plan.
 *
 * Why the state is "internal" with serialisation and not a type of our own:
 * the arguments are polymorphic, and a plan that ships partial states of
 * polymorphic aggregates to other servers does not exist.  Engines that would
 * ship the state pull the rows of a polymorphic aggregate instead, which
 * works with internal and costs transfer only; the form for clusters is
 * keep() with the threshold of pps_threshold() or hash_quantile().  Within a
 * server internal saves a copy of the whole state for every row that is kept,
 * and elements may stay where they are in memory.
 *
 * What is known of the element's type is kept in fn_extra of the call site,
 * so that a query with many groups looks it up once.
 */
#include "pg_grove.h"

#include <math.h>

#include "utils/builtins.h"

#include "arguments.h"
#include "sample_state.h"

PG_FUNCTION_INFO_V1(grove_sample_trans);
PG_FUNCTION_INFO_V1(grove_weighted_sample_trans);
PG_FUNCTION_INFO_V1(grove_inverse_sample_trans);
PG_FUNCTION_INFO_V1(grove_sample_combine);
PG_FUNCTION_INFO_V1(grove_sample_serial);
PG_FUNCTION_INFO_V1(grove_sample_deserial);
PG_FUNCTION_INFO_V1(grove_sample_final);

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "function called outside of an aggregate");
	return context;
}

/* The call site's element type, looked up when it is new. */
static GroveElementType *
find_type(FunctionCallInfo fcinfo, Oid oid)
{
	GroveElementType *type = fcinfo->flinfo->fn_extra;

	if (type == NULL || grovepg_element_oid(type) != oid)
	{
		type = grovepg_element_type(oid, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = type;
	}
	return type;
}

/*
 * The state to add a row to, made with the first row of a group.  k and seed
 * are arguments k and k + 1 and must stay the same within a group.
 */
static GroveSampleState *
transition_state(FunctionCallInfo fcinfo, bool weighted, int k_argument)
{
	GroveSampleState *state;
	int32		k;
	int64		seed;

	if (PG_ARGISNULL(k_argument))
		grovepg_argument_reject_null("k");
	if (PG_ARGISNULL(k_argument + 1))
		grovepg_argument_reject_null("seed");
	k = PG_GETARG_INT32(k_argument);
	seed = PG_GETARG_INT64(k_argument + 1);

	if (PG_ARGISNULL(0))
	{
		MemoryContext context = aggregate_context(fcinfo);

		if (k < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"k\" is out of range: %d", k),
					 errhint("It must be 0 or more.")));
		return grovepg_sample_create(context, find_type(fcinfo, get_fn_expr_argtype(fcinfo->flinfo, 1)),
									 weighted, k, seed);
	}

	state = (GroveSampleState *) PG_GETARG_POINTER(0);
	if ((uint64) k != state->set.k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"k\" must not change within a group"),
				 errdetail("It was %llu and is %d.", (unsigned long long) state->set.k, k),
				 errhint("Write it as a constant, or group the rows by it.")));
	if (seed != state->seed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"seed\" must not change within a group"),
				 errdetail("It was %lld and is %lld.", (long long) state->seed, (long long) seed),
				 errhint("Write it as a constant, or group the rows by it.")));
	return state;
}

static void
reject_weight(const char *name, double value, const char *range)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("%s is out of range: %g", name, value),
			 errhint("It must be %s.", range)));
}

Datum
grove_sample_trans(PG_FUNCTION_ARGS)
{
	GroveSampleState *state = transition_state(fcinfo, false, 2);

	grovepg_sample_add(state, PG_GETARG_DATUM(1), PG_ARGISNULL(1), 1);
	PG_RETURN_POINTER(state);
}

Datum
grove_weighted_sample_trans(PG_FUNCTION_ARGS)
{
	GroveSampleState *state = transition_state(fcinfo, true, 3);
	double		weight;

	if (PG_ARGISNULL(2))
		grovepg_argument_reject_null("weight");
	weight = PG_GETARG_FLOAT8(2);
	if (!(weight >= 0))
		reject_weight("weight", weight, "0 or more; infinity selects the row for certain");
	if (weight > 0)
		grovepg_sample_add(state, PG_GETARG_DATUM(1), PG_ARGISNULL(1), weight);
	PG_RETURN_POINTER(state);
}

Datum
grove_inverse_sample_trans(PG_FUNCTION_ARGS)
{
	GroveSampleState *state = transition_state(fcinfo, true, 3);
	double		frequency;

	if (PG_ARGISNULL(2))
		grovepg_argument_reject_null("frequency");
	frequency = PG_GETARG_FLOAT8(2);
	if (!(frequency > 0))
		reject_weight("frequency", frequency, "greater than 0; a row that is there occurs at least once");
	if (!isinf(frequency))
		grovepg_sample_add(state, PG_GETARG_DATUM(1), PG_ARGISNULL(1), 1 / frequency);
	PG_RETURN_POINTER(state);
}

Datum
grove_sample_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	GroveSampleState *state = PG_ARGISNULL(0) ? NULL : (GroveSampleState *) PG_GETARG_POINTER(0);
	GroveSampleState *other = PG_ARGISNULL(1) ? NULL : (GroveSampleState *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = grovepg_sample_create(context, find_type(fcinfo, grovepg_element_oid(other->elements.type)),
									  other->set.weighted, (int32) other->set.k, other->seed);
	if (state->set.k != other->set.k || state->seed != other->seed)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments \"k\" and \"seed\" must not change within a group"),
				 errhint("Write them as constants, or group the rows by them.")));
	grovepg_sample_combine(state, other);
	PG_RETURN_POINTER(state);
}

Datum
grove_sample_serial(PG_FUNCTION_ARGS)
{
	aggregate_context(fcinfo);
	PG_RETURN_BYTEA_P(grovepg_sample_write((GroveSampleState *) PG_GETARG_POINTER(0)));
}

/* The state lives in the current context, which the combine function outlives; that one copies what it keeps. */
Datum
grove_sample_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	GroveElementType *type;

	aggregate_context(fcinfo);
	type = find_type(fcinfo, grovepg_sample_read_type(bytes));
	PG_RETURN_POINTER(grovepg_sample_read(bytes, CurrentMemoryContext, type));
}

Datum
grove_sample_final(PG_FUNCTION_ARGS)
{
	aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(grovepg_sample_array((GroveSampleState *) PG_GETARG_POINTER(0)));
}
