/*
 * fuzz_pg_states.c: libFuzzer target: any bytes as states of aggregates
 * (grove.metric_state and grove.tally_state), as a client or another node sends
 * them.
 *
 * The first byte says of which type, the next two how long the first state is;
 * the rest is the second one.  A state is refused as what it is, or written
 * again as the same bytes; two that are accepted are combined; and final
 * functions give a result or an error with a code of its own.
 */
#include "server_shim.h"

#include "../../src/pg/agg_metric.h"
#include "../../src/pg/tally_bytes.h"
#include "must.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

extern Datum grove_metric_combine(PG_FUNCTION_ARGS);
extern Datum grove_metric_final(PG_FUNCTION_ARGS);
extern Datum grove_auc_final(PG_FUNCTION_ARGS);
extern Datum grove_average_precision_final(PG_FUNCTION_ARGS);
extern Datum grove_auc_delong_final(PG_FUNCTION_ARGS);
extern Datum grove_ndcg_final(PG_FUNCTION_ARGS);
extern Datum grove_tally_combine(PG_FUNCTION_ARGS);
extern Datum grove_block_design_final(PG_FUNCTION_ARGS);
extern Datum grove_pps_threshold_final(PG_FUNCTION_ARGS);
extern Datum grove_hash_quantile_final(PG_FUNCTION_ARGS);
extern Datum grove_hash_threshold_final(PG_FUNCTION_ARGS);

/* A call that may end with an ERROR. */
typedef struct Call
{
	PGFunction	function;
	Datum		arguments[2];
	int			n;
	Datum		result;
} Call;

/* Of metric states, then of tally states. */
static const PGFunction finals[2][5] = {
	{grove_metric_final, grove_auc_final, grove_average_precision_final, grove_auc_delong_final, grove_ndcg_final},
	{grove_block_design_final, grove_pps_threshold_final, grove_hash_quantile_final, grove_hash_threshold_final}
};

static void
run_call(void *arg)
{
	Call	   *call = arg;
	LOCAL_FCINFO(fcinfo, 2);

	memset(fcinfo, 0, SizeForFunctionCallInfo(2));
	fcinfo->nargs = (short) call->n;
	for (int i = 0; i < call->n; i++)
		fcinfo->args[i].value = call->arguments[i];
	call->result = call->function(fcinfo);
}

static struct varlena *
make_flat(const uint8 *data, Size size)
{
	struct varlena *flat = palloc(VARHDRSZ + size);

	SET_VARSIZE(flat, VARHDRSZ + size);
	memcpy(VARDATA(flat), data, size);
	return flat;
}

/* An expanded object as bytes. */
static struct varlena *
flatten(ExpandedObjectHeader *header)
{
	Size		size = header->eoh_methods->get_flat_size(header);
	struct varlena *flat = palloc(size);

	header->eoh_methods->flatten_into(header, flat, size);
	return flat;
}

static Datum
open_metric(PG_FUNCTION_ARGS)
{
	return EOHPGetRWDatum(&grovepg_metric_state_open(PG_GETARG_DATUM(0), true, CurrentMemoryContext)->header);
}

static Datum
open_tally(PG_FUNCTION_ARGS)
{
	return EOHPGetRWDatum(&grovepg_tally_open(PG_GETARG_DATUM(0), true, CurrentMemoryContext)->header);
}

/* Whether the bytes are a state, which is then the same bytes again. */
static bool
check_state(bool tally, struct varlena *flat)
{
	Call		open = {tally ? open_tally : open_metric, {PointerGetDatum(flat)}, 1, 0};
	struct varlena *again;

	if (!shim_try(run_call, &open))
	{
		must(shim_sqlstate == ERRCODE_INVALID_BINARY_REPRESENTATION, "a state is refused as something else");
		return false;
	}
	again = flatten(DatumGetEOHP(open.result));
	must(VARSIZE(again) == VARSIZE(flat) && memcmp(again, flat, VARSIZE(flat)) == 0, "a state is written differently");
	return true;
}

static void
check_finals(bool tally, struct varlena *flat)
{
	for (Size i = 0; i < lengthof(finals[0]); i++)
	{
		Call		final = {finals[tally][i], {PointerGetDatum(flat)}, 1, 0};

		if (final.function)
			(void) shim_try(run_call, &final);
	}
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Size		length;
	bool		tally;
	struct varlena *first;
	struct varlena *second;
	Call		combine;

	if (size < 3)
		return 0;
	shim_reset();
	tally = data[0] % 2;
	length = Min((Size) (data[1] | data[2] << 8), size - 3);
	first = make_flat(data + 3, length);
	second = make_flat(data + 3 + length, size - 3 - length);
	if (check_state(tally, first))
	{
		check_finals(tally, first);
		if (!check_state(tally, second))
			second = first;
		combine = (Call) {tally ? grove_tally_combine : grove_metric_combine,
		{PointerGetDatum(first), PointerGetDatum(second)}, 2, 0};
		if (shim_try(run_call, &combine))
		{
			struct varlena *both = flatten(DatumGetEOHP(combine.result));

			(void) check_state(tally, both);	/* counts that overflow are refused */
			check_finals(tally, both);
		}
	}
	shim_reset();
	return 0;
}
