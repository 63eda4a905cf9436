/*
 * train.c: grove.train(): a query in, the bytes of a model out.
 *
 * Everything is checked and sized before memory is taken: the source is read
 * once to know it, the trainer's buffer is computed and compared with
 * grove.max_memory, and only then allocated.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/pg_rusage.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "source.h"
#include "train.h"

#define JOIN_ROWS_MIN	65536	/* below, taking joined histograms apart costs more than it saves */

PG_FUNCTION_INFO_V1(grove_train);

/* ---------------------------------------------------------------- arguments */

static char *
optional_text(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

void
grovepg_train_parse_task(GroveTraining *tr, const char *task)
{
	static const char *const names[] = {"regression", "binary", "multiclass", "ranking"};
	int			i;

	if (strcmp(task, "auto") == 0)
	{
		tr->task_auto = true;
		return;
	}
	for (i = 0; i < (int) lengthof(names); i++)
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
			 errhint("Tasks are \"auto\", \"regression\", \"binary\", \"multiclass\" and \"ranking\".")));
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

/* -------------------------------------------------------------------- set-up */

static void
check_combinations(const GroveTraining *tr)
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
				 errdetail("Column \"%s\" is false in every row.", tr->intake->validation.name),
				 errhint("Make it true in a share of the rows, for example with grove.u01(1, id) < 0.2.")));
	if (tr->intake->margin.attno != 0 && p->algorithm != GROVE_PARAM_ALGORITHM_GBDT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("base_margin needs the algorithm \"gbdt\""),
				 errhint("Leave out the option \"algorithm\", or the argument \"base_margin\".")));
}

static void
check_margins(const GroveTraining *tr)
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
						   tr->dims.n_outputs),
				 errhint("Cast the column to double precision or double precision[], or set the task that you mean.")));
}

static void
set_dims(GroveTraining *tr)
{
	GroveIntake *in = tr->intake;
	GroveTrainDims *d = &tr->dims;
	const GroveParams *p = &tr->params;
	GroveStatus status;

	d->n_rows = (uint32) in->n_rows;
	d->n_validation = (uint32) in->n_validation;
	d->n_features = in->n_cuts;
	d->joined = in->n_rows >= JOIN_ROWS_MIN;
	status = grove_matrix_size(tr->bins, d->n_rows, d->n_features, d->joined, &d->matrix);
	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	d->n_outputs = tr->task == GROVE_TASK_MULTICLASS ? tr->n_classes : 1;
	d->max_leaves = Min((uint64) p->num_leaves, Max(in->n_rows - in->n_validation, 2));
	tr->workers = grovepg_team_size(d->n_rows, d->n_features);
	d->n_workers = tr->workers + 1;
	d->weighted = in->weight.attno != 0 || tr->class_weight != NULL;
	d->ranked = tr->task == GROVE_TASK_RANKING;
	d->by_gradient = p->data_sample_strategy != GROVE_PARAM_SAMPLE_BAGGING;
	d->mode = grove_loss_mode(grovepg_objective_loss(tr), d->weighted, d->by_gradient);
	d->sampled = p->algorithm == GROVE_PARAM_ALGORITHM_FOREST || d->by_gradient ||
		(p->bagging_fraction < 1.0 && p->bagging_freq > 0);
	d->out_scored = p->algorithm == GROVE_PARAM_ALGORITHM_FOREST;
	d->pruned = p->ccp_alpha > 0.0 || p->ccp_folds > 0;
	d->folded = p->ccp_folds > 0;
}

static void
set_config(GroveTraining *tr)
{
	GroveTrainConfig *c = &tr->config;
	const GroveParams *p = &tr->params;

	c->algorithm = (GroveAlgorithm) p->algorithm;
	c->loss = grovepg_objective_loss(tr);
	grovepg_objective_shape(tr, &c->shape);
	c->seed = tr->seed;
	c->n_rounds = p->num_iterations;
	c->max_leaves = tr->dims.max_leaves;
	c->max_depth = p->max_depth > 0 ? (uint32) p->max_depth : UINT32_MAX;
	c->bagging_freq = p->algorithm == GROVE_PARAM_ALGORITHM_FOREST ? 1 : p->bagging_freq;
	c->early_stopping = p->early_stopping_rounds;
	c->log_training = p->log_training;
	c->learning_rate = p->algorithm == GROVE_PARAM_ALGORITHM_GBDT ? p->learning_rate :
		p->algorithm == GROVE_PARAM_ALGORITHM_FOREST ? 1.0 / p->num_iterations : 1.0;
	c->bagging_fraction = p->bagging_fraction;
	c->select = (GroveSelectKind) p->data_sample_strategy;
	c->top_rate = p->top_rate;
	c->other_rate = p->other_rate;
	c->mvs_reg = p->mvs_reg;
	c->feature_fraction = p->feature_fraction;
	c->feature_fraction_bynode = p->feature_fraction_bynode;
	c->ccp_alpha = p->ccp_alpha;
	c->extra_trees = p->extra_trees;
	c->interaction = p->interaction_constraints != NULL;
	c->limited = p->extra_trees || p->path_smooth > 0.0 || p->monotone_constraints != NULL;
	c->rules.path_smooth = p->path_smooth;
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

/* Stack, functions and caches of the server that a training touches for the first time. */
#define SUNDRIES	(256 * 1024)

/* What the training will take in all, with what the intake holds; SIZE_MAX when that overflows. */
static size_t
total_memory(const GroveTraining *tr, size_t trainer_size)
{
	size_t		total = trainer_size;

	if (!grove_size_add(&total, 1, SUNDRIES) ||
		!grove_size_add(&total, 1, grovepg_intake_fill_memory(tr->intake)) ||
		!grove_size_add(&total, tr->rows_size, 1) ||
		!grove_size_add(&total, 1, grovepg_train_ccp_memory(tr)) ||
		(tr->dims.own_records && !grove_size_add(&total, 2, tr->dims.matrix.record_bytes)))
		return SIZE_MAX;
	return total;
}

/*
 * Size of the trainer's buffer; when they are allowed, each process gets records
 * of its own, twice all in all: the leader's of all rows, and a part for each other.
 */
static size_t
size_trainer(GroveTraining *tr, size_t *total)
{
	size_t		size;
	GroveStatus status = GROVE_OK;

	tr->dims.own_records = tr->workers > 0;
	if (tr->dims.own_records)
	{
		status = grove_trainer_size(&tr->dims, &size);
		*total = total_memory(tr, size);
		if (status == GROVE_OK && *total <= grovepg_max_memory())
			return size;
		tr->dims.own_records = false;
	}
	status = grove_trainer_size(&tr->dims, &size);
	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	*total = total_memory(tr, size);
	return size;
}

/* Memory of the trainer, refused before it is allocated when it is more than allowed. */
static void
make_trainer(GroveTraining *tr)
{
	Size		allowed = grovepg_max_memory();
	size_t		total;
	size_t		size = size_trainer(tr, &total);
	void	   *buffer;

	if (tr->intake->kept && (total > allowed || (tr->workers > 0 && !tr->dims.own_records)))
	{
		grovepg_intake_forget(tr->intake);
		size = size_trainer(tr, &total);
	}
	if (total > allowed)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("training needs %zu kB of memory, but only %zu kB are allowed", total / 1024, allowed / 1024),
				 errdetail("The source has %u rows and %d features.", tr->dims.n_rows, tr->intake->n_features),
				 errhint("Raise \"grove.max_memory\" or \"maintenance_work_mem\", or train on a sample; see grove.prune().")));
	/* the hashes go again; kept rows do when they have been read */
	tr->held = SUNDRIES + size + tr->rows_size + grovepg_train_ccp_memory(tr) +
		(tr->dims.own_records ? 2 * tr->dims.matrix.record_bytes : 0);
	buffer = grovepg_team_allocate(size, &tr->workers, &tr->team);
	grove_trainer_init(buffer, &tr->dims, &tr->config);
	grove_trainer_attach(&tr->trainer, buffer);
	grovepg_team_pause(&tr->trainer);
	grove_trainer_set_bins(&tr->trainer, tr->bins);
	grovepg_team_own_records(tr->team, &tr->trainer);
	grovepg_train_constraints(tr);
}

/* ------------------------------------------------------------------ training */

static void
append_loss(StringInfo history, double loss)
{
	if (history->len > 0)
		appendStringInfoString(history, ", ");
	grovepg_train_append_number(history, loss);
}

static void
note_round(GroveTraining *tr)
{
	bool		judged = tr->dims.n_validation > 0 && tr->params.algorithm != GROVE_PARAM_ALGORITHM_FOREST;

	grovepg_progress_round(&tr->progress, tr->boost.round, judged ? &tr->boost.validation_loss : NULL);
	if (judged)
		append_loss(&tr->history, tr->boost.validation_loss);
	if (tr->params.log_training)
		append_loss(&tr->train_history, tr->boost.train_loss);
}

double
grovepg_train_seconds(const GroveTraining *tr)
{
	return (GetCurrentTimestamp() - tr->progress.started) / 1e6;
}

bool
grovepg_train_ends(const GroveTraining *tr, double step)
{
	return tr->params.max_seconds > 0.0 && grovepg_train_seconds(tr) + step > tr->params.max_seconds;
}

/*
 * Scores the rows on the trees that did not see them.  Leaves of a forest that
 * max_seconds ended early were divided by the number of trees asked for.
 */
static void
finish_forest(GroveTraining *tr)
{
	uint32		first;

	grove_oob_init(&tr->oob, grovepg_objective_link(tr));
	for (first = 0; first < tr->dims.n_rows; first += GROVE_HIST_CHUNK)
	{
		CHECK_FOR_INTERRUPTS();
		grove_oob_add(&tr->oob, &tr->trainer, first, Min(GROVE_HIST_CHUNK, tr->dims.n_rows - first));
	}
	if (tr->boost.round < tr->config.n_rounds)
		grovepg_trees_scale(&tr->trees, (double) tr->config.n_rounds / tr->boost.round);
}

static Size
room_beside(Size taken)
{
	return grovepg_max_memory() > taken ? grovepg_max_memory() - taken : 0;
}

static void
run_training(GroveTraining *tr)
{
	Size		labels = grovepg_intake_memory(tr->intake);
	double		longest = 0.0;	/* of the rounds */
	double		begun;
	GroveBoostEvent event;

	initStringInfo(&tr->history);
	initStringInfo(&tr->train_history);
	tr->base = palloc0(tr->dims.n_outputs * sizeof(double));
	grovepg_trees_init(&tr->trees, room_beside(tr->held + labels), room_beside(tr->rows_size + labels));
	grovepg_team_start(tr->team, &tr->trainer);
	grovepg_train_choose_ccp(tr);
	grovepg_progress_enter(&tr->progress, GROVE_PROGRESS_TREES);
	begun = grovepg_train_seconds(tr);
	grove_boost_begin(&tr->boost, &tr->trainer, tr->params.boost_from_average,
					  tr->task == GROVE_TASK_REGRESSION ? -tr->intake->centre : 0.0,
					  tr->intake->margin.attno != 0, tr->base);
	while ((event = grove_boost_next(&tr->boost)) != GROVE_BOOST_DONE)
	{
		if (event == GROVE_BOOST_TASKS)
			grovepg_team_run(tr->team, &tr->trainer);
		else if (event == GROVE_BOOST_TREE)
			grovepg_trees_add(&tr->trees, &tr->trainer, tr->intake->cuts);
		else
		{
			double		now = grovepg_train_seconds(tr);

			note_round(tr);
			longest = Max(longest, now - begun);
			begun = now;
			if (grovepg_train_ends(tr, longest))
				grove_boost_stop(&tr->boost);
		}
	}
	if (tr->params.algorithm == GROVE_PARAM_ALGORITHM_FOREST)
		finish_forest(tr);
	grovepg_team_finish(tr->team);
	grovepg_trees_cut(&tr->trees, tr->boost.best_rounds * tr->dims.n_outputs);
	if (tr->task == GROVE_TASK_REGRESSION)
		tr->base[0] += tr->intake->centre;
}

/* Tells at DEBUG1 what a part of the training took, and starts the clock of the next. */
static void
report_part(const char *part, PGRUsage *since)
{
	ereport(DEBUG1, (errmsg_internal("training, %s: %s", part, pg_rusage_show(since))));
	pg_rusage_init(since);
}

static bytea *
train(GroveTraining *tr)
{
	PGRUsage	clock;
	bytea	   *model;

	pg_rusage_init(&clock);
	grovepg_intake_scan(tr->intake);
	grovepg_train_choose_task(tr);
	grovepg_objective_resolve(tr);
	grovepg_train_classes(tr);
	check_combinations(tr);
	grovepg_train_class_weights(tr);
	grove_params_resolve(&tr->params, tr->class_of == NULL, tr->intake->n_features);
	tr->bins = grovepg_intake_cut(tr->intake, tr->params.max_bin, tr->params.min_data_per_level);
	set_dims(tr);
	check_margins(tr);
	set_config(tr);
	if (grove_loss_log_link(tr->config.loss) || tr->dims.ranked)
		tr->intake->centre = 0.0;	/* these losses are not of the distance to the target */
	report_part("first reading", &clock);
	make_trainer(tr);
	tr->progress.rounds_total = tr->config.n_rounds;
	grovepg_progress_enter(&tr->progress, GROVE_PROGRESS_SECOND_READING);
	grovepg_intake_fill(tr->intake, &tr->trainer, tr->class_of, tr->class_weight);
	report_part("second reading", &clock);
	run_training(tr);
	grovepg_progress_enter(&tr->progress, GROVE_PROGRESS_WRITING);
	model = grovepg_train_model(tr);
	report_part("trees", &clock);
	grovepg_progress_end(&tr->progress);
	return model;
}

bytea *
grovepg_train_run(GroveTraining *tr, GroveIntake *(*begin) (GroveTraining *tr, void *arg), void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "grove training", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	bytea	   *model;

	grovepg_progress_begin(&tr->progress);
	tr->caller = old;
	tr->intake = begin(tr, arg);
	model = train(tr);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return model;
}

/* What train() reads. */
typedef struct TrainSource
{
	const char *text;
	GroveIntakeRoles roles;
} TrainSource;

static GroveIntake *
begin_source(GroveTraining *tr, void *arg)
{
	TrainSource *source = arg;

	return grovepg_intake_begin(grovepg_source_query(source->text, NULL), &source->roles, &tr->progress);
}

/*
 * grove.train(source, target, params, task, weight, base_margin, group_by,
 *			   validation, ignore, seed)
 */
Datum
grove_train(PG_FUNCTION_ARGS)
{
	GroveTraining *tr = palloc0(sizeof(GroveTraining));
	TrainSource source = {grovepg_argument_text(fcinfo, 0, "source")};
	GroveIntakeRoles *roles = &source.roles;

	roles->target = grovepg_argument_text(fcinfo, 1, "target");
	if (PG_ARGISNULL(2))
		grovepg_argument_reject_null("params");
	grove_params_init(&tr->params);
	grovepg_options_parse(PG_GETARG_JSONB_P(2), &tr->params);
	grovepg_train_parse_task(tr, grovepg_argument_text(fcinfo, 3, "task"));
	roles->weight = optional_text(fcinfo, 4);
	roles->margin = optional_text(fcinfo, 5);
	roles->group = optional_text(fcinfo, 6);
	roles->validation = optional_text(fcinfo, 7);
	read_ignore(fcinfo, 8, roles);
	if (PG_ARGISNULL(9))
		grovepg_argument_reject_null("seed");
	tr->seed = (uint64) PG_GETARG_INT64(9);
	grovepg_objective_begin(tr, roles);
	PG_RETURN_BYTEA_P(grovepg_train_run(tr, begin_source, &source));
}
