/*
 * prune_job.h: what the files of grove.prune share.
 *
 *   prune_request.c   arguments -> PruneRequest: what was asked for
 *   prune_options.c   the options of single methods
 *   prune_cells.c     rows -> cells: strata, classes, counts, which units stay
 *   prune_refuse.c    designs that ask for the impossible
 *   prune_class.c     the positive class of method negatives
 *   prune_weight.c    the weights of method weighted
 *   prune_guide.c     what a model says of a row, for methods surprise, gradient and noise
 *   prune_spread.c    standard deviations for Neyman allocation
 *   prune_units.c     distinct keys of an exact size, sorted
 *   prune_groups.c    rows -> groups of equal rows, for method duplicates
 *   fn_prune.c        the SQL functions: the rows that stay, the plan
 */
#ifndef GROVE_PRUNE_JOB_H
#define GROVE_PRUNE_JOB_H

#include "access/attnum.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "../core/params.h"
#include "../core/prune.h"
#include "keys.h"
#include "reread.h"

typedef struct PruneRequest
{
	GrovePruneDesign design;	/* its "given" part */
	bool		merge;			/* method duplicates: there is no design */
	bool		guided;			/* methods surprise, gradient and noise: by a model */
	bool		flatten;		/* inverse: kept rows have the weight 1 */
	int64		seed;
	const char *method;
	const char *query;
	GroveReread *source;
	TupleDesc	columns;		/* of the source */
	AttrNumber	target;			/* 0: not given */
	AttrNumber	spread;			/* Neyman allocation; 0: none */
	const char *positive_class; /* NULL: the target value that sorts last */
	List	   *ignore;			/* duplicates, guided: names (char *) of columns that are no features */
	GroveParams training;		/* duplicates: how features are cut; guided: how pilots are trained */

	/* guided */
	bool		has_model;		/* then no pilot is trained */
	Datum		model;
	const char *task;			/* of the pilots */
	int			folds;
	int64		pilot_rows;
	double		lambda;			/* gradient */

	/*
	 * Columns of the source that decide: key columns, by columns, target.
	 * A slot of a visit that asks for all of them has column i at places[i].
	 */
	int			n_key;
	int			n_by;
	int			n_columns;
	AttrNumber *deciding;
} PruneRequest;

/* Checks every argument; both SQL functions take the same ones. */
extern PruneRequest *grovepg_prune_request(FunctionCallInfo fcinfo);

/* Reads "params"; NULL: not given. */
extern void grovepg_prune_options(PruneRequest *request, Jsonb *params);

/* Index of a name in a list, or -1. */
extern int	grovepg_prune_find_name(const char *name, const char *const *names, int n);

/* Method negatives: the positive class of the target. */
typedef struct PruneClass PruneClass;

/* The class that was asked for, or, after a visit of its own, the one that sorts last. */
extern PruneClass *grovepg_class_positive(PruneRequest *request);

/* Is a target value of the positive class?  A null or NaN is an ERROR. */
extern bool grovepg_class_equal(const PruneClass *positive, Datum value, bool null);

/* ERROR 22023 that lists the classes: no row is of the one that was asked for. */
extern void grovepg_class_missing(const PruneClass *positive, const char *wanted) pg_attribute_noreturn();

/* Method weighted: the column with the weights, which is the only one of "by". */
typedef struct PruneWeight PruneWeight;

extern PruneWeight *grovepg_weight_begin(const PruneRequest *request);

/* The weight of a row: 0 or more, perhaps infinite.  A null, a NaN and a negative one are an ERROR. */
extern double grovepg_weight_read(const PruneWeight *weight, Datum value, bool null);

/* ERROR 22000: rows that live and die together have different weights. */
extern void grovepg_weight_differs(const PruneWeight *weight) pg_attribute_noreturn();

/* Methods surprise, gradient and noise: the model, and what it says of a row. */
typedef struct PruneGuide PruneGuide;

typedef struct PruneGuideRow
{
	uint32		code;			/* with the class it tells the cell */
	uint32		class;			/* 1: the positive one of two */
} PruneGuideRow;

/* Trains the pilots, if no model is given; may visit the source. */
extern PruneGuide *grovepg_guide_begin(PruneRequest *request);

/* 2 when each code has a cell for either class, else 1. */
extern uint32 grovepg_guide_classes(const PruneGuide *guide);

/* The cell of a row, of which the slot has all columns of the source. */
extern void grovepg_guide_row(PruneGuide *guide, TupleTableSlot *slot, PruneGuideRow *row);

/* The size of a cell. */
extern double grovepg_guide_size(const PruneGuide *guide, uint32 code, uint32 class);

/* Noise: the class of the rows of a code. */
extern uint32 grovepg_guide_group(const PruneGuide *guide, uint32 code);

/* When all cells have their rows and sizes: sizes that depend on those of the others. */
extern void grovepg_guide_finish(const PruneGuide *guide, GrovePruneCell *cells, uint32 n_cells, const uint32 *order);

/* ERROR: why the core found no design for these cells, and which number would do. */
extern void grovepg_prune_refuse(const PruneRequest *request, GroveStatus status, const GrovePruneCell *cells,
								 uint32 n_cells, uint32 n_strata);

typedef struct PruneCells PruneCells;

/*
 * Counts the rows and fills the design: what every row's probability will be.
 * Without need_counts the rows are not counted when nothing depends on it.
 */
extern PruneCells *grovepg_prune_cells(PruneRequest *request, bool need_counts);

/* Number of the stratum with these values of the by columns. */
extern uint32 grovepg_prune_stratum(const PruneCells *cells, const Datum *values, const bool *nulls);

/* Neyman allocation: fills strata[].spread; two visits. */
extern void grovepg_prune_spread(PruneRequest *request, const PruneCells *cells, uint32 n_strata,
								 GrovePruneCell *strata);

/* What happens to one row. */
typedef struct PruneFate
{
	bool		kept;
	double		pi;				/* of a row that is kept, as what follows */
	double		log_offset;
} PruneFate;

/* Decides about a row of a visit that asked for the deciding columns. */
extern void grovepg_prune_decide(PruneCells *cells, TupleTableSlot *slot, const AttrNumber *places, PruneFate *fate);

/* After a visit that decided about every row: ERROR when it met other rows than were counted. */
extern void grovepg_prune_check(const PruneCells *cells);

/* The manifest; *units is -1 when keys were not counted. */
extern void grovepg_prune_summarize(const PruneCells *cells, GrovePruneSummary *summary,
									int64 *units, int64 *n_strata);

/* Method duplicates: the rows of a source in groups of equal ones. */
typedef struct PruneGroups PruneGroups;

/* Visits the rows until the groups are known, and, to choose, which row of each stays. */
extern PruneGroups *grovepg_prune_groups(PruneRequest *request, bool choose);

/* Rows that a row of a whole visit stands for; 0: another one of its group stays. */
extern uint64 grovepg_prune_groups_weight(PruneGroups *groups, TupleTableSlot *slot);

/* After a visit that asked for every row: ERROR when it met other rows than before. */
extern void grovepg_prune_groups_check(const PruneGroups *groups);

extern void grovepg_prune_groups_summarize(const PruneGroups *groups, GrovePruneSummary *summary);

#endif							/* GROVE_PRUNE_JOB_H */
