/*
 * predict_batch.h: margins of many rows at once, for scoring whole tables.
 *
 * Equal to grove_predict_margins() to the bit, and about three times as fast
 * when the trees are small; where they are not, or where the model has no
 * compact form, rows are taken one by one.
 */
#ifndef GROVE_PREDICT_BATCH_H
#define GROVE_PREDICT_BATCH_H

#include "model.h"

#define GROVE_BATCH_ROWS	128
#define GROVE_BATCH_STRIDE	136 /* from one feature to the next: no power of two, so that they share no cache set */

typedef struct GroveBatch GroveBatch;

/* Memory for grove_predict_batch_make(); false: too large for a size_t. */
extern bool grove_predict_batch_size(const GroveModel *model, size_t *size);

/* Prepares a model in memory aligned to 8; both must live as long as the result. */
extern GroveBatch *grove_predict_batch_make(const GroveModel *model, void *memory);

/*
 * margins[n][n_outputs] of the first n <= GROVE_BATCH_ROWS rows;
 * values[feature * GROVE_BATCH_STRIDE + row] is as in predict.h, and has memory
 * for GROVE_BATCH_ROWS rows of each feature.
 */
extern void grove_predict_batch_run(GroveBatch *batch, const double *values, uint32_t n, double *margins);

#endif							/* GROVE_PREDICT_BATCH_H */
