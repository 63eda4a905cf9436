/*
 * model_read.c: bytes that nobody vouches for -> a model.
 *
 * Decoding is checking: what comes out keeps every rule of model.h, so that
 * the loops over it need no checks of their own.  A GroveReader walks the bytes
 * once and refuses to step past their end; the first broken rule stops it and
 * is reported with its place.  The memory is laid out from the header's counts
 * after these have been compared with the length, so that a small input cannot
 * ask for much; grove_model_read_size() and grove_model_read() lay it out with
 * the same function and cannot disagree.
 */
#include <math.h>

#include "arena.h"
#include "compact.h"
#include "model_reader.h"

GroveStatus
grove_model_peek(const uint8_t *header, size_t available, uint64_t *total_length,
				 uint8_t digest[GROVE_DIGEST_BYTES])
{
	if (available < FORMAT_MAGIC_BYTES || memcmp(header, FORMAT_MAGIC, FORMAT_MAGIC_BYTES) != 0)
		return GROVE_ERR_MAGIC;
	if (available < GROVE_MODEL_HEADER)
		return GROVE_ERR_STRUCTURE;
	if (grove_bytes_get16(header + AT_VERSION) > GROVE_MODEL_VERSION || grove_bytes_get16(header + AT_FLAGS) != 0)
		return GROVE_ERR_VERSION;
	*total_length = grove_bytes_get64(header + AT_LENGTH);
	memcpy(digest, header + AT_DIGEST, GROVE_DIGEST_BYTES);
	return GROVE_OK;
}

void
grove_model_peek_counts(const uint8_t *header, uint32_t *n_trees, uint32_t *n_nodes)
{
	*n_trees = grove_bytes_get32(header + AT_TREES);
	*n_nodes = grove_bytes_get32(header + AT_NODES);
}

/* The header's fields but for the length; the counts only as far as they concern the header alone. */
static bool
read_header(GroveReader *reader, GroveModel *model)
{
	static const uint8_t links[] = {	/* allowed ones of each task, a bit each */
		1 << GROVE_LINK_IDENTITY | 1 << GROVE_LINK_EXP,
		1 << GROVE_LINK_LOGISTIC | 1 << GROVE_LINK_CLAMP,
		1 << GROVE_LINK_SOFTMAX | 1 << GROVE_LINK_NORMALIZE,
		1 << GROVE_LINK_IDENTITY
	};
	static const uint16_t min_classes[] = {0, 2, 2, 0};
	static const uint16_t max_classes[] = {0, 2, GROVE_MAX_CLASSES, 0};
	const uint8_t *bytes = reader->bytes;
	uint8_t		task = bytes[AT_TASK];

	if (grove_bytes_get16(bytes + AT_VERSION) == 0)
		return reader_broken(reader, "The version is 0", AT_VERSION);
	if (task > GROVE_TASK_RANKING)
		return reader_broken(reader, "The task is unknown", AT_TASK);
	if (bytes[AT_ALGORITHM] > GROVE_ALGORITHM_TREE)
		return reader_broken(reader, "The algorithm is unknown", AT_ALGORITHM);
	if (bytes[AT_LINK] > GROVE_LINK_NORMALIZE || !(links[task] >> bytes[AT_LINK] & 1))
		return reader_broken(reader, "The link does not fit the task", AT_LINK);
	if (bytes[AT_RESERVED] != 0)
		return reader_broken(reader, "A reserved byte is not 0", AT_RESERVED);
	model->task = (GroveTask) task;
	model->algorithm = (GroveAlgorithm) bytes[AT_ALGORITHM];
	model->link = (GroveLink) bytes[AT_LINK];
	model->n_features = grove_bytes_get16(bytes + AT_FEATURES);
	model->n_classes = grove_bytes_get16(bytes + AT_CLASSES);
	model->n_outputs = task == GROVE_TASK_MULTICLASS ? model->n_classes : 1;
	model->n_trees = grove_bytes_get32(bytes + AT_TREES);
	model->n_nodes = grove_bytes_get32(bytes + AT_NODES);
	model->n_sets = grove_bytes_get32(bytes + AT_SETS);
	model->rows = grove_bytes_get64(bytes + AT_ROWS);
	if (model->n_features < 1 || model->n_features > GROVE_MAX_FEATURES)
		return reader_broken(reader, "The number of features is out of range", AT_FEATURES);
	if (model->n_classes < min_classes[task] || model->n_classes > max_classes[task])
		return reader_broken(reader, "The number of classes does not fit the task", AT_CLASSES);
	if (model->n_trees > GROVE_MAX_TREES || model->n_trees % model->n_outputs != 0)
		return reader_broken(reader, "The number of trees is out of range", AT_TREES);
	return true;
}

/*
 * Whether the body can hold what the header counts: the least bytes of a
 * feature, a class, a base margin, a tree, a node, and what a categorical
 * split needs beyond a leaf.  This bounds the memory.
 */
static bool
counts_fit(GroveReader *reader, const GroveModel *model)
{
	uint64_t	least = UINT64_C(11) * model->n_features + UINT64_C(4) * model->n_classes +
		UINT64_C(8) * model->n_outputs + UINT64_C(4) * model->n_trees + UINT64_C(17) * model->n_nodes +
		UINT64_C(3) * model->n_sets;

	if (model->n_sets > model->n_nodes)
		return reader_broken(reader, "There are more sets than nodes", AT_SETS);
	if (least > reader->end - AT_BODY)
		return reader_broken(reader, "The value is too short for what its header counts", AT_FEATURES);
	return true;
}

/* Levels of the features of a model, which the header does not count. */
typedef struct LevelCounts
{
	size_t		all;
	size_t		most;			/* of one feature */
} LevelCounts;

/* Counts by a walk that keeps nothing. */
static bool
count_levels(GroveReader reader, GroveReader *report, const GroveModel *model, LevelCounts *counts)
{
	GroveText	ignored;
	bool		good = true;

	counts->all = counts->most = 0;
	for (int i = 0; i < 5 && good; i++)
		good = reader_text(&reader, &ignored);
	for (uint32_t i = 0; i < model->n_features && good; i++)
	{
		const uint8_t *place = NULL;
		uint32_t	n_levels = 0;

		good = reader_text(&reader, &ignored) && reader_text(&reader, &ignored) &&
			(place = reader_take(&reader, FEATURE_BYTES)) != NULL;
		if (good)
			n_levels = grove_bytes_get16(place + 1);
		for (uint32_t level = 0; good && level < n_levels; level++)
			good = reader_text(&reader, &ignored);
		counts->all += n_levels;
		if (counts->most < n_levels)
			counts->most = n_levels;
	}
	return good || reader_broken(report, reader.rule, reader.rule_at);
}

static bool
lay_out(const GroveModel *model, const LevelCounts *levels, uint8_t *memory, GroveReaderParts *parts, size_t *size)
{
	size_t		compact_size;
	size_t		n_order = model->n_features;
	size_t		n_tree = model->n_nodes < GROVE_MODEL_TREE_NODES ? model->n_nodes : GROVE_MODEL_TREE_NODES;
	GroveArena	arena = {memory, 0, grove_compact_size(model, &compact_size)};

	if (n_order < model->n_classes)
		n_order = model->n_classes;
	if (n_order < levels->most)
		n_order = levels->most;
	parts->model = grove_arena_carve(&arena, 1, sizeof(GroveModel));
	parts->features = grove_arena_carve(&arena, model->n_features, sizeof(GroveFeature));
	parts->levels = grove_arena_carve(&arena, levels->all, sizeof(GroveText));
	parts->lookups = grove_arena_carve(&arena, levels->all, 4 * sizeof(uint16_t));
	parts->classes = grove_arena_carve(&arena, model->n_classes, sizeof(GroveText));
	parts->base = grove_arena_carve(&arena, model->n_outputs, sizeof(double));
	parts->tree_start = grove_arena_carve(&arena, (size_t) model->n_trees + 1, sizeof(uint32_t));
	parts->nodes = grove_arena_carve(&arena, model->n_nodes, sizeof(GroveNode));
	parts->sets = grove_arena_carve(&arena, model->n_sets, sizeof(*parts->sets));
	parts->set_first = grove_arena_carve(&arena, model->n_sets, sizeof(uint32_t));
	parts->order = grove_arena_carve(&arena, n_order, sizeof(GroveText *));
	parts->reached = grove_arena_carve(&arena, n_tree, 1);
	parts->compact = grove_arena_carve(&arena, compact_size, 1);
	*size = arena.used;
	return arena.fits;
}

static bool
read_features(GroveReader *reader, GroveModel *model, GroveReaderParts *parts)
{
	GroveText  *levels = parts->levels;
	uint16_t   *lookup = parts->lookups;

	for (uint32_t i = 0; i < model->n_features; i++)
	{
		GroveFeature *feature = &parts->features[i];
		const uint8_t *place;

		memset(feature, 0, sizeof(*feature));
		if (!reader_text(reader, &feature->name) || !reader_text(reader, &feature->type_name) ||
			!(place = reader_take(reader, FEATURE_BYTES)))
			return false;
		if (place[0] > GROVE_FEATURE_CATEGORICAL)
			return reader_broken(reader, "The kind of a feature is unknown", reader->at - FEATURE_BYTES);
		feature->kind = (GroveFeatureKind) place[0];
		feature->n_levels = grove_bytes_get16(place + 1);
		if (feature->kind == GROVE_FEATURE_NUMERIC && feature->n_levels > 0)
			return reader_broken(reader, "A numeric feature has levels", reader->at - 2);
		if (feature->n_levels == 0)
			continue;
		feature->levels = levels;
		for (uint32_t level = 0; level < feature->n_levels; level++)
		{
			if (!reader_text(reader, &levels[level]))
				return false;
			parts->order[level] = &levels[level];
		}
		if (grove_model_duplicate(parts->order, feature->n_levels))
			return reader_broken(reader, "A feature has two equal levels", reader->at);
		grove_model_lookup_fill(feature, parts->order, lookup);
		levels += feature->n_levels;
		lookup += grove_model_lookup_size(feature->n_levels);
	}
	for (uint32_t i = 0; i < model->n_features; i++)
		parts->order[i] = &parts->features[i].name;
	if (grove_model_duplicate(parts->order, model->n_features))
		return reader_broken(reader, "Two features have the same name", reader->at);
	return true;
}

static bool
read_classes(GroveReader *reader, GroveModel *model, GroveReaderParts *parts)
{
	for (uint32_t i = 0; i < model->n_classes; i++)
	{
		if (!reader_text(reader, &parts->classes[i]))
			return false;
		parts->order[i] = &parts->classes[i];
	}
	if (grove_model_duplicate(parts->order, model->n_classes))
		return reader_broken(reader, "Two classes have the same label", reader->at);
	for (uint32_t i = 0; i < model->n_outputs; i++)
	{
		const uint8_t *place = reader_take(reader, 8);

		if (!place)
			return false;
		parts->base[i] = grove_bytes_get_double(place);
		if (!isfinite(parts->base[i]))
			return reader_broken(reader, "A base margin is not finite", reader->at - 8);
	}
	return true;
}

static bool
read_body(GroveReader *reader, GroveModel *model, GroveReaderParts *parts)
{
	if (!reader_text(reader, &model->objective) || !reader_text(reader, &model->target) ||
		!reader_text(reader, &model->target_type) || !reader_text(reader, &model->params) ||
		!reader_text(reader, &model->metrics))
		return false;
	model->features = parts->features;
	model->classes = parts->classes;
	model->base = parts->base;
	model->tree_start = parts->tree_start;
	model->nodes = parts->nodes;
	model->sets = (const uint8_t (*)[GROVE_BINS / 8]) parts->sets;
	model->set_first = parts->set_first;
	if (!read_features(reader, model, parts) || !read_classes(reader, model, parts) ||
		!grove_model_read_trees(reader, model, parts))
		return false;
	if (reader->at != reader->end)
		return reader_broken(reader, "There are bytes behind the last node", reader->at);
	return true;
}

/* Everything before the body: fills model's scalars, the layout and its size. */
static bool
open_model(GroveReader *reader, const uint8_t *bytes, size_t length, GroveModel *model, LevelCounts *levels)
{
	memset(model, 0, sizeof(*model));
	memset(reader, 0, sizeof(*reader));
	reader->bytes = bytes;
	reader->at = AT_BODY;
	if (length < AT_BODY + FORMAT_TRAILER)
		return reader_broken(reader, "The value is shorter than a header and a trailer", length);
	reader->end = length - FORMAT_TRAILER;
	return read_header(reader, model) && counts_fit(reader, model) && count_levels(*reader, reader, model, levels);
}

static GroveStatus
report_broken(const GroveReader *reader, const char **rule, size_t *offset)
{
	*rule = reader->rule;
	*offset = reader->rule_at;
	return GROVE_ERR_STRUCTURE;
}

GroveStatus
grove_model_read_size(const uint8_t *bytes, size_t length, size_t *memory, const char **rule, size_t *offset)
{
	uint8_t		digest[GROVE_DIGEST_BYTES];
	uint64_t	total_length = 0;
	GroveStatus status = grove_model_peek(bytes, length, &total_length, digest);
	GroveModel	model;
	GroveReaderParts parts;
	GroveReader reader;
	LevelCounts levels;

	*rule = NULL;
	*offset = 0;
	if (status == GROVE_OK && total_length != length)
		status = GROVE_ERR_STRUCTURE;
	if (status == GROVE_ERR_STRUCTURE)
	{
		*rule = "The value does not have the length that its header says";
		*offset = length;
	}
	else if (status == GROVE_OK && length >= AT_BODY + FORMAT_TRAILER && !grove_model_sealed(bytes, length))
		status = GROVE_ERR_CHECKSUM;
	if (status != GROVE_OK)
		return status;
	if (!open_model(&reader, bytes, length, &model, &levels))
		return report_broken(&reader, rule, offset);
	return lay_out(&model, &levels, NULL, &parts, memory) ? GROVE_OK : GROVE_ERR_SIZE;
}

GroveStatus
grove_model_read(const uint8_t *bytes, size_t length, void *memory, size_t memory_size,
				 GroveModel **model, const char **rule, size_t *offset)
{
	GroveModel	header;
	GroveReaderParts parts;
	GroveReader reader;
	LevelCounts levels;
	size_t		size;

	*rule = NULL;
	*offset = 0;
	if (!open_model(&reader, bytes, length, &header, &levels))
		return report_broken(&reader, rule, offset);
	if (!lay_out(&header, &levels, memory, &parts, &size))
		return GROVE_ERR_SIZE;
	if (size > memory_size)
		return GROVE_ERR_BUFFER;
	*parts.model = header;
	if (!read_body(&reader, parts.model, &parts))
		return report_broken(&reader, rule, offset);
	parts.model->compact = grove_compact_build(parts.model, parts.compact);
	*model = parts.model;
	return GROVE_OK;
}
