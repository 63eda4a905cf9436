/*
 * params.c: the option table at run time: look-up by name or alias, range
 * checks, and the defaults that depend on the algorithm.
 *
 * Everything is generated from params.def, so that an option exists in one
 * place only: its name, range and help cannot disagree between the parser,
 * the error texts and the manual.  All tables are constant; a GroveParams
 * belongs to the caller.
 */
#include "params.h"

#include <math.h>
#include <string.h>

#define NEAREST_BYTES	64		/* of a misspelt name that are compared; option names are shorter */

static const GroveParamInfo options[] = {
#define GROVE_INT(name, def, min, max, help) \
	{#name, GROVE_PARAM_INT, offsetof(GroveParams, name), def, min, max, NULL, help},
#define GROVE_REAL(name, def, min, max, help) \
	{#name, GROVE_PARAM_REAL, offsetof(GroveParams, name), def, min, max, NULL, help},
#define GROVE_BOOL(name, def, help) \
	{#name, GROVE_PARAM_BOOL, offsetof(GroveParams, name), def, 0, 1, NULL, help},
#define GROVE_ENUM(name, def, choices, help) \
	{#name, GROVE_PARAM_ENUM, offsetof(GroveParams, name), def, 0, 0, choices, help},
#define GROVE_TEXT(name, help) \
	{#name, GROVE_PARAM_TEXT, offsetof(GroveParams, name), 0, 0, 0, NULL, help},
#define GROVE_JSON(name, help) \
	{#name, GROVE_PARAM_JSON, offsetof(GroveParams, name), 0, 0, 0, NULL, help},
#define GROVE_ALIAS(alias, name)
#include "params.def"
#undef GROVE_INT
#undef GROVE_REAL
#undef GROVE_BOOL
#undef GROVE_ENUM
#undef GROVE_TEXT
#undef GROVE_JSON
#undef GROVE_ALIAS
};

static const GroveParamAlias aliases[] = {
#define GROVE_INT(name, def, min, max, help)
#define GROVE_REAL(name, def, min, max, help)
#define GROVE_BOOL(name, def, help)
#define GROVE_ENUM(name, def, choices, help)
#define GROVE_TEXT(name, help)
#define GROVE_JSON(name, help)
#define GROVE_ALIAS(alias, name) {#alias, #name},
#include "params.def"
#undef GROVE_INT
#undef GROVE_REAL
#undef GROVE_BOOL
#undef GROVE_ENUM
#undef GROVE_TEXT
#undef GROVE_JSON
#undef GROVE_ALIAS
};

#define N_OPTIONS	((int) (sizeof(options) / sizeof(options[0])))
#define N_ALIASES	((int) (sizeof(aliases) / sizeof(aliases[0])))

const GroveParamInfo *
grove_params_table(int *count)
{
	*count = N_OPTIONS;
	return options;
}

const GroveParamAlias *
grove_params_aliases(int *count)
{
	*count = N_ALIASES;
	return aliases;
}

const GroveParamInfo *
grove_params_find(const char *name)
{
	int			i;

	for (i = 0; i < N_ALIASES; i++)
	{
		if (strcmp(aliases[i].alias, name) == 0)
		{
			name = aliases[i].name;
			break;
		}
	}
	for (i = 0; i < N_OPTIONS; i++)
	{
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	return NULL;
}

/* ASCII only: names of options have no other letters. */
static unsigned char
lower_case(char c)
{
	return (unsigned char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Levenshtein distance without regard to case of the first NEAREST_BYTES bytes. */
static int
edit_distance(const char *a, const char *b)
{
	int			row[NEAREST_BYTES + 1];
	int			length = (int) strlen(b);
	int			i;
	int			j;

	if (length > NEAREST_BYTES)
		length = NEAREST_BYTES;
	for (j = 0; j <= length; j++)
		row[j] = j;
	for (i = 1; i <= NEAREST_BYTES && a[i - 1] != '\0'; i++)
	{
		int			diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= length; j++)
		{
			int			best = diagonal + (lower_case(a[i - 1]) != lower_case(b[j - 1]));

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[length];
}

const char *
grove_params_nearest(const char *name)
{
	const char *nearest = options[0].name;
	int			smallest = edit_distance(name, nearest);
	int			i;

	/* options come first, so that a tie goes to the proper name */
	for (i = 1; i < N_OPTIONS + N_ALIASES; i++)
	{
		const char *candidate = i < N_OPTIONS ? options[i].name : aliases[i - N_OPTIONS].alias;
		int			distance = edit_distance(name, candidate);

		if (distance < smallest)
		{
			smallest = distance;
			nearest = candidate;
		}
	}
	return nearest;
}

/* Writes without a range check. */
static void
store_value(GroveParams *params, const GroveParamInfo *info, double value)
{
	char	   *member = (char *) params + info->offset;

	switch (info->type)
	{
		case GROVE_PARAM_INT:
		case GROVE_PARAM_ENUM:
			*(int32_t *) member = (int32_t) value;
			break;
		case GROVE_PARAM_REAL:
			*(double *) member = value;
			break;
		case GROVE_PARAM_BOOL:
			*(bool *) member = value != 0;
			break;
		case GROVE_PARAM_TEXT:
			((GroveParamText *) member)->data[0] = '\0';
			break;
		case GROVE_PARAM_JSON:
			*(const char **) member = NULL;
			break;
	}
}

void
grove_params_init(GroveParams *params)
{
	int			i;

	memset(params, 0, sizeof(*params));
	for (i = 0; i < N_OPTIONS; i++)
		store_value(params, &options[i], options[i].def);
}

/* How many choices an enum option has. */
static int
count_choices(const char *choices)
{
	int			count = 1;

	for (; *choices != '\0'; choices++)
		count += *choices == '|';
	return count;
}

GroveStatus
grove_params_set(GroveParams *params, const GroveParamInfo *info, double value)
{
	double		max = info->type == GROVE_PARAM_ENUM ? count_choices(info->choices) - 1 : info->max;

	if (info->type == GROVE_PARAM_TEXT || info->type == GROVE_PARAM_JSON)
		return GROVE_ERR_RANGE;
	if (!(value >= info->min && value <= max))
		return GROVE_ERR_RANGE;
	if (info->type != GROVE_PARAM_REAL && value != floor(value))
		return GROVE_ERR_RANGE;
	store_value(params, info, value);
	return GROVE_OK;
}

double
grove_params_get(const GroveParams *params, const GroveParamInfo *info)
{
	const char *member = (const char *) params + info->offset;

	switch (info->type)
	{
		case GROVE_PARAM_INT:
		case GROVE_PARAM_ENUM:
			return *(const int32_t *) member;
		case GROVE_PARAM_REAL:
			return *(const double *) member;
		case GROVE_PARAM_BOOL:
			return *(const bool *) member;
		case GROVE_PARAM_TEXT:
		case GROVE_PARAM_JSON:
			break;
	}
	return NAN;
}

GroveStatus
grove_params_set_text(GroveParams *params, const GroveParamInfo *info, const char *data, size_t length)
{
	GroveParamText *text = (GroveParamText *) ((char *) params + info->offset);

	if (info->type != GROVE_PARAM_TEXT)
		return GROVE_ERR_RANGE;
	if (length < 1 || length > GROVE_PARAM_TEXT_BYTES)
		return GROVE_ERR_SIZE;
	memset(text->data, 0, sizeof(text->data));
	memcpy(text->data, data, length);
	return GROVE_OK;
}

const char *
grove_params_get_text(const GroveParams *params, const GroveParamInfo *info)
{
	if (info->type != GROVE_PARAM_TEXT)
		return "";
	return ((const GroveParamText *) ((const char *) params + info->offset))->data;
}

void
grove_params_set_json(GroveParams *params, const GroveParamInfo *info, const char *json)
{
	if (info->type == GROVE_PARAM_JSON)
		*(const char **) ((char *) params + info->offset) = json;
}

const char *
grove_params_get_json(const GroveParams *params, const GroveParamInfo *info)
{
	if (info->type != GROVE_PARAM_JSON)
		return NULL;
	return *(const char *const *) ((const char *) params + info->offset);
}

int
grove_params_choice(const GroveParamInfo *info, const char *choice)
{
	size_t		length = strlen(choice);
	const char *start = info->choices;
	int			index = 0;

	while (start != NULL)
	{
		const char *end = strchr(start, '|');
		size_t		size = end ? (size_t) (end - start) : strlen(start);

		if (size == length && memcmp(start, choice, length) == 0)
			return index;
		start = end ? end + 1 : NULL;
		index++;
	}
	return -1;
}

void
grove_params_resolve(GroveParams *params, bool regression, int n_features)
{
	bool		forest = params->algorithm == GROVE_PARAM_ALGORITHM_FOREST;
	bool		tree = params->algorithm == GROVE_PARAM_ALGORITHM_TREE;

	if (params->num_iterations == GROVE_AUTO)
		params->num_iterations = tree ? 1 : 100;
	if (params->num_leaves == GROVE_AUTO)
		params->num_leaves = forest ? 1024 : 31;
	if (params->min_data_in_leaf == GROVE_AUTO)
		params->min_data_in_leaf = forest ? 5 : 20;
	if (params->bagging_fraction == GROVE_AUTO)
		params->bagging_fraction = 1;
	if (params->feature_fraction_bynode == GROVE_AUTO)
	{
		if (!forest)
			params->feature_fraction_bynode = 1;
		else if (regression)
			params->feature_fraction_bynode = 1.0 / 3;
		else
			params->feature_fraction_bynode = 1 / sqrt(n_features > 1 ? n_features : 1);
	}
	if (params->max_depth == 0)
		params->max_depth = -1; /* one spelling of 'no limit' in the model */
}
