/*
 * import_xgboost.c: the JSON of an XGBoost model, as save_model("x.json") and
 * save_raw("json") write it.
 *
 * XGBoost compares numbers of single precision, x < c; such a number is below
 * c exactly when it is at most the one before c, which becomes the threshold,
 * and numeric features get the type real, to which values are rounded.  It adds
 * leaves in single precision, too, and so differs from what is computed here,
 * in double precision, by its rounding.
 *
 * Its sets of categories go right; here the other categories go left.  A
 * category that no set names is missing here, while there it goes left.
 *
 * Cover is its sum of hessians; counts of rows it does not keep, they are 0.
 * All trees count, those after the best iteration of an early stopping too.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "import.h"
#include "model_cache.h"

typedef struct Reader
{
	GroveImport *import;
	int64	   *n_categories;	/* [n_features] 1 + the highest category that a set names */
} Reader;

static JsonbValue *
find_value(JsonbContainer *object, const char *key, JsonbValue *value)
{
	if (!JsonContainerIsObject(object))
		return NULL;
	return getKeyJsonValueFromContainer(object, key, (int) strlen(key), value);
}

/* An object or array in an object. */
static JsonbContainer *
find_container(Reader *reader, JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!find_value(object, key, &value) || value.type != jbvBinary)
		grovepg_import_reject(reader->import, psprintf("It has no \"%s\"", key));
	return value.val.binary.data;
}

/* A string in an object, or NULL. */
static char *
find_string(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!find_value(object, key, &value) || value.type != jbvString)
		return NULL;
	return pnstrdup(value.val.string.val, value.val.string.len);
}

/* A whole number that is written as a string. */
static int64
find_integer(Reader *reader, JsonbContainer *object, const char *key, double high)
{
	char	   *string = find_string(object, key);
	char	   *end = NULL;
	double		number = string ? strtod(string, &end) : -1;

	if (!string || end == string || !(number >= 0 && number <= high))
		grovepg_import_reject(reader->import, psprintf("\"%s\" is missing or out of range", key));
	return (int64) number;
}

/* An array of numbers or booleans; its length must be n unless n is -1, and goes to *count. */
static double *
read_numbers(Reader *reader, JsonbContainer *object, const char *key, int64 n, int64 *count)
{
	JsonbContainer *array = find_container(reader, object, key);
	int64		length = JsonContainerIsArray(array) ? (int64) JsonContainerSize(array) : -1;
	double	   *numbers;

	if (length < 0 || (n >= 0 && n != length))
		grovepg_import_reject(reader->import, psprintf("\"%s\" is not an array of the right length", key));
	numbers = palloc(Max(length, 1) * sizeof(double));
	for (int64 i = 0; i < length; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, (uint32) i);

		if (element->type == jbvBool)
			numbers[i] = element->val.boolean;
		else if (element->type == jbvNumeric)
			numbers[i] = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(element->val.numeric)));
		else
			grovepg_import_reject(reader->import, psprintf("\"%s\" has something that is not a number", key));
		pfree(element);
	}
	if (count)
		*count = length;
	return numbers;
}

/* A number of an array as an index below the limit. */
static int64
to_index(Reader *reader, double number, int64 limit)
{
	if (!(number >= 0 && number < (double) limit))
		grovepg_import_reject(reader->import, "An index is out of range");
	return (int64) number;
}

/* From base_score to a margin. */
typedef enum BaseScale
{
	BASE_MARGIN,
	BASE_PROBABILITY,
	BASE_MEAN
} BaseScale;

static const struct
{
	const char *name;
	GroveTask	task;
	GroveLink	link;
	BaseScale	base;
} objectives[] = {
	{"reg:squarederror", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY, BASE_MARGIN},
	{"reg:squaredlogerror", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY, BASE_MARGIN},
	{"reg:absoluteerror", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY, BASE_MARGIN},
	{"reg:pseudohubererror", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY, BASE_MARGIN},
	{"reg:quantileerror", GROVE_TASK_REGRESSION, GROVE_LINK_IDENTITY, BASE_MARGIN},
	{"reg:gamma", GROVE_TASK_REGRESSION, GROVE_LINK_EXP, BASE_MEAN},
	{"reg:tweedie", GROVE_TASK_REGRESSION, GROVE_LINK_EXP, BASE_MEAN},
	{"count:poisson", GROVE_TASK_REGRESSION, GROVE_LINK_EXP, BASE_MEAN},
	{"reg:logistic", GROVE_TASK_BINARY, GROVE_LINK_LOGISTIC, BASE_PROBABILITY},
	{"binary:logistic", GROVE_TASK_BINARY, GROVE_LINK_LOGISTIC, BASE_PROBABILITY},
	{"multi:softprob", GROVE_TASK_MULTICLASS, GROVE_LINK_SOFTMAX, BASE_MARGIN},
	{"multi:softmax", GROVE_TASK_MULTICLASS, GROVE_LINK_SOFTMAX, BASE_MARGIN},
	{"rank:pairwise", GROVE_TASK_RANKING, GROVE_LINK_IDENTITY, BASE_MARGIN},
	{"rank:ndcg", GROVE_TASK_RANKING, GROVE_LINK_IDENTITY, BASE_MARGIN},
	{"rank:map", GROVE_TASK_RANKING, GROVE_LINK_IDENTITY, BASE_MARGIN}
};

static double
base_margin(BaseScale scale, double base)
{
	switch (scale)
	{
		case BASE_PROBABILITY:
			return -log(1 / base - 1);
		case BASE_MEAN:
			return log(base);
		case BASE_MARGIN:
			break;
	}
	return base;
}

/* "5E-1", or "[5E-1]" with one number or one for each class. */
static double *
read_base(Reader *reader, JsonbContainer *params, BaseScale scale)
{
	uint32		n = reader->import->model.n_outputs;
	double	   *base = palloc(sizeof(double) * n);
	char	   *at = find_string(params, "base_score");
	uint32		found = 0;

	if (!at)
		grovepg_import_reject(reader->import, "It has no \"base_score\"");
	at += strspn(at, "[ ");
	while (found < n)
	{
		char	   *end;
		double		number = strtod(at, &end);

		if (end == at)
			break;
		base[found] = base_margin(scale, (float) number);
		if (!isfinite(base[found++]))
			grovepg_import_reject(reader->import, "\"base_score\" is out of range");
		at = end + strspn(end, ", ");
	}
	if (found != n && found != 1)
		grovepg_import_reject(reader->import, "\"base_score\" is neither one number nor one for each class");
	for (uint32 i = found; i < n; i++)
		base[i] = base[0];
	return base;
}

static void
read_objective(Reader *reader, JsonbContainer *learner, JsonbContainer *params)
{
	GroveModel *model = &reader->import->model;
	char	   *name = find_string(find_container(reader, learner, "objective"), "name");
	int64		n_classes = find_integer(reader, params, "num_class", GROVE_MAX_CLASSES);
	size_t		i = 0;

	if (!name)
		grovepg_import_reject(reader->import, "It has no objective");
	while (i < lengthof(objectives) && strcmp(objectives[i].name, name) != 0)
		i++;
	if (i == lengthof(objectives))
		grovepg_import_unsupported(reader->import, psprintf("Its objective is \"%s\"", name));
	if (find_string(params, "num_target") && find_integer(reader, params, "num_target", 1e6) > 1)
		grovepg_import_unsupported(reader->import, "It has several targets");
	grovepg_import_objective(reader->import, objectives[i].task, objectives[i].link, objectives[i].name, n_classes);
	model->base = read_base(reader, params, objectives[i].base);
}

/* A string of an array, or NULL when there is no such array or it is empty. */
static char *
ith_string(JsonbContainer *object, const char *key, uint32 i)
{
	JsonbValue	array;
	JsonbValue *element;

	if (!find_value(object, key, &array) || array.type != jbvBinary || !JsonContainerIsArray(array.val.binary.data))
		return NULL;
	element = getIthJsonbValueFromContainer(array.val.binary.data, i);
	if (!element || element->type != jbvString)
		return NULL;
	return pnstrdup(element->val.string.val, element->val.string.len);
}

/* Features are numeric until a tree splits them by category. */
static void
read_features(Reader *reader, JsonbContainer *learner)
{
	GroveImport *import = reader->import;

	for (uint32 i = 0; i < import->model.n_features; i++)
	{
		char	   *name = ith_string(learner, "feature_names", i);
		char	   *type = ith_string(learner, "feature_types", i);
		bool		categorical = type && strcmp(type, "c") == 0;

		import->features[i].name = grovepg_model_text_of(name ? name : psprintf("f%u", i));
		import->features[i].kind = categorical ? GROVE_FEATURE_CATEGORICAL : GROVE_FEATURE_NUMERIC;
		import->features[i].type_name = grovepg_model_text_of(categorical ? "text" : "real");
	}
}

/* The sets of a tree: for each of its nodes where its categories begin and how many there are. */
typedef struct TreeSets
{
	double	   *categories;
	int64		n_categories;
	int64	   *first;			/* [n nodes] */
	int64	   *count;			/* [n nodes] -1: no categorical split */
} TreeSets;

static void
read_sets(Reader *reader, JsonbContainer *tree, int64 n, TreeSets *sets)
{
	int64		n_splits = 0;
	double	   *nodes;
	double	   *segments;
	double	   *sizes;
	JsonbValue	value;

	sets->count = palloc(n * sizeof(int64));
	sets->first = palloc(n * sizeof(int64));
	for (int64 i = 0; i < n; i++)
		sets->count[i] = -1;
	if (!find_value(tree, "categories_nodes", &value))	/* before there were categories */
		return;
	sets->categories = read_numbers(reader, tree, "categories", -1, &sets->n_categories);
	nodes = read_numbers(reader, tree, "categories_nodes", -1, &n_splits);
	segments = read_numbers(reader, tree, "categories_segments", n_splits, NULL);
	sizes = read_numbers(reader, tree, "categories_sizes", n_splits, NULL);
	for (int64 i = 0; i < n_splits; i++)
	{
		int64		node = to_index(reader, nodes[i], n);

		sets->first[node] = to_index(reader, segments[i], sets->n_categories + 1);
		sets->count[node] = to_index(reader, sizes[i], sets->n_categories - sets->first[node] + 1);
	}
}

/* Remembers how many categories each feature has. */
static void
count_categories(Reader *reader, JsonbContainer *tree)
{
	GroveImport *import = reader->import;
	int64		n;
	double	   *features = read_numbers(reader, tree, "split_indices", -1, &n);
	TreeSets	sets = {0};

	read_sets(reader, tree, n, &sets);
	for (int64 i = 0; i < n; i++)
	{
		int64		feature = sets.count[i] >= 0 ? to_index(reader, features[i], import->model.n_features) : 0;

		for (int64 k = 0; k < sets.count[i]; k++)
		{
			int64		category = to_index(reader, sets.categories[sets.first[i] + k], GROVE_MAX_LEVELS);

			reader->n_categories[feature] = Max(reader->n_categories[feature], category + 1);
		}
	}
}

/* The categories of a split that are not in its set. */
static void
read_left_categories(Reader *reader, GroveImportNode *node, const TreeSets *sets, int64 i)
{
	GroveImport *import = reader->import;
	int64		n = reader->n_categories[node->node.feature];
	bool	   *right = palloc0(Max(n, 1));

	for (int64 k = 0; k < sets->count[i]; k++)
		right[(int64) sets->categories[sets->first[i] + k]] = true;
	node->first_category = grovepg_import_categories(import);
	for (int64 category = 0; category < n; category++)
	{
		if (!right[category])
			grovepg_import_category(import, (int32) category);
	}
	node->n_categories = grovepg_import_categories(import) - node->first_category;
	pfree(right);
}

static float
to_float(double number)
{
	return (float) fmax(-FLT_MAX, fmin(FLT_MAX, number));
}

static void
read_tree(Reader *reader, JsonbContainer *tree)
{
	int64		n;
	double	   *left = read_numbers(reader, tree, "left_children", -1, &n);
	double	   *right = read_numbers(reader, tree, "right_children", n, NULL);
	double	   *conditions = read_numbers(reader, tree, "split_conditions", n, NULL);
	double	   *features = read_numbers(reader, tree, "split_indices", n, NULL);
	double	   *missing_left = read_numbers(reader, tree, "default_left", n, NULL);
	double	   *hessians = read_numbers(reader, tree, "sum_hessian", n, NULL);
	double	   *gains = read_numbers(reader, tree, "loss_changes", n, NULL);
	GroveImportNode *nodes;
	TreeSets	sets = {0};

	if (n < 1 || n >= 2 * GROVE_MAX_LEAVES)
		grovepg_import_unsupported(reader->import, "A tree has no node or more than 32768 leaves");
	nodes = palloc0(sizeof(GroveImportNode) * n);
	read_sets(reader, tree, n, &sets);
	for (int64 i = 0; i < n; i++)
	{
		GroveImportNode *node = &nodes[i];
		float		condition = to_float(conditions[i]);

		node->node.cover = to_float(hessians[i]);
		node->node.gain = to_float(gains[i]);
		node->node.value = condition;
		node->children[0] = left[i] < 0 ? -1 : to_index(reader, left[i], n);
		if (node->children[0] < 0)
			continue;
		node->children[1] = to_index(reader, right[i], n);
		node->node.feature = (uint16) to_index(reader, features[i], reader->import->model.n_features);
		node->node.flags = missing_left[i] != 0 ? GROVE_NODE_MISSING_LEFT : 0;
		if (sets.count[i] < 0)
			node->node.value = nextafterf(condition, -FLT_MAX);
		else
		{
			node->node.flags |= GROVE_NODE_CATEGORICAL;
			read_left_categories(reader, node, &sets, i);
		}
	}
	grovepg_import_tree(reader->import, nodes, (uint32) n);
}

static JsonbContainer *
ith_tree(Reader *reader, JsonbContainer *trees, int64 i)
{
	JsonbValue *element = getIthJsonbValueFromContainer(trees, (uint32) i);

	CHECK_FOR_INTERRUPTS();
	if (!element || element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
		grovepg_import_reject(reader->import, "A tree is not an object");
	return element->val.binary.data;
}

/* Our trees take turns with the outputs; XGBoost's say whose they are. */
static void
read_trees(Reader *reader, JsonbContainer *booster)
{
	uint32		n_outputs = reader->import->model.n_outputs;
	JsonbContainer *trees = find_container(reader, booster, "trees");
	int64		n = JsonContainerIsArray(trees) ? JsonContainerSize(trees) : 0;
	double	   *outputs = read_numbers(reader, booster, "tree_info", n, NULL);
	int64	   *next = palloc0(sizeof(int64) * n_outputs);
	MemoryContext tree_context = AllocSetContextCreate(CurrentMemoryContext, "grove import", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(tree_context);

	for (int64 i = 0; i < n; i++)
	{
		count_categories(reader, ith_tree(reader, trees, i));
		(void) to_index(reader, outputs[i], n_outputs);
		MemoryContextReset(tree_context);
	}
	for (int64 i = 0; i < n; i++)
	{
		int64	   *at = &next[i % n_outputs];

		while (*at < n && outputs[*at] != (double) (i % n_outputs))
			(*at)++;
		if (*at == n)
			grovepg_import_unsupported(reader->import, "Its classes have different numbers of trees");
		read_tree(reader, ith_tree(reader, trees, (*at)++));
		MemoryContextReset(tree_context);
	}
	MemoryContextSwitchTo(previous);
	for (uint32 i = 0; i < reader->import->model.n_features; i++)
	{
		for (int64 k = 0; k < reader->n_categories[i]; k++)
			grovepg_import_level(reader->import, i, (int32) k);
	}
}

/* Refuses what is in a model but cannot be kept. */
static void
check_booster(Reader *reader, JsonbContainer *gradient_booster)
{
	char	   *name = find_string(gradient_booster, "name");
	JsonbContainer *model;
	JsonbValue	cats;
	JsonbValue	encodings;

	if (!name || strcmp(name, "gbtree") != 0)
		grovepg_import_unsupported(reader->import, psprintf("Its booster is \"%s\", not \"gbtree\"", name ? name : "?"));
	model = find_container(reader, gradient_booster, "model");
	if (find_value(model, "cats", &cats) && cats.type == jbvBinary &&
		find_value(cats.val.binary.data, "enc", &encodings) && encodings.type == jbvBinary &&
		JsonContainerSize(encodings.val.binary.data) > 0)
		grovepg_import_unsupported(reader->import, "Its categories are not whole numbers");
}

PG_FUNCTION_INFO_V1(grove_import_xgboost);

/* import_xgboost(model text) returns bytea */
Datum
grove_import_xgboost(PG_FUNCTION_ARGS)
{
	GroveImport probe = {.format = "XGBoost"};
	Reader		reader = {.import = &probe};
	Jsonb	   *document = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
	JsonbContainer *learner = find_container(&reader, &document->root, "learner");
	JsonbContainer *params = find_container(&reader, learner, "learner_model_param");
	JsonbContainer *booster = find_container(&reader, learner, "gradient_booster");

	check_booster(&reader, booster);
	reader.import = grovepg_import_begin("XGBoost", find_integer(&reader, params, "num_feature", PG_INT32_MAX));
	reader.n_categories = palloc0(sizeof(int64) * reader.import->model.n_features);
	read_objective(&reader, learner, params);
	read_features(&reader, learner);
	reader.import->model.params = grovepg_model_text_of("{\"imported_from\": \"xgboost\"}");
	reader.import->model.metrics = grovepg_model_text_of("{}");
	read_trees(&reader, find_container(&reader, booster, "model"));
	PG_RETURN_BYTEA_P(grovepg_import_finish(reader.import));
}
