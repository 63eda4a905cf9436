/*
 * catalogue.h: how good lists of items are, and how much of a catalogue they
 * show: metrics of the k best rows of each group (of a user's or a query's
 * candidates).
 *
 * ndcg              mean over groups, ties share their discounts; a group
 *                   without gain has 0
 * recall            mean over groups with something relevant (truth > 0):
 *                   relevant rows among the k best / relevant rows
 * long_tail_recall  the same, of the relevant rows whose item is in the tail
 * catalogue_coverage items among the k best of any group / items
 *
 * Tail: the items by falling popularity, without those that come first until
 * they have GROVE_CATALOGUE_HEAD of the sum; items as popular as the last of
 * these are in the head, too.  Popularity should be counted where the
 * model was trained, not where it is judged.
 *
 * Among equal scores the k best are those of the lowest hash of the item, so
 * they do not depend on the order of rows.  Groups and items are known by a
 * 64-bit hash each.
 */
#ifndef GROVE_CATALOGUE_H
#define GROVE_CATALOGUE_H

#include "evaluate.h"

#define GROVE_CATALOGUE_HEAD	0.8
#define GROVE_CATALOGUE_RESULTS 4

typedef struct GroveCatalogueRow
{
	uint64_t	group;
	uint64_t	item;
	double		score;			/* finite */
	double		truth;			/* >= 0, finite */
	double		popularity;		/* >= 0, finite; the same for all rows of an item */
} GroveCatalogueRow;

/* Order of the rows: by group, then the best first. */
extern int	grove_catalogue_compare(const GroveCatalogueRow *a, const GroveCatalogueRow *b);

/* An item, its popularity, and whether it was shown. */
typedef struct GroveCatalogueItem
{
	uint64_t	item;
	double		popularity;
	bool		shown;
} GroveCatalogueItem;

/* By item. */
extern int	grove_catalogue_compare_items(const GroveCatalogueItem *a, const GroveCatalogueItem *b);

/* Leaves one of sorted neighbours of one item; GROVE_ERR_DATA when their popularities differ. */
extern GroveStatus grove_catalogue_distinct(GroveCatalogueItem *items, size_t *n);

/* By falling popularity. */
extern int	grove_catalogue_compare_popularity(const GroveCatalogueItem *a, const GroveCatalogueItem *b);

/* Items that are less popular than this are in the tail; items sorted by falling popularity. */
extern double grove_catalogue_tail(const GroveCatalogueItem *items, size_t n);

/* A mean over groups. */
typedef struct GroveCatalogueMean
{
	uint64_t	groups;
	double		sum;
	double		lost;
	double		squares;
	double		squares_lost;
} GroveCatalogueMean;

typedef struct GroveCatalogue
{
	uint64_t	k;
	bool		has_tail;
	double		tail;			/* of grove_catalogue_tail() */
	GroveCatalogueMean ndcg;
	GroveCatalogueMean recall;
	GroveCatalogueMean tail_recall;
} GroveCatalogue;

/* Adds the rows of one group, sorted; the first k are those that are shown.  truths: room for n. */
extern void grove_catalogue_add(GroveCatalogue *catalogue, const GroveCatalogueRow *rows, size_t n, double *truths);

/* The metrics with 95 % intervals over groups; returns how many. */
extern int	grove_catalogue_results(const GroveCatalogue *catalogue, uint64_t shown, uint64_t items,
									GroveEvaluated results[GROVE_CATALOGUE_RESULTS]);

#endif							/* GROVE_CATALOGUE_H */
