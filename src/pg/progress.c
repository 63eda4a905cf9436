/*
 * progress.c: grove.training_progress: how far trainings are.
 *
 * A backend has one slot in shared memory where VACUUM, COPY and others tell
 * their progress: the number of a command and some integers.  Training uses it
 * under a number of its own, which the server's views do not know and pass
 * over.  So other sessions see a training before it commits, nothing has to be
 * preloaded, and the server empties the slot when the transaction or
 * subtransaction fails.
 *
 * A statement that runs inside the source, another training for instance,
 * takes the slot over and leaves it empty.  Therefore each report is whole,
 * and takes the slot back when it is not ours.  The other way round, a COPY
 * that runs a training is no longer seen in its own view.
 *
 * Who may see what follows the server's views: everybody sees that a backend
 * trains, where and for whom; the rest is for its role and for those that have
 * the privileges of that role or of pg_read_all_stats.  With track_activities
 * off nothing is seen.
 */
#include "pg_grove.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "progress.h"
#include "rowtype.h"

/* Far from the numbers that the server gives out one by one. */
#define COMMAND		((ProgressCommandType) 0x67726f76)

enum
{
	PARAM_STARTED,
	PARAM_PHASE,
	PARAM_ROWS_READ,
	PARAM_ROWS_TOTAL,
	PARAM_ROUNDS_DONE,
	PARAM_ROUNDS_TOTAL,
	PARAM_LOSS,					/* the bits of a double */
	PARAM_HAS_LOSS,
	PARAMS
};

/* ----------------------------------------------------------------- reporting */

#ifdef GROVEPG_HAS_OWN_BEENTRY
static bool
slot_is_ours(const GroveProgress *progress)
{
	return MyBEEntry != NULL && MyBEEntry->st_progress_command == COMMAND &&
		MyBEEntry->st_progress_param[PARAM_STARTED] == progress->started;
}
#else
/* What was shown last; that another command took the slot since then goes unseen. */
static TimestampTz shown;

static bool
slot_is_ours(const GroveProgress *progress)
{
	return shown == progress->started;
}
#endif

static void
report(const GroveProgress *progress)
{
	static const int index[PARAMS] = {
		PARAM_STARTED, PARAM_PHASE, PARAM_ROWS_READ, PARAM_ROWS_TOTAL,
		PARAM_ROUNDS_DONE, PARAM_ROUNDS_TOTAL, PARAM_LOSS, PARAM_HAS_LOSS
	};
	int64		values[PARAMS];

	/* a server whose postmaster died cannot start again before its backends have ended, and a training may take hours */
	if (!PostmasterIsAlive())
		proc_exit(1);
	values[PARAM_STARTED] = progress->started;
	values[PARAM_PHASE] = progress->phase;
	values[PARAM_ROWS_READ] = (int64) progress->rows_read;
	values[PARAM_ROWS_TOTAL] = (int64) progress->rows_total;
	values[PARAM_ROUNDS_DONE] = (int64) progress->rounds_done;
	values[PARAM_ROUNDS_TOTAL] = (int64) progress->rounds_total;
	memcpy(&values[PARAM_LOSS], &progress->validation_loss, sizeof(double));
	values[PARAM_HAS_LOSS] = progress->has_loss;
	if (!slot_is_ours(progress))
		pgstat_progress_start_command(COMMAND, InvalidOid);
#ifndef GROVEPG_HAS_OWN_BEENTRY
	shown = progress->started;
#endif
	pgstat_progress_update_multi_param(PARAMS, index, values);
}

void
grovepg_progress_begin(GroveProgress *progress)
{
	memset(progress, 0, sizeof(*progress));
	progress->started = GetCurrentTimestamp();
	progress->phase = GROVE_PROGRESS_FIRST_READING;
	report(progress);
}

void
grovepg_progress_enter(GroveProgress *progress, GroveProgressPhase phase)
{
	progress->phase = phase;
	if (phase == GROVE_PROGRESS_SECOND_READING)
		progress->rows_read = 0;
	report(progress);
}

void
grovepg_progress_rows(GroveProgress *progress, uint64 rows)
{
	if (progress == NULL)
		return;
	progress->rows_read = rows;
	report(progress);
}

void
grovepg_progress_round(GroveProgress *progress, uint64 done, const double *loss)
{
	progress->rounds_done = done;
	progress->has_loss = loss != NULL;
	progress->validation_loss = loss ? *loss : 0.0;
	report(progress);
}

void
grovepg_progress_end(const GroveProgress *progress)
{
	if (slot_is_ours(progress))
		pgstat_progress_end_command();
}

/* ------------------------------------------------------------------- reading */

enum
{
	COLUMN_PID, COLUMN_DATABASE, COLUMN_USER, COLUMN_STARTED, COLUMN_PHASE, COLUMN_ROWS_READ, COLUMN_ROWS_TOTAL,
	COLUMN_ROUNDS_DONE, COLUMN_ROUNDS_TOTAL, COLUMN_LOSS,
	COLUMNS
};

static bool
may_read(Oid role)
{
	return has_privs_of_role(GetUserId(), role) || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

static const char *
phase_name(int64 phase)
{
	static const char *const names[] = {
		[GROVE_PROGRESS_FIRST_READING] = "first reading",
		[GROVE_PROGRESS_SECOND_READING] = "second reading",
		[GROVE_PROGRESS_FOLDS] = "folds",
		[GROVE_PROGRESS_TREES] = "trees",
		[GROVE_PROGRESS_WRITING] = "writing"
	};

	return phase > 0 && phase < (int) lengthof(names) ? names[phase] : "unknown";
}

/* The columns that not everybody may see. */
static void
fill_details(const int64 *params, Datum *values, bool *nulls)
{
	double		loss;

	memcpy(&loss, &params[PARAM_LOSS], sizeof(double));
	values[COLUMN_STARTED] = TimestampTzGetDatum(params[PARAM_STARTED]);
	values[COLUMN_PHASE] = CStringGetTextDatum(phase_name(params[PARAM_PHASE]));
	values[COLUMN_ROWS_READ] = Int64GetDatum(params[PARAM_ROWS_READ]);
	values[COLUMN_ROWS_TOTAL] = Int64GetDatum(params[PARAM_ROWS_TOTAL]);
	nulls[COLUMN_ROWS_TOTAL] = params[PARAM_ROWS_TOTAL] == 0;
	values[COLUMN_ROUNDS_DONE] = Int64GetDatum(params[PARAM_ROUNDS_DONE]);
	values[COLUMN_ROUNDS_TOTAL] = Int64GetDatum(params[PARAM_ROUNDS_TOTAL]);
	nulls[COLUMN_ROUNDS_TOTAL] = params[PARAM_ROUNDS_TOTAL] == 0;
	values[COLUMN_LOSS] = Float8GetDatum(loss);
	nulls[COLUMN_LOSS] = params[PARAM_HAS_LOSS] == 0;
}

PG_FUNCTION_INFO_V1(grove_training_progress_rows);

/* One row for each backend that trains; the cluster's, as in the server's views. */
Datum
grove_training_progress_rows(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Tuplestorestate *store = grovepg_rowtype_store(fcinfo, &desc);
	int			n = pgstat_fetch_stat_numbackends();
	int			i;

	for (i = 1; i <= n; i++)
	{
		LocalPgBackendStatus *local = grovepg_local_beentry(i);
		PgBackendStatus *entry = local ? &local->backendStatus : NULL;
		Datum		values[COLUMNS];
		bool		nulls[COLUMNS];

		/* between the start of the command and its first report the numbers are zero */
		if (entry == NULL || entry->st_progress_command != COMMAND || entry->st_progress_param[PARAM_PHASE] == 0)
			continue;
		memset(nulls, true, sizeof(nulls));
		values[COLUMN_PID] = Int32GetDatum(entry->st_procpid);
		values[COLUMN_DATABASE] = ObjectIdGetDatum(entry->st_databaseid);
		values[COLUMN_USER] = ObjectIdGetDatum(entry->st_userid);
		memset(nulls, false, COLUMN_STARTED);
		if (may_read(entry->st_userid))
		{
			memset(nulls, false, sizeof(nulls));
			fill_details(entry->st_progress_param, values, nulls);
		}
		tuplestore_putvalues(store, desc, values, nulls);
	}
	return (Datum) 0;
}
