/*
 * model_cache.c: from a bytea datum to a parsed model, at the cost of a parse
 * once per backend and of a comparison per row.
 *
 * Two levels.  The cache of the backend finds a parsed model by the digest in
 * its header.  A call site, one for each place in a query that calls a function,
 * finds it by the datum itself: a toasted value by its pointer, another one by
 * its bytes.  Nothing else identifies a value: the planner's word that an
 * argument is stable does not hold inside PL/pgSQL expressions, and an address
 * alone is reused.
 *
 * What the digest promises is never believed: it can be forged.  A value is
 * taken for a cached model when all its bytes are the same, or when it is the
 * toast pointer of a value for which that has been found before and still has
 * the same digest.  A value that claims the digest of another model is parsed
 * by itself and then either refused or used without entering the cache.  Of
 * values of more than SITE_IMAGE_BYTES that are not toasted a call site compares
 * address, size and first bytes only; the header with length, digest and counts
 * is among these.
 *
 * A model lives in a memory context of its own, below that of the cache.  Call
 * sites pin it; the reset callback of their own context releases the pins, also
 * on error.  A model that is not pinned is dropped as soon as the cache is
 * larger than grove.model_cache_size, least recently used first.
 */
#include "pg_grove.h"

#include "access/detoast.h"
#include "access/parallel.h"
#include "catalog/pg_class.h"
#include "lib/ilist.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "model_cache.h"

#define KNOWN_POINTERS		4
#define SITE_USES			8
#define SITE_IMAGE_BYTES	8192
#define SITE_PREFIX_BYTES	256

typedef struct CachedModel
{
	dlist_node	lru;			/* while listed */
	uint8		digest[GROVE_DIGEST_BYTES];
	const uint8 *bytes;
	Size		length;			/* of bytes */
	Size		size;			/* memory of all that belongs to it */
	GroveModel *model;
	MemoryContext context;
	int			pins;
	bool		listed;			/* in the table; else it goes with its last pin */
	int			n_known;
	int			next_known;
	struct varatt_external known[KNOWN_POINTERS];	/* toasted values that are these bytes */
} CachedModel;

typedef struct CacheEntry
{
	uint8		digest[GROVE_DIGEST_BYTES]; /* key */
	CachedModel *cached;
} CacheEntry;

/* One datum that a call site has seen. */
typedef struct SiteUse
{
	GroveModelUse use;
	CachedModel *cached;		/* NULL: free */
	Size		size;			/* of the datum as it came */
	const void *address;
	Size		compared;		/* bytes in image */
	char	   *image;			/* its first bytes */
	Size		room;			/* for image */
} SiteUse;

struct GroveModelSite
{
	MemoryContext owner;
	MemoryContextCallback callback;
	int			current;
	int			next;			/* to be replaced */
	SiteUse		uses[SITE_USES];
};

/* The models of this backend.  Their number is bounded by their size. */
static MemoryContext cache_context = NULL;
static HTAB *cache_table = NULL;
static dlist_head cache_lru = DLIST_STATIC_INIT(cache_lru);
static Size cache_size = 0;

static Size
cache_limit(void)
{
	return (Size) grovepg_model_cache_kb * 1024;
}

static void
create_cache(void)
{
	HASHCTL		control;

	if (cache_table)
		return;
	if (!cache_context)
		cache_context = AllocSetContextCreate(CacheMemoryContext, "pg_grove models", ALLOCSET_DEFAULT_SIZES);
	memset(&control, 0, sizeof(control));
	control.keysize = GROVE_DIGEST_BYTES;
	control.entrysize = sizeof(CacheEntry);
	control.hcxt = cache_context;
	cache_table = hash_create("pg_grove models", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Takes a model out of the cache and frees it; it must not be pinned. */
static void
drop_model(CachedModel *cached)
{
	if (cached->listed)
	{
		(void) hash_search(cache_table, cached->digest, HASH_REMOVE, NULL);
		dlist_delete(&cached->lru);
		cache_size -= cached->size;
	}
	MemoryContextDelete(cached->context);
}

static void
shrink_cache(void)
{
	dlist_node *node = dlist_is_empty(&cache_lru) ? NULL : dlist_tail_node(&cache_lru);

	while (node && cache_size > cache_limit())
	{
		dlist_node *before = dlist_has_prev(&cache_lru, node) ? dlist_prev_node(&cache_lru, node) : NULL;
		CachedModel *cached = dlist_container(CachedModel, lru, node);

		if (cached->pins == 0)
			drop_model(cached);
		node = before;
	}
}

static void
pin_model(CachedModel *cached)
{
	cached->pins++;
	if (cached->listed)
		dlist_move_head(&cache_lru, &cached->lru);
}

static void
release_model(CachedModel *cached)
{
	Assert(cached->pins > 0);
	if (--cached->pins > 0)
		return;
	if (!cached->listed)
		drop_model(cached);
	else
		shrink_cache();
}

static bool
is_toast_pointer(Datum value)
{
	return VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value));
}

static bool
is_known_pointer(const CachedModel *cached, const struct varatt_external *pointer)
{
	for (int i = 0; i < cached->n_known; i++)
	{
		if (memcmp(&cached->known[i], pointer, sizeof(*pointer)) == 0)
			return true;
	}
	return false;
}

static void
remember_pointer(CachedModel *cached, const struct varatt_external *pointer)
{
	cached->known[cached->next_known] = *pointer;
	cached->next_known = (cached->next_known + 1) % KNOWN_POINTERS;
	if (cached->n_known < KNOWN_POINTERS)
		cached->n_known++;
}

/*
 * A worker of the server's cannot fetch a value from a temporary table, which
 * the leader may have passed as a pointer to it: better said before the server
 * says it without advice.
 */
static void
check_fetchable(Datum value)
{
	struct varatt_external pointer;

	if (!IsParallelWorker() || !VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)))
		return;
	VARATT_EXTERNAL_GET_POINTER(pointer, DatumGetPointer(value));
	if (get_rel_persistence(pointer.va_toastrelid) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot fetch a model from a temporary table in a parallel worker"),
				 errdetail("The query hands on where the model is, and parallel workers have no access to temporary tables."),
				 errhint("Hand on its bytes, as (SELECT model || '' FROM ...) does, or keep the model in another table or under a name.")));
}

/* Looks at the header of a value and returns its digest; the value need not be fetched for it. */
static void
peek_value(Datum value, uint8 digest[GROVE_DIGEST_BYTES])
{
	struct varlena *header;
	Size		length = toast_raw_datum_size(value) - VARHDRSZ;
	uint64		total_length = 0;
	GroveStatus status;

	check_fetchable(value);
	header = (struct varlena *) PG_DETOAST_DATUM_SLICE(value, 0, GROVE_MODEL_HEADER);
	status = grove_model_peek((const uint8 *) VARDATA_ANY(header), VARSIZE_ANY_EXHDR(header), &total_length, digest);
	if (status == GROVE_OK && total_length != length)
		status = GROVE_ERR_STRUCTURE;
	if (status != GROVE_OK)
		grovepg_error_status(status, status == GROVE_ERR_STRUCTURE ?
							 "The value does not have the length that its header says" : NULL, length);
	if ((Pointer) header != DatumGetPointer(value))
		pfree(header);
}

/* Parses a value into a context of its own; ERROR when it is no model. */
static CachedModel *
parse_model(Datum value, const uint8 digest[GROVE_DIGEST_BYTES])
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_grove model", ALLOCSET_SMALL_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(context);
	CachedModel *cached = palloc0(sizeof(CachedModel));
	struct varlena *copy = PG_DETOAST_DATUM_COPY(value);
	size_t		size = 0;
	size_t		offset;
	const char *rule;
	void	   *memory;
	GroveStatus status;

	cached->context = context;
	cached->bytes = (const uint8 *) VARDATA(copy);
	cached->length = VARSIZE(copy) - VARHDRSZ;
	memcpy(cached->digest, digest, GROVE_DIGEST_BYTES);
	status = grove_model_read_size(cached->bytes, cached->length, &size, &rule, &offset);
	CHECK_FOR_INTERRUPTS();
	if (status == GROVE_OK)
	{
		memory = MemoryContextAllocHuge(context, size);
		status = grove_model_read(cached->bytes, cached->length, memory, size, &cached->model, &rule, &offset);
		CHECK_FOR_INTERRUPTS();
	}
	if (status != GROVE_OK)
		grovepg_error_status(status, rule, offset);
	cached->size = MemoryContextMemAllocated(context, true);
	MemoryContextSwitchTo(previous);
	return cached;
}

/* Whether a value, fetched whole for this, has exactly the bytes of a parsed model. */
static bool
has_bytes_of(const CachedModel *cached, Datum value)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);
	bool		same = VARSIZE_ANY_EXHDR(bytes) == cached->length &&
		memcmp(VARDATA_ANY(bytes), cached->bytes, cached->length) == 0;

	if ((Pointer) bytes != DatumGetPointer(value))
		pfree(bytes);
	return same;
}

/* Parses a value and hands it over to the cache; listed: under its digest, which is free. */
static CachedModel *
load_model(Datum value, const uint8 digest[GROVE_DIGEST_BYTES], bool listed)
{
	CachedModel *cached = parse_model(value, digest);

	if (listed)
	{
		CacheEntry *entry = hash_search(cache_table, digest, HASH_ENTER, NULL);

		entry->cached = cached;
		cached->listed = true;
		dlist_push_head(&cache_lru, &cached->lru);
		cache_size += cached->size;
	}
	MemoryContextSetParent(cached->context, cache_context);
	return cached;
}

/* The parsed model of a value, pinned. */
static CachedModel *
find_model(Datum value)
{
	uint8		digest[GROVE_DIGEST_BYTES];
	bool		toasted = is_toast_pointer(value);
	struct varatt_external pointer;
	CacheEntry *entry;
	CachedModel *cached;

	create_cache();
	peek_value(value, digest);
	if (toasted)
		VARATT_EXTERNAL_GET_POINTER(pointer, DatumGetPointer(value));
	entry = hash_search(cache_table, digest, HASH_FIND, NULL);
	cached = entry ? entry->cached : NULL;
	if (cached && toasted && is_known_pointer(cached, &pointer))
	{
		pin_model(cached);
		return cached;
	}
	if (!cached || !has_bytes_of(cached, value))
		cached = load_model(value, digest, cached == NULL);
	if (toasted)
		remember_pointer(cached, &pointer);
	pin_model(cached);
	shrink_cache();
	return cached;
}

/* Makes a use free, also one whose model could not be loaded. */
static void
clear_use(SiteUse *use)
{
	CachedModel *cached = use->cached;

	use->cached = NULL;
	if (use->use.context)
		MemoryContextDelete(use->use.context);
	use->use.context = NULL;
	use->use.work = NULL;
	use->use.explainer = NULL;
	if (cached)
		release_model(cached);
}

/* Reset callback of the owner; its memory, and the contexts of the uses below it, go anyway. */
static void
end_site(void *argument)
{
	GroveModelSite *site = argument;

	for (int i = 0; i < SITE_USES; i++)
	{
		CachedModel *cached = site->uses[i].cached;

		site->uses[i].cached = NULL;
		if (cached)
			release_model(cached);
	}
}

GroveModelSite *
grovepg_model_site(MemoryContext owner)
{
	GroveModelSite *site = MemoryContextAllocZero(owner, sizeof(GroveModelSite));

	site->owner = owner;
	site->callback.func = end_site;
	site->callback.arg = site;
	MemoryContextRegisterResetCallback(owner, &site->callback);
	return site;
}

/* Whether a datum is the one that a use was made for. */
static inline bool
is_same_datum(const SiteUse *use, const void *address, Size size)
{
	return use->cached && use->size == size &&
		(use->compared == size || use->address == address) &&
		memcmp(use->image, address, use->compared) == 0;
}

static void
keep_image(GroveModelSite *site, SiteUse *use, const void *address, Size size)
{
	Size		compared = size <= SITE_IMAGE_BYTES ? size : SITE_PREFIX_BYTES;

	if (use->room < compared)
	{
		if (use->image)
			pfree(use->image);
		use->room = 0;
		use->image = MemoryContextAlloc(site->owner, compared);
		use->room = compared;
	}
	memcpy(use->image, address, compared);
	use->compared = compared;
	use->size = size;
	use->address = address;
}

/* A datum that the site does not know, into the place of the use that came first. */
static GroveModelUse *
add_use(GroveModelSite *site, Datum value, const void *address, Size size)
{
	int			place = site->next;
	SiteUse    *use = &site->uses[place];

	clear_use(use);
	keep_image(site, use, address, size);
	use->use.context = AllocSetContextCreate(site->owner, "pg_grove call site", ALLOCSET_SMALL_SIZES);
	use->cached = find_model(value);
	use->use.model = use->cached->model;
	site->current = place;
	site->next = (place + 1) % SITE_USES;
	if (cache_size > cache_limit())
	{
		for (int i = 0; i < SITE_USES; i++)
		{
			if (i != place)
				clear_use(&site->uses[i]);
		}
	}
	return &use->use;
}

GroveModelUse *
grovepg_model_use(GroveModelSite *site, Datum model)
{
	const void *address = DatumGetPointer(model);
	Size		size;

	/* what neither stands in the value nor on disk has to be fetched to be recognised */
	if (VARATT_IS_EXTERNAL(address) && !VARATT_IS_EXTERNAL_ONDISK(address))
	{
		model = PointerGetDatum(PG_DETOAST_DATUM(model));
		address = DatumGetPointer(model);
	}
	size = VARSIZE_ANY(address);
	if (likely(is_same_datum(&site->uses[site->current], address, size)))
		return &site->uses[site->current].use;
	for (int i = 0; i < SITE_USES; i++)
	{
		if (is_same_datum(&site->uses[i], address, size))
		{
			site->current = i;
			return &site->uses[i].use;
		}
	}
	return add_use(site, model, address, size);
}

const GroveModel *
grovepg_model_get(Datum model, MemoryContext owner)
{
	return grovepg_model_use(grovepg_model_site(owner), model)->model;
}

char *
grovepg_model_text(GroveText text)
{
	if (!pg_verify_mbstr(GetDatabaseEncoding(), text.data, text.length, true))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("model contains text that is not valid in encoding \"%s\"", GetDatabaseEncodingName()),
				 errhint("A model keeps names and labels in the encoding of the database that trained it.")));
	return pnstrdup(text.data, text.length);
}

bytea *
grovepg_model_value(const GroveModel *model)
{
	size_t		size;
	bytea	   *value;
	GroveStatus status = grove_model_write_size(model, &size);

	if (status == GROVE_OK && size > MaxAllocSize - VARHDRSZ)
		status = GROVE_ERR_SIZE;
	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	value = palloc(size + VARHDRSZ);
	SET_VARSIZE(value, size + VARHDRSZ);
	status = grove_model_write(model, (uint8 *) VARDATA(value), size);
	if (status != GROVE_OK)
		grovepg_error_status(status, NULL, 0);
	return value;
}
