/*
 * params_doc.c: prints docs/parameters.md from the option table.
 * gen_params_doc.sh compiles and runs it.
 */
#include <stdio.h>
#include <string.h>

#include "../../src/core/params.h"

/* Prints text with what Markdown would take for the end of a table cell escaped. */
static void
print_cell(const char *text)
{
	for (; *text != '\0'; text++)
	{
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void
print_aliases(const char *name)
{
	const GroveParamAlias *aliases;
	int			count;
	int			i;
	const char *separator = "";

	aliases = grove_params_aliases(&count);
	for (i = 0; i < count; i++)
	{
		if (strcmp(aliases[i].name, name) != 0)
			continue;
		printf("%s`%s`", separator, aliases[i].alias);
		separator = ", ";
	}
}

/* Prints the choices of an enum option, or only the one of this index. */
static void
print_choices(const char *choices, int only)
{
	int			index = 0;

	while (choices != NULL)
	{
		const char *end = strchr(choices, '|');
		int			length = end ? (int) (end - choices) : (int) strlen(choices);

		if (only < 0 || index == only)
			printf("%s`%.*s`", only < 0 && index > 0 ? ", " : "", length, choices);
		choices = end ? end + 1 : NULL;
		index++;
	}
}

static void
print_type_default_range(const GroveParamInfo *info)
{
	if (info->type == GROVE_PARAM_ENUM)
	{
		printf("choice | ");
		print_choices(info->choices, (int) info->def);
		printf(" | ");
		print_choices(info->choices, -1);
	}
	else if (info->type == GROVE_PARAM_BOOL)
		printf("boolean | `%s` | `true`, `false`", info->def != 0 ? "true" : "false");
	else if (info->type == GROVE_PARAM_TEXT)
		printf("string | not given | 1 to %d bytes", GROVE_PARAM_TEXT_BYTES);
	else if (info->type == GROVE_PARAM_JSON)
		printf("JSON | not given | ");
	else
	{
		printf("%s | ", info->type == GROVE_PARAM_INT ? "integer" : "number");
		if (info->def == GROVE_AUTO)
			printf("depends");
		else
			printf("%.10g", info->def);
		printf(" | %.10g to %.10g", info->min, info->max);
	}
}

int
main(void)
{
	const GroveParamInfo *table;
	int			count;
	int			i;

	printf("# Training parameters\n\n"
		   "<!-- Generated from src/core/params.def by test/scripts/gen_params_doc.sh: change it there. -->\n\n"
		   "The `params` argument of `grove.train` is a JSON object with any of these options, for example\n"
		   "`{\"num_leaves\": 63, \"learning_rate\": 0.05}`. Numbers are written without quotes; `null` means the default.\n"
		   "An option that does not exist, has another type, is out of range, is given under two names, or has no effect\n"
		   "under the chosen algorithm is an error. The model keeps the value of every option that it was trained with.\n\n"
		   "| option | other names | type | default | range | meaning |\n"
		   "|---|---|---|---|---|---|\n");
	table = grove_params_table(&count);
	for (i = 0; i < count; i++)
	{
		printf("| `%s` | ", table[i].name);
		print_aliases(table[i].name);
		printf(" | ");
		print_type_default_range(&table[i]);
		printf(" | ");
		print_cell(table[i].help);
		printf(" |\n");
	}
	return 0;
}
