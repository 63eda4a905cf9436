/*
 * fuzz_pg_lightgbm.c: libFuzzer target: any text as a LightGBM model.
 *
 * It is refused as what it is, or becomes a model of which everything holds
 * that check_model.h knows.
 */
#include "server_shim.h"

#include "../../src/pg/model_cache.h"
#include "check_model.h"

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);
extern Datum grove_import_lightgbm(PG_FUNCTION_ARGS);

/* --------------------------------------- of src/pg/model_cache.c, without a cache */

bytea *
grovepg_model_value(const GroveModel *model)
{
	size_t		size;
	GroveStatus status = grove_model_write_size(model, &size);
	bytea	   *value;

	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	value = palloc(VARHDRSZ + size);
	SET_VARSIZE(value, VARHDRSZ + size);
	status = grove_model_write(model, (uint8 *) VARDATA(value), size);
	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	return value;
}

const GroveModel *
grovepg_model_get(Datum value, MemoryContext owner)
{
	bytea	   *bytes = (bytea *) DatumGetPointer(value);
	size_t		length = VARSIZE(bytes) - VARHDRSZ;
	const char *rule;
	size_t		offset;
	size_t		size;
	GroveModel *model = NULL;
	GroveStatus status = grove_model_read_size((uint8 *) VARDATA(bytes), length, &size, &rule, &offset);

	if (status == GROVE_OK)
		status = grove_model_read((uint8 *) VARDATA(bytes), length, palloc(size), size, &model, &rule, &offset);
	if (status != GROVE_OK)
		grovepg_error_status(status, rule, offset);
	return model;
}

char *
grovepg_model_text(GroveText text)
{
	return pnstrdup(text.data, text.length);
}

/* ------------------------------------------------------------------------------- */

typedef struct Import
{
	text	   *string;
	bytea	   *model;
} Import;

static void
run_import(void *arg)
{
	Import	   *import = arg;
	LOCAL_FCINFO(fcinfo, 1);

	memset(fcinfo, 0, SizeForFunctionCallInfo(1));
	fcinfo->nargs = 1;
	fcinfo->args[0].value = PointerGetDatum(import->string);
	import->model = (bytea *) DatumGetPointer(grove_import_lightgbm(fcinfo));
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Import		import;
	const char *why = NULL;

	shim_reset();
	import.string = palloc(VARHDRSZ + size);
	SET_VARSIZE(import.string, VARHDRSZ + size);
	memcpy(VARDATA(import.string), data, size);
	if (shim_try(run_import, &import))
		(void) (check_bytes((uint8 *) VARDATA(import.model), VARSIZE(import.model) - VARHDRSZ, &why) == CHECK_SAME ||
				(why = why ? why : "the model is refused"));
	else if (shim_sqlstate != ERRCODE_INVALID_TEXT_REPRESENTATION && shim_sqlstate != ERRCODE_FEATURE_NOT_SUPPORTED)
		why = "the text is refused as something else";
	if (why)
	{
		fprintf(stderr, "%s\n", why);
		abort();
	}
	shim_reset();
	return 0;
}
