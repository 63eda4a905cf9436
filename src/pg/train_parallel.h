/*
 * train_parallel.h: processes that share the tasks of a training.
 */
#ifndef GROVE_TRAIN_PARALLEL_H
#define GROVE_TRAIN_PARALLEL_H

#include "../core/trainer.h"

typedef struct GroveTeam GroveTeam; /* the leader's side */

/* Workers worth asking for; 0 inside a parallel worker or a parallel query. */
extern int	grovepg_team_size(uint32 n_rows, uint32 n_features);

/*
 * Memory for a trainer that the team can share: a shared segment when workers
 * are wanted and there is room for it, else private memory of the current
 * context; then *workers becomes 0.
 */
extern void *grovepg_team_allocate(Size size, int *workers, GroveTeam **team);

/*
 * When dims.own_records: private memory for the records of this process, which
 * the caller fills: the leader for all rows, a worker for those of its part,
 * so that the rest stays untouched.  The leader's go with the team; in a worker
 * (NULL) with the current context.
 */
extern void grovepg_team_own_records(GroveTeam *team, GroveTrainer *trainer);

/* Lets tasks be cancelled between their chunks of rows; a process's own view asks for it. */
extern void grovepg_team_pause(GroveTrainer *trainer);

/* Starts the workers of a filled trainer; with fewer or none, run() does the rest alone. */
extern void grovepg_team_start(GroveTeam *team, GroveTrainer *trainer);

/* Runs the tasks of the current phase, each once. */
extern void grovepg_team_run(GroveTeam *team, GroveTrainer *trainer);

/* Ends the workers and gives the trainer's memory back. */
extern void grovepg_team_finish(GroveTeam *team);

#endif							/* GROVE_TRAIN_PARALLEL_H */
