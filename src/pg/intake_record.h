/*
 * intake_record.h: what the files of intake share.
 *
 * Rows are gathered in a tile of up to GROVE_TILE_ROWS records that stand
 * column by column, so that what is done to every value is done in loops over
 * the values of one column.
 */
#ifndef GROVE_INTAKE_RECORD_H
#define GROVE_INTAKE_RECORD_H

#include "executor/tuptable.h"

#include "intake.h"

/* malloc() maps a piece of more than 32 MB for itself, so that freeing it gives it back to the system. */
#define GROVE_MAPPED_BYTES	(33 * 1024 * 1024)

/* Places in a record behind the features. */
#define AT_TARGET(in)		((in)->n_features)
#define AT_WEIGHT(in)		((in)->n_features + 1)
#define AT_VALIDATION(in)	((in)->n_features + 2)
#define AT_MARGIN(in)		((in)->n_features + 3)
#define AT_GROUP(in)		((in)->n_features + 3 + (in)->n_margins)	/* 64 bits, not a number */

/* The values of a place, row by row. */
static inline double *
grovepg_intake_column(const GroveIntake *in, int place)
{
	return in->tile + (Size) place * GROVE_TILE_STRIDE;
}

/* intake_record.c: deforms a row into row in->tile_rows of the tile, whose numbers are finite after the hash. */
extern void grovepg_intake_read_row(GroveIntake *in, TupleTableSlot *slot);

/* Hashes of the content of the tile's first n rows into in->tile_hash. */
extern void grovepg_intake_hash(GroveIntake *in, uint32 n);

/* Deforms a row into the first row of the tile, which holds no others; returns the hash of its content. */
extern uint64 grovepg_intake_read(GroveIntake *in, TupleTableSlot *slot);

/* Code of a numeric target in in->classes, -1 when it is not there. */
extern int64 grovepg_intake_class_code(GroveIntake *in, double target);

#define GROVE_NO_RANK	PG_UINT32_MAX

/* intake_cut.c: rank of a level that the model tells apart; GROVE_NO_RANK: it counts as missing, which has that, too. */
extern uint32 grovepg_intake_level_rank(const GroveIntakeColumn *c, uint32 code);

/* The bins of n levels in a column of the matrix. */
extern void grovepg_intake_rank_bins(const GroveIntakeCut *cut, const uint32 *ranks, uint8 *out, uint32 n);

/* intake_kept.c: keeps the tile's first n rows. */
extern void grovepg_intake_keep(GroveIntake *in, uint32 n);
extern Size grovepg_intake_kept_memory(const GroveIntakeKept *kept);
extern void grovepg_intake_kept_free(GroveIntakeKept *kept);

/* Bins the rows that are kept; false when they must be read again. */
extern bool grovepg_intake_narrow(GroveIntake *in, const GroveFeatureBins *bins);

/*
 * Tile t of the kept rows, one after the other: hashes and all but features
 * into the tile, bins column by column; returns its number of rows, 0 after
 * the last.  The memory of tiles that have been shown is given back.
 */
extern uint32 grovepg_intake_kept_tile(GroveIntake *in, uint32 t, uint8 *bins);

/* intake_groups.c: the groups of a ranking, when the rows are in the trainer. */
extern void grovepg_intake_groups(GroveIntake *in);

#endif							/* GROVE_INTAKE_RECORD_H */
