/*
 * evaluator.h: the metrics of a model's task from the margins and truths of
 * rows.
 *
 * Sums are exact.  Of a binary model the scores are kept, too (16 bytes for
 * each distinct one, or for each row when there is a weight), because AUC
 * needs their order.
 */
#ifndef GROVE_EVALUATOR_H
#define GROVE_EVALUATOR_H

#include "../core/evaluate.h"
#include "judge_source.h"

/* The truth of a row: a column of a source in the terms of the model. */
typedef struct GroveTruthColumn
{
	const GroveModel *model;
	GroveNumberColumn column;	/* of a class label, if it is none of numbers */
	char	   *name;
	double	   *class_value;	/* numeric column: [n_classes] the labels as numbers, NaN when they are none */
} GroveTruthColumn;

/*
 * Finds the target's column and checks that its values mean what they meant in
 * training; allocates in the current context.
 */
extern void grovepg_truth_bind(GroveTruthColumn *target, const GroveModel *model, TupleDesc desc);

/*
 * The truth of a row, false when it is NULL: a number, or the index of its
 * class; -1 for a class that training did not see, of a binary model an ERROR.
 */
extern bool grovepg_truth_read(GroveTruthColumn *target, TupleTableSlot *slot, double *truth);

typedef struct GroveEvaluator
{
	const GroveModel *model;
	double	   *probabilities;	/* [n_classes] */
	GroveEvaluation evaluation;
	GroveMetricState *scores;	/* binary */
} GroveEvaluator;

/* ERROR 0A000 for a model whose task has no metrics of single rows: ranking. */
extern void grovepg_evaluator_require(const GroveModel *model);

/* In the current context; requires as above. */
extern void grovepg_evaluator_init(GroveEvaluator *evaluator, const GroveModel *model, bool weighted);

/* Adds a row; ERROR for what cannot be counted.  A class that training did not see has the probability 0. */
extern void grovepg_evaluator_add(GroveEvaluator *evaluator, const double *margins, double truth, double weight);

/* The metrics in their order; returns their number. */
extern int	grovepg_evaluator_results(GroveEvaluator *evaluator, GroveEvaluated results[GROVE_EVALUATE_RESULTS]);

#endif							/* GROVE_EVALUATOR_H */
