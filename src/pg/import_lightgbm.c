/*
 * import_lightgbm.c: the text of a LightGBM model, as Booster.save_model() and
 * model_to_string() write it.
 *
 * The text is lines of "name=values", first those of the model, then those of
 * each tree.  What has no exact counterpart here is refused: zero as missing,
 * linear trees, and objectives whose prediction is another function of the
 * margin.  What has one:
 *
 * - a split without missing values treats NaN as 0, so NaN goes where 0 goes;
 * - NaN goes right at a categorical split, as do categories not in its set;
 * - of a binary objective with sigmoid: s, leaves are multiplied by s, so that
 *   the margin is s times that of LightGBM;
 * - of a model with average_output, leaves are divided by the number of rounds.
 *
 * Cover is the count of rows, with which LightGBM and shap weigh the sides of a
 * split, not the sum of hessians.
 */
#include "pg_grove.h"

#include <ctype.h>
#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "import.h"
#include "model_cache.h"

/* A line of the text: what stands behind "name=", to its end. */
typedef struct Line
{
	const char *name;
	const char *value;
	bool		found;
} Line;

enum
{
	LINE_LEAVES, LINE_FEATURES, LINE_GAINS, LINE_THRESHOLDS, LINE_DECISIONS, LINE_LEFT, LINE_RIGHT, LINE_VALUES,
	LINE_LEAF_COUNTS, LINE_COUNTS, LINE_BOUNDARIES, LINE_BITS, LINE_LINEAR, TREE_LINES
};

enum
{
	LINE_OUTPUTS, LINE_PER_ITERATION, LINE_MAX_FEATURE, LINE_OBJECTIVE, LINE_NAMES, LINE_INFOS, MODEL_LINES
};

#define DECISION_CATEGORICAL	1
#define DECISION_DEFAULT_LEFT	2
#define DECISION_MISSING(d)		((d) >> 2 & 3)
#define MISSING_ZERO			1
#define MISSING_NAN				2

typedef struct Reader
{
	GroveImport *import;
	const char *at;				/* next line */
	bool		average;		/* average_output */
	double		scale;			/* of leaves */
	Line		tree[TREE_LINES];
} Reader;

/* Finds the lines of one part, which ends before a line that begins with one of the two words. */
static void
read_part(Reader *reader, Line *lines, int n, const char *end)
{
	for (int i = 0; i < n; i++)
		lines[i].found = false;
	while (*reader->at != '\0' && strncmp(reader->at, end, strlen(end)) != 0 &&
		   strncmp(reader->at, "end of trees", strlen("end of trees")) != 0)
	{
		size_t		length = strcspn(reader->at, "\n");
		const char *equals = memchr(reader->at, '=', length);

		for (int i = 0; i < n && equals; i++)
		{
			if (strlen(lines[i].name) == (size_t) (equals - reader->at) &&
				memcmp(lines[i].name, reader->at, equals - reader->at) == 0)
			{
				lines[i].value = equals + 1;
				lines[i].found = true;
			}
		}
		if (strncmp(reader->at, "average_output", strlen("average_output")) == 0)
			reader->average = true;
		reader->at += length + (reader->at[length] == '\n');
	}
}

static void
require(Reader *reader, const Line *line)
{
	if (!line->found)
		grovepg_import_reject(reader->import, psprintf("It has no line \"%s\"", line->name));
}

/* Reads exactly n numbers of a line. */
static double *
read_numbers(Reader *reader, const Line *line, Size n)
{
	double	   *numbers = palloc(Max(n, 1) * sizeof(double));
	const char *at = line->value;

	require(reader, line);
	for (Size i = 0; i < n; i++)
	{
		char	   *end;

		while (*at == ' ')
			at++;
		if (*at == '\n' || *at == '\r' || *at == '\0')
			grovepg_import_reject(reader->import, psprintf("Line \"%s\" is too short", line->name));
		numbers[i] = strtod(at, &end);
		if (end == at || (*end != '\0' && !isspace((unsigned char) *end)))
			grovepg_import_reject(reader->import, psprintf("Line \"%s\" has something that is not a number", line->name));
		at = end;
	}
	return numbers;
}

/* The same for whole numbers in a range. */
static int64 *
read_integers(Reader *reader, const Line *line, Size n, double low, double high)
{
	double	   *numbers = read_numbers(reader, line, n);
	int64	   *integers = palloc(Max(n, 1) * sizeof(int64));

	for (Size i = 0; i < n; i++)
	{
		if (!(numbers[i] >= low && numbers[i] <= high))
			grovepg_import_reject(reader->import, psprintf("Line \"%s\" has a number that is out of range", line->name));
		integers[i] = (int64) numbers[i];
	}
	pfree(numbers);
	return integers;
}

static int64
read_integer(Reader *reader, const Line *line, double low, double high)
{
	return read_integers(reader, line, 1, low, high)[0];
}

/* The next word of a line, palloc'd; NULL at its end. */
static char *
next_word(const char **at)
{
	size_t		length;
	char	   *word;

	*at += strspn(*at, " ");
	length = strcspn(*at, " \r\n");
	if (length == 0)
		return NULL;
	word = pnstrdup(*at, length);
	*at += length;
	return word;
}

/* Objectives and what becomes of the margin. */
static const struct
{
	const char *name;
	GroveTask	task;
	GroveLink	link;
} objectives[] = {
	{"regression", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY},
	{"regression_l1", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY},
	{"huber", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY},
	{"fair", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY},
	{"quantile", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY},
	{"mape", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY},
	{"custom", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY},
	{"poisson", GROVE_TASK_REGRESSION, GROVE_LINK_EXP},
	{"gamma", GROVE_TASK_REGRESSION, GROVE_LINK_EXP},
	{"tweedie", GROVE_TASK_REGRESSION, GROVE_LINK_EXP},
	{"binary", GROVE_TASK_BINARY, GROVE_LINK_LOGISTIC},
	{"cross_entropy", GROVE_TASK_BINARY, GROVE_LINK_LOGISTIC},
	{"multiclass", GROVE_TASK_MULTICLASS, GROVE_LINK_SOFTMAX},
	{"lambdarank", GROVE_TASK_RANKING, GROVE_LINK_IDENTITY},
	{"rank_xendcg", GROVE_TASK_RANKING, GROVE_LINK_IDENTITY}
};

/* "binary sigmoid:1": the objective and its parameters. */
static void
read_objective(Reader *reader, const Line *line, int64 n_outputs)
{
	GroveModel *model = &reader->import->model;
	const char *at = line->found ? line->value : "custom";
	char	   *name = next_word(&at);
	char	   *word;
	size_t		i = 0;

	name = name ? name : "custom";
	while (i < lengthof(objectives) && strcmp(objectives[i].name, name) != 0)
		i++;
	if (i == lengthof(objectives))
		grovepg_import_unsupported(reader->import, psprintf("Its objective is \"%s\"", name));
	while ((word = next_word(&at)) != NULL)
	{
		if (strcmp(word, "sqrt") == 0)
			grovepg_import_unsupported(reader->import, "Its objective has \"sqrt\"");
		if (strncmp(word, "sigmoid:", 8) == 0 && objectives[i].task == GROVE_TASK_BINARY)
			reader->scale = strtod(word + 8, NULL);
	}
	if (!(reader->scale > 0 && reader->scale < 1e6))
		grovepg_import_reject(reader->import, "Its sigmoid is out of range");
	grovepg_import_objective(reader->import, objectives[i].task, objectives[i].link, objectives[i].name, n_outputs);
	model->base = palloc0(sizeof(double) * n_outputs);
}

/* "[0:1]" is a numeric feature, "3:1:2" a categorical one, "none" one that is not used. */
static void
read_features(Reader *reader, const Line *names, const Line *infos)
{
	GroveImport *import = reader->import;
	const char *name_at = names->value;
	const char *info_at = infos->value;

	require(reader, names);
	require(reader, infos);
	for (uint32 i = 0; i < import->model.n_features; i++)
	{
		char	   *name = next_word(&name_at);
		char	   *info = next_word(&info_at);
		char	   *at = info;

		if (!name || !info)
			grovepg_import_reject(import, "It has fewer names or descriptions than features");
		import->features[i].name = grovepg_model_text_of(name);
		if (info[0] == '[' || strcmp(info, "none") == 0)
		{
			import->features[i].type_name = grovepg_model_text_of("double precision");
			continue;
		}
		import->features[i].kind = GROVE_FEATURE_CATEGORICAL;
		import->features[i].type_name = grovepg_model_text_of("text");
		for (;;)
		{
			char	   *end;
			long		category = strtol(at, &end, 10);

			if (end == at || (*end != ':' && *end != '\0') || category < -1 || category > PG_INT32_MAX)
				grovepg_import_reject(import, "The description of a feature is neither a range nor a list of categories");
			if (category >= 0)
				grovepg_import_level(import, i, (int32) category);
			if (*end == '\0')
				break;
			at = end + 1;
		}
	}
}

/* The set of a categorical split: number cat of the tree's bit sets. */
static void
read_categories(Reader *reader, GroveImportNode *node, double cat, const int64 *boundaries, int64 n_sets, const int64 *bits)
{
	GroveImport *import = reader->import;
	int64		set = cat >= 0 && cat < n_sets ? (int64) cat : -1;

	if (set < 0)
		grovepg_import_reject(import, "A categorical split has no set");
	node->first_category = grovepg_import_categories(import);
	for (int64 word = boundaries[set]; word < boundaries[set + 1]; word++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int bit = 0; bit < 32; bit++)
		{
			if (bits[word] >> bit & 1)
				grovepg_import_category(import, (int32) ((word - boundaries[set]) * 32 + bit));
		}
	}
	node->n_categories = grovepg_import_categories(import) - node->first_category;
}

/* Where a missing value goes, and what kind of split it is. */
static uint8
read_decision(Reader *reader, int64 decision, double threshold)
{
	if (decision & DECISION_CATEGORICAL)
		return GROVE_NODE_CATEGORICAL;
	if (DECISION_MISSING(decision) == MISSING_ZERO)
		grovepg_import_unsupported(reader->import, "A split takes zero for missing");
	if (DECISION_MISSING(decision) == MISSING_NAN)
		return decision & DECISION_DEFAULT_LEFT ? GROVE_NODE_MISSING_LEFT : 0;
	return 0 <= threshold ? GROVE_NODE_MISSING_LEFT : 0;
}

/* Splits of a tree are the first n - 1 nodes, leaves the n behind them. */
static void
read_splits(Reader *reader, GroveImportNode *nodes, int64 n_leaves, int64 n_sets)
{
	const Line *lines = reader->tree;
	Size		n = (Size) n_leaves - 1;
	int64	   *features = read_integers(reader, &lines[LINE_FEATURES], n, 0, reader->import->model.n_features - 1);
	double	   *gains = read_numbers(reader, &lines[LINE_GAINS], n);
	double	   *thresholds = read_numbers(reader, &lines[LINE_THRESHOLDS], n);
	int64	   *decisions = read_integers(reader, &lines[LINE_DECISIONS], n, 0, 15);
	int64	   *left = read_integers(reader, &lines[LINE_LEFT], n, (double) -n_leaves, (double) n - 1);
	int64	   *right = read_integers(reader, &lines[LINE_RIGHT], n, (double) -n_leaves, (double) n - 1);
	int64	   *counts = read_integers(reader, &lines[LINE_COUNTS], n, 0, PG_UINT32_MAX);
	int64	   *boundaries = NULL;
	int64	   *bits = NULL;

	if (n_sets > 0)
	{
		boundaries = read_integers(reader, &lines[LINE_BOUNDARIES], (Size) n_sets + 1, 0, 1e7);
		for (int64 i = 0; i < n_sets; i++)
		{
			if (boundaries[i] > boundaries[i + 1])
				grovepg_import_reject(reader->import, "Bounds of sets are not in order");
		}
		bits = read_integers(reader, &lines[LINE_BITS], (Size) boundaries[n_sets], 0, PG_UINT32_MAX);
	}
	for (Size i = 0; i < n; i++)
	{
		nodes[i].children[0] = left[i] < 0 ? (int64) n + ~left[i] : left[i];
		nodes[i].children[1] = right[i] < 0 ? (int64) n + ~right[i] : right[i];
		nodes[i].node.feature = (uint16) features[i];
		nodes[i].node.gain = (float) fmin(gains[i], FLT_MAX);
		/* an infinite threshold has all numbers on one side, and infinite values count as the largest finite ones */
		nodes[i].node.value = isinf(thresholds[i]) ? copysign(DBL_MAX, thresholds[i]) : thresholds[i];
		nodes[i].node.count = (uint32) counts[i];
		nodes[i].node.cover = (float) counts[i];
		nodes[i].node.flags = read_decision(reader, decisions[i], thresholds[i]);
		if (nodes[i].node.flags & GROVE_NODE_CATEGORICAL)
			read_categories(reader, &nodes[i], thresholds[i], boundaries, n_sets, bits);
	}
}

static void
read_tree(Reader *reader, const Line *sets_line)
{
	const Line *lines = reader->tree;
	int64		n_leaves = read_integer(reader, &lines[LINE_LEAVES], 1, GROVE_MAX_LEAVES);
	GroveImportNode *nodes = palloc0(sizeof(GroveImportNode) * (2 * n_leaves - 1));
	double	   *values = read_numbers(reader, &lines[LINE_VALUES], (Size) n_leaves);
	int64	   *counts = NULL;

	if (lines[LINE_LINEAR].found && read_integer(reader, &lines[LINE_LINEAR], 0, 1) == 1)
		grovepg_import_unsupported(reader->import, "It has linear trees");
	if (n_leaves > 1)
	{
		counts = read_integers(reader, &lines[LINE_LEAF_COUNTS], (Size) n_leaves, 0, PG_UINT32_MAX);
		read_splits(reader, nodes, n_leaves, sets_line->found ? read_integer(reader, sets_line, 0, GROVE_MAX_LEAVES) : 0);
	}
	for (int64 i = 0; i < n_leaves; i++)
	{
		GroveImportNode *leaf = &nodes[n_leaves - 1 + i];

		leaf->children[0] = -1;
		leaf->node.value = values[i] * reader->scale;
		leaf->node.count = counts ? (uint32) counts[i] : 0;
		leaf->node.cover = (float) leaf->node.count;
	}
	grovepg_import_tree(reader->import, nodes, (uint32) (2 * n_leaves - 1));
}

static void
read_trees(Reader *reader)
{
	static const char *const names[TREE_LINES] = {
		"num_leaves", "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child", "leaf_value",
		"leaf_count", "internal_count", "cat_boundaries", "cat_threshold", "is_linear"
	};
	MemoryContext tree_context = AllocSetContextCreate(CurrentMemoryContext, "grove import", ALLOCSET_DEFAULT_SIZES);

	while (strncmp(reader->at, "Tree=", 5) == 0)
	{
		Line		lines[TREE_LINES + 1];
		MemoryContext previous;

		for (int i = 0; i < TREE_LINES; i++)
			lines[i].name = names[i];
		lines[TREE_LINES].name = "num_cat";
		reader->at += strcspn(reader->at, "\n");
		reader->at += *reader->at == '\n';
		read_part(reader, lines, TREE_LINES + 1, "Tree=");
		memcpy(reader->tree, lines, sizeof(reader->tree));
		previous = MemoryContextSwitchTo(tree_context);
		read_tree(reader, &lines[TREE_LINES]);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(tree_context);
	}
	if (strncmp(reader->at, "end of trees", strlen("end of trees")) != 0)
		grovepg_import_reject(reader->import, "It has no line \"end of trees\"");
}

/* How many rounds of trees the text has, for the mean of them. */
static int64
count_rounds(const char *text, int64 n_outputs)
{
	int64		n = 0;

	for (const char *at = strstr(text, "\nTree="); at; at = strstr(at + 1, "\nTree="))
		n++;
	return Max(n / n_outputs, 1);
}

PG_FUNCTION_INFO_V1(grove_import_lightgbm);

/* import_lightgbm(model text) returns bytea */
Datum
grove_import_lightgbm(PG_FUNCTION_ARGS)
{
	static const char *const names[MODEL_LINES] = {
		"num_class", "num_tree_per_iteration", "max_feature_idx", "objective", "feature_names", "feature_infos"
	};
	GroveImport probe = {.format = "LightGBM"};
	Reader		reader = {.import = &probe, .scale = 1};
	Line		lines[MODEL_LINES];
	char	   *string = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64		n_outputs;

	for (int i = 0; i < MODEL_LINES; i++)
		lines[i].name = names[i];
	reader.at = string;
	if (strncmp(string, "tree\n", 5) != 0 && strncmp(string, "tree\r\n", 6) != 0)
		grovepg_import_reject(&probe, "Its first line is not \"tree\"");
	read_part(&reader, lines, MODEL_LINES, "Tree=");
	n_outputs = read_integer(&reader, &lines[LINE_PER_ITERATION], 1, GROVE_MAX_CLASSES);
	reader.import = grovepg_import_begin("LightGBM", read_integer(&reader, &lines[LINE_MAX_FEATURE], 0, GROVE_MAX_FEATURES) + 1);
	read_features(&reader, &lines[LINE_NAMES], &lines[LINE_INFOS]);
	read_objective(&reader, &lines[LINE_OBJECTIVE], n_outputs);
	if (reader.average)
	{
		reader.import->model.algorithm = GROVE_ALGORITHM_FOREST;
		reader.scale /= (double) count_rounds(string, n_outputs);
	}
	reader.import->model.params = grovepg_model_text_of("{\"imported_from\": \"lightgbm\"}");
	reader.import->model.metrics = grovepg_model_text_of("{}");
	read_trees(&reader);
	PG_RETURN_BYTEA_P(grovepg_import_finish(reader.import));
}
