/*
 * evaluate_lists.h: evaluate() with group_by: a model judged by the lists that
 * it makes.
 */
#ifndef GROVE_EVALUATE_LISTS_H
#define GROVE_EVALUATE_LISTS_H

#include "fmgr.h"

#include "../core/catalogue.h"
#include "../core/model.h"

typedef struct GroveListColumns
{
	const char *group;
	const char *item;			/* or NULL */
	const char *popularity;		/* or NULL */
} GroveListColumns;

/* Scores the rows of a source; returns how many results there are. */
extern int	grovepg_evaluate_lists(const GroveModel *model, const char *source, const GroveListColumns *columns, int64 k,
								   GroveEvaluated results[GROVE_CATALOGUE_RESULTS]);

#endif							/* GROVE_EVALUATE_LISTS_H */
