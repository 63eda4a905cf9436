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
	uint8_t		digest[GROVE_DIGEST_BYTES];
	uint64_t	length;
	uint32_t	n_trees;
	uint32_t	n_nodes;
	const char *why;

	if (size > 0)
		memcpy(bytes, data, size);
	/* the first look at a header, which may be all that is at hand */
	if (grove_model_peek(bytes, size, &length, digest) == GROVE_OK)
		grove_model_peek_counts(bytes, &n_trees, &n_nodes);
	if (check_bytes(bytes, size, &why) == CHECK_WRONG || check_sealed(bytes, size, &why) == CHECK_WRONG)
	{
		fprintf(stderr, "%s\n", why);
		abort();
	}
	free(bytes);
	return 0;
}
