/*
 * pg_compat.h: differences between PostgreSQL 13 and 18, the only file that
 * looks at PG_VERSION_NUM.  Each entry names the major that changed it.
 */
#ifndef PG_COMPAT_H
#define PG_COMPAT_H

#if PG_VERSION_NUM < 130000
#error "pg_grove needs PostgreSQL 13 or newer"
#endif

/* 16: the varlena macros moved out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 15: reserving a prefix warns about unknown settings under it */
#if PG_VERSION_NUM >= 150000
#define grovepg_guc_reserve(prefix)	MarkGUCPrefixReserved(prefix)
#else
#define grovepg_guc_reserve(prefix)	EmitWarningsOnPlaceholders(prefix)
#endif

/* 14: SPI takes a receiver of the rows; before, a portal is run into it */
#if PG_VERSION_NUM >= 140000
#define GROVEPG_SPI_HAS_RECEIVER 1
#endif

/* 16: a sort of datums asks whether to copy what it returns; before, it always did */
#if PG_VERSION_NUM >= 160000
#define grovepg_tuplesort_getdatum(sort, value, is_null)	tuplesort_getdatum(sort, true, true, value, is_null, NULL)
#else
#define grovepg_tuplesort_getdatum(sort, value, is_null)	tuplesort_getdatum(sort, true, value, is_null, NULL)
#endif

/* 14: what a role may read has a name of another form */
#if PG_VERSION_NUM < 140000
#define ROLE_PG_READ_ALL_STATS	DEFAULT_ROLE_READ_ALL_STATS
#endif

/* 14: a backend can look at what it shows of itself */
#if PG_VERSION_NUM >= 140000
#define GROVEPG_HAS_OWN_BEENTRY 1
#endif

/* 16: entries of the local copy of backend states are told apart by index and by backend */
#if PG_VERSION_NUM >= 160000
#define grovepg_local_beentry(i)	pgstat_get_local_beentry_by_index(i)
#else
#define grovepg_local_beentry(i)	pgstat_fetch_stat_local_beentry(i)
#endif

/* 16: parsing a qualified name takes a context for soft errors */
#if PG_VERSION_NUM >= 160000
#define grovepg_name_list(text)		stringToQualifiedNameList(text, NULL)
#else
#define grovepg_name_list(text)		stringToQualifiedNameList(text)
#endif

/* 17: old_snapshot_threshold is gone; before, who reads a page asks whether it was pruned beyond his snapshot */
#if PG_VERSION_NUM >= 170000
#define grovepg_test_old_snapshot(snapshot, relation, page)	((void) (snapshot), (void) (relation), (void) (page))
#else
#define grovepg_test_old_snapshot(snapshot, relation, page)	TestForOldSnapshot(snapshot, relation, page)
#endif

/* 18: the mark of functions that do not return stands in front, and this one is gone */
#ifndef pg_attribute_noreturn
#define pg_attribute_noreturn()	__attribute__((noreturn))
#endif

#endif							/* PG_COMPAT_H */
