/*
 * import.h: models of other libraries made into ours, node by node.
 *
 * A reader of a foreign format fills trees in whatever order that format has;
 * grovepg_import_tree() checks that they are trees and puts their nodes in our
 * order.  Categories are whole numbers there and become the labels that print
 * them here.  The text is somebody else's: whatever a reader did not check is
 * checked here or by the reader of our own format, through which the finished
 * bytes go.
 */
#ifndef GROVE_IMPORT_H
#define GROVE_IMPORT_H

#include "lib/stringinfo.h"

#include "../core/model.h"

/* A node as it was found.  Of node only value, gain, cover, count, feature and flags are the caller's. */
typedef struct GroveImportNode
{
	GroveNode	node;
	int64		children[2];	/* indexes in the caller's array; [0] < 0: a leaf */
	uint32		first_category; /* categorical split: those that go left, in GroveImport.categories */
	uint32		n_categories;
} GroveImportNode;

typedef struct GroveImport
{
	const char *format;			/* name for errors */
	GroveModel	model;			/* base, params and metrics are the caller's */
	GroveFeature *features;		/* [n_features] name, type_name and kind are the caller's */
	StringInfoData nodes;		/* of GroveNode */
	StringInfoData tree_start;	/* of uint32 */
	StringInfoData splits;		/* of ImportSplit, in the order of their sets */
	StringInfoData categories;	/* of int32 */
} GroveImport;

/* ERROR 22P02: the text is not a model of its format. */
extern void grovepg_import_reject(const GroveImport *import, const char *what) pg_attribute_noreturn();

/* ERROR 0A000: something that our models cannot hold. */
extern void grovepg_import_unsupported(const GroveImport *import, const char *what) pg_attribute_noreturn();

/* In the current context; n_features is checked. */
extern GroveImport *grovepg_import_begin(const char *format, int64 n_features);

/* Remembers a category of the split that is being read. */
extern void grovepg_import_category(GroveImport *import, int32 category);
extern uint32 grovepg_import_categories(const GroveImport *import);

/* Appends a tree whose root is the first of n nodes; those that no node leads to are left out. */
extern void grovepg_import_tree(GroveImport *import, const GroveImportNode *nodes, uint32 n);

/*
 * Task, link and objective; n_outputs above 1 of several classes, and of these
 * alone.  The target is called "target", classes "0" to n - 1.
 */
extern void grovepg_import_objective(GroveImport *import, GroveTask task, GroveLink link, const char *objective,
									 int64 n_outputs);

/* A categorical feature has these labels, too. */
extern void grovepg_import_level(GroveImport *import, uint32 feature, int32 category);

/* The bytes of the model. */
extern bytea *grovepg_import_finish(GroveImport *import);

#endif							/* GROVE_IMPORT_H */
