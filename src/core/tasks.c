/*
 * tasks.c: the bodies of the tasks; each can run in any process.  Those that
 * go over the rows of the table are here, those that split a leaf in
 * tasks_split.c and tasks_hist.c, those that go over groups in tasks_rank.c,
 * those that choose rows by their gradients in tasks_select.c.
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

/* The rows that the bits of n identities draw with a probability of limit / 2^32. */
GROVE_CLONES static void
draw_once(const uint32_t *identity, uint32_t bag_key, uint64_t limit, uint32_t n, uint8_t *copies)
{
	uint32_t	i;

	for (i = 0; i < n; i++)
		copies[i] = grove_tasks_bag_bits(identity[i], bag_key) < limit;
}

/* The least integer that is not below fraction 2^32. */
static uint64_t
bag_limit(double fraction)
{
	double		exact = fraction * 4294967296.0;
	uint64_t	limit = (uint64_t) exact;

	return (double) limit < exact ? limit + 1 : limit;
}

void
grove_tasks_draw_bag(const GroveTrainConfig *config, const uint32_t *identity, uint32_t bag_key, uint32_t n, uint8_t *copies)
{
	uint32_t	i;

	if (config->algorithm != GROVE_ALGORITHM_FOREST)
	{
		draw_once(identity, bag_key, bag_limit(config->bagging_fraction), n, copies);
		return;
	}
	for (i = 0; i < n; i++)
		copies[i] = (uint8_t) poisson(grove_tasks_bag_bits(identity[i], bag_key), config->bagging_fraction);
}

/* Draws the rows of a chunk that the next trees see. */
static void
run_bag(GroveTrainer *t, uint32_t chunk)
{
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	uint8_t    *copies;
	uint32_t	i;

	if (!t->copies)
	{
		t->chunks[chunk].bag = n;
		t->chunks[chunk].out = 0;
		return;
	}
	copies = t->copies + first;
	if (!t->shared->dims.sampled || t->factor)
		memset(copies, 1, n);
	else
		grove_tasks_draw_bag(&t->shared->config, t->identity + first, t->shared->args.bag_key, n, copies);
	for (i = 0; t->validation && i < n; i++)
		copies[i] = t->validation[first + i] ? 0 : copies[i];
	grove_tasks_count(t, chunk);
}

void
grove_tasks_count(GroveTrainer *t, uint32_t chunk)
{
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	uint32_t	bag = 0;
	uint32_t	out = 0;
	uint32_t	i;

	for (i = first; i < first + n; i++)
	{
		bag += t->copies[i];
		out += t->copies[i] == 0;
	}
	c->bag = bag;
	c->out = out;
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

/* n rows: those that the tree sees once to bag, the others to out; each has room for all. */
GROVE_CLONES static void
divide_rows(const uint8_t *copies, const int32_t *words, uint32_t first, uint32_t n, GroveEntry *bag, uint32_t *out)
{
	uint32_t	n_bag = 0;
	uint32_t	n_out = 0;
	uint32_t	i;

	/* as in partition.c */
	for (i = 0; i < n; i++)
	{
		GroveEntry	entry = {first + i, words[i]};

		bag[n_bag] = entry;
		out[n_out] = first + i;
		n_bag += copies[i];
		n_out += 1 - copies[i];
	}
}

#define GATHERED	256			/* rows that are brought together at once */

/* Gradients of listed rows that are not side by side. */
static void
grade_entries(const GroveTrainer *t, GroveEntry *entries, uint32_t n)
{
	float		label[GATHERED],
				score[GATHERED],
				weight[GATHERED],
				factor[GATHERED];
	uint32_t	identity[GATHERED];
	int32_t		words[GATHERED];
	GroveLossRows rows = loss_rows(t, 0, 0);
	uint32_t	i;

	rows.label = label;
	rows.score = score;
	rows.weight = t->weight ? weight : NULL;
	rows.factor = factor;
	rows.identity = identity;
	rows.n = n;
	for (i = 0; i < n; i++)
	{
		uint32_t	row = entries[i].row;

		label[i] = t->label[row];
		score[i] = t->score[row];
		factor[i] = t->factor[row];
		identity[i] = t->identity[row];
	}
	for (i = 0; t->weight && i < n; i++)
		weight[i] = t->weight[entries[i].row];
	grove_loss_gradients(t->shared->config.loss, &rows, 0, &t->shared->args.rounding, words, NULL);
	for (i = 0; i < n; i++)
		entries[i].g = words[i];
}

/* Entries of n rows: as many as the tree sees of each to bag, those that it does not see to out. */
static void
copy_rows(const uint8_t *copies, const int32_t *words, uint32_t first, uint32_t n, GroveEntry *bag, uint32_t *out)
{
	uint32_t	i,
				k;

	for (i = 0; i < n; i++)
	{
		GroveEntry	entry = {first + i, words[i]};

		if (copies[i] == 0)
			*out++ = first + i;
		for (k = 0; k < copies[i]; k++)
			*bag++ = entry;
	}
}

/* The chunk's rows into the two lists; words are their gradients. */
static void
list_rows(GroveTrainer *t, GroveWorker *w, const GroveChunk *c, const int32_t *words, uint32_t first, uint32_t n)
{
	GroveEntry *bag = t->bag[0] + c->bag_begin;
	uint32_t   *out = t->out[0] + c->out_begin;
	uint32_t	i;

	if (!t->copies)
	{
		for (i = 0; i < n; i++)
		{
			bag[i].row = first + i;
			bag[i].g = words[i];
		}
	}
	else if (t->shared->config.algorithm == GROVE_ALGORITHM_FOREST)
		copy_rows(t->copies + first, words, first, n, bag, out);
	else
	{
		divide_rows(t->copies + first, words, first, n, w->bag, w->out);
		memcpy(bag, w->bag, c->bag * sizeof(GroveEntry));
		memcpy(out, w->out, c->out * sizeof(uint32_t));
	}
}

/* Lists the rows of a chunk and adds them to the histogram of the root. */
static void
list_chunk(GroveTrainer *t, uint32_t worker, uint32_t chunk)
{
	const GrovePhaseArgs *args = &t->shared->args;
	const GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = grove_tasks_chunk_rows(t, chunk, &first);
	const int32_t *words = t->workers[worker].words;
	uint32_t	i;

	if (args->apply)
		apply_leaves(t, first, n);
	if (grove_trainer_keeps_gradients(&t->shared->dims))
		words = t->words + (size_t) args->output * t->matrix.n_rows + first;
	else if (!grove_trainer_grades_listed(t->shared))
	{
		GroveLossRows rows = loss_rows(t, first, n);

		grove_loss_gradients(t->shared->config.loss, &rows, 0, &args->rounding, t->workers[worker].words,
							 t->shared->dims.mode == GROVE_HIST_WIDE ? t->hess + first : NULL);
	}
	list_rows(t, &t->workers[worker], c, words, first, n);
	for (i = 0; grove_trainer_grades_listed(t->shared) && i < c->bag; i += GATHERED)
		grade_entries(t, t->bag[0] + c->bag_begin + i, c->bag - i < GATHERED ? c->bag - i : GATHERED);
	grove_tasks_add(t, worker, t->bag[0] + c->bag_begin, c->bag);
}

static void
run_root(GroveTrainer *t, uint32_t worker, uint32_t part)
{
	uint32_t	chunk;

	for (chunk = grove_trainer_part(t->shared, part); chunk < grove_trainer_part(t->shared, part + 1); chunk++)
		list_chunk(t, worker, chunk);
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
		case GROVE_PHASE_SPLIT:
			grove_tasks_split(t, worker, task);
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
