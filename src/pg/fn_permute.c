/*
 * fn_permute.c: permute and unpermute, a seeded bijection of row numbers.
 */
#include "pg_grove.h"

#include "../core/shuffle.h"
#include "arguments.h"

PG_FUNCTION_INFO_V1(grove_permute);
PG_FUNCTION_INFO_V1(grove_unpermute);

typedef struct PermuteCall
{
	int64		n;				/* 0: not set up */
	int64		seed;
	GroveShuffle shuffle;
} PermuteCall;

/* The bijection of arguments (i, n, seed), kept by the call site until n or seed changes. */
static const GroveShuffle *
call_shuffle(FunctionCallInfo fcinfo)
{
	PermuteCall *call = fcinfo->flinfo->fn_extra;
	int64		n = grovepg_argument_int64(fcinfo, 1, "n", 1, (int64) GROVE_SHUFFLE_MAX);
	int64		seed = grovepg_argument_int64(fcinfo, 2, "seed", PG_INT64_MIN, PG_INT64_MAX);

	if (call == NULL)
	{
		call = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(PermuteCall));
		call->n = 0;
		fcinfo->flinfo->fn_extra = call;
	}
	if (call->n != n || call->seed != seed)
	{
		(void) grove_shuffle_init(&call->shuffle, (uint64) n, grove_rng_key((uint64) seed, GROVE_PURPOSE_PERMUTE));
		call->n = n;
		call->seed = seed;
	}
	return &call->shuffle;
}

/* permute(i bigint, n bigint, seed bigint) RETURNS bigint */
Datum
grove_permute(PG_FUNCTION_ARGS)
{
	const GroveShuffle *shuffle = call_shuffle(fcinfo);
	int64		i = grovepg_argument_int64(fcinfo, 0, "i", 0, (int64) shuffle->n - 1);

	PG_RETURN_INT64((int64) grove_shuffle_forward(shuffle, (uint64) i));
}

/* unpermute(place bigint, n bigint, seed bigint) RETURNS bigint */
Datum
grove_unpermute(PG_FUNCTION_ARGS)
{
	const GroveShuffle *shuffle = call_shuffle(fcinfo);
	int64		place = grovepg_argument_int64(fcinfo, 0, "place", 0, (int64) shuffle->n - 1);

	PG_RETURN_INT64((int64) grove_shuffle_backward(shuffle, (uint64) place));
}
