/*
 * prune_train_job.h: what the files of grove.prune_train share.
 *
 *   prune_train_request.c   arguments -> LoopRequest
 *   prune_train_rows.c      the rows of the source in parts; the training of a round
 *   prune_train_judge.c     two models on the same held-out rows
 *   fn_prune_train.c        the SQL function: the rounds
 */
#ifndef GROVE_PRUNE_TRAIN_JOB_H
#define GROVE_PRUNE_TRAIN_JOB_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "../core/model.h"
#include "../core/paired.h"
#include "keys.h"

/* How the rows of a round carry their design into training: by at most one of the two. */
typedef enum LoopCorrection
{
	LOOP_CORRECT_NOTHING,
	LOOP_CORRECT_WEIGHT,
	LOOP_CORRECT_OFFSET
} LoopCorrection;

typedef enum LoopMetric
{
	LOOP_METRIC_DEFAULT,		/* auc, log_loss or rmse, as the task is */
	LOOP_METRIC_AUC,
	LOOP_METRIC_LOG_LOSS,
	LOOP_METRIC_RMSE,
	LOOP_METRIC_MAE
} LoopMetric;

typedef struct LoopRequest
{
	char	   *query;
	TupleDesc	columns;		/* of the source */
	char	   *target;
	List	   *key;			/* names, char * */
	List	   *split_by;
	List	   *by;
	List	   *ignore;
	char	   *validation;		/* or NULL */
	char	   *method;
	char	   *task;
	double	   *schedule;
	int			n_rounds;
	double		max_loss;
	double		confidence;
	double		holdout;		/* share of the keys to decide with */
	double		sealed;			/* and to judge the last model with */
	double		calibration;	/* the mean prediction may differ by this share */
	double		readmit;
	double		gamma;
	LoopMetric	metric;
	int64		seed;
	Jsonb	   *training;		/* options of train() */
	Jsonb	   *pruning;		/* options of prune(), or NULL */
	bool		boosted;		/* algorithm gbdt: takes offsets */
	bool		early;			/* early stopping: needs rows of its own */
	int			min_rows;		/* rows of a leaf at least */
} LoopRequest;

extern LoopRequest *grovepg_loop_request(FunctionCallInfo fcinfo);

/* Some of the rows, in the order in which they came. */
typedef struct LoopPart
{
	Tuplestorestate *store;
	uint64		rows;
	uint64	   *clusters;		/* [rows] hash of the split_by columns; held-out parts only */
	uint64		capacity;
} LoopPart;

typedef struct LoopRows
{
	LoopPart	pool;			/* what is pruned */
	LoopPart	stop;			/* for early stopping, never pruned */
	LoopPart	holdout;
	LoopPart	sealed;
} LoopRows;

/* Runs the source once. */
extern LoopRows *grovepg_loop_read(LoopRequest *request);

/* The rows of one round with their weights and offsets. */
typedef struct LoopRound
{
	Tuplestorestate *store;
	TupleDesc	columns;		/* of the source and three more */
	uint64		rows;			/* of the pool that stay */
	LoopCorrection correction;
} LoopRound;

/* Prunes the pool to a share; 1 without pruning is round 0. */
extern LoopRound *grovepg_loop_prune(LoopRequest *request, LoopRows *rows, bool binary, bool everything, double share);
extern bytea *grovepg_loop_train(LoopRequest *request, LoopRound *round, double *milliseconds);
extern void grovepg_loop_release(LoopRound *round);

/* Rows of the negatives and positives among the pool's rows of a round. */
extern void grovepg_loop_classes(LoopRequest *request, const GroveModel *model, LoopRound *round, uint64 count[2]);

/* A part of the rows that judges a second model against the first. */
typedef struct LoopJudge LoopJudge;

/* Scores the rows with the model on everything. */
extern LoopJudge *grovepg_judge_begin(LoopRequest *request, LoopPart *part, const GroveModel *full);

extern const char *grovepg_judge_metric(const LoopJudge *judge);
extern double grovepg_judge_full(const LoopJudge *judge);

/* Scores them with another; *calibration gets the quotient of the mean predictions, NaN without probabilities. */
extern GrovePairedDecision grovepg_judge_compare(LoopJudge *judge, const GroveModel *pruned, GrovePairedTest *test,
												 double *calibration);

#endif							/* GROVE_PRUNE_TRAIN_JOB_H */
