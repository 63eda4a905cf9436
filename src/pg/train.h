/*
 * train.h: what the files of training share.
 */
#ifndef GROVE_TRAIN_H
#define GROVE_TRAIN_H

#include "lib/stringinfo.h"

#include "../core/boost.h"
#include "../core/ccp_folds.h"
#include "../core/oob.h"
#include "intake.h"
#include "options.h"
#include "progress.h"
#include "train_parallel.h"

/* Trees that are finished, in memory that grows. */
typedef struct GroveTrees
{
	uint32	   *start;			/* [n_trees + 1] first node of each tree */
	uint32	   *set_start;		/* [n_trees + 1] first set */
	GroveNode  *nodes;
	uint8		(*sets)[GROVE_BINS / 8];
	uint32	   *set_first;		/* rank of the level that bin 1 of each set is */
	uint32		n_trees;
	uint32		trees_capacity;
	uint32		nodes_capacity;
	uint32		sets_capacity;
	Size		room_growing;	/* bytes that they may take beside the trainer */
	Size		room_writing;	/* that they and their model may take when it is gone */
} GroveTrees;

extern void grovepg_trees_init(GroveTrees *trees, Size room_growing, Size room_writing);

/*
 * Copies the tree that the trainer has just grown; its columns are these cuts
 * of the features.  ERROR 54000 when there is no room for it or for the model.
 */
extern void grovepg_trees_add(GroveTrees *trees, const GroveTrainer *trainer, const GroveIntakeCut *cuts);

/* Keeps the first n trees. */
extern void grovepg_trees_cut(GroveTrees *trees, uint32 n);

/* Multiplies the leaves of all trees. */
extern void grovepg_trees_scale(GroveTrees *trees, double factor);

/* Points the model at the trees. */
extern void grovepg_trees_model(const GroveTrees *trees, GroveModel *model);

/* The cost of pruning that cross-validation chose. */
typedef struct GroveCcpChoice
{
	uint32		n_candidates;	/* 0: it was not asked for */
	uint32		chosen;
	uint32		n_folds;		/* that were done */
	double		alpha[GROVE_CCP_COSTS];
	double		mean[GROVE_CCP_COSTS];	/* over folds, of the squared error */
	double		error[GROVE_CCP_COSTS]; /* its standard error */
} GroveCcpChoice;

/* One training from its arguments to its model. */
typedef struct GroveTraining
{
	GroveParams params;
	uint64		seed;
	GroveTask	task;
	bool		task_auto;
	GroveIntake *intake;
	MemoryContext caller;		/* where the model's bytes go */
	Size		rows_size;		/* bytes that rows in memory take while training; 0: the rows of a query */
	Size		held;			/* bytes of the trainer and of what stays beside it */
	GroveFeatureBins *bins;
	uint32		n_classes;
	GroveText  *classes;		/* [n_classes] */
	uint32	   *class_of;		/* by code; NULL: regression, ranking */
	double	   *class_weight;	/* [n_classes] or NULL */
	GroveTrainDims dims;
	GroveTrainConfig config;
	GroveTrainer trainer;
	GroveTrees	trees;
	double	   *base;			/* [n_outputs] */
	StringInfoData history;		/* validation loss of each round */
	StringInfoData train_history;	/* the same of the training rows, log_training */
	GroveBoost	boost;
	GroveOob	oob;			/* forest */
	GroveCcpChoice ccp;
	int			workers;		/* parallel workers beside this process */
	GroveTeam  *team;
	GroveProgress progress;
} GroveTraining;

/* The argument or option "task"; ERROR for an unknown one. */
extern void grovepg_train_parse_task(GroveTraining *training, const char *task);

/*
 * Trains on the rows of the intake that begin() makes; returns the model's
 * bytes in the current memory context, and leaves nothing else there.
 */
extern bytea *grovepg_train_run(GroveTraining *training, GroveIntake *(*begin) (GroveTraining *training, void *arg), void *arg);

/* Seconds since it began. */
extern double grovepg_train_seconds(const GroveTraining *training);

/* Whether max_seconds has no room for another step that takes so many. */
extern bool grovepg_train_ends(const GroveTraining *training, double step);

/* What objective, task and group_by say of each other, before the source is read. */
extern void grovepg_objective_begin(GroveTraining *training, GroveIntakeRoles *roles);

/* Settles the objective when the task is known; ERROR for options and targets that do not fit it. */
extern void grovepg_objective_resolve(GroveTraining *training);

extern void grovepg_objective_shape(const GroveTraining *training, GroveLossShape *shape);
extern GroveLossKind grovepg_objective_loss(const GroveTraining *training);
extern GroveLink grovepg_objective_link(const GroveTraining *training);
extern const char *grovepg_objective_name(const GroveTraining *training);

/* Name of the loss that training measures. */
extern const char *grovepg_objective_metric(const GroveTraining *training);

/* The task that fits the target when the caller named none. */
extern void grovepg_train_choose_task(GroveTraining *training);

/* Classes of a classifier in their order, ERROR when the target has too few or too many. */
extern void grovepg_train_classes(GroveTraining *training);

/* Monotone and interaction constraints of the options into the trainer; ERROR for names that are no features. */
extern void grovepg_train_constraints(GroveTraining *training);

/* Factors for the weights of each class's rows, from class_weight or scale_pos_weight. */
extern void grovepg_train_class_weights(GroveTraining *training);

/* Bytes that choosing ccp_alpha takes beside the trainer; 0 when it is not asked for. */
extern Size grovepg_train_ccp_memory(const GroveTraining *training);

/* Chooses ccp_alpha by cross-validation when that is asked for. */
extern void grovepg_train_choose_ccp(GroveTraining *training);

/* The model's bytes, in the caller's memory context. */
extern bytea *grovepg_train_model(GroveTraining *training);

/* The shortest decimal that reads back as the same double. */
extern void grovepg_train_append_number(StringInfo out, double value);

#endif							/* GROVE_TRAIN_H */
