/*
 * train_parallel.c: fork and join over the server's parallel workers.
 *
 * The trainer's buffer is one shared segment, made at its exact size before it
 * is filled.  Workers are launched once for a training.  For each phase the
 * leader writes what to do into the buffer and then publishes a ticket, one
 * 64-bit word that holds the number of tasks and the next one to take;
 * everybody, the leader too, takes tasks from it.
 *
 * Where tasks are parts of the rows, each process does its own part, whose
 * records it has in memory of its own, with large pages: the leader puts it into
 * the mailbox of each worker.  A worker that has not made its records yet has
 * no mailbox open; the leader, which has the records of all rows, does its
 * part.  So a worker that comes late, or never, is not missed, and start-up
 * time is hidden.
 *
 * Who waits spins for at most SPINS pauses, a quarter of a millisecond or so,
 * then sleeps on a condition variable: gaps between phases are mostly shorter,
 * and many wake-ups take longer than all of them, but a process that spins for
 * long would take the processor from one that works.
 *
 * Nothing in parallel mode writes to the database; an error anywhere ends the
 * transaction's parallel context, which ends the workers and the segment.
 */
#include "pg_grove.h"

#include <sys/statvfs.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"
#include "storage/dsm_impl.h"
#include "storage/shm_toc.h"
#include "storage/spin.h"
#include "utils/memutils.h"

#include "large_pages.h"
#include "train_parallel.h"

#define SPINS		8000
#define CONTROL_KEY	UINT64CONST(0x67726f7665000001)

/* Where a worker finds its part; each alone in a line of the cache. */
typedef struct TeamMailbox
{
	pg_atomic_uint32 open;		/* the worker has its records */
	pg_atomic_uint32 mail;		/* 1: its part of this phase is to be done */
	char		pad[PG_CACHE_LINE_SIZE - 2 * sizeof(pg_atomic_uint32)];
} TeamMailbox;

/* In the parallel context's own small segment. */
typedef struct TeamControl
{
	dsm_handle	segment;		/* of the trainer */
	pg_atomic_uint64 ticket;	/* number of tasks << 32 | next task */
	pg_atomic_uint32 done;		/* tasks that are finished */
	pg_atomic_uint32 parts;		/* 1: the number of parts is known */
	pg_atomic_uint32 over;		/* 1: no more phases */
	pg_atomic_uint32 helpers;	/* workers that took a task */
	pg_atomic_uint32 helped;	/* tasks that they took */
	ConditionVariable work;		/* parts, a ticket, mail or the end was published */
	ConditionVariable finished; /* the last task of a phase was finished */
	TeamMailbox boxes[GROVE_MAX_PARTS];	/* by worker; that of the leader is not used */
} TeamControl;

struct GroveTeam
{
	dsm_segment *segment;		/* NULL: private memory */
	MemoryContext memory;		/* of what is private */
	int			wanted;
	ParallelContext *context;	/* NULL: the leader is alone */
	TeamControl *control;
};

PGDLLEXPORT void grovepg_team_worker(dsm_segment *segment, shm_toc *toc);

int
grovepg_team_size(uint32 n_rows, uint32 n_features)
{
	int			workers = grovepg_max_workers >= 0 ? grovepg_max_workers : max_parallel_maintenance_workers;

	if (IsParallelWorker() || IsInParallelMode())
		return 0;
	if ((uint64) n_rows * n_features < (uint64) grovepg_min_parallel_cells)
		return 0;
	return Min(Min(workers, max_parallel_workers), GROVE_MAX_PARTS - 1);
}

/*
 * POSIX shared memory lives in a file system of its own, which containers make
 * small (Docker: 64 MB); asking for more than it has is an error there.
 */
static bool
segment_fits(Size size)
{
	struct statvfs fs;

	if (dynamic_shared_memory_type != DSM_IMPL_POSIX || statvfs("/dev/shm", &fs) != 0)
		return true;
	if ((uint64) fs.f_bavail * fs.f_frsize >= size)
		return true;
	ereport(NOTICE,
			(errmsg("training runs without parallel workers, as shared memory has no room for %zu kB", size / 1024),
			 errhint("Enlarge /dev/shm; in a container that is the option --shm-size.")));
	return false;
}

/*
 * As a segment does, it starts where a line of the cache does.  Rows of a leaf are
 * scattered over the records of all rows, so that with pages of 4 kB looking up
 * their addresses takes as long as the histogram.
 */
static void *
allocate_private(MemoryContext context, Size size)
{
	char	   *buffer = MemoryContextAllocHuge(context, size + PG_CACHE_LINE_SIZE);

	buffer = (char *) CACHELINEALIGN(buffer);
	grovepg_large_pages(buffer, size);
	return buffer;
}

void
grovepg_team_own_records(GroveTeam *team, GroveTrainer *trainer)
{
	if (trainer->shared->dims.own_records)
		trainer->matrix.records = allocate_private(team ? team->memory : CurrentMemoryContext,
												   trainer->shared->dims.matrix.record_bytes);
}

static void
check_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

void
grovepg_team_pause(GroveTrainer *trainer)
{
	trainer->pause = check_interrupts;
}

void *
grovepg_team_allocate(Size size, int *workers, GroveTeam **team)
{
	*team = palloc0(sizeof(GroveTeam));
	(*team)->memory = AllocSetContextCreate(CurrentMemoryContext, "grove trainer", ALLOCSET_SMALL_SIZES);
	if (*workers > 0 && segment_fits(size))
	{
		(*team)->segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if ((*team)->segment)
		{
			(*team)->wanted = *workers;
			grovepg_large_pages(dsm_segment_address((*team)->segment), size);
			return dsm_segment_address((*team)->segment);
		}
	}
	*workers = 0;
	return allocate_private((*team)->memory, size);
}

void
grovepg_team_start(GroveTeam *team, GroveTrainer *trainer)
{
	TeamControl *control;
	int			i;

	if (team->segment == NULL)
		return;
	EnterParallelMode();
	team->context = CreateParallelContext("pg_grove", "grovepg_team_worker", team->wanted);
	shm_toc_estimate_chunk(&team->context->estimator, sizeof(TeamControl));
	shm_toc_estimate_keys(&team->context->estimator, 1);
	InitializeParallelDSM(team->context);
	control = shm_toc_allocate(team->context->toc, sizeof(TeamControl));
	control->segment = dsm_segment_handle(team->segment);
	pg_atomic_init_u64(&control->ticket, 0);
	pg_atomic_init_u32(&control->done, 0);
	pg_atomic_init_u32(&control->parts, 0);
	pg_atomic_init_u32(&control->over, 0);
	pg_atomic_init_u32(&control->helpers, 0);
	pg_atomic_init_u32(&control->helped, 0);
	ConditionVariableInit(&control->work);
	ConditionVariableInit(&control->finished);
	for (i = 0; i < GROVE_MAX_PARTS; i++)
	{
		pg_atomic_init_u32(&control->boxes[i].open, 0);
		pg_atomic_init_u32(&control->boxes[i].mail, 0);
	}
	shm_toc_insert(team->context->toc, CONTROL_KEY, control);
	team->control = control;
	LaunchParallelWorkers(team->context);
	trainer->shared->n_parts = team->context->nworkers_launched + 1;
	pg_write_barrier();
	pg_atomic_write_u32(&control->parts, 1);
	ConditionVariableBroadcast(&control->work);
}

/* One task is done; total: how many there are in this phase. */
static void
finish_task(TeamControl *control, uint32 total)
{
	if (pg_atomic_add_fetch_u32(&control->done, 1) == total)
		ConditionVariableSignal(&control->finished);
	CHECK_FOR_INTERRUPTS();
}

/* A worker's own part of the phase, if it is to be done; tells how many tasks that was. */
static uint32
do_part(TeamControl *control, GroveTrainer *trainer, uint32 worker)
{
	TeamMailbox *box = &control->boxes[worker];

	if (pg_atomic_read_u32(&box->mail) == 0)
		return 0;
	pg_read_barrier();
	pg_atomic_write_u32(&box->mail, 0);
	grove_tasks_run(trainer, worker, worker);
	finish_task(control, trainer->shared->n_tasks);
	return 1;
}

/* Takes tasks of the published phase until there are none; tells how many. */
static uint32
take_tasks(TeamControl *control, GroveTrainer *trainer, uint32 worker)
{
	uint32		taken = do_part(control, trainer, worker);

	for (;;)
	{
		uint64		ticket = pg_atomic_read_u64(&control->ticket);
		uint32		total;
		uint32		task;

		if ((uint32) ticket >= (uint32) (ticket >> 32))
			return taken;
		ticket = pg_atomic_fetch_add_u64(&control->ticket, 1);
		total = (uint32) (ticket >> 32);
		task = (uint32) ticket;
		if (task >= total)
			return taken;
		grove_tasks_run(trainer, worker, task);
		taken++;
		finish_task(control, total);
	}
}

static bool
has_work(TeamControl *control, uint32 worker)
{
	uint64		ticket = pg_atomic_read_u64(&control->ticket);

	return pg_atomic_read_u32(&control->boxes[worker].mail) != 0 || (uint32) ticket < (uint32) (ticket >> 32) ||
		pg_atomic_read_u32(&control->over) != 0;
}

static bool
spin_until_work(TeamControl *control, uint32 worker)
{
	int			i;

	for (i = 0; i < SPINS; i++)
	{
		if (has_work(control, worker))
			return true;
		SPIN_DELAY();
	}
	return false;
}

static void
wait_for_tasks(TeamControl *control, uint32 total)
{
	int			i;

	for (i = 0; i < SPINS; i++)
	{
		if (pg_atomic_read_u32(&control->done) == total)
		{
			pg_read_barrier();
			return;
		}
		SPIN_DELAY();
	}
	ConditionVariablePrepareToSleep(&control->finished);
	while (pg_atomic_read_u32(&control->done) != total)
		ConditionVariableSleep(&control->finished, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	pg_read_barrier();
}

/* Each part to the worker that has its records, the leader's own and those without a worker to the leader. */
static void
run_parts(TeamControl *control, GroveTrainer *trainer, uint32 total)
{
	bool		sent[GROVE_MAX_PARTS] = {false};
	uint32		part;

	for (part = 1; part < total; part++)
	{
		sent[part] = pg_atomic_read_u32(&control->boxes[part].open) != 0;
		if (sent[part])
			pg_atomic_write_u32(&control->boxes[part].mail, 1);
	}
	ConditionVariableBroadcast(&control->work);
	for (part = 0; part < total; part++)
	{
		if (sent[part])
			continue;
		grove_tasks_run(trainer, 0, part);
		finish_task(control, total);
	}
}

void
grovepg_team_run(GroveTeam *team, GroveTrainer *trainer)
{
	TeamControl *control = team->control;
	uint32		total = trainer->shared->n_tasks;
	uint32		task;

	if (trainer->shared->n_parts == 1 || trainer->shared->small || total < 2)
	{
		for (task = 0; task < total; task++)
		{
			CHECK_FOR_INTERRUPTS();
			grove_tasks_run(trainer, 0, task);
		}
		return;
	}
	pg_atomic_write_u32(&control->done, 0);
	pg_write_barrier();
	if (trainer->shared->by_part)
		run_parts(control, trainer, total);
	else
	{
		pg_atomic_write_u64(&control->ticket, (uint64) total << 32);
		ConditionVariableBroadcast(&control->work);
		take_tasks(control, trainer, 0);
	}
	wait_for_tasks(control, total);
}

/* Tells at DEBUG1 what the workers did, which no result shows. */
static void
report_workers(const GroveTeam *team)
{
	TeamControl *control = team->context ? team->control : NULL;

	ereport(DEBUG1,
			(errmsg_internal("training, workers: %d wanted, %d launched, %u took %u tasks",
							 team->wanted, control ? team->context->nworkers_launched : 0,
							 control ? pg_atomic_read_u32(&control->helpers) : 0,
							 control ? pg_atomic_read_u32(&control->helped) : 0)));
}

void
grovepg_team_finish(GroveTeam *team)
{
	if (team->context)
	{
		pg_atomic_write_u32(&team->control->over, 1);
		ConditionVariableBroadcast(&team->control->work);
		WaitForParallelWorkersToFinish(team->context);
	}
	report_workers(team);
	if (team->context)
	{
		DestroyParallelContext(team->context);
		ExitParallelMode();
		team->context = NULL;
	}
	if (team->segment)
		dsm_detach(team->segment);
	team->segment = NULL;
	MemoryContextDelete(team->memory);
}

/* Records of a worker's part; without records of its own it uses those of all. */
static void
open_mailbox(TeamControl *control, GroveTrainer *trainer, uint32 worker)
{
	ConditionVariablePrepareToSleep(&control->work);
	while (pg_atomic_read_u32(&control->parts) == 0 && pg_atomic_read_u32(&control->over) == 0)
		ConditionVariableSleep(&control->work, PG_WAIT_EXTENSION);
	ConditionVariableCancelSleep();
	pg_read_barrier();
	if (pg_atomic_read_u32(&control->parts) == 0 || worker >= trainer->shared->n_parts)
		return;
	if (trainer->shared->dims.own_records)
	{
		uint32		first = grove_trainer_part_row(trainer->shared, worker);

		grovepg_team_own_records(NULL, trainer);
		grove_matrix_records(&trainer->matrix, first, grove_trainer_part_row(trainer->shared, worker + 1) - first);
	}
	pg_write_barrier();
	pg_atomic_write_u32(&control->boxes[worker].open, 1);
}

/* A worker: does tasks until the leader says that the training is over. */
void
grovepg_team_worker(dsm_segment *segment, shm_toc *toc)
{
	TeamControl *control = shm_toc_lookup(toc, CONTROL_KEY, false);
	dsm_segment *buffer = dsm_attach(control->segment);
	GroveTrainer trainer;
	uint32		worker = ParallelWorkerNumber + 1;
	uint32		taken = 0;

	if (buffer == NULL)
		return;					/* the leader is done already */
	grove_trainer_attach(&trainer, dsm_segment_address(buffer));
	grovepg_team_pause(&trainer);
	open_mailbox(control, &trainer, worker);
	while (pg_atomic_read_u32(&control->over) == 0)
	{
		uint32		before = taken;

		CHECK_FOR_INTERRUPTS();
		taken += take_tasks(control, &trainer, worker);
		if (taken > before || spin_until_work(control, worker))
			continue;
		ConditionVariablePrepareToSleep(&control->work);
		while (!has_work(control, worker))
			ConditionVariableSleep(&control->work, PG_WAIT_EXTENSION);
		ConditionVariableCancelSleep();
	}
	pg_atomic_fetch_add_u32(&control->helpers, taken > 0);
	pg_atomic_fetch_add_u32(&control->helped, taken);
	dsm_detach(buffer);
}
