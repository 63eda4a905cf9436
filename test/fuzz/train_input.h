/*
 * train_input.h: bytes as a small training: a table and how to train on it.
 *
 * Every case is one that the server would accept, and odd within that: values,
 * targets, weights and margins at the ends of what is let in, options at the
 * ends of their ranges (params.def), combinations that the server refuses left
 * out.  A byte that is not there is 0; the bytes of the rows are used again and
 * again until the table is full, so that short inputs make large tables.
 */
#ifndef TRAIN_INPUT_H
#define TRAIN_INPUT_H

#include "engine_kit.h"

typedef struct TrainInput
{
	KitCase		kase;
	KitSchedule schedule;
	GroveTask	task;
	GroveLink	link;
	const char *objective;
} TrainInput;

/* False when the bytes are too few to be a case. */
extern bool train_input_make(TrainInput *input, const uint8_t *data, size_t size);
extern void train_input_free(TrainInput *input);

#endif							/* TRAIN_INPUT_H */
