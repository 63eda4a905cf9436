/*
 * intake.h: from the rows of a source to the binned rows of a trainer.
 *
 * The rows are read twice: once to see what there is (how many rows, which
 * levels, where to cut), once into the trainer's memory, whose size is then
 * known.  Small sets are kept from the first reading, so that the query runs
 * once; large ones run again under the same snapshot, and a query that gives
 * other rows the second time is an ERROR.
 *
 * Nothing that is kept depends on the order of rows.
 */
#ifndef GROVE_INTAKE_H
#define GROVE_INTAKE_H

#include "access/tupdesc.h"

#include "../core/sketch.h"
#include "../core/trainer.h"
#include "feature.h"
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

/* Names of the columns that are not features; NULL: none. */
typedef struct GroveIntakeRoles
{
	const char *target;
	const char *weight;
	const char *margin;
	const char *validation;
	Datum	   *ignore;			/* [n_ignore] text */
	int			n_ignore;
} GroveIntakeRoles;

typedef struct GroveIntake
{
	MemoryContext context;
	GroveProgress *progress;	/* of the training */
	char	   *query;
	int			n_features;
	GroveIntakeColumn *features;	/* [n_features] */
	int			n_cuts;
	GroveIntakeCut *cuts;		/* [n_cuts] after grovepg_intake_cut() */
	GroveIntakeColumn target;
	GroveIntakeColumn weight;
	GroveIntakeColumn margin;
	GroveIntakeColumn validation;

	/* what the first reading saw */
	uint64		n_rows;
	uint64		n_validation;
	uint64		content;		/* sum of the rows' hashes */
	int			n_margins;		/* elements of the margin column, the same in every row */
	bool		target_integer; /* the target has an integer type */
	GroveLevels *classes;		/* distinct targets, as long as they are few enough to be classes */
	double	   *class_value;	/* [GROVE_MAX_CLASSES] numeric target: their values by code */
	bool		too_many_classes;
	double		centre;			/* median of a numeric target */
	GroveSketch sketch;
	void	   *scratch;

	/* rows kept from the first reading, or NULL */
	double	   *kept;			/* [n_rows][width] */
	uint64	   *kept_hash;
	uint64		kept_capacity;
	uint32		width;			/* doubles of a record */

	/* while reading */
	double	   *record;
	GroveTrainer *trainer;		/* second reading */
	double	   *tile;			/* [n_cuts][GROVE_TILE_ROWS] */
	uint32		tile_first;
	uint32		tile_rows;
	uint64	   *hashes;			/* [n_rows] content, second reading */
	const uint32 *class_of;		/* class index by code; NULL: regression */
	double		positive_weight;	/* factor for rows of class 1 */
} GroveIntake;

/* Resolves the columns; ERROR for those that are missing or of a wrong type. */
extern GroveIntake *grovepg_intake_begin(const char *query, const GroveIntakeRoles *roles, GroveProgress *progress);

/* First reading. */
extern void grovepg_intake_scan(GroveIntake *intake);

/*
 * Cuts the features; returns bins[n_cuts], palloc'd.  A categorical feature
 * keeps its max_bin most frequent levels; when max_bin is 255, further ones,
 * 4,064 in all, as long as they have min_count rows and the ones before cover
 * less than 99 % of the rows.  The others count as missing.  Up to 255 levels
 * are one column of the matrix, more are cut into several of 254.
 */
extern GroveFeatureBins *grovepg_intake_cut(GroveIntake *intake, uint32 max_bin, uint64 min_count);

/*
 * Second reading: matrix, label, weight, score (margins, else 0), identity and
 * validation of the trainer.
 */
extern void grovepg_intake_fill(GroveIntake *intake, GroveTrainer *trainer, const uint32 *class_of,
								double positive_weight);

#endif							/* GROVE_INTAKE_H */
