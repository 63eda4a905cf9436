/*
 * feature_rows.h: the rows of a source, kept as the features of a model, with
 * truths and weights where they are wanted.
 *
 * What is computed from them must not depend on the order in which they came:
 * grovepg_feature_rows_sort() puts them in an order of their content.
 */
#ifndef GROVE_FEATURE_ROWS_H
#define GROVE_FEATURE_ROWS_H

#include "evaluator.h"
#include "scorer.h"

typedef struct GroveFeatureRows
{
	const GroveModel *model;
	bool		truths;			/* whether rows have a truth; those whose truth is NULL are skipped */
	const char *weight_name;	/* or NULL: every weight is 1; rows without a weight are skipped */
	MemoryContext context;
	GroveScorer *scorer;
	GroveTruthColumn target;
	GroveNumberColumn weight;
	Size		n;
	Size		capacity;
	uint32		width;			/* of a row: features, truth, weight */
	double	   *values;			/* [n][width] no -0, one NaN */
} GroveFeatureRows;

/*
 * Runs the source once; in the current context, within grove.max_memory (ERROR
 * 54000).
 */
extern GroveFeatureRows *grovepg_feature_rows_read(const GroveModel *model, const char *source, bool truths,
												   const char *weight_name);

extern void grovepg_feature_rows_sort(GroveFeatureRows *rows);

static inline double *
grovepg_feature_row(const GroveFeatureRows *rows, Size i)
{
	return rows->values + i * rows->width;
}

static inline double
grovepg_feature_row_truth(const GroveFeatureRows *rows, Size i)
{
	return rows->values[i * rows->width + rows->model->n_features];
}

static inline double
grovepg_feature_row_weight(const GroveFeatureRows *rows, Size i)
{
	return rows->values[i * rows->width + rows->model->n_features + 1];
}

#endif							/* GROVE_FEATURE_ROWS_H */
