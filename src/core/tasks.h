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

	*first = chunk * trainer->shared->chunk_rows;
	return n - *first < trainer->shared->chunk_rows ? n - *first : trainer->shared->chunk_rows;
}

/* Counts what copies[] says of a chunk's rows. */
extern void grove_tasks_count(GroveTrainer *trainer, uint32_t chunk);

/*
 * tasks_hist.c: adds entries to this worker's sums of all blocks; the first
 * addition of a histogram (epoch) overwrites what is left of the one before.
 */
extern void grove_tasks_add(GroveTrainer *trainer, uint32_t worker, const GroveEntry *entries, uint32_t n);

/* Adds those rows of a leaf that are of one part to the histogram that SPLIT builds of it. */
extern void grove_tasks_add_part(GroveTrainer *trainer, uint32_t worker, uint32_t leaf, uint32_t part);

/* The whole histogram of a leaf of at most a chunk of rows, into a slot of a small one. */
extern void grove_tasks_build(GroveTrainer *trainer, uint32_t worker, uint32_t leaf, int32_t slot);

/* Sums of a feature: of a slot; of what the workers built. */
extern void grove_tasks_load(const GroveTrainer *trainer, int32_t slot, uint32_t feature, GroveBinSums *sums);
extern void grove_tasks_store(const GroveTrainer *trainer, int32_t slot, uint32_t feature, const GroveBinSums *sums);
extern void grove_tasks_collect(const GroveTrainer *trainer, uint32_t feature, GroveBinSums *sums);

/* The slot in which FIND sees a child of at most a chunk: its own, or one of the two that are not kept. */
extern int32_t grove_tasks_slot(const GroveTrainer *trainer, uint32_t leaf, bool built);

/* tasks_split.c: the phases that split a leaf. */
extern void grove_tasks_split(GroveTrainer *trainer, uint32_t worker, uint32_t task);
extern void grove_tasks_find(GroveTrainer *trainer, uint32_t feature);
extern void grove_tasks_leaves(GroveTrainer *trainer, uint32_t part);
extern void grove_tasks_out(GroveTrainer *trainer, uint32_t leaf);

/* tasks_select.c: choosing rows by their gradients. */
extern void grove_tasks_weigh(GroveTrainer *trainer, uint32_t chunk);
extern void grove_tasks_rate(GroveTrainer *trainer, uint32_t worker, uint32_t chunk);
extern void grove_tasks_draw(GroveTrainer *trainer, uint32_t chunk);

/* tasks_rank.c: groups of a ranking. */
extern void grove_tasks_rank(GroveTrainer *trainer, uint32_t chunk);

#endif							/* GROVE_TASKS_H */
