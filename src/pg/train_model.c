/*
 * train_model.c: a finished training as the bytes of a model.
 */
#include "pg_grove.h"

#include "utils/memutils.h"

#include "model_cache.h"
#include "train.h"

/* Means over rows that trees of a forest did not see. */
static void
append_out_scores(StringInfo out, const GroveTraining *tr, const char *part_name, GroveOobPart *part)
{
	appendStringInfo(out, ", \"%s_rows\": %u", part_name, part->rows);
	if (tr->task != GROVE_TASK_REGRESSION)
	{
		appendStringInfo(out, ", \"%s_accuracy\": ", part_name);
		grovepg_train_append_number(out, grove_oob_accuracy(part));
	}
	if (tr->task != GROVE_TASK_MULTICLASS)
	{
		appendStringInfo(out, ", \"%s_%s\": ", part_name,
						 tr->task == GROVE_TASK_BINARY ? "brier" : grovepg_objective_metric(tr));
		grovepg_train_append_number(out, grove_oob_loss(part));
	}
}

static void
append_numbers(StringInfo out, const char *name, const double *numbers, uint32 n)
{
	uint32		i;

	appendStringInfo(out, ", \"%s\": [", name);
	for (i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoString(out, ", ");
		grovepg_train_append_number(out, numbers[i]);
	}
	appendStringInfoChar(out, ']');
}

/* The cost that cross-validation chose, and what it chose from. */
static void
append_choice(StringInfo out, const GroveCcpChoice *ccp)
{
	if (ccp->n_candidates == 0)
		return;
	appendStringInfoString(out, ", \"ccp_alpha\": ");
	grovepg_train_append_number(out, ccp->alpha[ccp->chosen]);
	appendStringInfo(out, ", \"ccp_folds\": %u", ccp->n_folds);
	append_numbers(out, "ccp_alphas", ccp->alpha, ccp->n_candidates);
	append_numbers(out, "ccp_losses", ccp->mean, ccp->n_candidates);
	append_numbers(out, "ccp_errors", ccp->error, ccp->n_candidates);
}

/* What training measured, as JSON. */
static char *
metrics_json(GroveTraining *tr)
{
	StringInfoData out;
	const char *loss = grovepg_objective_metric(tr);

	initStringInfo(&out);
	appendStringInfo(&out, "{\"rounds\": %u", tr->boost.best_rounds);
	if (tr->params.algorithm == GROVE_PARAM_ALGORITHM_FOREST)
	{
		append_out_scores(&out, tr, "oob", &tr->oob.training);
		if (tr->dims.n_validation > 0)
			append_out_scores(&out, tr, "validation", &tr->oob.validation);
	}
	else
	{
		appendStringInfo(&out, ", \"train_%s\": ", loss);
		grovepg_train_append_number(&out, tr->boost.train_loss);
		append_choice(&out, &tr->ccp);
		if (tr->params.log_training)
			appendStringInfo(&out, ", \"train_history\": [%s]", tr->train_history.data);
		if (tr->dims.n_validation > 0)
		{
			appendStringInfo(&out, ", \"validation_rows\": %u, \"validation_%s\": ", tr->dims.n_validation, loss);
			grovepg_train_append_number(&out, tr->config.early_stopping > 0 ? tr->boost.best_loss : tr->boost.validation_loss);
			appendStringInfo(&out, ", \"rounds_run\": %u, \"validation_history\": [%s]",
							 tr->boost.round, tr->history.data);
		}
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

static GroveFeature *
make_features(const GroveTraining *tr)
{
	GroveFeature *features = palloc0(tr->intake->n_features * sizeof(GroveFeature));
	int			i;
	uint32		k;

	for (i = 0; i < tr->intake->n_features; i++)
	{
		const GroveIntakeColumn *c = &tr->intake->features[i];
		GroveText  *levels;

		features[i].name = grovepg_model_text_of(c->name);
		features[i].type_name = grovepg_model_text_of(c->type_name);
		features[i].kind = c->type.kind;
		if (!c->levels)
			continue;
		levels = palloc(Max(c->n_levels, 1) * sizeof(GroveText));
		for (k = 0; k < c->n_levels; k++)
			levels[k] = grovepg_levels_get(c->levels, c->order[k])->label;
		features[i].n_levels = c->n_levels;
		features[i].levels = levels;
	}
	return features;
}

bytea *
grovepg_train_model(GroveTraining *tr)
{
	GroveModel	m;
	MemoryContext old;
	bytea	   *bytes;

	memset(&m, 0, sizeof(m));
	m.task = tr->task;
	m.algorithm = (GroveAlgorithm) tr->params.algorithm;
	m.link = grovepg_objective_link(tr);
	m.objective = grovepg_model_text_of(grovepg_objective_name(tr));
	m.target = grovepg_model_text_of(tr->intake->target.name);
	m.target_type = grovepg_model_text_of(tr->intake->target.type_name);
	m.rows = tr->dims.n_rows - tr->dims.n_validation;
	m.n_features = tr->intake->n_features;
	m.n_classes = tr->n_classes;
	m.n_outputs = tr->dims.n_outputs;
	m.features = make_features(tr);
	m.classes = tr->classes;
	m.base = tr->base;
	grovepg_trees_model(&tr->trees, &m);
	m.params = grovepg_model_text_of(grovepg_options_json(&tr->params));
	m.metrics = grovepg_model_text_of(metrics_json(tr));
	old = MemoryContextSwitchTo(tr->caller);
	bytes = grovepg_model_value(&m);
	MemoryContextSwitchTo(old);
	return bytes;
}
