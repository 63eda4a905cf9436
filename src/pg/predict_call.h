/*
 * predict_call.h: one call of a function whose arguments are a model and the
 * features of a row, as fn_predict.c takes them.
 */
#ifndef GROVE_PREDICT_CALL_H
#define GROVE_PREDICT_CALL_H

#include "bind.h"

typedef struct GrovePredictCall
{
	GroveModelUse *use;
	const GroveModel *model;
	const double *row;			/* [n_features] */
	double	   *margins;		/* [n_outputs] */
} GrovePredictCall;

/* The model, its row, and room for its margins; false when the model is NULL.  Takes fn_extra. */
extern bool grovepg_predict_begin(FunctionCallInfo fcinfo, GrovePredictCall *call);

/* The same, and the margins. */
extern bool grovepg_predict_margins(FunctionCallInfo fcinfo, GrovePredictCall *call);

/* Of several margins the one that predict() and predict_raw() report. */
extern uint32 grovepg_predict_output(const GrovePredictCall *call);

#endif							/* GROVE_PREDICT_CALL_H */
