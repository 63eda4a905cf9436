/*
 * server_shim.h: as much of a server as files of src/pg need that read bytes
 * from outside.
 *
 * They are compiled with the server's own headers; server_shim.c stands in for
 * its memory contexts, errors and expanded objects.  Every piece of memory is
 * one of malloc(), of its exact size, for a sanitizer to watch.
 */
#ifndef SERVER_SHIM_H
#define SERVER_SHIM_H

#include "../../src/pg/pg_grove.h"

/*
 * Runs a function; false when it ended with an ERROR, whose code is in
 * shim_sqlstate.  One without a code, an internal error, ends the program.
 */
extern bool shim_try(void (*function) (void *arg), void *arg);
extern int	shim_sqlstate;

/* Gives back all memory. */
extern void shim_reset(void);

#endif							/* SERVER_SHIM_H */
