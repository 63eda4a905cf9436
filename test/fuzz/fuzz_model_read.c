/*
 * fuzz_model_read.c: libFuzzer target: any bytes as a model, as they are and
 * with their checksum repaired.
 */
#include <stdio.h>

#include "check_model.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *bytes = calloc(size + (size == 0), 1);
	const char *why;

	if (size > 0)
		memcpy(bytes, data, size);
	if (check_bytes(bytes, size, &why) == CHECK_WRONG || check_sealed(bytes, size, &why) == CHECK_WRONG)
	{
		fprintf(stderr, "%s\n", why);
		abort();
	}
	free(bytes);
	return 0;
}
