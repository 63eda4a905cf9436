/*
 * tasks.h: what the files of task bodies share.
 */
#ifndef GROVE_TASKS_H
#define GROVE_TASKS_H

#include "trainer.h"

/* Whether any feature of the block may be used by the tree. */
extern bool grove_tasks_block_used(const GroveTrainer *trainer, uint32_t block);

/*
 * Adds at most a chunk of entries to this worker's sums of a block; the first
 * addition of a histogram (epoch) overwrites what is left of the one before.
 */
extern void grove_tasks_add(GroveTrainer *trainer, uint32_t worker, uint32_t block,
							const GroveEntry *entries, uint32_t n);

/* tasks_split.c: the phases that split a leaf. */
extern void grove_tasks_partition(GroveTrainer *trainer, uint32_t worker, uint32_t task);
extern void grove_tasks_hist(GroveTrainer *trainer, uint32_t worker, uint32_t task);
extern void grove_tasks_find(GroveTrainer *trainer, uint32_t feature);
extern void grove_tasks_leaves(GroveTrainer *trainer, uint32_t leaf);

/* tasks_rank.c: groups of a ranking. */
extern void grove_tasks_rank(GroveTrainer *trainer, uint32_t chunk);

#endif							/* GROVE_TASKS_H */
