/*
 * intake_record.h: what the files of intake share.
 */
#ifndef GROVE_INTAKE_RECORD_H
#define GROVE_INTAKE_RECORD_H

#include "executor/tuptable.h"

#include "intake.h"

/* Places in a record behind the features. */
#define AT_TARGET(in)		((in)->n_features)
#define AT_WEIGHT(in)		((in)->n_features + 1)
#define AT_VALIDATION(in)	((in)->n_features + 2)
#define AT_MARGIN(in)		((in)->n_features + 3)
#define AT_GROUP(in)		((in)->n_features + 3 + (in)->n_margins)	/* 64 bits, not a number */

/* Deforms a row into in->record; returns the hash of its content. */
extern uint64 grovepg_intake_read(GroveIntake *in, TupleTableSlot *slot);

/* intake_groups.c: the groups of a ranking, when the rows are in the trainer. */
extern void grovepg_intake_groups(GroveIntake *in);

/* A numeric target as the bytes under which in->classes knows it. */
extern GroveText grovepg_intake_number_label(double target, uint64 *bits);

#endif							/* GROVE_INTAKE_RECORD_H */
