/*
 * evaluate_lists.c: see evaluate_lists.h, and core/catalogue.h for the
 * metrics.
 *
 * The rows are scored as they come and kept as 40 bytes each, 24 more for
 * their items, bounded by grove.max_memory; then sorted by group.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/predict.h"
#include "evaluate_lists.h"
#include "evaluator.h"
#include "keys.h"
#include "scorer.h"
#include "source.h"

#define ROW_BYTES	(sizeof(GroveCatalogueRow) + sizeof(GroveCatalogueItem) + sizeof(double))

typedef struct ListJob
{
	MemoryContext context;
	const GroveModel *model;
	const GroveListColumns *names;
	GroveScorer *scorer;
	GroveTruthColumn truth;
	AttrNumber	group;
	AttrNumber	item;			/* 0: none */
	GroveKey   *group_key;
	GroveKey   *item_key;
	GroveNumberColumn popularity;
	uint64		rng_key;
	GroveCatalogueRow *rows;
	size_t		n;
	size_t		capacity;
} ListJob;

static AttrNumber
bind_key(TupleDesc desc, const char *name, const char *role, GroveKey **key)
{
	AttrNumber	column = (AttrNumber) grovepg_source_column(desc, name, role);
	Oid			type = TupleDescAttr(desc, column - 1)->atttypid;

	*key = grovepg_key_make(1, &type);
	return column;
}

/* Receiver: the columns of the source are known. */
static void
start_rows(TupleDesc desc, void *arg)
{
	ListJob    *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->context);

	job->scorer = grovepg_scorer_make(job->model, desc);
	grovepg_truth_bind(&job->truth, job->model, desc);
	job->group = bind_key(desc, job->names->group, "group_by", &job->group_key);
	if (job->names->item != NULL)
		job->item = bind_key(desc, job->names->item, "item", &job->item_key);
	if (job->names->popularity != NULL)
		grovepg_judge_bind(desc, job->names->popularity, "popularity", false, &job->popularity);
	MemoryContextSwitchTo(previous);
}

static void
reject_value(const char *name, const char *what, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("column \"%s\" contains %s", name, what),
			 errhint("%s", wanted)));
}

static uint64
hash_column(ListJob *job, TupleTableSlot *slot, AttrNumber column, GroveKey *key, const char *role)
{
	bool		null;
	Datum		value = slot_getattr(slot, column, &null);

	if (null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s column contains null values", role),
				 errhint("Leave out those rows.")));
	return grovepg_key_hash(key, job->rng_key, &value, &null);
}

static double
row_popularity(ListJob *job, TupleTableSlot *slot)
{
	double		number = -1;

	if (job->names->popularity == NULL)
		return 0;
	if (!grovepg_judge_number(&job->popularity, slot, &number) || !(number >= 0 && isfinite(number)))
		reject_value(job->names->popularity, "a value that is no popularity",
					 "It is a count or a share, 0 for an item that nobody has met.");
	return number;
}

static void
reserve_row(ListJob *job)
{
	if (job->n < job->capacity)
		return;
	if (job->n > 0 && (job->n + 1) * ROW_BYTES > grovepg_max_memory())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("lists of more than %zu rows need more memory than allowed", job->n),
				 errhint("Raise grove.max_memory, which is now %zu kB, or judge a part of the groups.",
						 grovepg_max_memory() / 1024)));
	job->capacity = Min(Max(job->capacity * 2, 1024), Max(grovepg_max_memory() / ROW_BYTES, 1024));
	job->rows = job->rows == NULL ?
		MemoryContextAllocHuge(job->context, job->capacity * sizeof(GroveCatalogueRow)) :
		repalloc_huge(job->rows, job->capacity * sizeof(GroveCatalogueRow));
}

/* Receiver: one row of the source. */
static void
add_row(GroveSlot *slot, void *arg)
{
	ListJob    *job = arg;
	GroveCatalogueRow row;

	CHECK_FOR_INTERRUPTS();
	if (!grovepg_truth_read(&job->truth, slot, &row.truth))
		return;
	if (!(row.truth >= 0 && isfinite(row.truth)))
		reject_value(job->truth.name, "a value that is no gain", "What is relevant has a number above 0, what is not has 0.");
	grovepg_scorer_run(job->scorer, slot);
	row.score = job->model->task == GROVE_TASK_BINARY ? job->scorer->margins[0] :
		grove_predict_value(job->model, job->scorer->margins);
	row.group = hash_column(job, slot, job->group, job->group_key, "group_by");
	row.item = job->item == 0 ? 0 : hash_column(job, slot, job->item, job->item_key, "item");
	row.popularity = row_popularity(job, slot);
	reserve_row(job);
	job->rows[job->n++] = row;
}

static int
compare_rows(const void *a, const void *b, void *arg)
{
	CHECK_FOR_INTERRUPTS();
	return grove_catalogue_compare(a, b);
}

static int
compare_items(const void *a, const void *b, void *arg)
{
	CHECK_FOR_INTERRUPTS();
	return grove_catalogue_compare_items(a, b);
}

static int
compare_popularity(const void *a, const void *b, void *arg)
{
	CHECK_FOR_INTERRUPTS();
	return grove_catalogue_compare_popularity(a, b);
}

/* First row behind the group that starts at a row. */
static size_t
group_end(const ListJob *job, size_t start)
{
	size_t		end = start + 1;

	while (end < job->n && job->rows[end].group == job->rows[start].group)
		end++;
	return end;
}

/* The items, and which of them are among the k best of a group; tells the tail, too. */
static size_t
list_items(const ListJob *job, GroveCatalogue *catalogue, uint64 *shown)
{
	GroveCatalogueItem *items = MemoryContextAllocHuge(job->context, Max(job->n, 1) * sizeof(GroveCatalogueItem));
	size_t		n = job->n;

	for (size_t start = 0; start < job->n;)
	{
		size_t		end = group_end(job, start);

		CHECK_FOR_INTERRUPTS();
		for (size_t i = start; i < end; i++)
			items[i] = (GroveCatalogueItem) {job->rows[i].item, job->rows[i].popularity, i - start < catalogue->k};
		start = end;
	}
	qsort_arg(items, n, sizeof(GroveCatalogueItem), compare_items, NULL);
	if (grove_catalogue_distinct(items, &n) != GROVE_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("popularity column \"%s\" has different values for one item", job->names->popularity),
				 errhint("Join the popularity from a table with one row for each item.")));
	*shown = 0;
	for (size_t i = 0; i < n; i++)
		*shown += items[i].shown;
	if (catalogue->has_tail)
	{
		qsort_arg(items, n, sizeof(GroveCatalogueItem), compare_popularity, NULL);
		catalogue->tail = grove_catalogue_tail(items, n);
	}
	pfree(items);
	return n;
}

int
grovepg_evaluate_lists(const GroveModel *model, const char *source, const GroveListColumns *columns, int64 k,
					   GroveEvaluated results[GROVE_CATALOGUE_RESULTS])
{
	GroveCatalogue catalogue = {0};
	ListJob		job = {0};
	uint64		shown = 0;
	size_t		items = 0;
	double	   *truths;

	if (model->task == GROVE_TASK_MULTICLASS)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a multiclass model has no score to rank by"),
				 errhint("Leave out \"group_by\".")));
	job.context = CurrentMemoryContext;
	job.model = model;
	job.names = columns;
	job.rng_key = grove_rng_key(0, GROVE_PURPOSE_HASH);
	grovepg_source_run(grovepg_source_query(source, NULL), grovepg_source_receiver_lazy(start_rows, add_row, &job));
	if (job.n > 0)
		qsort_arg(job.rows, job.n, sizeof(GroveCatalogueRow), compare_rows, NULL);

	catalogue.k = (uint64) k;
	catalogue.has_tail = columns->popularity != NULL;
	if (columns->item != NULL)
		items = list_items(&job, &catalogue, &shown);
	truths = MemoryContextAllocHuge(job.context, Max(job.n, 1) * sizeof(double));
	for (size_t start = 0; start < job.n;)
	{
		size_t		end = group_end(&job, start);

		CHECK_FOR_INTERRUPTS();
		grove_catalogue_add(&catalogue, job.rows + start, end - start, truths);
		start = end;
	}
	return grove_catalogue_results(&catalogue, shown, items, results);
}
