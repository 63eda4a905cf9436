/*
 * pg_grove.h: what the server layer shares.  Every file of src/pg includes
 * this first; it brings postgres.h and the version differences.
 */
#ifndef PG_GROVE_H
#define PG_GROVE_H

#include "postgres.h"

#include "fmgr.h"

#include "pg_compat.h"

#include "../core/grove_core.h"

/* guc.c: settings */
extern int	grovepg_max_memory_kb;	/* grove.max_memory; -1: maintenance_work_mem */
extern int	grovepg_model_cache_kb; /* grove.model_cache_size */
extern int	grovepg_max_workers;	/* grove.max_workers; -1: max_parallel_maintenance_workers */
extern int	grovepg_min_parallel_cells; /* grove.min_parallel_cells */
extern void grovepg_guc_init(void);
extern Size grovepg_max_memory(void);	/* bytes that one training may use */

/*
 * errors.c: status of a core function -> ereport(ERROR).  rule and offset, if
 * any, become the detail of a damaged model.
 */
extern void grovepg_error_status(GroveStatus status, const char *rule, size_t offset) pg_attribute_noreturn();

#define GROVEPG_DAMAGED_HINT	"Train it again, or take it from a backup; a model must be stored and copied as it is, byte for byte."

#endif							/* PG_GROVE_H */
