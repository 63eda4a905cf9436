/*
 * intake.h: from the rows of a source to the binned rows of a trainer.
 *
 * The rows are read to see what there is (how many rows, which levels, where
 * to cut), and only then there is a trainer whose memory they can go to.  As
 * long as grove.max_memory has room they are kept until then, four bytes a
 * value or less, so that the query runs once.  Otherwise, and in the rare case
 * that these bytes cannot tell on which side of an edge a value is
 * (intake_kept.c), it runs again under the same snapshot; a query that gives
 * other rows then is an ERROR.  The model is the same either way.
 *
 * Nothing that is kept depends on the order of rows.
 */
#ifndef GROVE_INTAKE_H
#define GROVE_INTAKE_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"

#include "../core/sketch.h"
#include "../core/trainer.h"
#include "feature.h"
#include "keys.h"
#include "levels.h"
#include "progress.h"

/* One column that training uses. */
typedef struct GroveIntakeColumn
{
	AttrNumber	attno;			/* from 1; 0: there is none */
	char	   *name;
	char	   *type_name;
	GroveFeatureType type;
	GroveLevels *levels;		/* categorical */
	uint32	   *order;			/* categorical: codes as the model lists them; the first n_levels are kept */
	uint32		n_levels;
} GroveIntakeColumn;

/*
 * What a column of the trainer's matrix is made of: a feature, or of one with
 * many levels those from first on.
 */
typedef struct GroveIntakeCut
{
	int			feature;
	uint32		first;			/* rank of the first of its levels */
	uint32		n_levels;
} GroveIntakeCut;

/* What the loss needs of the target. */
typedef enum GroveTargetRule
{
	GROVE_TARGET_ANY,
	GROVE_TARGET_NOT_NEGATIVE,
	GROVE_TARGET_POSITIVE,		/* at least 1e-37 */
	GROVE_TARGET_RELEVANCE		/* integers from 0 to 31 */
} GroveTargetRule;

/* Names of the columns that are not features; NULL: none. */
typedef struct GroveIntakeRoles
{
	const char *target;
	const char *weight;
	const char *margin;
	const char *validation;
	const char *group;
	GroveTargetRule target_rule;
	Datum	   *ignore;			/* [n_ignore] text */
	int			n_ignore;
} GroveIntakeRoles;

/* Calls row() for each row, all attributes deformed, in a context that is reset after it; the same rows every time. */
typedef void (*GroveIntakeVisit) (void *rows, void (*row) (TupleTableSlot *slot, void *arg), void *arg);

/* Features side by side, in the record and in the slot: double precision, or one of another type. */
typedef struct GroveIntakeRun
{
	int16		n;
	int16		at;				/* place in the slot */
	bool		real;
} GroveIntakeRun;

typedef struct GroveIntakeKept GroveIntakeKept; /* rows kept from the first reading */

typedef struct GroveIntake
{
	MemoryContext context;
	GroveProgress *progress;	/* of the training; NULL: rows are read for something else */
	GroveIntakeVisit visit;
	void	   *rows;			/* what it visits */
	int			n_features;
	GroveIntakeColumn *features;	/* [n_features] */
	int			n_cuts;
	GroveIntakeCut *cuts;		/* [n_cuts] after grovepg_intake_cut() */
	GroveIntakeColumn target;
	GroveIntakeColumn weight;
	GroveIntakeColumn margin;
	GroveIntakeColumn validation;
	GroveIntakeColumn group;
	GroveKey   *group_key;
	GroveTargetRule target_rule;

	/* what the first reading saw */
	uint64		n_rows;
	uint64		n_validation;
	uint64		content;		/* sum of the rows' hashes */
	int			n_margins;		/* elements of the margin column, the same in every row */
	bool		target_integer; /* the target has an integer type */
	bool		target_zero;	/* the target of every training row is 0 */
	bool		weight_zero;	/* the weight of every training row is 0 */
	GroveLevels *classes;		/* distinct targets, as long as they are few enough to be classes; counts of training rows */
	double	   *class_value;	/* [GROVE_MAX_CLASSES] numeric target: their values by code */
	bool		too_many_classes;
	double		centre;			/* median of a numeric target */
	GroveSketch sketch;
	void	   *scratch;

	bool		keeps;			/* rows are kept as long as there is room */
	GroveIntakeKept *kept;		/* or NULL */

	/* while reading */
	uint32		width;			/* doubles of a record */
	double	   *tile;			/* [width][GROVE_TILE_STRIDE] records column by column; NULL: no row has come */
	uint64	   *tile_hash;		/* [GROVE_TILE_ROWS] content of its rows */
	uint32		tile_rows;
	GroveIntakeRun *runs;		/* [n_runs] the features */
	int			n_runs;
	struct
	{
		uint64		bits;
		int64		code;		/* -1: free */
	}			class_seen[16]; /* numeric targets met lately */
	bool		frozen;			/* the features are cut: no new levels */

	/* while the trainer is filled */
	GroveTrainer *trainer;
	uint8	   *bins;			/* [n_cuts][GROVE_TILE_ROWS] of the tile */
	uint32		first;			/* row of the trainer that the tile begins with */
	uint64	   *hashes;			/* [n_rows] content */
	uint64	   *groups;			/* [n_rows] hash of the group, of a ranking */
	const uint32 *class_of;		/* class index by code; NULL: regression */
	const double *class_weight; /* factor for the weights of rows, by class; NULL: none */
} GroveIntake;

/* Resolves the columns; ERROR for those that are missing or of a wrong type. */
extern GroveIntake *grovepg_intake_begin(const char *query, const GroveIntakeRoles *roles, GroveProgress *progress);

/* The same for rows that are not those of a query. */
extern GroveIntake *grovepg_intake_begin_rows(TupleDesc desc, GroveIntakeVisit visit, void *rows,
											  const GroveIntakeRoles *roles, GroveProgress *progress);

/* Reads the source; one without rows to train on is an ERROR. */
extern void grovepg_intake_scan(GroveIntake *intake);

/*
 * The same for rows that the caller has, all attributes deformed, and be it
 * none: begin, each row, end.  Nothing of them is kept.
 */
extern void grovepg_intake_show_begin(GroveIntake *intake);
extern void grovepg_intake_show_row(GroveIntake *intake, TupleTableSlot *slot);
extern void grovepg_intake_show_end(GroveIntake *intake);

/* Bytes that labels and kept rows take, about. */
extern Size grovepg_intake_memory(const GroveIntake *intake);

/* The same with what grovepg_intake_fill() takes on top. */
extern Size grovepg_intake_fill_memory(const GroveIntake *intake);

/* Gives up kept rows, which are then read again. */
extern void grovepg_intake_forget(GroveIntake *intake);

/*
 * Cuts the features; returns bins[n_cuts], palloc'd.  A categorical feature
 * keeps its max_bin most frequent levels; when max_bin is 255, further ones,
 * 16,256 in all, as long as they have level_rows rows (GROVE_AUTO: what suits
 * the feature) and the ones before cover less than 99 % of the rows.  The others count as missing.  Up to 255 levels
 * are one column of the matrix, more are cut into several of 254; when the
 * features together would be more columns than a matrix has, those of the most
 * levels keep fewer.
 */
extern GroveFeatureBins *grovepg_intake_cut(GroveIntake *intake, uint32 max_bin, int32 level_rows);

/*
 * After the cut: the row that grovepg_intake_read() read last as it stands in
 * a matrix, n_cuts bytes.  False when it has a level that the first reading
 * did not meet.
 */
extern bool grovepg_intake_bin(const GroveIntake *intake, const GroveFeatureBins *bins, uint8 *row);

/*
 * From the kept rows, or from another reading: matrix, label, weight, score (margins, else 0), identity,
 * validation and groups of the trainer.
 */
extern void grovepg_intake_fill(GroveIntake *intake, GroveTrainer *trainer, const uint32 *class_of,
								const double *class_weight);

#endif							/* GROVE_INTAKE_H */
