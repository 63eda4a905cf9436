/*
 * replay.c: a fuzz target on files, without libFuzzer.
 *
 *	 replay FILE ...
 *
 * So the findings of earlier runs are tested wherever there is a C compiler.  An
 * input that fails ends the program as it ends the fuzzer.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Runs one file; false when it cannot be read. */
static bool
replay(const char *name)
{
	FILE	   *file = fopen(name, "rb");
	long		size;
	uint8_t    *bytes;
	bool		good;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
		return false;
	bytes = malloc((size_t) size + (size == 0));
	good = bytes && fread(bytes, 1, (size_t) size, file) == (size_t) size;
	fclose(file);
	if (good)
		(void) LLVMFuzzerTestOneInput(bytes, (size_t) size);
	free(bytes);
	return good;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
	{
		if (!replay(argv[i]))
		{
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			return 1;
		}
	}
	printf("%d inputs\n", argc - 1);
	return argc < 2;
}
