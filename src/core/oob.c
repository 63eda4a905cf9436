/*
 * oob.c: a row's score is the forest's with the trees that did not see it
 * only: leaf values are divided by the number of trees beforehand, so their
 * sum is scaled up to what it would be with that many.
 *
 * The trees themselves are no longer needed: while they grew, each row added
 * up the leaves it fell in, in single precision and in the order of trees.
 */
#include "oob.h"

#include <math.h>
#include <string.h>

#include "loss_blocks.h"

void
grove_oob_init(GroveOob *oob, GroveLink link)
{
	memset(oob, 0, sizeof(*oob));
	oob->link = link;
	grove_exactsum_init(&oob->training.weight);
	grove_exactsum_init(&oob->training.loss);
	grove_exactsum_init(&oob->training.hits);
	oob->validation = oob->training;
}

/* Margin of one output of a row that out_trees[row] > 0 trees did not see. */
static float
out_margin(const GroveTrainer *t, uint32_t k, uint32_t row)
{
	size_t		at = (size_t) k * t->shared->dims.n_rows + row;
	double		scale = (double) t->shared->config.n_rounds / (double) t->out_trees[row];

	return (float) ((double) t->score[at] + (double) t->out_sum[at] * scale);
}

/* The class that the link would choose: the largest positive margin, the first of equal ones. */
static uint32_t
best_class(const GroveTrainer *t, uint32_t row)
{
	uint32_t	best = 0;
	float		top = out_margin(t, 0, row);
	uint32_t	k;

	for (k = 1; k < t->shared->dims.n_outputs; k++)
	{
		float		margin = out_margin(t, k, row);

		if (margin > top && margin > 0.0f)
		{
			best = k;
			top = margin;
		}
	}
	return best;
}

/* Loss of one row of the objective, without weight. */
static double
row_loss(const GroveTrainer *t, float label, float score)
{
	GroveLossRows rows;
	double		loss;

	memset(&rows, 0, sizeof(rows));
	rows.label = &label;
	rows.score = &score;
	rows.shape = &t->shared->config.shape;
	rows.n = 1;
	rows.stride = 1;
	rows.n_outputs = 1;
	grove_loss_regression_values(t->shared->config.loss, &rows, 0, 1, &loss);
	return loss;
}

static void
add_row(const GroveOob *oob, GroveOobPart *part, const GroveTrainer *t, uint32_t row)
{
	double		weight = t->weight ? (double) t->weight[row] : 1.0;
	float		label = t->label[row];
	float		score;

	part->rows++;
	grove_exactsum_add(&part->weight, weight);
	if (oob->link == GROVE_LINK_NORMALIZE)
	{
		if ((float) best_class(t, row) == label)
			grove_exactsum_add(&part->hits, weight);
		return;
	}
	score = out_margin(t, 0, row);
	if (oob->link == GROVE_LINK_CLAMP)
	{
		score = score < 0.0f ? 0.0f : score > 1.0f ? 1.0f : score;
		if ((score >= 0.5f) == (label > 0.5f))
			grove_exactsum_add(&part->hits, weight);
	}
	grove_exactsum_add(&part->loss, weight * row_loss(t, label, score));
}

void
grove_oob_add(GroveOob *oob, const GroveTrainer *trainer, uint32_t first, uint32_t n)
{
	uint32_t	i;

	for (i = first; i < first + n; i++)
	{
		if (trainer->out_trees[i] > 0)
			add_row(oob, trainer->validation && trainer->validation[i] ? &oob->validation : &oob->training, trainer, i);
	}
}

static double
mean(GroveExactSum *sum, GroveExactSum *weight)
{
	double		w = grove_exactsum_round(weight);

	return w > 0.0 ? grove_exactsum_round(sum) / w : NAN;
}

double
grove_oob_loss(GroveOobPart *part)
{
	return mean(&part->loss, &part->weight);
}

double
grove_oob_accuracy(GroveOobPart *part)
{
	return mean(&part->hits, &part->weight);
}
