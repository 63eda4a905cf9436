/*
 * train_ccp.c: ccp_alpha chosen by cross-validation.
 *
 * The same trainer grows the tree of all rows, which gives the candidates, and
 * then one without each fold: its rows are marked as those of a validation
 * part are.  Rows that the caller keeps for validation are in no fold.
 */
#include "pg_grove.h"

#include "miscadmin.h"

#include "train.h"

#define NO_FOLD		255			/* a row of the caller's validation part */

/* What the trees of one run are asked for. */
typedef struct Search
{
	GroveTraining *tr;
	GroveCcpJudge judge;
	GroveCcpPath path;
	uint8	   *fold_of;		/* [n_rows] */
	double	   *costs;			/* [max_leaves * n_outputs] of the trees of all rows */
	Size		n_costs;
	double	   *loss;			/* [n_folds][n_candidates]; the row at hand is summed up over outputs */
	double		fold_weight;
} Search;

/* Costs at which the tree just grown changes. */
static void
collect_costs(Search *s)
{
	const GroveTrainer *t = &s->tr->trainer;
	double		weight = grove_ccp_weight(t);

	s->path.nodes = t->nodes;
	s->path.n_nodes = t->shared->n_nodes;
	grove_ccp_path_init(&s->path, t->node_gain);
	while (grove_ccp_path_cut(&s->path))
	{
		CHECK_FOR_INTERRUPTS();
		s->costs[s->n_costs++] = s->path.cost / weight;
	}
}

/* Adds the loss of the tree just grown on its fold, pruned at each candidate. */
static void
judge_tree(Search *s, double *loss)
{
	GroveTraining *tr = s->tr;
	const GroveTrainer *t = &tr->trainer;
	double		weight = grove_ccp_weight(t);
	uint32		i;

	s->judge.base = tr->base[t->shared->args.output];
	for (i = 0; i < t->shared->n_leaves; i++)
	{
		CHECK_FOR_INTERRUPTS();
		grove_ccp_judge_leaf(&s->judge, t, i);
	}
	grove_ccp_judge_finish(&s->judge, t);
	s->fold_weight = s->judge.weight[0];
	for (i = 0; i < tr->ccp.n_candidates; i++)
	{
		CHECK_FOR_INTERRUPTS();
		loss[i] += grove_ccp_judge_cost(&s->judge, t, tr->ccp.alpha[i] * weight);
	}
}

/* Grows the trees of one round; loss NULL: those of all rows. */
static void
grow_round(Search *s, double *loss)
{
	GroveTraining *tr = s->tr;
	GroveBoost	boost;
	GroveBoostEvent event;

	memset(tr->trainer.score, 0, (Size) tr->dims.n_rows * tr->dims.n_outputs * sizeof(float));
	grove_boost_begin(&boost, &tr->trainer, tr->params.boost_from_average,
					  tr->task == GROVE_TASK_REGRESSION ? -tr->intake->centre : 0.0, false, tr->base);
	while ((event = grove_boost_next(&boost)) != GROVE_BOOST_ROUND)
	{
		if (event == GROVE_BOOST_TASKS)
			grovepg_team_run(tr->team, &tr->trainer);
		else if (loss)
			judge_tree(s, loss);
		else
			collect_costs(s);
	}
}

/* Leaves a fold out, or none. */
static void
mark_fold(const Search *s, int fold)
{
	uint8	   *validation = s->tr->trainer.validation;
	uint32		i;

	for (i = 0; i < s->tr->dims.n_rows; i++)
		validation[i] = s->fold_of[i] == NO_FOLD || s->fold_of[i] == fold;
}

static void
assign_folds(Search *s)
{
	const GroveTrainer *t = &s->tr->trainer;
	uint32		n_folds = (uint32) s->tr->params.ccp_folds;
	uint64		key = grove_rng_key(s->tr->seed, GROVE_PURPOSE_FOLD);
	uint32		rows[GROVE_CCP_MAX_FOLDS] = {0};
	uint32		i;

	for (i = 0; i < s->tr->dims.n_rows; i++)
	{
		s->fold_of[i] = t->validation[i] ? NO_FOLD : (uint8) grove_ccp_fold(key, t->identity[i], n_folds);
		if (s->fold_of[i] != NO_FOLD)
			rows[s->fold_of[i]]++;
	}
	for (i = 0; i < n_folds; i++)
	{
		if (rows[i] == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_EXCEPTION),
					 errmsg("source has too few rows for %u folds", n_folds),
					 errhint("Use a smaller \"ccp_folds\", or set \"ccp_alpha\".")));
	}
}

Size
grovepg_train_ccp_memory(const GroveTraining *tr)
{
	if (tr->params.ccp_folds == 0)
		return 0;
	return tr->dims.n_rows + (Size) tr->dims.max_leaves *
		(2 * (6 * sizeof(double) + 2 * sizeof(uint32)) + tr->dims.n_outputs * sizeof(double)) +
		(Size) tr->params.ccp_folds * GROVE_CCP_COSTS * sizeof(double);
}

static void
init_search(Search *s, GroveTraining *tr)
{
	Size		nodes = (Size) tr->dims.max_leaves * 2;

	memset(s, 0, sizeof(*s));
	s->tr = tr;
	s->fold_of = palloc_extended(tr->dims.n_rows, MCXT_ALLOC_HUGE);
	s->judge.fold_of = s->fold_of;
	s->judge.weight = palloc(nodes * sizeof(double));
	s->judge.residual = palloc(nodes * sizeof(double));
	s->judge.square = palloc(nodes * sizeof(double));
	s->judge.worth = palloc(nodes * sizeof(double));
	s->judge.loss = palloc(nodes * sizeof(double));
	s->path.gain = palloc(nodes * sizeof(double));
	s->path.splits = palloc(nodes * sizeof(uint32));
	s->path.parent = palloc(nodes * sizeof(uint32));
	s->costs = palloc_extended((Size) tr->dims.max_leaves * tr->dims.n_outputs * sizeof(double), MCXT_ALLOC_HUGE);
}

void
grovepg_train_choose_ccp(GroveTraining *tr)
{
	GroveCcpChoice *ccp = &tr->ccp;
	uint32		n_folds = (uint32) tr->params.ccp_folds;
	Search		s;
	double		longest = 0.0;	/* of the trees so far */
	double		begun = grovepg_train_seconds(tr);
	uint32		fold;
	uint32		i;

	if (n_folds == 0)
		return;
	tr->progress.rounds_total = n_folds;
	grovepg_progress_enter(&tr->progress, GROVE_PROGRESS_FOLDS);
	init_search(&s, tr);
	assign_folds(&s);
	mark_fold(&s, -1);
	grow_round(&s, NULL);
	ccp->n_candidates = grove_ccp_candidates(s.costs, s.n_costs, ccp->alpha);
	s.loss = palloc0((Size) n_folds * ccp->n_candidates * sizeof(double));
	for (fold = 0; fold < n_folds; fold++)
	{
		double	   *loss = s.loss + (Size) fold * ccp->n_candidates;
		double		now = grovepg_train_seconds(tr);

		/* room for this fold and for the tree that is the model; a standard error needs two folds */
		longest = Max(longest, now - begun);
		begun = now;
		if (fold >= 2 && grovepg_train_ends(tr, 2 * longest))
			break;
		mark_fold(&s, (int) fold);
		s.judge.fold = (uint8) fold;
		grow_round(&s, loss);
		for (i = 0; i < ccp->n_candidates; i++)
			loss[i] = s.fold_weight > 0.0 ? loss[i] / s.fold_weight : 0.0;
		grovepg_progress_round(&tr->progress, fold + 1, NULL);
	}
	ccp->n_folds = fold;
	tr->progress.rounds_done = 0;
	tr->progress.rounds_total = tr->config.n_rounds;
	mark_fold(&s, -1);
	memset(tr->trainer.score, 0, (Size) tr->dims.n_rows * tr->dims.n_outputs * sizeof(float));
	ccp->chosen = grove_ccp_choose(s.loss, ccp->n_folds, ccp->n_candidates, tr->params.ccp_rule == GROVE_PARAM_CCP_ONE_SE,
								   ccp->mean, ccp->error);
	tr->config.ccp_alpha = ccp->alpha[ccp->chosen];
	tr->trainer.shared->config.ccp_alpha = tr->config.ccp_alpha;
	pfree(s.fold_of);
}
