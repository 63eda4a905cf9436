/*
 * tasks.c: the bodies of the tasks; each can run in any process.  Those that
 * go over the rows of the table are here, those that split a leaf in
 * tasks_split.c, those that go over groups in tasks_rank.c, those that choose
 * rows by their gradients in tasks_select.c.
 *
 * A task reads what the leader set up and writes to places that no other task
 * of the phase writes to, or moves an atomic cursor.  Nothing here waits.
 */
#include <string.h>

#include "clones.h"
#include "renew.h"
#include "tasks.h"

/*
 * Poisson(mean) from 32 random bits, cut at 15: walks up the distribution
 * function in 2^-32 steps.
 */
static uint32_t
poisson(uint32_t bits, double mean)
{
	double		u = ((double) bits + 0.5) / 4294967296.0;
	double		term = 1.0;
	double		sum = 1.0;
	double		total = 0.0;
	uint32_t	k;

	/* exp(mean) by its own series, so that no libm is involved; mean <= 1 */
	for (k = 1; k < 24; k++)
	{
		total += term;
		term = term * mean / k;
	}
	u *= total;
	term = 1.0;
	for (k = 0; k < 15 && u >= sum; k++)
	{
		term = term * mean / (k + 1);
		sum += term;
	}
	return k;
}

uint32_t
grove_tasks_copies(const GroveTrainer *t, uint32_t row, uint32_t bag_key)
{
	const GroveTrainConfig *config = &t->shared->config;
	uint32_t	bits;

	if (t->validation && t->validation[row])
		return 0;
	if (!t->shared->dims.sampled)
		return 1;
	if (t->factor)
		return !t->shared->args.factored || t->factor[row] > 0.0f;
	bits = grove_tasks_bag_bits(t, row, bag_key);
	if (config->algorithm == GROVE_ALGORITHM_FOREST)
		return poisson(bits, config->bagging_fraction);
	return (double) bits < config->bagging_fraction * 4294967296.0;
}

static void
run_bag(GroveTrainer *t, uint32_t chunk)
{
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	key = t->shared->args.bag_key;
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	uint32_t	i;

	c->bag = 0;
	c->out = 0;
	if (!t->validation && !t->shared->dims.sampled)
	{
		c->bag = n;
		return;
	}
	for (i = first; i < first + n; i++)
	{
		uint32_t	copies = grove_tasks_copies(t, i, key);

		c->bag += copies;
		c->out += copies == 0 && t->shared->dims.track_out;
	}
}

/* Adds the last tree's leaf values to the scores of n rows. */
GROVE_CLONES static void
apply_leaves(GroveTrainer *t, uint32_t first, uint32_t n)
{
	const float max = (float) GROVE_STEP_MAX;
	float	   *score = t->score + (size_t) t->shared->args.apply_output * t->shared->dims.n_rows;
	uint32_t	i;

	for (i = first; i < first + n; i++)
	{
		float		sum = score[i] + t->leaves[t->leaf_of[i]].value;

		sum = sum < max ? sum : max;
		score[i] = sum > -max ? sum : -max;
	}
}

static GroveLossRows
loss_rows(const GroveTrainer *t, uint32_t first, uint32_t n)
{
	GroveLossRows rows;

	rows.label = t->label + first;
	rows.weight = t->weight ? t->weight + first : NULL;
	rows.factor = t->shared->args.factored ? t->factor + first : NULL;
	rows.score = t->score + first;
	rows.gradient = t->gradient ? t->gradient + first : NULL;
	rows.hessian = t->hessian ? t->hessian + first : NULL;
	rows.identity = t->identity + first;
	rows.shape = &t->shared->config.shape;
	rows.n = n;
	rows.stride = t->shared->dims.n_rows;
	rows.n_outputs = t->shared->dims.n_outputs;
	rows.loss_scale = t->shared->loss_scale;
	return rows;
}

/* End of the run of rows that, like begin, are training or are validation rows. */
static uint32_t
end_of_run(const GroveTrainer *t, uint32_t begin, uint32_t end)
{
	uint32_t	i = begin + 1;

	if (!t->validation)
		return end;
	while (i < end && t->validation[i] == t->validation[begin])
		i++;
	return i;
}

/* Losses of training and validation rows of a chunk, and the largest gradient and hessian of the training rows. */
static void
measure_chunk(GroveTrainer *t, GroveChunk *c, uint32_t first, uint32_t n)
{
	GroveLossKind loss = t->shared->config.loss;
	uint32_t	begin,
				end;

	c->train_loss = 0;
	c->validation_loss = 0;
	c->max_gradient = 0.0f;
	c->max_hessian = 0.0f;
	for (begin = first; begin < first + n; begin = end)
	{
		bool		validation = t->validation && t->validation[begin];
		GroveLossRows rows;

		end = end_of_run(t, begin, first + n);
		rows = loss_rows(t, begin, end - begin);
		if (t->shared->args.measure)
			*(validation ? &c->validation_loss : &c->train_loss) +=
				grove_loss_sum(loss, &rows);
		if (grove_loss_measured(loss) && !validation)
			grove_loss_maxima(loss, &rows, t->shared->args.rounding.weight_scale, &c->max_gradient, &c->max_hessian);
	}
}

static void
run_score(GroveTrainer *t, uint32_t chunk)
{
	const GrovePhaseArgs *args = &t->shared->args;
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);

	if (args->apply)
		apply_leaves(t, first, n);
	if (!t->shared->dims.ranked)
		measure_chunk(t, c, first, n);
}

/* Gradients of all outputs of the round, kept for its trees. */
static void
run_gradient(GroveTrainer *t, uint32_t chunk)
{
	size_t		n_rows = t->shared->dims.n_rows;
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	GroveLossRows rows = loss_rows(t, first, n);
	uint32_t	k;

	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		GroveRounding rounding = t->shared->args.rounding;

		rounding.key += k;
		grove_loss_gradients(t->shared->config.loss, &rows, k, &rounding, t->words + k * n_rows + first,
							 t->hess ? t->hess + k * n_rows + first : NULL);
	}
}

/* The chunk's rows into the two lists; words are their gradients. */
GROVE_CLONES static uint32_t
list_rows(GroveTrainer *t, const GroveChunk *c, const int32_t *words, uint32_t first, uint32_t n)
{
	GroveEntry *bag = t->bag[0] + c->bag_begin;
	GroveEntry *out = t->out[0] + c->out_begin;
	uint32_t	key = t->shared->args.bag_key;
	uint32_t	i;

	if (!t->validation && !t->shared->dims.sampled)
	{
		for (i = 0; i < n; i++)
		{
			bag[i].row = first + i;
			bag[i].g = words[i];
		}
		return n;
	}
	for (i = 0; i < n; i++)
	{
		uint32_t	copies = grove_tasks_copies(t, first + i, key);

		if (copies == 0 && t->shared->dims.track_out)
		{
			out->row = first + i;
			out->g = 0;
			out++;
		}
		for (; copies > 0; copies--)
		{
			bag->row = first + i;
			bag->g = words[i];
			bag++;
		}
	}
	return c->bag;
}

void
grove_tasks_accumulate(GroveTrainer *t, uint32_t worker, const GroveBlock *block, const GroveEntry *entries, uint32_t n)
{
	const int32_t *hess = t->hess ? t->hess + (size_t) t->shared->args.output * t->matrix.n_rows : NULL;

	grove_hist_accumulate(&t->matrix, block, t->shared->dims.mode, entries, n, hess, t->workers[worker].accumulators);
}

void
grove_tasks_add(GroveTrainer *t, uint32_t worker, uint32_t block, const GroveEntry *entries, uint32_t n)
{
	const GroveBlock *b = &t->matrix.blocks[block];
	GroveHistMode mode = t->shared->dims.mode;
	GroveWorker *w = &t->workers[worker];
	GroveBinSums *sums = t->worker_sums + (size_t) worker * t->matrix.n_features;
	bool		add = w->epoch[block] == t->shared->args.epoch;
	int64_t		scratch[2 * GROVE_BINS];
	uint32_t	i,
				f;

	grove_tasks_accumulate(t, worker, b, entries, n);
	for (i = 0; i < b->n_columns + b->n_wide; i++)
	{
		const int64_t *column = grove_hist_at(b, mode, w->accumulators, i);

		f = t->matrix.columns[grove_hist_column(b, i)].feature;
		for (; f != GROVE_NO_FEATURE; f = t->matrix.places[f].next)
			grove_hist_unpack(mode, grove_hist_feature(&t->matrix, t->bins, f, mode, column, scratch),
							  t->bins[f].n_bins, add, &sums[f]);
	}
	w->epoch[block] = t->shared->args.epoch;
}

bool
grove_tasks_block_used(const GroveTrainer *t, uint32_t block)
{
	const GroveBlock *b = &t->matrix.blocks[block];
	uint32_t	i,
				f;

	for (i = 0; i < b->n_columns + b->n_wide; i++)
	{
		f = t->matrix.columns[grove_hist_column(b, i)].feature;
		for (; f != GROVE_NO_FEATURE; f = t->matrix.places[f].next)
		{
			if (t->used[f])
				return true;
		}
	}
	return false;
}

static void
run_root(GroveTrainer *t, uint32_t worker, uint32_t chunk)
{
	const GrovePhaseArgs *args = &t->shared->args;
	const GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	const int32_t *words = t->workers[worker].words;
	uint32_t	n_bag;
	uint32_t	done;
	uint32_t	b;

	if (args->apply)
		apply_leaves(t, first, n);
	if (t->words)
		words = t->words + (size_t) args->output * t->matrix.n_rows + first;
	else
	{
		GroveLossRows rows = loss_rows(t, first, n);

		grove_loss_gradients(t->shared->config.loss, &rows, 0, &args->rounding, t->workers[worker].words,
							 t->hess ? t->hess + first : NULL);
	}
	n_bag = list_rows(t, c, words, first, n);
	/* a bootstrap sample may put more than a chunk's worth of entries into one */
	for (done = 0; done < n_bag; done += GROVE_HIST_CHUNK)
	{
		uint32_t	part = n_bag - done < GROVE_HIST_CHUNK ? n_bag - done : GROVE_HIST_CHUNK;

		for (b = 0; b < t->matrix.n_blocks; b++)
		{
			if (grove_tasks_block_used(t, b))
				grove_tasks_add(t, worker, b, t->bag[0] + c->bag_begin + done, part);
		}
	}
}

void
grove_tasks_run(GroveTrainer *t, uint32_t worker, uint32_t task)
{
	switch (t->shared->phase)
	{
		case GROVE_PHASE_BAG:
			run_bag(t, task);
			break;
		case GROVE_PHASE_SCORE:
			run_score(t, task);
			break;
		case GROVE_PHASE_GRADIENT:
			run_gradient(t, task);
			break;
		case GROVE_PHASE_ROOT:
			run_root(t, worker, task);
			break;
		case GROVE_PHASE_PARTITION:
			grove_tasks_partition(t, worker, task);
			break;
		case GROVE_PHASE_HIST:
			grove_tasks_hist(t, worker, task);
			break;
		case GROVE_PHASE_FIND:
			grove_tasks_find(t, task);
			break;
		case GROVE_PHASE_LEAVES:
			grove_tasks_leaves(t, task);
			break;
		case GROVE_PHASE_OUT:
			grove_tasks_out(t, task);
			break;
		case GROVE_PHASE_RENEW:
			grove_renew_leaf(t, task);
			break;
		case GROVE_PHASE_RANK:
			grove_tasks_rank(t, task);
			break;
		case GROVE_PHASE_WEIGH:
			grove_tasks_weigh(t, task);
			break;
		case GROVE_PHASE_RATE:
			grove_tasks_rate(t, worker, task);
			break;
		case GROVE_PHASE_DRAW:
			grove_tasks_draw(t, task);
			break;
	}
}
