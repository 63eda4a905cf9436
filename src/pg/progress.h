/*
 * progress.h: what a training tells other sessions while it runs.
 */
#ifndef GROVE_PROGRESS_H
#define GROVE_PROGRESS_H

#include "datatype/timestamp.h"

/* Rows between two reports of a reading: a power of two, and whole tiles. */
#define GROVE_PROGRESS_ROWS	65536

/* The numbers are read by other backends, of one version of the library. */
typedef enum GroveProgressPhase
{
	GROVE_PROGRESS_FIRST_READING = 1,
	GROVE_PROGRESS_SECOND_READING,
	GROVE_PROGRESS_FOLDS,		/* rounds are folds of ccp_folds */
	GROVE_PROGRESS_TREES,
	GROVE_PROGRESS_WRITING
} GroveProgressPhase;

typedef struct GroveProgress
{
	TimestampTz started;
	GroveProgressPhase phase;
	uint64		rows_read;		/* of the reading at hand, or of the last one */
	uint64		rows_total;		/* 0: not known yet */
	uint64		rounds_done;
	uint64		rounds_total;	/* 0: not known yet */
	double		validation_loss;
	bool		has_loss;
} GroveProgress;

/* The training begins: its first reading. */
extern void grovepg_progress_begin(GroveProgress *progress);

extern void grovepg_progress_enter(GroveProgress *progress, GroveProgressPhase phase);

/* Rows that the reading at hand has seen; call it at most every GROVE_PROGRESS_ROWS. */
extern void grovepg_progress_rows(GroveProgress *progress, uint64 rows);

/* Rounds that are complete; loss: of the validation rows, or NULL. */
extern void grovepg_progress_round(GroveProgress *progress, uint64 done, const double *loss);

/* The training has ended well; after an error the server itself does this. */
extern void grovepg_progress_end(const GroveProgress *progress);

#endif							/* GROVE_PROGRESS_H */
