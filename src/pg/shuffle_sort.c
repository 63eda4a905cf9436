/*
 * shuffle_sort.c: an external sort of rows by a 64-bit hash.
 *
 * Hashes are uniform, and that is worth more than a general sort can know:
 * beyond the limit rows are dealt by the leading bits of their hash into
 * files, which are then about equally large, and one file after the other is
 * loaded, put in order by a radix sort of (hash, place) and handed on.  So a
 * row is copied to a file and back once and compared with none, where a merge
 * sort also builds each run in order and moves rows through a heap.
 *
 * A file that is still too large is dealt again by the next bits.  Bits do not
 * divide rows of one hash; such a file holds the rows of one key, whose order
 * among themselves does not matter, and is handed on as it stands.  Should two
 * keys share a hash there, it is loaded whatever it takes: among 10^9 keys
 * that happens once in 40 times, in a file that is too large for one hash
 * hardly ever.
 *
 * Memory is counted as it is taken: blocks, not the rows in them, and the
 * array of pairs with the smaller one that it is copied from when it grows.
 * The buffers of open files count too, 64 a level, but leave at least half of
 * the limit to rows; below 1 MB they may exceed it.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

#include "../core/sample.h"
#include "shuffle_sort.h"

#define PART_BITS		6
#define PARTS			(1 << PART_BITS)
#define FIRST_SHIFT		(64 - PART_BITS)
#define FIRST_CAPACITY	256
#define BLOCK_SIZE		(64 * 1024)
#define READ_SIZE		((Size) 1024 * 1024)	/* between two looks at interrupts */
#define FILE_SIZE		(BLCKSZ + 512)	/* an open file: its buffer and what describes it */

/* A row and what orders it; the row follows, then the bytes of the key. */
typedef struct Record
{
	uint64		hash;
	uint32		size;			/* of the whole, aligned */
	uint32		key_size;
	uint64		row_size;		/* aligned */
} Record;

#define RECORD_ROW(record)	((MinimalTuple) ((char *) (record) + MAXALIGN(sizeof(Record))))
#define RECORD_KEY(record)	((char *) RECORD_ROW(record) + (record)->row_size)

/* The rows of one range of hashes in a file. */
typedef struct Part
{
	BufFile    *file;			/* NULL: no rows */
	uint64		rows;
	uint64		bytes;
	uint64		lowest;
	uint64		highest;
} Part;

struct GroveShuffleSort
{
	MemoryContext context;		/* holds all that follows */
	Size		limit;

	/* rows in memory */
	MemoryContext row_context;
	Size		block_size;
	char	   *block;			/* that records are cut from */
	Size		block_left;
	Size		bytes;			/* of blocks and of records too large for one */
	GroveSamplePair *pairs;		/* hash and address of each, and as many to sort with */
	Size		rows;
	Size		capacity;

	bool		spilled;
	Part	   *parts;
	int			files;			/* open */
};

typedef struct Visitor
{
	void		(*visit) (MinimalTuple row, void *arg);
	void	   *arg;
} Visitor;

GroveShuffleSort *
grovepg_shuffle_sort_begin(Size limit)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "grove shuffle", ALLOCSET_SMALL_SIZES);
	GroveShuffleSort *sort = MemoryContextAllocZero(context, sizeof(GroveShuffleSort));

	sort->context = context;
	sort->limit = limit;
	sort->row_context = AllocSetContextCreate(context, "grove shuffle rows", ALLOCSET_SMALL_SIZES);
	sort->block_size = Min(BLOCK_SIZE, limit / 8);
	return sort;
}

/* What rows may take while so many files are open. */
static Size
room_for_rows(const GroveShuffleSort *sort, int files)
{
	return Max(sort->limit - Min((Size) files * FILE_SIZE, sort->limit), sort->limit / 2);
}

static Size
pair_bytes(Size capacity)
{
	return 2 * capacity * sizeof(GroveSamplePair);
}

static bool
is_large(const GroveShuffleSort *sort, Size size)
{
	return size > sort->block_size / 8;
}

/* Is there room for one more record, and for the files that its rows would go to if it were the last? */
static bool
has_room(const GroveShuffleSort *sort, Size size)
{
	Size		bytes = sort->bytes + pair_bytes(sort->capacity);

	if (is_large(sort, size))
		bytes += size;
	else if (size > sort->block_left)
		bytes += sort->block_size;
	if (sort->rows == sort->capacity)
		bytes += pair_bytes(Max(2 * sort->capacity, FIRST_CAPACITY));
	return bytes <= room_for_rows(sort, PARTS);
}

static void
reserve_pairs(GroveShuffleSort *sort, Size capacity)
{
	if (sort->pairs == NULL)
		sort->pairs = MemoryContextAllocHuge(sort->row_context, pair_bytes(capacity));
	else
		sort->pairs = repalloc_huge(sort->pairs, pair_bytes(capacity));
	sort->capacity = capacity;
}

static void
add_pair(GroveShuffleSort *sort, const Record *record, uint64 hash)
{
	sort->pairs[sort->rows].key = hash;
	sort->pairs[sort->rows].index = (uint64) (uintptr_t) record;
	sort->rows++;
}

/* Memory for a record that belongs to the rows in memory. */
static Record *
take_record(GroveShuffleSort *sort, uint64 hash, Size size)
{
	Record	   *record;

	if (is_large(sort, size))
	{
		record = MemoryContextAlloc(sort->row_context, size);
		sort->bytes += GetMemoryChunkSpace(record);
	}
	else
	{
		if (size > sort->block_left)
		{
			sort->block = MemoryContextAlloc(sort->row_context, sort->block_size);
			sort->block_left = sort->block_size;
			sort->bytes += GetMemoryChunkSpace(sort->block);
		}
		record = (Record *) sort->block;
		sort->block += size;
		sort->block_left -= size;
	}
	if (sort->rows == sort->capacity)
		reserve_pairs(sort, Max(2 * sort->capacity, FIRST_CAPACITY));
	add_pair(sort, record, hash);
	return record;
}

static void
forget_rows(GroveShuffleSort *sort)
{
	MemoryContextReset(sort->row_context);
	sort->block_left = 0;
	sort->bytes = 0;
	sort->pairs = NULL;
	sort->rows = 0;
	sort->capacity = 0;
}

/* What the record of a row starts with. */
static Record
describe_row(uint64 hash, const bytea *key, MinimalTuple row)
{
	Record		head;

	head.hash = hash;
	head.key_size = key != NULL ? (uint32) (VARSIZE(key) - VARHDRSZ) : 0;
	head.row_size = MAXALIGN(row->t_len);
	head.size = (uint32) MAXALIGN(MAXALIGN(sizeof(Record)) + head.row_size + head.key_size);
	return head;
}

static void
fill_record(Record *record, const Record *head, const bytea *key, MinimalTuple row)
{
	*record = *head;
	memcpy(RECORD_ROW(record), row, row->t_len);
	if (head->key_size > 0)
		memcpy(RECORD_KEY(record), VARDATA(key), head->key_size);
}

static void
write_record(GroveShuffleSort *sort, Part *parts, int shift, Record *record)
{
	Part	   *part = &parts[(record->hash >> shift) % PARTS];

	if (part->file == NULL)
	{
		MemoryContext previous = MemoryContextSwitchTo(sort->context);

		part->file = BufFileCreateTemp(false);
		part->lowest = part->highest = record->hash;
		sort->files++;
		MemoryContextSwitchTo(previous);
	}
	BufFileWrite(part->file, record, record->size);
	part->rows++;
	part->bytes += record->size;
	part->lowest = Min(part->lowest, record->hash);
	part->highest = Max(part->highest, record->hash);
}

/* Deals the rows in memory into files, which take all that come after them. */
static void
spill_rows(GroveShuffleSort *sort)
{
	sort->parts = MemoryContextAllocZero(sort->context, PARTS * sizeof(Part));
	for (Size i = 0; i < sort->rows; i++)
	{
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		write_record(sort, sort->parts, FIRST_SHIFT, (Record *) (uintptr_t) sort->pairs[i].index);
	}
	forget_rows(sort);
	sort->spilled = true;
}

void
grovepg_shuffle_sort_add(GroveShuffleSort *sort, uint64 hash, const bytea *key, MinimalTuple row)
{
	Record		head = describe_row(hash, key, row);

	if (!sort->spilled && !has_room(sort, head.size))
		spill_rows(sort);
	if (!sort->spilled)
		fill_record(take_record(sort, hash, head.size), &head, key, row);
	else
	{
		Record	   *record = palloc(head.size);

		fill_record(record, &head, key, row);
		write_record(sort, sort->parts, FIRST_SHIFT, record);
		pfree(record);
	}
}

static int
compare_keys(const void *a, const void *b)
{
	Record	   *left = (Record *) (uintptr_t) ((const GroveSamplePair *) a)->index;
	Record	   *right = (Record *) (uintptr_t) ((const GroveSamplePair *) b)->index;
	int			order = memcmp(RECORD_KEY(left), RECORD_KEY(right), Min(left->key_size, right->key_size));

	if (order != 0)
		return order;
	return left->key_size < right->key_size ? -1 : left->key_size > right->key_size;
}

/* Hands the rows in memory on, in order. */
static void
visit_rows(GroveShuffleSort *sort, const Visitor *visitor)
{
	GroveSamplePair *pairs = sort->pairs;

	CHECK_FOR_INTERRUPTS();
	grove_sample_sort_pairs(pairs, sort->rows);
	for (Size i = 0; i < sort->rows;)
	{
		Size		end = i + 1;

		CHECK_FOR_INTERRUPTS();
		while (end < sort->rows && pairs[end].key == pairs[i].key)
			end++;
		if (end - i > 1)
			qsort(pairs + i, end - i, sizeof(GroveSamplePair), compare_keys);
		for (; i < end; i++)
			visitor->visit(RECORD_ROW((Record *) (uintptr_t) pairs[i].index), visitor->arg);
	}
	forget_rows(sort);
}

static void
rewind_part(const Part *part)
{
	if (BufFileSeek(part->file, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind temporary file")));
}

static void
read_bytes(const Part *part, void *bytes, Size size)
{
	if (BufFileRead(part->file, bytes, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from temporary file")));
}

static void
close_part(GroveShuffleSort *sort, Part *part)
{
	BufFileClose(part->file);
	part->file = NULL;
	sort->files--;
}

/* What load_part() takes. */
static Size
loaded_bytes(const Part *part)
{
	return part->bytes + pair_bytes(part->rows);
}

static void
load_part(GroveShuffleSort *sort, const Part *part)
{
	char	   *records = MemoryContextAllocHuge(sort->row_context, part->bytes);
	Size		size;

	reserve_pairs(sort, part->rows);
	rewind_part(part);
	for (Size at = 0; at < part->bytes; at += size)
	{
		CHECK_FOR_INTERRUPTS();
		size = Min(part->bytes - at, READ_SIZE);
		read_bytes(part, records + at, size);
	}
	for (Size at = 0; at < part->bytes; at += ((Record *) (records + at))->size)
		add_pair(sort, (Record *) (records + at), ((Record *) (records + at))->hash);
}

/* The next record of a file in a buffer that grows with it. */
static Record *
read_record(const Part *part, Record **buffer, Size *buffer_size)
{
	Record		head;

	read_bytes(part, &head, sizeof(head));
	if (*buffer_size < head.size)
	{
		*buffer_size = (Size) head.size * 2;
		*buffer = repalloc_huge(*buffer, *buffer_size);
	}
	**buffer = head;
	read_bytes(part, *buffer + 1, head.size - sizeof(head));
	return *buffer;
}

/* Does every row of a file have the same key? */
static bool
has_one_key(const Part *part)
{
	Size		size = BLCKSZ;
	Record	   *buffer = palloc(size);
	GroveSamplePair pair[2];
	bool		same = part->lowest == part->highest;
	char	   *first = NULL;

	if (same)
		rewind_part(part);
	for (uint64 i = 0; i < part->rows && same; i++)
	{
		Record	   *record = read_record(part, &buffer, &size);

		CHECK_FOR_INTERRUPTS();
		if (first == NULL)
		{
			first = palloc(record->size);
			memcpy(first, record, record->size);
		}
		pair[0].index = (uint64) (uintptr_t) first;
		pair[1].index = (uint64) (uintptr_t) record;
		same = compare_keys(&pair[0], &pair[1]) == 0;
	}
	if (first != NULL)
		pfree(first);
	pfree(buffer);
	return same;
}

/* Reads a file from its start, to hand its rows on (visitor) or to deal them into others (parts). */
static void
stream_part(GroveShuffleSort *sort, const Part *part, const Visitor *visitor, Part *parts, int shift)
{
	Size		size = BLCKSZ;
	Record	   *buffer = palloc(size);

	rewind_part(part);
	for (uint64 i = 0; i < part->rows; i++)
	{
		Record	   *record = read_record(part, &buffer, &size);

		CHECK_FOR_INTERRUPTS();
		if (visitor != NULL)
			visitor->visit(RECORD_ROW(record), visitor->arg);
		else
			write_record(sort, parts, shift, record);
	}
	pfree(buffer);
}

/* Hands on the rows of files of one level, in order, and closes them. */
static void
visit_parts(GroveShuffleSort *sort, Part *parts, int shift, const Visitor *visitor)
{
	check_stack_depth();
	for (int i = 0; i < PARTS; i++)
	{
		Part	   *part = &parts[i];
		bool		fits = loaded_bytes(part) <= room_for_rows(sort, sort->files);

		if (part->file == NULL)
			continue;
		if (!fits && part->lowest != part->highest)
		{
			int			next = Max(shift - PART_BITS, 0);
			Part	   *smaller = palloc0(PARTS * sizeof(Part));

			stream_part(sort, part, NULL, smaller, next);
			close_part(sort, part);
			visit_parts(sort, smaller, next, visitor);
			pfree(smaller);
		}
		else
		{
			if (!fits && has_one_key(part))
				stream_part(sort, part, visitor, NULL, 0);
			else
			{
				load_part(sort, part);
				visit_rows(sort, visitor);
			}
			close_part(sort, part);
		}
	}
}

void
grovepg_shuffle_sort_visit(GroveShuffleSort *sort, void (*visit) (MinimalTuple row, void *arg), void *arg)
{
	Visitor		visitor = {visit, arg};

	if (sort->spilled)
		visit_parts(sort, sort->parts, FIRST_SHIFT, &visitor);
	else
		visit_rows(sort, &visitor);
}

void
grovepg_shuffle_sort_end(GroveShuffleSort *sort)
{
	MemoryContextDelete(sort->context);
}
