/*
 * agg_metric.h: what the metric aggregates and evaluate() share.
 */
#ifndef GROVE_AGG_METRIC_H
#define GROVE_AGG_METRIC_H

#include "metric_state.h"

/* The ERROR for a row that cannot be counted. */
extern void grovepg_metric_report(GroveMetricFault fault, double truth, double score, double weight) pg_attribute_noreturn();

/* The state, argument 0 of a transition function, to add to; a new one when it is NULL. */
extern GroveMetricState *grovepg_metric_writable(FunctionCallInfo fcinfo, int kind);

/* Returns argument 0 as it is: the row was skipped. */
extern Datum grovepg_metric_unchanged(FunctionCallInfo fcinfo);

/* The state, argument 0 of a final function, with its rows sorted. */
extern GroveMetricState *grovepg_metric_sorted(FunctionCallInfo fcinfo, GroveRankedShape shape);

/* Adds a row to a state of SINGLE rows, unless its weight is 0; ERROR for what cannot be counted. */
extern void grovepg_metric_add_single(GroveMetricState *state, double truth, double score, double weight);

/* Walks all groups of equal scores of sorted SINGLE rows. */
extern void grovepg_metric_curve(const GroveMetricState *state, GroveRankedCurve *curve);

/* A finite result as it is; ERROR 22003 for one that is beyond the doubles. */
extern double grovepg_metric_checked(double result);

#endif							/* GROVE_AGG_METRIC_H */
