/*
 * mutate_models.c: models with some bytes changed and their checksum repaired,
 * so that a server reads beyond it.
 *
 *   mutate_models COUNT SEED FILE ...
 *
 * Prints COUNT lines for COPY: number of the file, and the bytes as bytea.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/model.h"

#define MAX_FILES	32
#define MAX_BYTES	65536

typedef struct File
{
	uint8_t		bytes[MAX_BYTES];
	size_t		length;
} File;

static File files[MAX_FILES];
static uint64_t state;

static uint64_t
next(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

/* One to four changes, mostly of single bits and bytes, sometimes of a word or of the length. */
static size_t
mutate(uint8_t *bytes, size_t length)
{
	static const uint64_t words[] = {0, 1, 127, 128, 255, 256, UINT32_MAX, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(0x7ff0000000000000)};

	for (uint64_t left = 1 + next(4); left > 0; left--)
	{
		size_t		at = next(length);

		switch (next(6))
		{
			case 0:
			case 1:
				bytes[at] ^= (uint8_t) (1 << next(8));
				break;
			case 2:
				bytes[at] = (uint8_t) next(256);
				break;
			case 3:
				at = next(length - 8);
				memcpy(bytes + at, &words[next(sizeof(words) / sizeof(words[0]))], 1 + next(8));
				break;
			case 4:
				at = next(length - 16);
				memmove(bytes + at, bytes + next(length - 16), 1 + next(16));
				break;
			case 5:
				if (next(4) == 0 && length > 256)
					length -= next(64);
				break;
		}
	}
	return length;
}

int
main(int argc, char **argv)
{
	static uint8_t bytes[MAX_BYTES];
	int			n_files = argc - 3;

	if (n_files < 1 || n_files > MAX_FILES)
		return 2;
	state = strtoull(argv[2], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (int i = 0; i < n_files; i++)
	{
		FILE	   *file = fopen(argv[3 + i], "rb");

		if (!file)
			return 2;
		files[i].length = fread(files[i].bytes, 1, MAX_BYTES, file);
		fclose(file);
	}
	for (long left = strtol(argv[1], NULL, 10); left > 0; left--)
	{
		int			i = (int) next((uint64_t) n_files);
		size_t		length;

		memcpy(bytes, files[i].bytes, files[i].length);
		length = mutate(bytes, files[i].length);
		grove_model_seal(bytes, length);
		printf("%d\t\\\\x", i + 1);
		for (size_t at = 0; at < length; at++)
			printf("%02x", bytes[at]);
		printf("\n");
	}
	return 0;
}
