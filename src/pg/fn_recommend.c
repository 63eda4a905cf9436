/*
 * fn_recommend.c: recommend(), the k items that score best for each user.
 *
 * The server joins: every user with every candidate but the excluded pairs,
 * and computes the features that need both.  What is left to do here is to
 * score the pairs as they come, in any order, and to keep the best k of each
 * user: k entries a user, bounded by grove.max_memory, however many pairs
 * there are.  Equal scores are ordered by the item's key as text, so the
 * result does not depend on the plan.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "../core/predict.h"
#include "arguments.h"
#include "keys.h"
#include "model_cache.h"
#include "registry.h"
#include "rowtype.h"
#include "scorer.h"
#include "source.h"

PG_FUNCTION_INFO_V1(grove_recommend);

#define MAX_ITEMS	10000		/* largest k */
#define FIRST_ITEMS	16			/* room of a new user */

/* A key column of the pairs: how its values become text. */
typedef struct KeyColumn
{
	const char *role;
	AttrNumber	attno;
	bool		by_value;
	int16		length;
	FmgrInfo	output;
} KeyColumn;

typedef struct Entry
{
	double		score;
	char	   *item;
} Entry;

typedef struct User
{
	char	   *key;			/* hash key */
	int			n;
	int			capacity;
	Entry	   *best;			/* [capacity], best first */
} User;

typedef struct RecommendJob
{
	MemoryContext context;
	const GroveModel *model;
	int			k;
	GroveScorer *scorer;
	KeyColumn	user_key;
	KeyColumn	item_key;
	HTAB	   *users;
	User	   *last;			/* the user of the row before, or NULL */
	Datum		last_key;
} RecommendJob;

/* One side of the join. */
typedef struct Side
{
	const char *role;			/* the argument's name */
	char	   *query;
	TupleDesc	columns;
	char	   *key;			/* name of its key column */
} Side;

static uint32
hash_key(const void *key, Size size)
{
	const char *text = *(char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) text, (int) strlen(text)));
}

static int
compare_keys(const void *a, const void *b, Size size)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool
has_column(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped && strcmp(NameStr(column->attname), name) == 0)
			return true;
	}
	return false;
}

/* Reads the source and key arguments of one side; without a key it is the table's primary key. */
static void
get_side(FunctionCallInfo fcinfo, int source, int key, Side *side)
{
	Oid			relation;
	List	   *names;

	side->query = grovepg_source_query(grovepg_argument_text(fcinfo, source, side->role), &relation);
	side->columns = grovepg_source_columns(side->query);
	if (!PG_ARGISNULL(key))
		side->key = text_to_cstring(PG_GETARG_TEXT_PP(key));
	else if (!OidIsValid(relation))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a query as \"%s\" needs the name of its key column", side->role),
				 errhint("Name it, for example %s => 'id'.", source == 1 ? "user_key" : "item_key")));
	else
	{
		names = grovepg_key_columns(NULL, relation);
		if (list_length(names) != 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the primary key of \"%s\" has %d columns", get_rel_name(relation), list_length(names)),
					 errhint("Name one column that identifies a row, for example %s => 'id'.",
							 source == 1 ? "user_key" : "item_key")));
		side->key = linitial(names);
	}
	grovepg_source_column(side->columns, side->key, "key");
}

/* The table that pairs come from, behind SELECT. */
static char *
from_clause(const Side *users, const Side *items, const char *pair)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "FROM (%s\n) AS u CROSS JOIN (%s\n) AS i", users->query, items->query);
	if (pair != NULL)
		appendStringInfo(&text, " CROSS JOIN LATERAL (SELECT %s\n) AS p", pair);
	return text.data;
}

/* Where a feature comes from: "p" before "u" and "i", of which only one may have it. */
static const char *
feature_alias(const char *name, TupleDesc pair, const Side *users, const Side *items)
{
	bool		of_user = has_column(users->columns, name);
	bool		of_item = has_column(items->columns, name);

	if (pair != NULL && has_column(pair, name))
		return "p";
	if (of_user && of_item)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("users and candidates both have a column \"%s\"", name),
				 errdetail("The model was trained with it as a feature."),
				 errhint("Leave it out of one of them, or say which: pair => 'u.%s'.", quote_identifier(name))));
	if (!of_user && !of_item)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("neither users nor candidates have a column \"%s\"", name),
				 errdetail("The model was trained with it as a feature."),
				 errhint("A feature of a user and an item together is an expression over u and i, for example pair => 'i.price / u.budget AS %s'.",
						 quote_identifier(name))));
	return of_user ? "u" : "i";
}

/* The query whose rows are the pairs: features by their names, then the two keys. */
static char *
pairs_query(const GroveModel *model, const Side *users, const Side *items, const char *pair, const char *exclude)
{
	char	   *from = from_clause(users, items, pair);
	TupleDesc	pair_columns = NULL;
	StringInfoData text;

	if (pair != NULL)
		pair_columns = grovepg_source_columns(grovepg_source_query(psprintf("SELECT p.* %s", from), NULL));
	initStringInfo(&text);
	appendStringInfoString(&text, "SELECT ");
	for (uint32 i = 0; i < model->n_features; i++)
	{
		char	   *name = grovepg_model_text(model->features[i].name);

		appendStringInfo(&text, "%s.%s, ", feature_alias(name, pair_columns, users, items), quote_identifier(name));
	}
	appendStringInfo(&text, "u.%s, i.%s %s", quote_identifier(users->key), quote_identifier(items->key), from);
	if (exclude != NULL)
	{
		char	   *query = grovepg_source_query(exclude, NULL);
		TupleDesc	columns = grovepg_source_columns(query);

		grovepg_source_column(columns, users->key, "exclude");
		grovepg_source_column(columns, items->key, "exclude");
		appendStringInfo(&text, " WHERE NOT EXISTS (SELECT FROM (%s\n) AS x"
						 " WHERE x.%s OPERATOR(pg_catalog.=) u.%s AND x.%s OPERATOR(pg_catalog.=) i.%s)", query,
						 quote_identifier(users->key), quote_identifier(users->key),
						 quote_identifier(items->key), quote_identifier(items->key));
	}
	/* the parts were single statements; so must be the whole */
	return grovepg_source_query(text.data, NULL);
}

static void
bind_key(KeyColumn *column, TupleDesc desc, AttrNumber attno, const char *role)
{
	Form_pg_attribute attribute = TupleDescAttr(desc, attno - 1);
	Oid			function;
	bool		is_varlena;

	column->role = role;
	column->attno = attno;
	column->by_value = attribute->attbyval;
	column->length = attribute->attlen;
	getTypeOutputInfo(attribute->atttypid, &function, &is_varlena);
	fmgr_info(function, &column->output);
}

/* Receiver: the columns of the pairs are known. */
static void
start_pairs(TupleDesc desc, void *arg)
{
	RecommendJob *job = arg;
	MemoryContext previous = MemoryContextSwitchTo(job->context);

	job->scorer = grovepg_scorer_make(job->model, desc);
	bind_key(&job->user_key, desc, (AttrNumber) (desc->natts - 1), "users");
	bind_key(&job->item_key, desc, (AttrNumber) desc->natts, "candidates");
	MemoryContextSwitchTo(previous);
}

static Datum
key_value(KeyColumn *column, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, column->attno, &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("key of \"%s\" must not be null", column->role),
				 errhint("Leave out the rows without a key.")));
	return value;
}

static void
check_memory(RecommendJob *job)
{
	if (MemoryContextMemAllocated(job->context, true) > grovepg_max_memory())
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("recommendations for more than %ld users need more than %zu kB of memory",
						hash_get_num_entries(job->users), grovepg_max_memory() / 1024),
				 errhint("Take the users in parts, take a smaller \"k\", or raise grove.max_memory.")));
}

/* The user of a pair, who is mostly the one of the pair before. */
static User *
find_user(RecommendJob *job, TupleTableSlot *slot)
{
	KeyColumn  *column = &job->user_key;
	Datum		value = key_value(column, slot);
	MemoryContext previous;
	char	   *key;
	bool		found;

	if (job->last != NULL && datumIsEqual(value, job->last_key, column->by_value, column->length))
		return job->last;
	key = OutputFunctionCall(&column->output, value);
	previous = MemoryContextSwitchTo(job->context);
	if (job->last != NULL && !column->by_value)
		pfree(DatumGetPointer(job->last_key));
	job->last_key = datumCopy(value, column->by_value, column->length);
	job->last = hash_search(job->users, &key, HASH_ENTER, &found);
	if (!found)
	{
		job->last->key = pstrdup(key);
		job->last->n = 0;
		job->last->capacity = Min(job->k, FIRST_ITEMS);
		job->last->best = palloc(sizeof(Entry) * job->last->capacity);
		check_memory(job);
	}
	MemoryContextSwitchTo(previous);
	return job->last;
}

/* Receiver: one pair.  Most pairs are worse than the k best so far. */
static void
add_pair(GroveSlot *slot, void *arg)
{
	RecommendJob *job = arg;
	User	   *user;
	double		score;
	char	   *item;
	int			place;

	CHECK_FOR_INTERRUPTS();
	user = find_user(job, slot);
	grovepg_scorer_run(job->scorer, slot);
	score = grove_predict_value(job->model, job->scorer->margins);
	if (user->n == job->k && score < user->best[job->k - 1].score)
		return;
	item = OutputFunctionCall(&job->item_key.output, key_value(&job->item_key, slot));
	for (place = user->n; place > 0; place--)
	{
		const Entry *entry = &user->best[place - 1];

		if (entry->score > score || (entry->score == score && strcmp(entry->item, item) <= 0))
			break;
	}
	if (place == job->k)
		return;
	if (user->n == job->k)
		pfree(user->best[--user->n].item);
	else if (user->n == user->capacity)
	{
		user->capacity = Min(job->k, 2 * user->capacity);
		user->best = repalloc(user->best, sizeof(Entry) * user->capacity);
		check_memory(job);
	}
	memmove(&user->best[place + 1], &user->best[place], sizeof(Entry) * (user->n - place));
	user->best[place].score = score;
	user->best[place].item = MemoryContextStrdup(job->context, item);
	user->n++;
}

static int
compare_users(const void *a, const void *b)
{
	return strcmp((*(User *const *) a)->key, (*(User *const *) b)->key);
}

/* The users ordered by their keys as text, the items of each by rank. */
static void
put_results(RecommendJob *job, Tuplestorestate *store, TupleDesc desc)
{
	long		n = hash_get_num_entries(job->users);
	User	  **users = palloc_extended(sizeof(User *) * Max(n, 1), MCXT_ALLOC_HUGE);
	HASH_SEQ_STATUS walk;
	User	   *user;
	long		i = 0;

	hash_seq_init(&walk, job->users);
	while ((user = hash_seq_search(&walk)) != NULL)
		users[i++] = user;
	qsort(users, n, sizeof(User *), compare_users);
	for (i = 0; i < n; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(users[i]->key);
		for (int rank = 0; rank < users[i]->n; rank++)
		{
			values[1] = CStringGetTextDatum(users[i]->best[rank].item);
			values[2] = Int32GetDatum(rank + 1);
			values[3] = Float8GetDatum(users[i]->best[rank].score);
			tuplestore_putvalues(store, desc, values, nulls);
			pfree(DatumGetPointer(values[1]));
		}
		pfree(DatumGetPointer(values[0]));
	}
}

static HTAB *
make_users(MemoryContext context)
{
	HASHCTL		control;

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(char *);
	control.entrysize = sizeof(User);
	control.hash = hash_key;
	control.match = compare_keys;
	control.hcxt = context;
	return hash_create("grove recommend", 256, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* recommend(model bytea, users text, candidates text, k int, user_key text, item_key text, pair text, exclude text) */
Datum
grove_recommend(PG_FUNCTION_ARGS)
{
	Side		users = {.role = "users"};
	Side		items = {.role = "candidates"};
	RecommendJob job = {0};
	MemoryContext previous;
	Tuplestorestate *store;
	TupleDesc	desc;
	char	   *query;

	store = grovepg_rowtype_store(fcinfo, &desc);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	if (PG_ARGISNULL(3))
		grovepg_argument_reject_null("k");
	job.k = PG_GETARG_INT32(3);
	if (job.k < 1 || job.k > MAX_ITEMS)
		grovepg_argument_reject("k", job.k, "between 1 and 10000");
	job.context = AllocSetContextCreate(CurrentMemoryContext, "grove recommend", ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(job.context);
	job.model = grovepg_model_get(grovepg_registry_argument(fcinfo, 0), job.context);
	if (job.model->task == GROVE_TASK_MULTICLASS)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a multiclass model gives no one score to order items by"),
				 errhint("Train a binary, regression or ranking model over pairs of users and items.")));
	get_side(fcinfo, 1, 4, &users);
	get_side(fcinfo, 2, 5, &items);
	query = pairs_query(job.model, &users, &items,
						PG_ARGISNULL(6) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(6)),
						PG_ARGISNULL(7) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(7)));
	job.users = make_users(job.context);
	grovepg_source_run(query, grovepg_source_receiver_lazy(start_pairs, add_pair, &job));
	put_results(&job, store, desc);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(job.context);
	return (Datum) 0;
}
