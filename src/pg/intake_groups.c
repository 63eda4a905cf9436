/*
 * intake_groups.c: rows of a ranking, group by group.
 *
 * Groups are told apart by the 64-bit hash of their key (for integers a
 * bijection).  Within a group rows stand in the order of the hash of their
 * content, so that it does not depend on the order of arrival; rows of equal
 * content are the same in everything but their random bits.  A group that has
 * rows of both parts counts as one of each.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "../core/lambdarank.h"
#include "intake_record.h"

typedef struct GroupedRow
{
	uint64		group;
	uint64		content;
	uint32		identity;
	uint32		row;
} GroupedRow;

static int
compare_rows(const void *a, const void *b, void *arg)
{
	const uint8 *validation = arg;
	const GroupedRow *x = a;
	const GroupedRow *y = b;

	CHECK_FOR_INTERRUPTS();
	if (validation && validation[x->row] != validation[y->row])
		return validation[x->row] < validation[y->row] ? -1 : 1;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->content != y->content)
		return x->content < y->content ? -1 : 1;
	return x->identity < y->identity ? -1 : x->identity > y->identity;
}

static bool
same_group(const GroveTrainer *t, const GroupedRow *a, const GroupedRow *b)
{
	return a->group == b->group && (!t->validation || t->validation[a->row] == t->validation[b->row]);
}

static void
check_size(uint32 n)
{
	if (n > GROVE_RANK_GROUP_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("group of a ranking has %u rows", n),
				 errdetail("A group can have at most %d.", GROVE_RANK_GROUP_MAX),
				 errhint("Divide large groups, or train on a sample of their rows.")));
}

void
grovepg_intake_groups(GroveIntake *in)
{
	GroveTrainer *t = in->trainer;
	uint32		n = (uint32) in->n_rows;
	GroupedRow *rows = MemoryContextAllocHuge(in->context, n * sizeof(GroupedRow));
	uint32		n_groups = 0;
	uint32		i;

	for (i = 0; i < n; i++)
	{
		rows[i].group = in->groups[i];
		rows[i].content = in->hashes[i];
		rows[i].identity = t->identity[i];
		rows[i].row = i;
	}
	qsort_arg(rows, n, sizeof(GroupedRow), compare_rows, t->validation);
	for (i = 0; i < n; i++)
	{
		if (i == 0 || !same_group(t, &rows[i - 1], &rows[i]))
			t->group_start[n_groups++] = i;
		check_size(i - t->group_start[n_groups - 1] + 1);
		t->group_rows[i] = rows[i].row;
	}
	t->group_start[n_groups] = n;
	t->shared->n_groups = n_groups;
	pfree(rows);
	pfree(in->groups);
	in->groups = NULL;
}
