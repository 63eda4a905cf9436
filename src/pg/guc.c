/*
 * guc.c: the settings of the extension.
 */
#include "pg_grove.h"

#include <limits.h>

#include "miscadmin.h"
#include "postmaster/bgworker_internals.h"
#include "utils/guc.h"

int			grovepg_max_memory_kb = -1;
int			grovepg_model_cache_kb = 64 * 1024;
int			grovepg_max_workers = -1;
int			grovepg_min_parallel_cells = 2000000;

void
grovepg_guc_init(void)
{
	/*
	 * grove.max_memory: what one training may allocate, computed and compared
	 * before anything is allocated.  -1, the default, follows
	 * maintenance_work_mem.
	 */
	DefineCustomIntVariable("grove.max_memory",
							"Memory that one training may use.",
							"-1 means maintenance_work_mem.",
							&grovepg_max_memory_kb,
							-1, -1, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);

	/*
	 * grove.model_cache_size: parsed models that a backend keeps for
	 * prediction.  A model larger than this is parsed for every statement.
	 */
	DefineCustomIntVariable("grove.model_cache_size",
							"Memory for parsed models in each backend.",
							NULL,
							&grovepg_model_cache_kb,
							64 * 1024, 0, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB,
							NULL, NULL, NULL);

	/*
	 * grove.max_workers: parallel workers of one training, beside the backend
	 * itself.  They come out of max_parallel_workers; when fewer are free,
	 * training runs with those.  The model is the same for any number.
	 */
	DefineCustomIntVariable("grove.max_workers",
							"Parallel workers that one training may use.",
							"-1 means max_parallel_maintenance_workers.",
							&grovepg_max_workers,
							-1, -1, MAX_PARALLEL_WORKER_LIMIT,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	/*
	 * grove.min_parallel_cells: starting a worker takes about as long as
	 * training on a few million values; smaller sets are trained by the
	 * backend alone.
	 */
	DefineCustomIntVariable("grove.min_parallel_cells",
							"Rows times features from which on training uses parallel workers.",
							NULL,
							&grovepg_min_parallel_cells,
							2000000, 0, INT_MAX,
							PGC_USERSET, 0,
							NULL, NULL, NULL);

	grovepg_guc_reserve("grove");
}

Size
grovepg_max_memory(void)
{
	int			kb = grovepg_max_memory_kb >= 0 ? grovepg_max_memory_kb : maintenance_work_mem;

	return (Size) kb * 1024;
}
