/*
 * truth.h: the target of a row in the terms of a model: the column of a query
 * that has the name of the model's target, its numbers, or its labels as
 * classes of the model.
 */
#ifndef GROVE_TRUTH_H
#define GROVE_TRUTH_H

#include "../core/model.h"
#include "judge_source.h"

typedef struct GroveTruth
{
	const GroveModel *model;
	GroveNumberColumn column;	/* of a class label, if it is none of numbers */
	char	   *name;
	double	   *class_value;	/* numeric column: [n_classes] the labels as numbers, NaN when they are none */
} GroveTruth;

/* Finds the column, or ERROR 42703; 42804 when its values can not mean what they meant in training. */
extern void grovepg_truth_bind(GroveTruth *truth, const GroveModel *model, TupleDesc desc);

/* Index of the class that a value is, or -1: none of the model. */
extern int	grovepg_truth_class(GroveTruth *truth, Datum value);

/* ERROR 22000: the value is no class of a binary model. */
extern void grovepg_truth_unknown(GroveTruth *truth, Datum value) pg_attribute_noreturn();

#endif							/* GROVE_TRUTH_H */
