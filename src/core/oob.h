/*
 * oob.h: how well a forest does on rows that its trees did not see.
 *
 * A tree of a forest leaves out about a third of the training rows (e^-f of
 * them with bagging_fraction f).  Each of these is scored by the trees that
 * left it out, and the mean over the rows is an estimate of the error on new
 * rows that costs no data (L. Breiman, "Random forests", 2001).  Validation
 * rows are left out by all trees, so theirs is the score of the model itself.
 *
 * Sums over rows are exact: they do not depend on the order of the rows.
 */
#ifndef GROVE_OOB_H
#define GROVE_OOB_H

#include "exactsum.h"
#include "trainer.h"

/* Over one part of the rows: those of the training, or those of the validation. */
typedef struct GroveOobPart
{
	uint32_t	rows;			/* with a tree that did not see them */
	GroveExactSum weight;
	GroveExactSum loss;			/* times weight; of classes: squared error of the share of the positive one */
	GroveExactSum hits;			/* weight of the rows whose class is found */
} GroveOobPart;

typedef struct GroveOob
{
	GroveLink	link;			/* IDENTITY: number, CLAMP: two classes, NORMALIZE: classes */
	GroveOobPart training;
	GroveOobPart validation;
} GroveOob;

extern void grove_oob_init(GroveOob *oob, GroveLink link);

/* Scores n rows from first on; all trees are grown. */
extern void grove_oob_add(GroveOob *oob, const GroveTrainer *trainer, uint32_t first, uint32_t n);

/* Weighted means; NaN when the rows weigh nothing. */
extern double grove_oob_loss(GroveOobPart *part);
extern double grove_oob_accuracy(GroveOobPart *part);

#endif							/* GROVE_OOB_H */
