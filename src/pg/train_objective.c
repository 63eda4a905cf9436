/*
 * train_objective.c: what each objective is: the task that it belongs to, the
 * loss, the link from margin to prediction, and the name of its metric.
 */
#include "pg_grove.h"

#include "train.h"

typedef struct Objective
{
	const char *name;
	GroveTask	task;
	GroveLossKind loss;			/* gbdt */
	GroveLink	link;
	bool		grows_alone;	/* forest and tree can have it, too */
	GroveLossKind tree_loss;	/* forest and tree */
	GroveLink	tree_link;
} Objective;

/* By GROVE_OBJECTIVE_*. */
static const Objective objectives[] = {
	[GROVE_OBJECTIVE_REGRESSION] = {"regression", GROVE_TASK_REGRESSION, GROVE_LOSS_SQUARED, GROVE_LINK_IDENTITY,
	true, GROVE_LOSS_SQUARED, GROVE_LINK_IDENTITY},
	[GROVE_OBJECTIVE_REGRESSION_L1] = {"regression_l1", GROVE_TASK_REGRESSION, GROVE_LOSS_ABSOLUTE, GROVE_LINK_IDENTITY,
	true, GROVE_LOSS_ABSOLUTE, GROVE_LINK_IDENTITY},
	[GROVE_OBJECTIVE_HUBER] = {"huber", GROVE_TASK_REGRESSION, GROVE_LOSS_HUBER, GROVE_LINK_IDENTITY, false},
	[GROVE_OBJECTIVE_QUANTILE] = {"quantile", GROVE_TASK_REGRESSION, GROVE_LOSS_QUANTILE, GROVE_LINK_IDENTITY,
	true, GROVE_LOSS_QUANTILE, GROVE_LINK_IDENTITY},
	[GROVE_OBJECTIVE_POISSON] = {"poisson", GROVE_TASK_REGRESSION, GROVE_LOSS_POISSON, GROVE_LINK_EXP, false},
	[GROVE_OBJECTIVE_GAMMA] = {"gamma", GROVE_TASK_REGRESSION, GROVE_LOSS_GAMMA, GROVE_LINK_EXP, false},
	[GROVE_OBJECTIVE_TWEEDIE] = {"tweedie", GROVE_TASK_REGRESSION, GROVE_LOSS_TWEEDIE, GROVE_LINK_EXP, false},
	[GROVE_OBJECTIVE_BINARY] = {"binary", GROVE_TASK_BINARY, GROVE_LOSS_LOGISTIC, GROVE_LINK_LOGISTIC,
	true, GROVE_LOSS_SQUARED, GROVE_LINK_CLAMP},
	[GROVE_OBJECTIVE_MULTICLASS] = {"multiclass", GROVE_TASK_MULTICLASS, GROVE_LOSS_SOFTMAX, GROVE_LINK_SOFTMAX,
	true, GROVE_LOSS_SHARE, GROVE_LINK_NORMALIZE},
	[GROVE_OBJECTIVE_LAMBDARANK] = {"lambdarank", GROVE_TASK_RANKING, GROVE_LOSS_LAMBDARANK, GROVE_LINK_IDENTITY, false}
};

static const Objective *
objective_of(const GroveTraining *tr)
{
	return &objectives[tr->params.objective];
}

void
grovepg_objective_begin(GroveTraining *tr, GroveIntakeRoles *roles)
{
	if (tr->params.objective != GROVE_OBJECTIVE_AUTO)
	{
		if (!tr->task_auto && tr->task != objective_of(tr)->task)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"objective\" does not fit the task"),
					 errhint("Leave out one of the two; each follows from the other.")));
		tr->task = objective_of(tr)->task;
		tr->task_auto = false;
	}
	else if (tr->task_auto && roles->group)
	{
		tr->task = GROVE_TASK_RANKING;
		tr->task_auto = false;
	}
	if (roles->group && tr->task != GROVE_TASK_RANKING)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"group_by\" needs the task \"ranking\""),
				 errhint("Leave out \"group_by\", or the task and objective, which follow from it; to keep a column out of the features, name it in \"ignore\".")));
	if (!roles->group && tr->task == GROVE_TASK_RANKING && !tr->task_auto)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("task \"ranking\" needs \"group_by\""),
				 errhint("Name the column that tells which rows are ranked against each other: group_by => 'column'.")));
	if (tr->params.objective == GROVE_OBJECTIVE_POISSON || tr->params.objective == GROVE_OBJECTIVE_TWEEDIE)
		roles->target_rule = GROVE_TARGET_NOT_NEGATIVE;
	else if (tr->params.objective == GROVE_OBJECTIVE_GAMMA)
		roles->target_rule = GROVE_TARGET_POSITIVE;
	else if (tr->task == GROVE_TASK_RANKING && !tr->task_auto)
		roles->target_rule = GROVE_TARGET_RELEVANCE;
}

/* An option that another objective would look at must not be set to anything but its default. */
static void
check_option(const GroveTraining *tr, const char *name, int objective)
{
	const GroveParamInfo *info = grove_params_find(name);

	if (tr->params.objective != objective && grove_params_get(&tr->params, info) != info->def)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" has no effect under the objective \"%s\"", name, objective_of(tr)->name),
				 errhint("Leave it out, or set \"objective\" to \"%s\".", objectives[objective].name)));
}

void
grovepg_objective_resolve(GroveTraining *tr)
{
	static const int by_task[] = {
		[GROVE_TASK_REGRESSION] = GROVE_OBJECTIVE_REGRESSION,
		[GROVE_TASK_BINARY] = GROVE_OBJECTIVE_BINARY,
		[GROVE_TASK_MULTICLASS] = GROVE_OBJECTIVE_MULTICLASS,
		[GROVE_TASK_RANKING] = GROVE_OBJECTIVE_LAMBDARANK
	};
	const GroveIntake *in = tr->intake;

	if (tr->params.objective == GROVE_OBJECTIVE_AUTO)
		tr->params.objective = by_task[tr->task];
	if (tr->params.algorithm != GROVE_PARAM_ALGORITHM_GBDT && !objective_of(tr)->grows_alone)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("objective \"%s\" needs the algorithm \"gbdt\"", objective_of(tr)->name),
				 errhint("Leave out the option \"algorithm\", or the objective.")));
	check_option(tr, "quantile_alpha", GROVE_OBJECTIVE_QUANTILE);
	check_option(tr, "huber_delta", GROVE_OBJECTIVE_HUBER);
	check_option(tr, "poisson_max_delta_step", GROVE_OBJECTIVE_POISSON);
	check_option(tr, "tweedie_variance_power", GROVE_OBJECTIVE_TWEEDIE);
	check_option(tr, "lambdarank_truncation_level", GROVE_OBJECTIVE_LAMBDARANK);
	check_option(tr, "lambdarank_sigma", GROVE_OBJECTIVE_LAMBDARANK);
	check_option(tr, "lambdarank_norm", GROVE_OBJECTIVE_LAMBDARANK);
	if (grove_loss_renewed(grovepg_objective_loss(tr)) &&
		(tr->params.monotone_constraints || tr->params.path_smooth > 0.0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" does not go with the objective \"%s\"",
						tr->params.monotone_constraints ? "monotone_constraints" : "path_smooth", objective_of(tr)->name),
				 errdetail("Leaves of this objective are quantiles of their rows, which the option cannot bound."),
				 errhint("Leave out the option, or use the objective \"regression\" or \"huber\".")));
	if (grove_loss_renewed(grovepg_objective_loss(tr)) && (tr->params.ccp_alpha > 0.0 || tr->params.ccp_folds > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" does not go with the objective \"%s\"",
						tr->params.ccp_folds > 0 ? "ccp_folds" : "ccp_alpha", objective_of(tr)->name),
				 errdetail("Leaves of this objective are quantiles of their rows, whose loss the gains of splits do not tell."),
				 errhint("Leave out the option, or use the objective \"regression\".")));
	if (in->target_rule == GROVE_TARGET_NOT_NEGATIVE && in->target_zero)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" is 0 in every training row", in->target.name),
				 errhint("The objective \"%s\" needs a mean above 0.", objective_of(tr)->name)));
}

void
grovepg_objective_shape(const GroveTraining *tr, GroveLossShape *shape)
{
	const GroveParams *p = &tr->params;

	shape->quantile_alpha = p->quantile_alpha;
	shape->huber_delta = p->huber_delta;
	shape->poisson_step = p->poisson_max_delta_step;
	shape->tweedie_power = p->tweedie_variance_power;
	shape->rank_sigma = p->lambdarank_sigma;
	shape->rank_truncation = p->lambdarank_truncation_level;
	shape->rank_norm = p->lambdarank_norm;
}

GroveLossKind
grovepg_objective_loss(const GroveTraining *tr)
{
	return tr->params.algorithm == GROVE_PARAM_ALGORITHM_GBDT ? objective_of(tr)->loss : objective_of(tr)->tree_loss;
}

GroveLink
grovepg_objective_link(const GroveTraining *tr)
{
	return tr->params.algorithm == GROVE_PARAM_ALGORITHM_GBDT ? objective_of(tr)->link : objective_of(tr)->tree_link;
}

const char *
grovepg_objective_name(const GroveTraining *tr)
{
	return objective_of(tr)->name;
}

const char *
grovepg_objective_metric(const GroveTraining *tr)
{
	static const char *const metrics[] = {
		[GROVE_LOSS_SQUARED] = "squared_error",
		[GROVE_LOSS_LOGISTIC] = "log_loss",
		[GROVE_LOSS_SOFTMAX] = "log_loss",
		[GROVE_LOSS_SHARE] = "squared_error",
		[GROVE_LOSS_ABSOLUTE] = "absolute_error",
		[GROVE_LOSS_QUANTILE] = "quantile_loss",
		[GROVE_LOSS_HUBER] = "huber_loss",
		[GROVE_LOSS_POISSON] = "poisson_deviance",
		[GROVE_LOSS_GAMMA] = "gamma_deviance",
		[GROVE_LOSS_TWEEDIE] = "tweedie_deviance",
		[GROVE_LOSS_LAMBDARANK] = "ndcg_loss_at_10"
	};

	return metrics[grovepg_objective_loss(tr)];
}
