/*
 * fuzz_model_read.c: libFuzzer target: any bytes as a model.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -ffp-contract=off fuzz_model_read.c \
 *           ../../src/core/{model_*,crc32c,digest,compact,predict}.c -lm -o fuzz_model_read
 *     ./fuzz_model_read -max_len=4096 corpus ../golden
 */
#include <stdio.h>

#include "check_model.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *bytes = malloc(size + (size == 0));
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
