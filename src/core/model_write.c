/*
 * model_write.c: a model in memory -> bytes (docs/model-format.md).
 *
 * One walk serves both passes: without a buffer it only counts, so that the
 * size and the bytes cannot disagree.  The same model always gives the same
 * bytes.  What the model promises in model.h is the caller's duty; checked
 * here is only what would make the bytes lie about themselves (counts, widths
 * and the tree ranges), everything else by the reader.
 */
#include "bytes.h"
#include "crc32c.h"
#include "model.h"
#include "model_format.h"

/* Where the next byte goes.  start is NULL when only the size is wanted. */
typedef struct Writer
{
	uint8_t    *start;
	size_t		size;			/* of the buffer; SIZE_MAX without one */
	size_t		used;
	bool		failed;			/* the buffer is too small, or the size overflows */
} Writer;

/* The next length bytes of the buffer, or NULL when nothing is to be stored. */
static uint8_t *
take(Writer *writer, size_t length)
{
	uint8_t    *place;

	if (writer->failed || length > writer->size - writer->used)
	{
		writer->failed = true;
		return NULL;
	}
	place = writer->start ? writer->start + writer->used : NULL;
	writer->used += length;
	return place;
}

static void
put_text(Writer *writer, GroveText text)
{
	uint8_t    *place = take(writer, 4);

	if (place)
		grove_bytes_put32(place, text.length);
	place = take(writer, text.length);
	if (place && text.length > 0)
		memcpy(place, text.data, text.length);
}

static void
put_features(Writer *writer, const GroveModel *model)
{
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		const GroveFeature *feature = &model->features[i];
		uint8_t    *place;

		put_text(writer, feature->name);
		put_text(writer, feature->type_name);
		place = take(writer, FEATURE_BYTES);
		if (place)
		{
			place[0] = (uint8_t) feature->kind;
			grove_bytes_put16(place + 1, (uint16_t) feature->n_levels);
		}
		for (uint32_t level = 0; level < feature->n_levels; level++)
			put_text(writer, feature->levels[level]);
	}
}

static void
put_set(Writer *writer, const GroveModel *model, const GroveNode *node)
{
	uint32_t	n_levels = model->features[node->feature].n_levels;
	uint32_t	first = model->set_first[node->set];
	size_t		set_bytes = SET_BYTES(format_window(n_levels, first));
	uint8_t    *place = NULL;

	if (n_levels >= GROVE_BINS)
		place = take(writer, FIRST_BYTES);
	if (place)
		grove_bytes_put16(place, (uint16_t) first);
	place = take(writer, set_bytes);
	if (place)
		memcpy(place, model->sets[node->set], set_bytes);
}

static void
put_split(Writer *writer, const GroveModel *model, const GroveNode *node)
{
	bool		categorical = (node->flags & GROVE_NODE_CATEGORICAL) != 0;
	uint8_t    *place = take(writer, categorical ? CATEGORICAL_BYTES : NUMERIC_BYTES);

	if (place)
	{
		place[0] = (uint8_t) ((categorical ? NODE_CATEGORICAL : NODE_NUMERIC) |
							  ((node->flags & GROVE_NODE_MISSING_LEFT) ? NODE_MISSING_LEFT : 0));
		grove_bytes_put32(place + 1, node->count);
		grove_bytes_put_float(place + 5, node->cover);
		grove_bytes_put_float(place + 9, node->gain);
		grove_bytes_put32(place + 13, node->left);
		grove_bytes_put16(place + 17, node->feature);
	}
	if (categorical)
		put_set(writer, model, node);
	else if (place)
		grove_bytes_put_double(place + 19, node->value);
}

static void
put_leaf(Writer *writer, const GroveNode *node)
{
	uint8_t    *place = take(writer, LEAF_BYTES);

	if (!place)
		return;
	place[0] = NODE_LEAF;
	grove_bytes_put32(place + 1, node->count);
	grove_bytes_put_float(place + 5, node->cover);
	grove_bytes_put_double(place + 9, node->value);
}

static void
put_trees(Writer *writer, const GroveModel *model)
{
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		uint8_t    *place = take(writer, 4);

		if (place)
			grove_bytes_put32(place, model->tree_start[tree + 1] - model->tree_start[tree]);
	}
	for (uint32_t i = 0; i < model->n_nodes && !writer->failed; i++)
	{
		const GroveNode *node = &model->nodes[i];

		if (node->left == 0)
			put_leaf(writer, node);
		else
			put_split(writer, model, node);
	}
}

static void
put_body(Writer *writer, const GroveModel *model)
{
	put_text(writer, model->objective);
	put_text(writer, model->target);
	put_text(writer, model->target_type);
	put_text(writer, model->params);
	put_text(writer, model->metrics);
	put_features(writer, model);
	for (uint32_t i = 0; i < model->n_classes; i++)
		put_text(writer, model->classes[i]);
	for (uint32_t i = 0; i < model->n_outputs; i++)
	{
		uint8_t    *place = take(writer, 8);

		if (place)
			grove_bytes_put_double(place, model->base[i]);
	}
	put_trees(writer, model);
}

/* Number of categorical splits, each of which is written with a set of its own. */
static uint32_t
count_sets(const GroveModel *model)
{
	uint32_t	n_sets = 0;

	for (uint32_t i = 0; i < model->n_nodes; i++)
	{
		if (model->nodes[i].left != 0 && (model->nodes[i].flags & GROVE_NODE_CATEGORICAL))
			n_sets++;
	}
	return n_sets;
}

static void
put_header(uint8_t *bytes, const GroveModel *model, size_t length)
{
	memcpy(bytes, FORMAT_MAGIC, FORMAT_MAGIC_BYTES);
	grove_bytes_put16(bytes + AT_VERSION, GROVE_MODEL_VERSION);
	grove_bytes_put16(bytes + AT_FLAGS, 0);
	bytes[AT_TASK] = (uint8_t) model->task;
	bytes[AT_ALGORITHM] = (uint8_t) model->algorithm;
	bytes[AT_LINK] = (uint8_t) model->link;
	bytes[AT_RESERVED] = 0;
	grove_bytes_put64(bytes + AT_LENGTH, length);
	grove_bytes_put16(bytes + AT_FEATURES, (uint16_t) model->n_features);
	grove_bytes_put16(bytes + AT_CLASSES, (uint16_t) model->n_classes);
	grove_bytes_put32(bytes + AT_TREES, model->n_trees);
	grove_bytes_put32(bytes + AT_NODES, model->n_nodes);
	grove_bytes_put32(bytes + AT_SETS, count_sets(model));
	grove_bytes_put64(bytes + AT_ROWS, model->rows);
}

/* Whether the bytes can say what a categorical split does: its set is there, and its window begins among the levels. */
static bool
set_agrees(const GroveModel *model, const GroveNode *node)
{
	uint32_t	n_levels = model->features[node->feature].n_levels;

	return node->set < model->n_sets &&
		(model->set_first[node->set] == 0 || (n_levels >= GROVE_BINS && model->set_first[node->set] < n_levels));
}

/* Counts that the header or a record cannot hold, or that contradict each other. */
static bool
counts_agree(const GroveModel *model)
{
	if (model->n_features < 1 || model->n_features > GROVE_MAX_FEATURES ||
		model->n_classes > GROVE_MAX_CLASSES || model->n_trees > GROVE_MAX_TREES ||
		model->n_outputs != (model->task == GROVE_TASK_MULTICLASS ? model->n_classes : 1) ||
		model->tree_start[0] != 0 || model->tree_start[model->n_trees] != model->n_nodes)
		return false;
	for (uint32_t i = 0; i < model->n_features; i++)
	{
		if (model->features[i].n_levels > GROVE_MAX_LEVELS)
			return false;
	}
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		if (model->tree_start[tree] >= model->tree_start[tree + 1])
			return false;
	}
	for (uint32_t i = 0; i < model->n_nodes; i++)
	{
		const GroveNode *node = &model->nodes[i];

		if (node->left != 0 && (node->feature >= model->n_features ||
								((node->flags & GROVE_NODE_CATEGORICAL) && !set_agrees(model, node))))
			return false;
	}
	return true;
}

GroveStatus
grove_model_write_size(const GroveModel *model, size_t *size)
{
	Writer		writer = {NULL, SIZE_MAX, 0, false};

	if (!counts_agree(model))
		return GROVE_ERR_STRUCTURE;
	(void) take(&writer, AT_BODY);
	put_body(&writer, model);
	(void) take(&writer, FORMAT_TRAILER);
	*size = writer.used;
	return writer.failed ? GROVE_ERR_SIZE : GROVE_OK;
}

GroveStatus
grove_model_write(const GroveModel *model, uint8_t *buffer, size_t size)
{
	Writer		writer = {buffer, size, 0, false};

	if (!counts_agree(model))
		return GROVE_ERR_STRUCTURE;
	(void) take(&writer, AT_BODY);
	put_body(&writer, model);
	(void) take(&writer, FORMAT_TRAILER);
	if (writer.failed)
		return GROVE_ERR_BUFFER;
	put_header(buffer, model, writer.used);
	grove_model_seal(buffer, writer.used);
	return GROVE_OK;
}
