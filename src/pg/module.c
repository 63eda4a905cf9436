/*
 * module.c: what the server calls when it loads the library.
 */
#include "pg_grove.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	grovepg_guc_init();
}
