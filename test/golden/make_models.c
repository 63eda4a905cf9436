/*
 * make_models.c: writes the golden files of the current format version.
 *
 *     make_models DIRECTORY
 *
 * For each sample model: model_v1_NAME.bin, its bytes, and model_v1_NAME.txt,
 * a line a row: the values of the features, "->", the margins, all as hexadecimal floats.
 * The margins come from the naive walk of this file, not from the library.
 *
 * It is run once for each format version; files of a released version are
 * never written again.
 */
#include <math.h>
#include <stdlib.h>

#include "reference.h"
#include "sample_models.h"

/* Rows that reach every leaf: all combinations of a few values around the thresholds. */
static void
write_rows(FILE *file, const Sample *sample)
{
	static const double numbers[] = {-1, 0, 0.15, 0.5, 5, 9.5, 10, 15, 25, 30, 31, 8000, 8001, 7.0e8, 7.1e8, NAN};
	static const double ordinals[] = {0, 1, 2, 3};
	static const double towns[] = {0, 1, 2, 3, 45, 46, 101, 254, 255, 256, 257, 258, 298, 299, 300};
	const GroveModel *model = &sample->model;
	unsigned	state = 1;

	for (int row = 0; row < 64; row++)
	{
		double		values[SAMPLE_FEATURES];
		double		margins[4];

		for (uint32_t i = 0; i < model->n_features; i++)
		{
			state = state * 1103515245u + 12345u;
			if (model->features[i].kind == GROVE_FEATURE_NUMERIC)
				values[i] = numbers[(state >> 16) % 16];
			else if (model->features[i].n_levels > 3)
				values[i] = towns[(state >> 16) % 15];
			else
				values[i] = ordinals[(state >> 16) % (model->features[i].n_levels + 1)];
			fprintf(file, "%a ", values[i]);
		}
		reference_margins(model, values, margins);
		fprintf(file, "->");
		for (uint32_t i = 0; i < model->n_outputs; i++)
			fprintf(file, " %a", margins[i]);
		fprintf(file, "\n");
	}
}

static FILE *
open_file(const char *directory, const char *name, const char *ending)
{
	char		path[4096];
	FILE	   *file;

	snprintf(path, sizeof(path), "%s/model_v%d_%s.%s", directory, GROVE_MODEL_VERSION, name, ending);
	file = fopen(path, "wbx");	/* never over an existing file */
	if (!file)
	{
		perror(path);
		exit(1);
	}
	return file;
}

int
main(int argc, char **argv)
{
	if (argc != 2)
	{
		fprintf(stderr, "usage: make_models DIRECTORY\n");
		return 2;
	}
	for (int number = 0; number < SAMPLES; number++)
	{
		static Sample sample;
		static uint8_t bytes[65536];
		size_t		size;
		FILE	   *file;

		sample_make(&sample, number);
		if (grove_model_write_size(&sample.model, &size) != GROVE_OK || size > sizeof(bytes) ||
			grove_model_write(&sample.model, bytes, size) != GROVE_OK)
		{
			fprintf(stderr, "%s: cannot be written\n", sample.name);
			return 1;
		}
		file = open_file(argv[1], sample.name, "bin");
		fwrite(bytes, 1, size, file);
		fclose(file);
		file = open_file(argv[1], sample.name, "txt");
		write_rows(file, &sample);
		fclose(file);
	}
	return 0;
}
