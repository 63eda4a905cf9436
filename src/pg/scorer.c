/*
 * scorer.c: see scorer.h.
 */
#include "pg_grove.h"

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
		grovepg_convert_init_type(&scorer->converters[i], feature, TupleDescAttr(desc, column - 1)->atttypid);
	}
	return scorer;
}

void
grovepg_scorer_bind(GroveScorer *scorer, TupleTableSlot *slot)
{
	uint32		i;

	for (i = 0; i < scorer->model->n_features; i++)
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, scorer->columns[i], &isnull);

		scorer->row[i] = isnull ? grovepg_convert_null(&scorer->converters[i]) :
			grovepg_convert_datum(&scorer->converters[i], value);
	}
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
