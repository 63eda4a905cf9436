/*
 * tasks.h: what the files of task bodies share.
 */
#ifndef GROVE_TASKS_H
#define GROVE_TASKS_H

#include "rng.h"
#include "trainer.h"

/* The random bits that decide whether the trees of a bag see a row. */
static inline uint32_t
grove_tasks_bag_bits(uint32_t identity, uint32_t bag_key)
{
	return (uint32_t) (grove_rng_mix(identity ^ ((uint64_t) bag_key << 32)) >> 32);
}

/* Rows of a chunk: first, and how many. */
static inline uint32_t
grove_tasks_chunk_rows(const GroveTrainer *trainer, uint32_t chunk, uint32_t *first)
{
	uint32_t	n = trainer->shared->dims.n_rows;

	*first = chunk * GROVE_HIST_CHUNK;
	return n - *first < GROVE_HIST_CHUNK ? n - *first : GROVE_HIST_CHUNK;
}

/* Counts what copies[] says of a chunk's rows. */
extern void grove_tasks_count(GroveTrainer *trainer, uint32_t chunk);

/* Whether any feature of the block may be used by the tree. */
extern bool grove_tasks_block_used(const GroveTrainer *trainer, uint32_t block);

/* Accumulators of a block for at most a chunk of entries, in this worker's scratch. */
extern void grove_tasks_accumulate(GroveTrainer *trainer, uint32_t worker, const GroveBlock *block,
								   const GroveEntry *entries, uint32_t n);

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
extern void grove_tasks_out(GroveTrainer *trainer, uint32_t leaf);

/* tasks_select.c: choosing rows by their gradients. */
extern void grove_tasks_weigh(GroveTrainer *trainer, uint32_t chunk);
extern void grove_tasks_rate(GroveTrainer *trainer, uint32_t worker, uint32_t chunk);
extern void grove_tasks_draw(GroveTrainer *trainer, uint32_t chunk);

/* tasks_rank.c: groups of a ranking. */
extern void grove_tasks_rank(GroveTrainer *trainer, uint32_t chunk);

#endif							/* GROVE_TASKS_H */
