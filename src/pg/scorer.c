/*
 * scorer.c: see scorer.h.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/predict.h"
#include "model_cache.h"
#include "scorer.h"
#include "source.h"

GroveScorer *
grovepg_scorer_make(const GroveModel *model, TupleDesc desc)
{
	GroveScorer *scorer = palloc0(sizeof(GroveScorer));
	uint32		i;

	scorer->model = model;
	scorer->columns = palloc(sizeof(AttrNumber) * model->n_features);
	scorer->converters = palloc0(sizeof(GroveConverter) * model->n_features);
	scorer->row = palloc(sizeof(double) * model->n_features);
	scorer->margins = palloc(sizeof(double) * model->n_outputs);
	scorer->probabilities = palloc(sizeof(double) * Max(model->n_classes, 1));
	for (i = 0; i < model->n_features; i++)
	{
		const GroveFeature *feature = &model->features[i];
		int			column = grovepg_source_column(desc, grovepg_model_text(feature->name), "feature");

		scorer->columns[i] = (AttrNumber) column;
		scorer->last_column = Max(scorer->last_column, scorer->columns[i]);
		grovepg_convert_init_type(&scorer->converters[i], feature, TupleDescAttr(desc, column - 1)->atttypid);
	}
	return scorer;
}

/* A feature of a row that is deformed up to last_column. */
static inline double
feature_value(GroveScorer *scorer, const TupleTableSlot *slot, uint32 feature)
{
	int			column = scorer->columns[feature] - 1;

	return grovepg_convert_value(&scorer->converters[feature], slot->tts_values[column], slot->tts_isnull[column]);
}

void
grovepg_scorer_bind(GroveScorer *scorer, TupleTableSlot *slot)
{
	slot_getsomeattrs(slot, scorer->last_column);
	for (uint32 i = 0; i < scorer->model->n_features; i++)
		scorer->row[i] = feature_value(scorer, slot, i);
}

void
grovepg_scorer_run(GroveScorer *scorer, TupleTableSlot *slot)
{
	const GroveModel *model = scorer->model;

	grovepg_scorer_bind(scorer, slot);
	grove_predict_margins(model, scorer->row, scorer->margins);
	if (model->n_classes > 0)
		grove_predict_probabilities(model, scorer->margins, scorer->probabilities);
}

/* Memory of any size, all zero. */
static void *
allocate(Size size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

GroveTile *
grovepg_scorer_tile(GroveScorer *scorer)
{
	const GroveModel *model = scorer->model;
	GroveTile  *tile = palloc0(sizeof(GroveTile));
	size_t		size;

	if (!grove_predict_batch_size(model, &size))
		grovepg_error_status(GROVE_ERR_SIZE, NULL, 0);
	tile->scorer = scorer;
	tile->batch = grove_predict_batch_make(model, allocate(size));
	tile->values = allocate(sizeof(double) * GROVE_BATCH_STRIDE * model->n_features);
	tile->margins = allocate(sizeof(double) * GROVE_BATCH_ROWS * model->n_outputs);
	return tile;
}

bool
grovepg_scorer_tile_add(GroveTile *tile, TupleTableSlot *slot)
{
	double	   *value = tile->values + tile->n;

	slot_getsomeattrs(slot, tile->scorer->last_column);
	for (uint32 i = 0; i < tile->scorer->model->n_features; i++, value += GROVE_BATCH_STRIDE)
		*value = feature_value(tile->scorer, slot, i);
	return ++tile->n == GROVE_BATCH_ROWS;
}

uint32
grovepg_scorer_tile_run(GroveTile *tile)
{
	uint32		n = tile->n;

	CHECK_FOR_INTERRUPTS();
	tile->n = 0;
	grove_predict_batch_run(tile->batch, tile->values, n, tile->margins);
	return n;
}
