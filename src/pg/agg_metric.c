/*
 * agg_metric.c: aggregates that are means of a loss, and what all metric
 * aggregates share.
 *
 * Each is a transition function that adds a row to a grove.metric_state, one
 * combine function for all, and a final function.  Rows with a NULL truth,
 * score or weight are skipped, as SQL aggregates do; a value that cannot be
 * counted is an ERROR that names it.  Results do not depend on the order of
 * the rows or on the plan, see core/exactsum.h.
 */
#include "pg_grove.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "agg_metric.h"

PG_FUNCTION_INFO_V1(grove_metric_combine);
PG_FUNCTION_INFO_V1(grove_metric_final);
PG_FUNCTION_INFO_V1(grove_accuracy_trans_text);
PG_FUNCTION_INFO_V1(grove_log_loss_trans_classes);

/* Shortest text of a double, whatever the session's settings are. */
static const char *
number_text(double value)
{
	if (isnan(value))
		return "NaN";
	if (isinf(value))
		return value > 0 ? "Infinity" : "-Infinity";
	return double_to_shortest_decimal(value);
}

void
grovepg_metric_report(GroveMetricFault fault, double truth, double score, double weight)
{
	switch (fault)
	{
		case GROVE_METRIC_BAD_LABEL:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("truth must be 0 or 1, not %s", number_text(truth)),
					 errhint("Compare the label with the positive class, as in label = 'yes'; accuracy() also takes two labels as text.")));
			break;
		case GROVE_METRIC_BAD_TRUTH:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("truth must be a finite number, not %s", number_text(truth)),
					 errhint("Leave such rows out, or make the truth NULL.")));
			break;
		case GROVE_METRIC_NEGATIVE_TRUTH:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("truth must not be negative, but it is %s", number_text(truth)),
					 errhint("The truth of a ranking metric is the gain of the row, 0 for none.")));
			break;
		case GROVE_METRIC_NAN_SCORE:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("score must be a number, not NaN"),
					 errhint("Leave such rows out, or make the score NULL.")));
			break;
		case GROVE_METRIC_INFINITE_SCORE:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("score must be a finite number, not %s", number_text(score)),
					 errhint("Leave such rows out, or make the score NULL.")));
			break;
		case GROVE_METRIC_BAD_PROBABILITY:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("score must be a probability between 0 and 1, not %s", number_text(score)),
					 errhint("grove.predict() of a binary model gives probabilities, grove.predict_raw() does not.")));
			break;
		case GROVE_METRIC_BAD_WEIGHT:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("weight must be a finite number and not negative, but it is %s", number_text(weight)),
					 errhint("Leave such rows out, or give them the weight 0.")));
			break;
		case GROVE_METRIC_OVERFLOW:
		case GROVE_METRIC_FINE:
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("value out of range: overflow"),
			 errhint("Divide scores, truths or weights by a constant.")));
}

double
grovepg_metric_checked(double result)
{
	if (!isfinite(result))
		grovepg_metric_report(GROVE_METRIC_OVERFLOW, 0, 0, 0);
	return result;
}

/* Where a state lives: with the other states of the aggregate, or, for a plain call, where its result does. */
static MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

static void
check_kind(const GroveMetricState *state, int kind)
{
	if (state->kind != kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metric state belongs to another metric"),
				 errhint("Combine only states that the same aggregate made.")));
}

GroveMetricState *
grovepg_metric_writable(FunctionCallInfo fcinfo, int kind)
{
	GroveMetricState *state;

	if (PG_ARGISNULL(0))
		return grovepg_metric_state_make(kind, state_context(fcinfo));
	state = grovepg_metric_state_open(PG_GETARG_DATUM(0), true, state_context(fcinfo));
	check_kind(state, kind);
	return state;
}

GroveMetricState *
grovepg_metric_sorted(FunctionCallInfo fcinfo, GroveRankedShape shape)
{
	GroveMetricState *state = grovepg_metric_state_open(PG_GETARG_DATUM(0), false, CurrentMemoryContext);

	check_kind(state, shape);
	grovepg_metric_state_sort(state);
	return state;
}

Datum
grovepg_metric_unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* Adds argument 1 (a double, or a boolean) and 2 with the weight of argument 3, if the function has one. */
static Datum
add_row(FunctionCallInfo fcinfo, GroveMetric metric, bool boolean)
{
	GroveMetricState *state;
	GroveMetricFault fault;
	double		truth;
	double		score;
	double		weight;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		return grovepg_metric_unchanged(fcinfo);
	truth = boolean ? PG_GETARG_BOOL(1) : PG_GETARG_FLOAT8(1);
	score = PG_GETARG_FLOAT8(2);
	weight = PG_NARGS() > 3 ? PG_GETARG_FLOAT8(3) : 1;
	state = grovepg_metric_writable(fcinfo, metric);
	fault = grove_metric_add(state->sums, truth, score, weight);
	if (fault != GROVE_METRIC_FINE)
		grovepg_metric_report(fault, truth, score, weight);
	return EOHPGetRWDatum(&state->header);
}

#define TRANSITION(name, metric, boolean) \
	PG_FUNCTION_INFO_V1(name); \
	Datum \
	name(PG_FUNCTION_ARGS) \
	{ \
		return add_row(fcinfo, metric, boolean); \
	}

TRANSITION(grove_log_loss_trans, GROVE_METRIC_LOG_LOSS, false)
TRANSITION(grove_log_loss_trans_bool, GROVE_METRIC_LOG_LOSS, true)
TRANSITION(grove_brier_trans, GROVE_METRIC_BRIER, false)
TRANSITION(grove_brier_trans_bool, GROVE_METRIC_BRIER, true)
TRANSITION(grove_accuracy_trans, GROVE_METRIC_ACCURACY, false)
TRANSITION(grove_accuracy_trans_bool, GROVE_METRIC_ACCURACY, true)
TRANSITION(grove_rmse_trans, GROVE_METRIC_RMSE, false)
TRANSITION(grove_mae_trans, GROVE_METRIC_MAE, false)
TRANSITION(grove_r2_trans, GROVE_METRIC_R2, false)

/* Adds a loss with the weight of this argument, if the function has it. */
static Datum
add_loss(FunctionCallInfo fcinfo, GroveMetric metric, double loss, int weight_argument)
{
	double		weight = PG_NARGS() > weight_argument ? PG_GETARG_FLOAT8(weight_argument) : 1;
	GroveMetricState *state = grovepg_metric_writable(fcinfo, metric);
	GroveMetricFault fault = grove_metric_check_weight(weight);

	if (fault == GROVE_METRIC_FINE)
		fault = grove_metric_add_loss(state->sums, loss, weight);
	if (fault != GROVE_METRIC_FINE)
		grovepg_metric_report(fault, 0, 0, weight);
	return EOHPGetRWDatum(&state->header);
}

static bool
equal_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* accuracy_trans_text(metric_state, truth text, predicted text [, weight float8]) returns metric_state */
Datum
grove_accuracy_trans_text(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		return grovepg_metric_unchanged(fcinfo);
	return add_loss(fcinfo, GROVE_METRIC_ACCURACY,
					equal_text(PG_GETARG_TEXT_PP(1), PG_GETARG_TEXT_PP(2)), 3);
}

/* Elements of a one-dimensional array without NULLs. */
static int
get_elements(ArrayType *array, Oid type, int16 length, bool by_value, char align,
			 const char *argument, Datum **elements)
{
	int			count;
	bool	   *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("\"%s\" must be a one-dimensional array", argument),
				 errhint("Pass an array such as '{a,b}', with one element for each class.")));
	deconstruct_array(array, type, length, by_value, align, elements, &nulls, &count);
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not contain nulls", argument),
				 errhint("Pass what grove.predict_proba() and grove.classes() give.")));
	return count;
}

/*
 * log_loss_trans_classes(metric_state, truth text, probabilities float8[],
 * classes text[] [, weight float8]) returns metric_state: the probability of
 * a truth that is not one of the classes is 0.
 */
Datum
grove_log_loss_trans_classes(PG_FUNCTION_ARGS)
{
	text	   *truth;
	Datum	   *probabilities;
	Datum	   *classes;
	int			n_probabilities;
	int			n_classes;
	double		probability = 0;
	int			i;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3) || (PG_NARGS() > 4 && PG_ARGISNULL(4)))
		return grovepg_metric_unchanged(fcinfo);
	truth = PG_GETARG_TEXT_PP(1);
	n_probabilities = get_elements(PG_GETARG_ARRAYTYPE_P(2), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
								   TYPALIGN_DOUBLE, "probabilities", &probabilities);
	n_classes = get_elements(PG_GETARG_ARRAYTYPE_P(3), TEXTOID, -1, false,
							 TYPALIGN_INT, "classes", &classes);
	if (n_probabilities != n_classes)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("there must be one probability for each class"),
				 errdetail("There are %d probabilities and %d classes.", n_probabilities, n_classes),
				 errhint("Pass what grove.predict_proba() and grove.classes() give for the same model.")));
	for (i = 0; i < n_classes; i++)
	{
		double		value = DatumGetFloat8(probabilities[i]);
		GroveMetricFault fault = grove_metric_check(GROVE_METRIC_LOG_LOSS, 1, value);

		if (fault != GROVE_METRIC_FINE)
			grovepg_metric_report(fault, 1, value, 1);
		if (equal_text(truth, DatumGetTextPP(classes[i])))
			probability = value;
	}
	return add_loss(fcinfo, GROVE_METRIC_LOG_LOSS, grove_metric_log_loss(probability), 4);
}

/* metric_combine(metric_state, metric_state) returns metric_state: of all metric aggregates */
Datum
grove_metric_combine(PG_FUNCTION_ARGS)
{
	GroveMetricState *state;
	GroveMetricState *other;

	if (PG_ARGISNULL(1))
		return grovepg_metric_unchanged(fcinfo);
	if (PG_ARGISNULL(0))
	{
		state = grovepg_metric_state_open(PG_GETARG_DATUM(1), true, state_context(fcinfo));
		return EOHPGetRWDatum(&state->header);
	}
	other = grovepg_metric_state_open(PG_GETARG_DATUM(1), false, CurrentMemoryContext);
	state = grovepg_metric_writable(fcinfo, other->kind);
	if (state->kind == GROVE_RANKED_QUERY && state->k != other->k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"k\" must be the same in all rows"),
				 errhint("Write it as a constant, or group the rows by it.")));
	grovepg_metric_state_merge(state, other);
	return EOHPGetRWDatum(&state->header);
}

/* metric_final(metric_state) returns float8: of metrics that are means, and of R squared */
Datum
grove_metric_final(PG_FUNCTION_ARGS)
{
	GroveMetricState *state = grovepg_metric_state_open(PG_GETARG_DATUM(0), false, CurrentMemoryContext);
	double		result;

	if (state->sums == NULL)
		check_kind(state, GROVE_METRIC_LOG_LOSS);
	if (!grove_metric_result(state->sums, &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(grovepg_metric_checked(result));
}
