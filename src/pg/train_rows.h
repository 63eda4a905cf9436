/*
 * train_rows.h: grove.feature_rows, rows of a target and its features as a
 * value: one row from features(), all rows of a group while train_agg()
 * gathers them.
 *
 * In memory, many rows are an expanded object that grows in place; between
 * processes and nodes they travel as portable bytes.  Bytes from outside are
 * checked when they are read: every value that exists is valid.
 */
#ifndef GROVE_TRAIN_ROWS_H
#define GROVE_TRAIN_ROWS_H

#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/expandeddatum.h"
#include "utils/jsonb.h"

#include "feature.h"

#define GROVE_TRAIN_ROWS_TARGET	"target"	/* name of the first column */

/* One column; the first is the target. */
typedef struct GroveTrainRowsColumn
{
	char	   *name;
	char	   *type_name;		/* of an enum type; NULL: that of type */
	Oid			type;			/* a type of the server that feature.h lists; InvalidOid: an enum type */
	GroveFeatureKind kind;
} GroveTrainRowsColumn;

/* The parts of a value. */
typedef struct GroveTrainRows
{
	const uint8 *head;			/* columns */
	Size		head_size;
	Jsonb	   *params;			/* of the training; NULL: none */
	uint64		n_rows;
	const uint8 *rows;
	Size		rows_size;
} GroveTrainRows;

/* Appends what a value with these columns and one row begins with; the row follows. */
extern void grovepg_train_rows_head(StringInfo out, const GroveTrainRowsColumn *columns, int n);

/* Appends the next value of a row. */
extern void grovepg_train_rows_number(StringInfo out, double value);	/* NaN: missing */
extern void grovepg_train_rows_label(StringInfo out, const GroveText *label);	/* NULL: missing */

/* The parts of a datum, in the current memory context or where the datum is. */
extern void grovepg_train_rows_open(Datum datum, GroveTrainRows *parts);

/* The columns of a value, palloc'd. */
extern GroveTrainRowsColumn *grovepg_train_rows_columns(const GroveTrainRows *parts, int *n);

/*
 * Argument 0 of an aggregate's function with the rows of another value behind
 * its own; a new value when it is NULL.  ERROR for other columns or params
 * than before (params NULL: those of the other), and for more memory than allowed.
 */
extern Datum grovepg_train_rows_append(FunctionCallInfo fcinfo, const GroveTrainRows *other, Jsonb *params);

/* A row as the intake of training reads it: numbers are float8, labels text, boolean ones bool. */
extern TupleDesc grovepg_train_rows_desc(const GroveTrainRowsColumn *columns, int n);

/* Stores a row into a virtual slot of that many columns; returns where the next row begins. */
extern const uint8 *grovepg_train_rows_store(const uint8 *row, const GroveTrainRowsColumn *columns, TupleTableSlot *slot);

#endif							/* GROVE_TRAIN_ROWS_H */
