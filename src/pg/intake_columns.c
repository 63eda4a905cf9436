/*
 * intake_columns.c: which column of a source plays which role in training.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "intake.h"
#include "source.h"

static void
reject_type(const char *role, const GroveIntakeColumn *column, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s column \"%s\" has type %s", role, column->name, column->type_name),
			 errhint("%s", hint)));
}

static void
set_column(GroveIntakeColumn *column, TupleDesc desc, int attno)
{
	Form_pg_attribute att = TupleDescAttr(desc, attno - 1);

	column->attno = attno;
	column->name = pstrdup(NameStr(att->attname));
	column->type_name = grovepg_feature_type_name(att->atttypid);
}

static void
resolve_target(GroveIntake *in, TupleDesc desc, const char *name)
{
	GroveIntakeColumn *c = &in->target;

	set_column(c, desc, grovepg_source_column(desc, name, "target"));
	if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type))
		reject_type("target", c, "Cast the target to a number, boolean, text or enum type.");
	/* whoever does not train may compare any values */
	if (in->progress && c->type.kind == GROVE_FEATURE_NUMERIC && !grovepg_feature_is_number(&c->type))
		reject_type("target", c, "Make it a number with a unit of your choice, for example extract(epoch FROM column) / 86400 for days.");
	in->target_integer = c->type.type == INT2OID || c->type.type == INT4OID || c->type.type == INT8OID;
}

static void
resolve_number(GroveIntakeColumn *c, TupleDesc desc, const char *name, const char *role)
{
	if (name == NULL)
		return;
	set_column(c, desc, grovepg_source_column(desc, name, role));
	if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type) ||
		!grovepg_feature_is_number(&c->type))
		reject_type(role, c, "It must be a number.");
}

static void
resolve_margin(GroveIntake *in, TupleDesc desc, const char *name)
{
	GroveIntakeColumn *c = &in->margin;

	if (name == NULL)
		return;
	set_column(c, desc, grovepg_source_column(desc, name, "base_margin"));
	if (TupleDescAttr(desc, c->attno - 1)->atttypid == FLOAT8ARRAYOID)
		c->type.type = FLOAT8ARRAYOID;
	else if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type) ||
			 !grovepg_feature_is_number(&c->type))
		reject_type("base_margin", c, "It must be a number, or for a multiclass target an array double precision[] with one number for each class.");
}

static void
resolve_validation(GroveIntake *in, TupleDesc desc, const char *name)
{
	GroveIntakeColumn *c = &in->validation;

	if (name == NULL)
		return;
	set_column(c, desc, grovepg_source_column(desc, name, "validation"));
	if (!grovepg_feature_type(TupleDescAttr(desc, c->attno - 1)->atttypid, &c->type) || c->type.type != BOOLOID)
		reject_type("validation", c, "It must be boolean; rows where it is true are not trained on.");
}

static void
resolve_group(GroveIntake *in, TupleDesc desc, const char *name)
{
	Oid			type;

	if (name == NULL)
		return;
	set_column(&in->group, desc, grovepg_source_column(desc, name, "group_by"));
	type = TupleDescAttr(desc, in->group.attno - 1)->atttypid;
	in->group_key = grovepg_key_make(1, &type);
}

/* Whether a column has another role; two roles for one column are an ERROR. */
static bool
has_role(const GroveIntake *in, int attno)
{
	const GroveIntakeColumn *roles[5] = {&in->target, &in->weight, &in->margin, &in->validation, &in->group};
	const GroveIntakeColumn *found = NULL;
	int			i;

	for (i = 0; i < (int) lengthof(roles); i++)
	{
		if (roles[i]->attno != attno)
			continue;
		if (found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" is named for two roles", roles[i]->name),
					 errhint("Target, weight, base_margin, group_by and validation must be different columns.")));
		found = roles[i];
	}
	return found != NULL;
}

/* Marks the columns that are to be ignored. */
static bool *
ignored_columns(TupleDesc desc, const GroveIntakeRoles *roles)
{
	bool	   *ignored = palloc0(desc->natts * sizeof(bool));
	int			i;

	for (i = 0; i < roles->n_ignore; i++)
		ignored[grovepg_source_column(desc, TextDatumGetCString(roles->ignore[i]), "ignored") - 1] = true;
	return ignored;
}

static void
reject_duplicate_names(const GroveIntake *in)
{
	int			i,
				j;

	for (i = 0; i < in->n_features; i++)
	{
		for (j = i + 1; j < in->n_features; j++)
		{
			if (strcmp(in->features[i].name, in->features[j].name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("column \"%s\" appears twice in the source", in->features[i].name),
						 errhint("Give every column of the query a name of its own.")));
		}
	}
}

static void
resolve_features(GroveIntake *in, TupleDesc desc, const GroveIntakeRoles *roles)
{
	bool	   *ignored = ignored_columns(desc, roles);
	int			i;

	in->features = palloc0(desc->natts * sizeof(GroveIntakeColumn));
	for (i = 1; i <= desc->natts; i++)
	{
		GroveIntakeColumn *c = &in->features[in->n_features];

		if (TupleDescAttr(desc, i - 1)->attisdropped || has_role(in, i) || ignored[i - 1])
			continue;
		set_column(c, desc, i);
		if (!grovepg_feature_type(TupleDescAttr(desc, i - 1)->atttypid, &c->type))
			reject_type("feature", c, "Cast it to a number, date, timestamp, text, boolean, enum or uuid, or name it in \"ignore\".");
		if (c->type.kind == GROVE_FEATURE_CATEGORICAL)
			c->levels = grovepg_levels_make(in->context);
		in->n_features++;
	}
	if (in->n_features == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source has no feature columns"),
				 errhint("Every column that has no other role is a feature; select at least one beside the target.")));
	if (in->n_features > GROVE_MAX_FEATURES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("source has %d feature columns", in->n_features),
				 errdetail("A model can use at most %d.", GROVE_MAX_FEATURES),
				 errhint("Select fewer columns, or name some of them in \"ignore\".")));
	reject_duplicate_names(in);
}

GroveIntake *
grovepg_intake_begin_rows(TupleDesc desc, GroveIntakeVisit visit, void *rows,
						  const GroveIntakeRoles *roles, GroveProgress *progress)
{
	GroveIntake *in = palloc0(sizeof(GroveIntake));

	in->context = CurrentMemoryContext;
	in->progress = progress;
	in->visit = visit;
	in->rows = rows;
	in->target_rule = roles->target_rule;
	in->target_zero = true;
	in->weight_zero = true;
	resolve_target(in, desc, roles->target);
	resolve_number(&in->weight, desc, roles->weight, "weight");
	resolve_margin(in, desc, roles->margin);
	resolve_validation(in, desc, roles->validation);
	resolve_group(in, desc, roles->group);
	resolve_features(in, desc, roles);
	in->classes = grovepg_levels_make(in->context);
	in->class_value = palloc0(GROVE_MAX_CLASSES * sizeof(double));
	in->n_margins = in->margin.attno == 0 ? 0 : -1;
	return in;
}

static void
visit_query(void *query, void (*row) (TupleTableSlot *slot, void *arg), void *arg)
{
	grovepg_source_run(query, grovepg_source_receiver(NULL, row, arg));
}

GroveIntake *
grovepg_intake_begin(const char *query, const GroveIntakeRoles *roles, GroveProgress *progress)
{
	return grovepg_intake_begin_rows(grovepg_source_columns(query), visit_query, pstrdup(query), roles, progress);
}
