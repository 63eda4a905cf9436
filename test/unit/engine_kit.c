/*
 * engine_kit.c: tables, and the driver of a training.
 *
 * The driver stands where the server's does: it fills the trainer's buffer,
 * then runs the phases that the leader sets up.  It can run the tasks in a
 * random order on random workers and move the buffer between phases, which no
 * result may show.
 */
#include "engine_kit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/arena.h"
#include "../../src/core/identity.h"
#include "../../src/core/rng.h"
#include "../../src/core/sketch.h"

void *
kit_alloc(size_t count, size_t width)
{
	void	   *memory = calloc(count > 0 ? count : 1, width);

	if (memory == NULL)
	{
		printf("out of memory\n");
		exit(1);
	}
	return memory;
}

int
kit_compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* ------------------------------------------------------------------- tables */

KitTable
kit_table_make(uint32_t n_rows, uint32_t n_features, uint32_t n_outputs, bool weighted, bool validation)
{
	KitTable	t;

	t.n_rows = n_rows;
	t.n_features = n_features;
	t.n_outputs = n_outputs;
	t.values = kit_alloc((size_t) n_rows * n_features, sizeof(double));
	t.label = kit_alloc(n_rows, sizeof(float));
	t.weight = weighted ? kit_alloc(n_rows, sizeof(float)) : NULL;
	t.validation = validation ? kit_alloc(n_rows, 1) : NULL;
	t.margin = kit_alloc((size_t) n_rows * n_outputs, sizeof(float));
	t.hash = kit_alloc(n_rows, sizeof(uint64_t));
	t.bins = kit_alloc(n_features, sizeof(GroveFeatureBins));
	t.monotone = kit_alloc(n_features, 1);
	t.groups = kit_alloc(n_features, sizeof(uint64_t));
	t.group = NULL;
	return t;
}

void
kit_table_free(KitTable *table)
{
	free(table->values);
	free(table->label);
	free(table->weight);
	free(table->validation);
	free(table->margin);
	free(table->hash);
	free(table->bins);
	free(table->monotone);
	free(table->groups);
	free(table->group);
}

uint32_t
kit_table_validation(const KitTable *table)
{
	uint32_t	n = 0;

	for (uint32_t i = 0; table->validation && i < table->n_rows; i++)
		n += table->validation[i];
	return n;
}

static uint64_t
hash_number(uint64_t hash, double value)
{
	uint64_t	bits;

	value = value == 0.0 ? 0.0 : value;
	memcpy(&bits, &value, sizeof(bits));
	if (isnan(value))
		bits = UINT64_C(0x7ff8000000000000);
	return grove_rng_hash(hash, bits);
}

static void
hash_rows(KitTable *t)
{
	for (uint32_t i = 0; i < t->n_rows; i++)
	{
		uint64_t	hash = hash_number(7, (double) t->label[i]);

		for (uint32_t f = 0; f < t->n_features; f++)
			hash = hash_number(hash, t->values[(size_t) i * t->n_features + f]);
		for (uint32_t k = 0; k < t->n_outputs; k++)
			hash = hash_number(hash, (double) t->margin[(size_t) k * t->n_rows + i]);
		hash = hash_number(hash, t->weight ? (double) t->weight[i] : 1.0);
		if (t->group)
			hash = grove_rng_hash(hash, t->group[i]);
		t->hash[i] = hash_number(hash, t->validation ? t->validation[i] : 0.0);
	}
}

void
kit_table_cut(KitTable *table, uint32_t max_bins)
{
	GroveSketch sketch;
	size_t		size;
	void	   *memory;
	void	   *scratch;

	hash_rows(table);
	if (grove_sketch_size(table->n_features, 1024, &size) != GROVE_OK)
		abort();
	memory = kit_alloc(size, 1);
	grove_sketch_init(&sketch, memory, table->n_features, 1024);
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		if (!table->validation || !table->validation[i])
			grove_sketch_add(&sketch, &table->hash[i], 1, table->values + (size_t) i * table->n_features, 1, NULL);
	}
	scratch = kit_alloc(grove_sketch_scratch(&sketch), 1);
	for (uint32_t f = 0; f < table->n_features; f++)
	{
		if (!table->bins[f].categorical)
			grove_sketch_edges(&sketch, f, max_bins, scratch, table->bins[f].edges, &table->bins[f].n_bins);
		grove_bins_finish(&table->bins[f]);
	}
	free(scratch);
	free(memory);
}

KitTable
kit_table_pick(const KitTable *from, const uint32_t *order, uint32_t n)
{
	KitTable	to = kit_table_make(n, from->n_features, from->n_outputs, from->weight != NULL,
									from->validation != NULL);

	for (uint32_t i = 0; i < n; i++)
	{
		uint32_t	row = order[i];

		memcpy(to.values + (size_t) i * to.n_features, from->values + (size_t) row * from->n_features,
			   to.n_features * sizeof(double));
		to.label[i] = from->label[row];
		to.hash[i] = from->hash[row];
		if (to.weight)
			to.weight[i] = from->weight[row];
		if (to.validation)
			to.validation[i] = from->validation[row];
		for (uint32_t k = 0; k < to.n_outputs; k++)
			to.margin[(size_t) k * n + i] = from->margin[(size_t) k * from->n_rows + row];
	}
	memcpy(to.bins, from->bins, to.n_features * sizeof(GroveFeatureBins));
	memcpy(to.monotone, from->monotone, to.n_features);
	memcpy(to.groups, from->groups, to.n_features * sizeof(uint64_t));
	if (from->group)
		to.group = kit_alloc(n, sizeof(uint64_t));
	for (uint32_t i = 0; to.group && i < n; i++)
		to.group[i] = from->group[order[i]];
	return to;
}

/* -------------------------------------------------------------------- driver */

static void
fill_matrix(GroveTrainer *t, const KitTable *table)
{
	uint8_t    *tile = kit_alloc((size_t) table->n_features * GROVE_TILE_ROWS, 1);

	for (uint32_t first = 0; first < table->n_rows; first += GROVE_TILE_ROWS)
	{
		uint32_t	n = table->n_rows - first < GROVE_TILE_ROWS ? table->n_rows - first : GROVE_TILE_ROWS;

		for (uint32_t i = 0; i < n; i++)
		{
			for (uint32_t f = 0; f < table->n_features; f++)
				tile[(size_t) f * GROVE_TILE_ROWS + i] = grove_bins_of(&t->bins[f], table->values[(size_t) (first + i) * table->n_features + f]);
		}
		grove_matrix_fill(&t->matrix, t->bins, tile, first, n);
	}
	free(tile);
}

/* What orders the rows of a ranking in the server. */
typedef struct RankedRow
{
	uint8_t		validation;
	uint64_t	group;
	uint64_t	hash;
	uint32_t	identity;
	uint32_t	row;
} RankedRow;

#define COMPARE(a, b)	(((a) > (b)) - ((a) < (b)))

static int
compare_ranked(const void *a, const void *b)
{
	const RankedRow *x = a;
	const RankedRow *y = b;

	if (x->validation != y->validation)
		return COMPARE(x->validation, y->validation);
	if (x->group != y->group)
		return COMPARE(x->group, y->group);
	if (x->hash != y->hash)
		return COMPARE(x->hash, y->hash);
	return COMPARE(x->identity, y->identity);
}

/* Rows group by group. */
static void
fill_groups(GroveTrainer *t, const KitTable *table)
{
	RankedRow  *rows = kit_alloc(table->n_rows, sizeof(RankedRow));
	uint32_t	n_groups = 0;

	for (uint32_t i = 0; i < table->n_rows; i++)
		rows[i] = (RankedRow) {table->validation ? table->validation[i] : 0, table->group[i], table->hash[i], t->identity[i], i};
	qsort(rows, table->n_rows, sizeof(RankedRow), compare_ranked);
	for (uint32_t i = 0; i < table->n_rows; i++)
		t->group_rows[i] = rows[i].row;
	free(rows);
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		uint32_t	row = t->group_rows[i];
		uint32_t	last = t->group_rows[i > 0 ? i - 1 : 0];

		if (i == 0 || table->group[row] != table->group[last] ||
			(table->validation && table->validation[row] != table->validation[last]))
			t->group_start[n_groups++] = i;
	}
	t->group_start[n_groups] = table->n_rows;
	t->shared->n_groups = n_groups;
}

static void
fill_trainer(GroveTrainer *t, const KitTable *table)
{
	size_t		n = table->n_rows;
	GroveEntry *a = kit_alloc(n, sizeof(GroveEntry));
	GroveEntry *b = kit_alloc(n, sizeof(GroveEntry));

	grove_trainer_set_bins(t, table->bins);
	memcpy(t->monotone, table->monotone, table->n_features);
	memcpy(t->groups, table->groups, table->n_features * sizeof(uint64_t));
	memcpy(t->label, table->label, n * sizeof(float));
	memcpy(t->score, table->margin, n * table->n_outputs * sizeof(float));
	if (t->weight)
		memcpy(t->weight, table->weight, n * sizeof(float));
	if (t->validation)
		memcpy(t->validation, table->validation, n);
	grove_identity_assign(table->hash, table->n_rows, a, b, t->identity);
	fill_matrix(t, table);
	if (table->group)
		fill_groups(t, table);
	free(a);
	free(b);
}

/* A training under way. */
typedef struct Driver
{
	const KitSchedule *schedule;
	KitRandom	random;
	void	   *buffer;
	size_t		size;
	uint8_t    *records;		/* those outside the buffer, or NULL */
	GroveTrainer trainer;
	GroveBoost	boost;
	KitModel	model;
	double	   *gain;			/* of the tree at hand, by node */
	GroveSums  *left;
} Driver;

/* A view of the buffer, with the records when they are not in it. */
static void
attach(Driver *d, void *buffer)
{
	d->buffer = buffer;
	grove_trainer_attach(&d->trainer, buffer);
	if (d->records)
		d->trainer.matrix.records = d->records;
}

/* Copies the buffer to another address, as if another process had gone on. */
static void
relocate(Driver *d)
{
	void	   *to = malloc(d->size);

	if (to == NULL)
		abort();
#ifdef GROVE_ARENA_GUARDS
	__asan_unpoison_memory_region(d->buffer, d->size);
#endif
	memcpy(to, d->buffer, d->size);
	free(d->buffer);
	attach(d, to);
	if (d->records)
	{
		/* another process makes its own from the columns */
		memset(d->records, 0x5a, d->trainer.shared->dims.matrix.record_bytes);
		grove_matrix_records(&d->trainer.matrix, 0, d->trainer.matrix.n_rows);
	}
}

static void
run_phase(Driver *d)
{
	GroveTrainShared *s = d->trainer.shared;
	uint32_t   *order;

	if (d->schedule->seed == 0)
	{
		for (uint32_t i = 0; i < s->n_tasks; i++)
			grove_tasks_run(&d->trainer, 0, i);
		return;
	}
	order = kit_order(&d->random, s->n_tasks);
	for (uint32_t i = 0; i < s->n_tasks; i++)
		grove_tasks_run(&d->trainer, kit_below(&d->random, s->dims.n_workers), order[i]);
	free(order);
	if (d->schedule->relocate && kit_chance(&d->random, 0.02))
		relocate(d);
}

/* Looks at what the leader decided or the tasks did, before and after a phase. */
static void
before_phase(Driver *d)
{
	const GroveTrainShared *s = d->trainer.shared;
	const GroveSplit *split = &d->trainer.leaves[s->args.left].best;
	uint32_t	node = 0;

	if (s->phase != GROVE_PHASE_SPLIT)
		return;
	while (d->trainer.nodes[node].left != d->trainer.leaves[s->args.left].node)
		node++;
	d->gain[node] = split->gain;
	d->left[node] = split->left;
}

static void
after_phase(Driver *d)
{
	const GroveTrainShared *s = d->trainer.shared;
	uint32_t	left = 0;
	uint32_t	right = 0;
	uint32_t	part;

	if (s->phase != GROVE_PHASE_SPLIT)
		return;
	for (part = 0; part < s->n_parts; part++)
	{
		left += grove_trainer_segment(&d->trainer, s->args.left, part)->count;
		right += grove_trainer_segment(&d->trainer, s->args.right, part)->count;
	}
	if (left != d->trainer.leaves[s->args.left].count || right != d->trainer.leaves[s->args.right].count)
		d->model.cursors_agree = false;
	d->model.built_both += s->args.build_both;
}

static void *
copy_of(const void *from, size_t count, size_t width)
{
	void	   *to = kit_alloc(count, width);

	memcpy(to, from, count * width);
	return to;
}

static void
keep_tree(Driver *d)
{
	const GroveTrainShared *s = d->trainer.shared;
	KitModel   *m = &d->model;
	KitTree    *tree;

	if (m->n_trees == m->trees_capacity)
	{
		m->trees_capacity = m->trees_capacity * 2 + 8;
		m->trees = realloc(m->trees, m->trees_capacity * sizeof(KitTree));
		if (m->trees == NULL)
			abort();
	}
	tree = &m->trees[m->n_trees++];
	tree->n_nodes = s->n_nodes;
	tree->n_sets = s->n_sets;
	tree->nodes = copy_of(d->trainer.nodes, s->n_nodes, sizeof(GroveNode));
	tree->sets = copy_of(d->trainer.sets, s->n_sets, sizeof(*tree->sets));
	tree->gain = copy_of(d->gain, s->n_nodes, sizeof(double));
	tree->left = copy_of(d->left, s->n_nodes, sizeof(GroveSums));
	memset(d->gain, 0, s->n_nodes * sizeof(double));
	memset(d->left, 0, s->n_nodes * sizeof(GroveSums));
	if (d->schedule->hook)
		d->schedule->hook(d->schedule->arg, &d->trainer, tree);
}

static void
keep_round(Driver *d)
{
	KitModel   *m = &d->model;

	m->validation_loss = realloc(m->validation_loss, (m->rounds + 1) * sizeof(double));
	if (m->validation_loss == NULL)
		abort();
	m->validation_loss[m->rounds++] = d->boost.validation_loss;
}

KitModel
kit_train(const KitCase *kase, const KitSchedule *schedule)
{
	Driver		d;
	GroveBoostEvent event;
	size_t		nodes = (size_t) kase->dims.max_leaves * 2;

	memset(&d, 0, sizeof(d));
	d.schedule = schedule;
	d.random = kit_random(schedule->seed);
	d.model.cursors_agree = true;
	d.gain = kit_alloc(nodes, sizeof(double));
	d.left = kit_alloc(nodes, sizeof(GroveSums));
	if (grove_trainer_size(&kase->dims, &d.size) != GROVE_OK)
		abort();
	d.buffer = malloc(d.size);	/* not cleared, as the server's is not */
	if (d.buffer == NULL)
		abort();
	memset(d.buffer, 0x5a, d.size);
	grove_trainer_init(d.buffer, &kase->dims, &kase->config);
	d.records = kase->dims.own_records ? kit_alloc(kase->dims.matrix.record_bytes, 1) : NULL;
	attach(&d, d.buffer);
	d.trainer.shared->n_parts = kase->dims.n_workers;
	fill_trainer(&d.trainer, &kase->table);
	d.model.n_outputs = kase->dims.n_outputs;
	d.model.base = kit_alloc(kase->dims.n_outputs, sizeof(double));
	grove_boost_begin(&d.boost, &d.trainer, kase->from_average, kase->origin, kase->has_margin,
					  d.model.base);
	while ((event = grove_boost_next(&d.boost)) != GROVE_BOOST_DONE)
	{
		if (event == GROVE_BOOST_TREE)
			keep_tree(&d);
		else if (event == GROVE_BOOST_ROUND)
			keep_round(&d);
		else
		{
			before_phase(&d);
			run_phase(&d);
			after_phase(&d);
		}
	}
	d.model.best_rounds = d.boost.best_rounds;
	d.model.train_loss = d.boost.train_loss;
	d.model.last_validation_loss = d.boost.validation_loss;
	d.model.score = copy_of(d.trainer.score, (size_t) kase->dims.n_outputs * kase->dims.n_rows, sizeof(float));
	free(d.gain);
	free(d.left);
	free(d.buffer);
	free(d.records);
	return d.model;
}

void
kit_model_free(KitModel *model)
{
	for (uint32_t i = 0; i < model->n_trees; i++)
	{
		free(model->trees[i].nodes);
		free(model->trees[i].sets);
		free(model->trees[i].gain);
		free(model->trees[i].left);
	}
	free(model->trees);
	free(model->base);
	free(model->score);
	free(model->validation_loss);
}

static bool
tree_equal(const KitTree *a, const KitTree *b)
{
	return a->n_nodes == b->n_nodes && a->n_sets == b->n_sets &&
		memcmp(a->nodes, b->nodes, a->n_nodes * sizeof(GroveNode)) == 0 &&
		memcmp(a->sets, b->sets, a->n_sets * sizeof(*a->sets)) == 0 &&
		memcmp(a->gain, b->gain, a->n_nodes * sizeof(double)) == 0;
}

bool
kit_model_equal(const KitModel *a, const KitModel *b)
{
	if (a->n_trees != b->n_trees || a->rounds != b->rounds || a->best_rounds != b->best_rounds ||
		memcmp(&a->train_loss, &b->train_loss, sizeof(double)) != 0)
		return false;
	if (memcmp(a->base, b->base, a->n_outputs * sizeof(double)) != 0 ||
		memcmp(a->validation_loss, b->validation_loss, a->rounds * sizeof(double)) != 0)
		return false;
	for (uint32_t i = 0; i < a->n_trees; i++)
	{
		if (!tree_equal(&a->trees[i], &b->trees[i]))
			return false;
	}
	return true;
}
