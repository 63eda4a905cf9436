/*
 * fuzz_params.c: libFuzzer target: lines of "name=value" as training options.
 *
 * A name is found in the table or has a nearest one; a value is stored as it
 * stands or refused, and then nothing has changed; what is stored can be read
 * and stored again into the same options; and what is left open is settled
 * once, within the ranges.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/params.h"

#define LINE_BYTES	256
#define NEAREST_LINES	4		/* searches for a nearest name take their time */

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds, const char *what, const char *name)
{
	if (holds)
		return;
	fprintf(stderr, "option \"%s\": %s\n", name, what);
	abort();
}

static void
check_name(const char *name)
{
	const char *nearest = grove_params_nearest(name);

	must(grove_params_find(nearest) != NULL, "the nearest name is none", name);
	if (grove_params_find(name) != NULL)
		must(strcmp(nearest, name) == 0, "the nearest name is another", name);
}

static bool
in_range(const GroveParamInfo *info, double value)
{
	double		max = info->max;

	for (const char *at = info->type == GROVE_PARAM_ENUM ? strchr(info->choices, '|') : NULL; at; at = strchr(at + 1, '|'))
		max++;
	return value >= info->min && value <= max && (info->type == GROVE_PARAM_REAL || value == floor(value));
}

static void
set_number(GroveParams *params, const GroveParamInfo *info, double value)
{
	GroveParams before = *params;
	bool		number = info->type != GROVE_PARAM_TEXT && info->type != GROVE_PARAM_JSON;
	bool		stored = grove_params_set(params, info, value) == GROVE_OK;

	must(stored == (number && in_range(info, value)), "a value is judged wrongly", info->name);
	if (stored)
		must(grove_params_get(params, info) == value, "another value is stored", info->name);
	else
		must(memcmp(&before, params, sizeof(before)) == 0, "a refused value is stored", info->name);
}

static void
set_text(GroveParams *params, const GroveParamInfo *info, const char *text, size_t length)
{
	GroveParams before = *params;
	bool		stored = grove_params_set_text(params, info, text, length) == GROVE_OK;

	must(stored == (info->type == GROVE_PARAM_TEXT && length >= 1 && length <= GROVE_PARAM_TEXT_BYTES),
		 "a text is judged wrongly", info->name);
	if (stored)
		must(strcmp(grove_params_get_text(params, info), text) == 0, "another text is stored", info->name);
	else
		must(memcmp(&before, params, sizeof(before)) == 0, "a refused text is stored", info->name);
}

/* A value of 8 bytes is a double's bits, too, so that NaN and the rest of them come by. */
static void
set_value(GroveParams *params, const GroveParamInfo *info, const char *value, size_t length)
{
	double		number;

	if (info->type == GROVE_PARAM_ENUM && grove_params_choice(info, value) >= 0)
		set_number(params, info, grove_params_choice(info, value));
	else if (info->type == GROVE_PARAM_TEXT)
		set_text(params, info, value, length);
	else if (info->type == GROVE_PARAM_JSON)
	{
		grove_params_set_json(params, info, value);
		must(grove_params_get_json(params, info) == value, "another JSON is stored", info->name);
		grove_params_set_json(params, info, NULL);	/* the line does not live on */
	}
	else
	{
		if (length == sizeof(number))
		{
			memcpy(&number, value, sizeof(number));
			set_number(params, info, number);
		}
		set_number(params, info, strtod(value, NULL));
		/* and on both sides of the ends of the range; the last one stays */
		set_number(params, info, info->max + 1);
		set_number(params, info, nextafter(info->max, INFINITY));
		set_number(params, info, info->min - 1);
		set_number(params, info, nextafter(info->min, -INFINITY));
		set_number(params, info, length % 3 == 0 ? info->max : length % 3 == 1 ? info->min : strtod(value, NULL));
	}
}

/* Every option into a fresh set of them: nothing is lost. */
static void
check_copy(const GroveParams *params)
{
	int			count;
	const GroveParamInfo *table = grove_params_table(&count);
	GroveParams copy;

	grove_params_init(&copy);
	for (int i = 0; i < count; i++)
	{
		const char *text = grove_params_get_text(params, &table[i]);
		double		value = grove_params_get(params, &table[i]);

		if (text[0] != '\0')
			must(grove_params_set_text(&copy, &table[i], text, strlen(text)) == GROVE_OK, "its text is refused", table[i].name);
		else if (table[i].type != GROVE_PARAM_TEXT && table[i].type != GROVE_PARAM_JSON && value != GROVE_AUTO)
			must(grove_params_set(&copy, &table[i], value) == GROVE_OK, "its value is refused", table[i].name);
	}
	must(memcmp(&copy, params, sizeof(copy)) == 0, "a copy differs", "");
}

/* What depends on the data is not settled before there are some. */
static bool
follows_data(const GroveParamInfo *info)
{
	return strcmp(info->name, "mvs_reg") == 0 || strcmp(info->name, "min_data_per_level") == 0;
}

/* What depends on the algorithm is settled, within its range; again nothing changes. */
static void
check_resolved(GroveParams params, bool regression, int n_features)
{
	int			count;
	const GroveParamInfo *table = grove_params_table(&count);
	GroveParams again;

	grove_params_resolve(&params, regression, n_features);
	for (int i = 0; i < count; i++)
	{
		double		value = grove_params_get(&params, &table[i]);

		if (table[i].type != GROVE_PARAM_TEXT && table[i].type != GROVE_PARAM_JSON && !follows_data(&table[i]))
			must(in_range(&table[i], value), "it is settled out of range", table[i].name);
	}
	again = params;
	grove_params_resolve(&again, !regression, n_features / 2);
	must(memcmp(&again, &params, sizeof(again)) == 0, "what is settled changes", "");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GroveParams params;
	size_t		at = 0;
	int			lines = 0;

	grove_params_init(&params);
	while (at < size)
	{
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t		length = end ? (size_t) (end - data) - at : size - at;
		size_t		kept = length < LINE_BYTES ? length : LINE_BYTES;
		char	   *line = malloc(kept + 1);	/* exactly, for the sanitizer */
		char	   *equals;
		const GroveParamInfo *info;

		memcpy(line, data + at, kept);
		line[kept] = '\0';
		at += length + 1;
		equals = strchr(line, '=');
		if (equals)
			*equals = '\0';
		if (lines++ < NEAREST_LINES)
			check_name(line);
		info = grove_params_find(line);
		if (info && equals)
			set_value(&params, info, equals + 1, strlen(equals + 1));
		free(line);
	}
	check_copy(&params);
	check_resolved(params, size % 2 == 0, (int) (size % 5000));
	return 0;
}
