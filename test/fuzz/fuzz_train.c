/*
 * fuzz_train.c: libFuzzer target: bytes as a small training and its model.
 *
 * Whatever table and options the server lets in, training ends, and gives a
 * model that the reader of models accepts; its bytes are read and written
 * again; the training rows get the same finite margins from the walk of one
 * row, from the walk of many and from the plain walk, and the margins that the
 * trainer itself went along with.
 */
#include <float.h>
#include <stdio.h>

#include "../../src/core/predict_batch.h"
#include "check_model.h"
#include "must.h"
#include "train_input.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GroveText
text_of(const char *string)
{
	GroveText	text = {string, (uint32_t) strlen(string)};

	return text;
}

/* Names of features, levels and classes: "0" to "255". */
static GroveText *
make_names(void)
{
	static char names[GROVE_BINS][12];
	static GroveText texts[GROVE_BINS];

	for (int i = 0; i < GROVE_BINS; i++)
	{
		snprintf(names[i], sizeof(names[i]), "%d", i);
		texts[i] = text_of(names[i]);
	}
	return texts;
}

static GroveFeature *
make_features(const KitTable *table, const GroveText *names)
{
	GroveFeature *features = kit_alloc(table->n_features, sizeof(GroveFeature));

	for (uint32_t f = 0; f < table->n_features; f++)
	{
		const GroveFeatureBins *bins = &table->bins[f];

		features[f].name = names[f];
		features[f].type_name = text_of(bins->categorical ? "text" : "double precision");
		features[f].kind = bins->categorical ? GROVE_FEATURE_CATEGORICAL : GROVE_FEATURE_NUMERIC;
		if (!bins->categorical)
			continue;
		features[f].n_levels = bins->n_bins;
		features[f].levels = names;
	}
	return features;
}

/* The trees of the rounds to keep, as src/pg/train_trees.c joins them. */
static void
join_trees(GroveModel *model, const KitModel *trained)
{
	uint32_t	n_trees = trained->best_rounds * trained->n_outputs;
	uint32_t   *start = kit_alloc(n_trees + 1, sizeof(uint32_t));
	GroveNode  *nodes;
	uint8_t		(*sets)[GROVE_BINS / 8];

	must(n_trees <= trained->n_trees, "more rounds are kept than there were");
	for (uint32_t i = 0; i < n_trees; i++)
	{
		start[i + 1] = start[i] + trained->trees[i].n_nodes;
		model->n_sets += trained->trees[i].n_sets;
	}
	nodes = kit_alloc(start[n_trees], sizeof(GroveNode));
	sets = kit_alloc(model->n_sets, sizeof(*sets));
	model->n_sets = 0;
	for (uint32_t i = 0; i < n_trees; i++)
	{
		const KitTree *tree = &trained->trees[i];

		memcpy(nodes + start[i], tree->nodes, tree->n_nodes * sizeof(GroveNode));
		memcpy(sets + model->n_sets, tree->sets, tree->n_sets * sizeof(*sets));
		for (uint32_t n = start[i]; n < start[i + 1]; n++)
		{
			if (nodes[n].left != 0 && (nodes[n].flags & GROVE_NODE_CATEGORICAL))
				nodes[n].set += model->n_sets;
		}
		model->n_sets += tree->n_sets;
	}
	model->n_trees = n_trees;
	model->n_nodes = start[n_trees];
	model->tree_start = start;
	model->nodes = nodes;
	model->sets = (const uint8_t (*)[GROVE_BINS / 8]) sets;
	model->set_first = kit_alloc(model->n_sets, sizeof(uint32_t));
}

/* The bytes of the model; *length gets their number. */
static uint8_t *
write_model(const TrainInput *input, const KitModel *trained, size_t *length)
{
	const KitTable *table = &input->kase.table;
	const GroveText *names = make_names();
	GroveFeature *features = make_features(table, names);
	GroveModel	model;
	uint8_t    *bytes;

	memset(&model, 0, sizeof(model));
	model.task = input->task;
	model.algorithm = input->kase.config.algorithm;
	model.link = input->link;
	model.objective = text_of(input->objective);
	model.target = text_of("y");
	model.target_type = text_of("integer");
	model.rows = table->n_rows - kit_table_validation(table);
	model.n_features = table->n_features;
	model.n_outputs = table->n_outputs;
	model.n_classes = input->task == GROVE_TASK_MULTICLASS ? table->n_outputs : input->task == GROVE_TASK_BINARY ? 2 : 0;
	model.features = features;
	model.classes = names;
	model.base = trained->base;
	model.params = text_of("{}");
	model.metrics = text_of("{}");
	join_trees(&model, trained);
	must(grove_model_write_size(&model, length) == GROVE_OK, "the model has no size");
	bytes = kit_alloc(*length, 1);
	must(grove_model_write(&model, bytes, *length) == GROVE_OK, "the model is not written");
	free((void *) model.tree_start);
	free((void *) model.nodes);
	free((void *) model.sets);
	free((void *) model.set_first);
	free(features);
	return bytes;
}

/* A row as predictions get it: an ordinal for a category, 0 when it is missing. */
static void
model_row(const KitTable *table, uint32_t i, double *row)
{
	for (uint32_t f = 0; f < table->n_features; f++)
	{
		row[f] = table->values[(size_t) i * table->n_features + f];
		if (table->bins[f].categorical && isnan(row[f]))
			row[f] = 0;
	}
}

static void
check_prediction(const GroveModel *model, const double *margins)
{
	double		probabilities[GROVE_BINS];
	double		value = grove_predict_value(model, margins);

	must(!isnan(value) && (isfinite(value) || model->link == GROVE_LINK_EXP), "a prediction is not finite");
	if (model->n_classes == 0)
		return;
	grove_predict_probabilities(model, margins, probabilities);
	for (uint32_t k = 0; k < model->n_classes; k++)
		must(probabilities[k] >= 0 && probabilities[k] <= 1, "a probability is none");
	must(grove_predict_best(model, margins) < model->n_classes, "the class is out of range");
}

/* What the trainer's scores, in single precision, can be off by. */
static double
score_error(const GroveModel *model)
{
	double		sum = 0;

	for (uint32_t i = 0; i < model->n_outputs; i++)
		sum += fabs(model->base[i]);
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		double		largest = 0;

		for (uint32_t n = model->tree_start[tree]; n < model->tree_start[tree + 1]; n++)
			largest = model->nodes[n].left == 0 ? fmax(largest, fabs(model->nodes[n].value)) : largest;
		sum += largest;
	}
	return 1e-6 * sum + 1e-30;
}

/* Margins of the training rows on every way. */
static void
check_rows(const GroveModel *model, const TrainInput *input, const KitModel *trained)
{
	const KitTable *table = &input->kase.table;
	double		error = score_error(model);
	bool		scored = model->algorithm == GROVE_ALGORITHM_GBDT && trained->best_rounds == trained->rounds && !input->kase.has_margin;
	double		row[GROVE_BINS];
	double		margins[GROVE_BINS];
	double		expected[GROVE_BINS];
	double	   *values = kit_alloc((size_t) model->n_features * GROVE_BATCH_STRIDE, sizeof(double));
	double	   *many = kit_alloc((size_t) GROVE_BATCH_ROWS * model->n_outputs, sizeof(double));
	size_t		size;
	void	   *memory;
	GroveBatch *batch;

	must(grove_predict_batch_size(model, &size), "the batch has no size");
	memory = kit_alloc(size, 1);
	batch = grove_predict_batch_make(model, memory);
	for (uint32_t first = 0; first < table->n_rows; first += GROVE_BATCH_ROWS)
	{
		uint32_t	n = table->n_rows - first < GROVE_BATCH_ROWS ? table->n_rows - first : GROVE_BATCH_ROWS;

		for (uint32_t i = 0; i < n; i++)
		{
			model_row(table, first + i, row);
			for (uint32_t f = 0; f < model->n_features; f++)
				values[f * GROVE_BATCH_STRIDE + i] = row[f];
		}
		grove_predict_batch_run(batch, values, n, many);
		for (uint32_t i = 0; i < n; i++)
		{
			model_row(table, first + i, row);
			grove_predict_margins(model, row, margins);
			reference_margins(model, row, expected);
			check_prediction(model, margins);
			for (uint32_t k = 0; k < model->n_outputs; k++)
			{
				double		score = (double) trained->score[(size_t) k * table->n_rows + first + i];

				must(isfinite(margins[k]), "a margin is not finite");
				must(check_same_bits(margins[k], expected[k]), "margins differ from the plain walk");
				must(check_same_bits(margins[k], many[(size_t) i * model->n_outputs + k]), "margins of a batch differ");
				must(!scored || fabs(score) >= GROVE_STEP_MAX || fabs(score - margins[k]) <= error,
					 "margins differ from the trainer's scores");
			}
		}
	}
	free(values);
	free(many);
	free(memory);
}

static void
check_trained(const TrainInput *input, const KitModel *trained)
{
	size_t		length;
	uint8_t    *bytes = write_model(input, trained, &length);
	const char *why;
	const char *rule;
	size_t		offset;
	size_t		size;
	void	   *memory;
	GroveModel *model;
	GroveStatus status = grove_model_read_size(bytes, length, &size, &rule, &offset);

	must(status == GROVE_OK, "the model's bytes are refused");
	memory = malloc(size);
	status = grove_model_read(bytes, length, memory, size, &model, &rule, &offset);
	must(status == GROVE_OK, rule ? rule : "the model is refused");
	must(check_bytes(bytes, length, &why) == CHECK_SAME, why ? why : "the model is refused");
	check_rows(model, input, trained);
	free(memory);
	free(bytes);
}

/* Tasks in order, and on three workers at random: nothing shows it. */
static void
check_schedule(const TrainInput *input, const KitModel *trained)
{
	TrainInput	other = *input;
	KitModel	again;

	other.schedule.seed = 0;
	other.kase.dims.n_workers = 1;
	again = kit_train(&other.kase, &other.schedule);
	must(kit_model_equal(trained, &again), "the model depends on who trains it");
	kit_model_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TrainInput	input;
	KitModel	trained;

	if (!train_input_make(&input, data, size))
		return 0;
	trained = kit_train(&input.kase, &input.schedule);
	must(trained.cursors_agree, "a partition moved other rows than announced");
	check_trained(&input, &trained);
	if (input.schedule.seed != 0)
		check_schedule(&input, &trained);
	kit_model_free(&trained);
	train_input_free(&input);
	return 0;
}
