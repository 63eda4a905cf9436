/*
 * errors.c: the one place that turns a status of the core into an ERROR.
 */
#include "pg_grove.h"

void
grovepg_error_status(GroveStatus status, const char *rule, size_t offset)
{
	switch (status)
	{
		case GROVE_ERR_RANGE:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument is out of range"),
					 errhint("The documentation of the function tells the range of each argument.")));
			break;
		case GROVE_ERR_DATA:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("data cannot be used for training"),
					 errhint("Look for targets, weights and margins that are very large or not finite.")));
			break;
		case GROVE_ERR_SIZE:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("size exceeds a limit of the model format"),
					 errhint("Train with fewer trees, leaves or labels of text columns.")));
			break;
		case GROVE_ERR_MAGIC:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("value is not a model"),
					 errhint("Pass a value that grove.train() returned.")));
			break;
		case GROVE_ERR_VERSION:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("model has a newer format than this version of pg_grove reads"),
					 errhint("Update the extension.")));
			break;
		case GROVE_ERR_CHECKSUM:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("model is damaged"),
					 errdetail("The checksum does not match."),
					 errhint(GROVEPG_DAMAGED_HINT)));
			break;
		case GROVE_ERR_STRUCTURE:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("model is damaged"),
					 rule ? errdetail("%s, at byte %zu.", rule, offset) : 0,
					 errhint(GROVEPG_DAMAGED_HINT)));
			break;
		case GROVE_OK:
		case GROVE_ERR_BUFFER:
			break;
	}
	elog(ERROR, "unexpected status %d", (int) status);
}
