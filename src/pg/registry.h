/*
 * registry.h: models by name, the rows of grove.models.
 *
 * Reading follows the table's row security: a role finds the names that it
 * owns or was granted, and others are as if they were not there.
 */
#ifndef GROVE_REGISTRY_H
#define GROVE_REGISTRY_H

#include "fmgr.h"
#include "utils/array.h"

/*
 * The bytes of the current version of a name (or, with version > 0, of that
 * one) under the active snapshot: a datum that may be toasted, copied into
 * the current context.  ERROR 42704 when there is none that the current role
 * may use.
 */
extern Datum grovepg_registry_model(const char *name, int version);

/* The model argument of a function that takes bytes or a name: the bytes.  The argument is not null. */
extern Datum grovepg_registry_argument(FunctionCallInfo fcinfo, int argument);

/* Whether an argument of the call is a name rather than the bytes. */
extern bool grovepg_registry_is_name(FunctionCallInfo fcinfo, int argument);

/*
 * For functions that are called for every row, mostly with one name: looks the
 * name up again only when the answer may be another one, that is when the name,
 * the role, the snapshot, the command or the subtransaction is not the last
 * call's.  The datum is valid until the next call for the same site.
 */
typedef struct GroveNameSite GroveNameSite;

/* owner: fn_mcxt; the site ends with it. */
extern GroveNameSite *grovepg_registry_site(MemoryContext owner);
extern Datum grovepg_registry_lookup(GroveNameSite *site, Datum name);

/* What changes a name.  The caller's right is checked against its owner; ERROR 42501 without. */
typedef struct GroveRecipe
{
	/* text arguments of train(), or NULL */
	char	   *source;
	char	   *weight;
	char	   *base_margin;
	char	   *group_by;
	char	   *validation;
	ArrayType  *key;			/* columns, or NULL */
	int64		seed;
	double		held_out;		/* share that retrain() kept from the version; 0: it was saved otherwise */
} GroveRecipe;

/* Waits until no other transaction changes the name, to the end of this one.  ERROR 25006 where the call may not write. */
extern void grovepg_registry_lock(FunctionCallInfo fcinfo, const char *name);

/* The next version of a name that is locked.  note: object for metrics->"retrain", or NULL. */
extern int	grovepg_registry_insert(const char *name, Datum model, const GroveRecipe *recipe, bool deploy,
									const char *note);

/*
 * The recipe of the current version of a name that is locked, palloc'd, with its
 * model and target.  ERROR 42501 unless the current role is the owner itself.
 */
extern GroveRecipe *grovepg_registry_recipe(const char *name, Datum *model, char **target);

#endif							/* GROVE_REGISTRY_H */
