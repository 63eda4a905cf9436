/*
 * train.c: grove.train(): a query in, the bytes of a model out.
 *
 * Everything is checked and sized before memory is taken: the source is read
 * once to know it, the trainer's buffer is computed and compared with
 * grove.max_memory, and only then allocated.
 */
#include "pg_grove.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/pg_rusage.h"

#include "../core/boost.h"
#include "arguments.h"
#include "intake.h"
#include "options.h"
#include "source.h"
#include "train.h"
#include "train_parallel.h"

PG_FUNCTION_INFO_V1(grove_train);

/* One training from its arguments to its model. */
typedef struct Training
{
	GroveParams params;
	uint64		seed;
	GroveTask	task;
	bool		task_auto;
	GroveIntake *intake;
	GroveFeatureBins *bins;
	uint32		n_classes;
	GroveText  *classes;		/* [n_classes] */
	uint32	   *class_of;		/* by code; NULL: regression */
	GroveTrainDims dims;
	GroveTrainConfig config;
	GroveTrainer trainer;
	GroveTrees	trees;
	double	   *base;			/* [n_outputs] */
	StringInfoData history;		/* validation loss of each round */
	GroveBoost	boost;
	int			workers;		/* parallel workers beside this process */
	GroveTeam  *team;
} Training;

/* ---------------------------------------------------------------- arguments */

static char *
optional_text(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static char *
required_text(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		grovepg_argument_reject_null(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static void
parse_task(Training *tr, const char *task)
{
	static const char *const names[] = {"regression", "binary", "multiclass"};
	int			i;

	if (strcmp(task, "auto") == 0)
	{
		tr->task_auto = true;
		return;
	}
	for (i = 0; i < lengthof(names); i++)
	{
		if (strcmp(task, names[i]) == 0)
		{
			tr->task = (GroveTask) i;
			return;
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown task \"%s\"", task),
			 errhint("Tasks are \"auto\", \"regression\", \"binary\" and \"multiclass\".")));
}

/* The objective names a task, too; the two must agree. */
static void
apply_objective(Training *tr)
{
	static const GroveTask tasks[] = {
		[GROVE_OBJECTIVE_REGRESSION] = GROVE_TASK_REGRESSION,
		[GROVE_OBJECTIVE_BINARY] = GROVE_TASK_BINARY,
		[GROVE_OBJECTIVE_MULTICLASS] = GROVE_TASK_MULTICLASS
	};

	if (tr->params.objective == GROVE_OBJECTIVE_AUTO)
		return;
	if (!tr->task_auto && tr->task != tasks[tr->params.objective])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"objective\" does not fit the task"),
				 errhint("Leave out one of the two; each follows from the other.")));
	tr->task = tasks[tr->params.objective];
	tr->task_auto = false;
}

static void
read_ignore(FunctionCallInfo fcinfo, int i, GroveIntakeRoles *roles)
{
	bool	   *nulls;
	int			k;

	if (PG_ARGISNULL(i))
		return;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT,
					  &roles->ignore, &nulls, &roles->n_ignore);
	for (k = 0; k < roles->n_ignore; k++)
	{
		if (nulls[k])
			grovepg_argument_reject_null("ignore");
	}
}

/* ------------------------------------------------------------------- classes */

/* What the target column prints for a number that is a class. */
static char *
number_label(const GroveIntake *in, double value)
{
	char	   *text;

	if (in->target_integer)
		return psprintf(INT64_FORMAT, (int64) value);
	text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
	double_to_shortest_decimal_buf(value, text);
	return text;
}

static int
compare_values(const void *a, const void *b, void *arg)
{
	const double *values = arg;
	double		x = values[*(const uint32 *) a];
	double		y = values[*(const uint32 *) b];

	return x < y ? -1 : x > y;
}

/* Codes of the classes in their order: numbers ascending, labels by bytes. */
static uint32 *
order_classes(const GroveIntake *in, uint32 n)
{
	uint32	   *order;
	uint32		i;

	if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
		return grovepg_levels_rank(in->classes, false);
	order = palloc(n * sizeof(uint32));
	for (i = 0; i < n; i++)
		order[i] = i;
	qsort_arg(order, n, sizeof(uint32), compare_values, in->class_value);
	return order;
}

/* The task that fits the target when the caller named none. */
static void
choose_task(Training *tr)
{
	const GroveIntake *in = tr->intake;
	uint32		n = grovepg_levels_count(in->classes);

	if (!tr->task_auto)
		return;
	if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
		tr->task = n <= 2 ? GROVE_TASK_BINARY : GROVE_TASK_MULTICLASS;
	else if (in->target_integer && n <= 2)
		tr->task = GROVE_TASK_BINARY;
	else
		tr->task = GROVE_TASK_REGRESSION;
}

static void
check_class_count(const Training *tr, uint32 n)
{
	const GroveIntake *in = tr->intake;

	if (in->too_many_classes)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("target column \"%s\" has more than %d classes", in->target.name, GROVE_MAX_CLASSES),
				 errhint("Merge rare labels, or use the task \"regression\" for a number.")));
	if (n < 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has only one value", in->target.name),
				 errhint("A classifier needs rows of at least two classes.")));
	if (tr->task == GROVE_TASK_BINARY && n > 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("target column \"%s\" has %u values, but the task is binary", in->target.name, n),
				 errhint("Use the task \"multiclass\", or a boolean target.")));
}

/* Moves the class that is to be the positive one to the end. */
static void
apply_positive_class(Training *tr)
{
	const char *wanted = tr->params.positive_class.data;
	uint32		i;

	if (wanted[0] == '\0')
		return;
	if (tr->task != GROVE_TASK_BINARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"positive_class\" needs a binary target")));
	for (i = 0; i < 2; i++)
	{
		if (tr->classes[i].length == strlen(wanted) &&
			memcmp(tr->classes[i].data, wanted, tr->classes[i].length) == 0)
			break;
	}
	if (i == 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"positive_class\" names no class: \"%s\"", wanted),
				 errhint("The classes are \"%.*s\" and \"%.*s\".",
						 (int) tr->classes[0].length, tr->classes[0].data,
						 (int) tr->classes[1].length, tr->classes[1].data)));
	if (i == 0)
	{
		GroveText	swap = tr->classes[0];
		uint32		code;

		tr->classes[0] = tr->classes[1];
		tr->classes[1] = swap;
		for (code = 0; code < 2; code++)
			tr->class_of[code] = 1 - tr->class_of[code];
	}
}

static void
make_classes(Training *tr)
{
	const GroveIntake *in = tr->intake;
	uint32		n = grovepg_levels_count(in->classes);
	uint32	   *order;
	uint32		i;

	if (tr->task == GROVE_TASK_REGRESSION)
	{
		if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("target column \"%s\" has type %s, but the task is regression",
							in->target.name, in->target.type_name),
					 errhint("Cast the target to a number, or use the task \"binary\" or \"multiclass\".")));
		if (tr->params.positive_class.data[0] != '\0')
			apply_positive_class(tr);
		return;
	}
	check_class_count(tr, n);
	order = order_classes(in, n);
	tr->n_classes = n;
	tr->classes = palloc(n * sizeof(GroveText));
	tr->class_of = palloc(n * sizeof(uint32));
	for (i = 0; i < n; i++)
	{
		if (in->target.type.kind == GROVE_FEATURE_CATEGORICAL)
			tr->classes[i] = grovepg_levels_get(in->classes, order[i])->label;
		else
		{
			tr->classes[i].data = number_label(in, in->class_value[order[i]]);
			tr->classes[i].length = strlen(tr->classes[i].data);
		}
		tr->class_of[order[i]] = i;
	}
	apply_positive_class(tr);
}

/* -------------------------------------------------------------------- set-up */

static GroveLossKind
choose_loss(const Training *tr)
{
	bool		boosting = tr->params.algorithm == GROVE_PARAM_ALGORITHM_GBDT;

	if (tr->task == GROVE_TASK_REGRESSION)
		return GROVE_LOSS_SQUARED;
	if (tr->task == GROVE_TASK_BINARY)
		return boosting ? GROVE_LOSS_LOGISTIC : GROVE_LOSS_SQUARED;
	return boosting ? GROVE_LOSS_SOFTMAX : GROVE_LOSS_SHARE;
}

static void
check_combinations(const Training *tr)
{
	const GroveParams *p = &tr->params;

	if (p->early_stopping_rounds > 0 && tr->intake->validation.attno == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"early_stopping_rounds\" needs a validation column"),
				 errhint("Add a boolean column to the source and name it: validation => 'column'.")));
	if (p->early_stopping_rounds > 0 && tr->intake->n_validation == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("option \"early_stopping_rounds\" needs validation rows"),
				 errdetail("Column \"%s\" is false in every row.", tr->intake->validation.name)));
	if (tr->intake->margin.attno != 0 && p->algorithm != GROVE_PARAM_ALGORITHM_GBDT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("base_margin needs the algorithm \"gbdt\"")));
	if (p->scale_pos_weight != 1.0 && tr->task != GROVE_TASK_BINARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"scale_pos_weight\" needs a binary target")));
}

static void
check_margins(const Training *tr)
{
	const GroveIntake *in = tr->intake;

	if (in->margin.attno == 0)
		return;
	if (in->n_margins != (int) tr->dims.n_outputs ||
		(tr->task == GROVE_TASK_MULTICLASS) != (in->margin.type.type == FLOAT8ARRAYOID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("base_margin column \"%s\" does not fit the task", in->margin.name),
				 errdetail("A multiclass target needs an array of %u numbers in each row, others need one number.",
						   tr->dims.n_outputs)));
}

static void
set_dims(Training *tr)
{
	GroveIntake *in = tr->intake;
	GroveTrainDims *d = &tr->dims;
	const GroveParams *p = &tr->params;
	GroveLossKind loss = choose_loss(tr);

	d->n_rows = (uint32) in->n_rows;
	d->n_validation = (uint32) in->n_validation;
	d->n_features = in->n_features;
	d->n_outputs = tr->task == GROVE_TASK_MULTICLASS ? tr->n_classes : 1;
	d->max_leaves = Min((uint64) p->num_leaves, Max(in->n_rows - in->n_validation, 2));
	tr->workers = grovepg_team_size(d->n_rows, d->n_features);
	d->n_workers = tr->workers + 1;
	d->weighted = in->weight.attno != 0 || p->scale_pos_weight != 1.0;
	d->mode = d->weighted ? GROVE_HIST_WIDE :
		loss == GROVE_LOSS_SQUARED || loss == GROVE_LOSS_SHARE ? GROVE_HIST_CONSTANT : GROVE_HIST_PACKED;
	d->sampled = p->algorithm == GROVE_PARAM_ALGORITHM_FOREST ||
		(p->bagging_fraction < 1.0 && p->bagging_freq > 0);
	d->track_out = p->algorithm != GROVE_PARAM_ALGORITHM_FOREST;
}

static void
set_config(Training *tr)
{
	GroveTrainConfig *c = &tr->config;
	const GroveParams *p = &tr->params;

	c->algorithm = (GroveAlgorithm) p->algorithm;
	c->loss = choose_loss(tr);
	c->seed = tr->seed;
	c->n_rounds = p->num_iterations;
	c->max_leaves = tr->dims.max_leaves;
	c->max_depth = p->max_depth > 0 ? (uint32) p->max_depth : UINT32_MAX;
	c->bagging_freq = p->algorithm == GROVE_PARAM_ALGORITHM_FOREST ? 1 : p->bagging_freq;
	c->early_stopping = p->early_stopping_rounds;
	c->learning_rate = p->algorithm == GROVE_PARAM_ALGORITHM_GBDT ? p->learning_rate :
		p->algorithm == GROVE_PARAM_ALGORITHM_FOREST ? 1.0 / p->num_iterations : 1.0;
	c->bagging_fraction = p->bagging_fraction;
	c->feature_fraction = p->feature_fraction;
	c->feature_fraction_bynode = p->feature_fraction_bynode;
	c->rules.lambda_l1 = p->lambda_l1;
	c->rules.lambda_l2 = p->lambda_l2;
	c->rules.max_delta_step = p->max_delta_step;
	c->rules.min_gain = p->min_gain_to_split;
	c->rules.min_hessian = p->min_sum_hessian_in_leaf;
	c->rules.min_rows = p->min_data_in_leaf;
	c->rules.max_cat_threshold = p->max_cat_threshold;
	c->rules.max_cat_to_onehot = p->max_cat_to_onehot;
	c->rules.min_data_per_group = p->min_data_per_group;
	c->rules.cat_l2 = p->cat_l2;
	c->rules.cat_smooth = p->cat_smooth;
}

/* Memory of the trainer, refused before it is allocated when it is more than allowed. */
static void
make_trainer(Training *tr)
{
	Size		allowed = grovepg_max_memory();
	size_t		size;
	size_t		total;
	GroveStatus status = grove_trainer_size(&tr->dims, &size);
	void	   *buffer;

	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	/* hashes and a sort of them come on top while the rows are read */
	total = size;
	if (!grove_size_add(&total, tr->dims.n_rows, 24) || total > allowed)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("training needs %zu kB of memory, but only %zu kB are allowed", total / 1024, allowed / 1024),
				 errdetail("The source has %u rows and %u features.", tr->dims.n_rows, tr->dims.n_features),
				 errhint("Raise \"grove.max_memory\" or \"maintenance_work_mem\", or train on a sample; see grove.prune().")));
	buffer = grovepg_team_allocate(size, &tr->workers, &tr->team);
	grove_trainer_init(buffer, &tr->dims, &tr->config);
	grove_trainer_attach(&tr->trainer, buffer);
	memcpy(tr->trainer.bins, tr->bins, tr->dims.n_features * sizeof(GroveFeatureBins));
}

/* ------------------------------------------------------------------ training */

static void
note_round(Training *tr)
{
	if (tr->dims.n_validation == 0 || tr->params.algorithm == GROVE_PARAM_ALGORITHM_FOREST)
		return;
	if (tr->history.len > 0)
		appendStringInfoString(&tr->history, ", ");
	grovepg_train_append_number(&tr->history, tr->boost.validation_loss);
}

static void
run_training(Training *tr)
{
	GroveBoostEvent event;

	initStringInfo(&tr->history);
	tr->base = palloc0(tr->dims.n_outputs * sizeof(double));
	grovepg_trees_init(&tr->trees);
	grovepg_team_start(tr->team, &tr->trainer);
	grove_boost_begin(&tr->boost, &tr->trainer, tr->params.boost_from_average,
					  tr->task == GROVE_TASK_REGRESSION ? -tr->intake->centre : 0.0,
					  tr->intake->margin.attno != 0, tr->base);
	while ((event = grove_boost_next(&tr->boost)) != GROVE_BOOST_DONE)
	{
		if (event == GROVE_BOOST_TASKS)
			grovepg_team_run(tr->team, &tr->trainer);
		else if (event == GROVE_BOOST_TREE)
			grovepg_trees_add(&tr->trees, &tr->trainer);
		else
			note_round(tr);
	}
	grovepg_team_finish(tr->team);
	grovepg_trees_cut(&tr->trees, tr->boost.best_rounds * tr->dims.n_outputs);
	if (tr->task == GROVE_TASK_REGRESSION)
		tr->base[0] += tr->intake->centre;
}

/* --------------------------------------------------------------------- model */

/* What training measured, as JSON. */
static char *
metrics_json(const Training *tr)
{
	StringInfoData out;
	const char *loss = tr->config.loss == GROVE_LOSS_LOGISTIC || tr->config.loss == GROVE_LOSS_SOFTMAX ?
		"log_loss" : "squared_error";

	initStringInfo(&out);
	appendStringInfo(&out, "{\"rounds\": %u", tr->boost.best_rounds);
	if (tr->params.algorithm != GROVE_PARAM_ALGORITHM_FOREST)
	{
		appendStringInfo(&out, ", \"train_%s\": ", loss);
		grovepg_train_append_number(&out, tr->boost.train_loss);
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

static GroveText
text_of(const char *string)
{
	GroveText	text;

	text.data = string;
	text.length = string ? strlen(string) : 0;
	return text;
}

static GroveFeature *
make_features(const Training *tr)
{
	GroveFeature *features = palloc0(tr->dims.n_features * sizeof(GroveFeature));
	uint32		i,
				k;

	for (i = 0; i < tr->dims.n_features; i++)
	{
		const GroveIntakeColumn *c = &tr->intake->features[i];
		GroveText  *levels;

		features[i].name = text_of(c->name);
		features[i].type_name = text_of(c->type_name);
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

static GroveLink
choose_link(const Training *tr)
{
	bool		boosting = tr->params.algorithm == GROVE_PARAM_ALGORITHM_GBDT;

	if (tr->task == GROVE_TASK_REGRESSION)
		return GROVE_LINK_IDENTITY;
	if (tr->task == GROVE_TASK_BINARY)
		return boosting ? GROVE_LINK_LOGISTIC : GROVE_LINK_CLAMP;
	return boosting ? GROVE_LINK_SOFTMAX : GROVE_LINK_NORMALIZE;
}

static bytea *
write_model(Training *tr)
{
	static const char *const objectives[] = {"regression", "binary", "multiclass"};
	GroveModel	m;
	bytea	   *result;
	size_t		size;
	GroveStatus status;

	memset(&m, 0, sizeof(m));
	tr->params.objective = GROVE_OBJECTIVE_REGRESSION + (int) tr->task;
	m.task = tr->task;
	m.algorithm = (GroveAlgorithm) tr->params.algorithm;
	m.link = choose_link(tr);
	m.objective = text_of(objectives[tr->task]);
	m.target = text_of(tr->intake->target.name);
	m.target_type = text_of(tr->intake->target.type_name);
	m.rows = tr->dims.n_rows - tr->dims.n_validation;
	m.n_features = tr->dims.n_features;
	m.n_classes = tr->n_classes;
	m.n_outputs = tr->dims.n_outputs;
	m.features = make_features(tr);
	m.classes = tr->classes;
	m.base = tr->base;
	grovepg_trees_model(&tr->trees, &m);
	m.params = text_of(grovepg_options_json(&tr->params));
	m.metrics = text_of(metrics_json(tr));
	status = grove_model_write_size(&m, &size);
	if (status == GROVE_OK && size > MaxAllocSize - VARHDRSZ)
		status = GROVE_ERR_SIZE;
	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	result = palloc(size + VARHDRSZ);
	SET_VARSIZE(result, size + VARHDRSZ);
	status = grove_model_write(&m, (uint8 *) VARDATA(result), size);
	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	return result;
}

/* Tells at DEBUG1 what a part of the training took, and starts the clock of the next. */
static void
report_part(const char *part, PGRUsage *since)
{
	ereport(DEBUG1, (errmsg_internal("training, %s: %s", part, pg_rusage_show(since))));
	pg_rusage_init(since);
}

static bytea *
train(Training *tr, const char *source, const GroveIntakeRoles *roles)
{
	PGRUsage	clock;
	bytea	   *model;

	pg_rusage_init(&clock);
	tr->intake = grovepg_intake_begin(grovepg_source_query(source, NULL), roles);
	grovepg_intake_scan(tr->intake);
	choose_task(tr);
	make_classes(tr);
	check_combinations(tr);
	grove_params_resolve(&tr->params, tr->task == GROVE_TASK_REGRESSION, tr->intake->n_features);
	set_dims(tr);
	check_margins(tr);
	set_config(tr);
	tr->bins = palloc_extended(tr->dims.n_features * sizeof(GroveFeatureBins), MCXT_ALLOC_HUGE);
	grovepg_intake_cut(tr->intake, tr->params.max_bin, tr->bins);
	report_part("first reading", &clock);
	make_trainer(tr);
	grovepg_intake_fill(tr->intake, &tr->trainer, tr->class_of, tr->params.scale_pos_weight);
	report_part("second reading", &clock);
	run_training(tr);
	model = write_model(tr);
	report_part("trees", &clock);
	return model;
}

/*
 * grove.train(source, target, params, task, weight, base_margin, group_by,
 *			   validation, ignore, seed)
 */
Datum
grove_train(PG_FUNCTION_ARGS)
{
	Training   *tr = palloc0(sizeof(Training));
	GroveIntakeRoles roles = {NULL, NULL, NULL, NULL, NULL, 0};
	char	   *source = required_text(fcinfo, 0, "source");
	MemoryContext context;
	MemoryContext old;
	bytea	   *model;

	roles.target = required_text(fcinfo, 1, "target");
	if (PG_ARGISNULL(2))
		grovepg_argument_reject_null("params");
	grove_params_init(&tr->params);
	grovepg_options_parse(PG_GETARG_JSONB_P(2), &tr->params);
	parse_task(tr, required_text(fcinfo, 3, "task"));
	apply_objective(tr);
	roles.weight = optional_text(fcinfo, 4);
	roles.margin = optional_text(fcinfo, 5);
	if (!PG_ARGISNULL(6))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\"group_by\" needs the task \"ranking\", which this version does not have")));
	roles.validation = optional_text(fcinfo, 7);
	read_ignore(fcinfo, 8, &roles);
	if (PG_ARGISNULL(9))
		grovepg_argument_reject_null("seed");
	tr->seed = (uint64) PG_GETARG_INT64(9);

	/* a training leaves nothing but its model in the caller's context */
	context = AllocSetContextCreate(CurrentMemoryContext, "grove training", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	model = train(tr, source, &roles);
	MemoryContextSwitchTo(old);
	model = (bytea *) DatumGetPointer(datumCopy(PointerGetDatum(model), false, -1));
	MemoryContextDelete(context);
	PG_RETURN_BYTEA_P(model);
}
