/*
 * export_sql.c: a model as an expression of plain SQL over the columns of its
 * features, which gives what predict() gives, of several classes what
 * predict_proba() gives.
 *
 * Trees become nested CASE expressions, added to the base in the order of
 * prediction, so that margins are equal to the bit.  Each condition is written
 * so that a missing value, whose comparison is NULL, takes the side that
 * the split has for it: it is the side of ELSE.  exp() of the server fails where
 * that of C gives 0 or infinity, so its argument is bounded.
 */
#include "pg_grove.h"

#include <float.h>
#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "model_cache.h"
#include "number_text.h"

typedef struct SqlWriter
{
	const GroveModel *model;
	StringInfoData out;
	char	  **operands;		/* [n_features] the column, cast to what it is compared as */
	char	  **types;			/* [n_features] */
} SqlWriter;

static bool
begins_with(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}

/* The name of a time type, or NULL: nothing of the model's own text becomes SQL unquoted. */
static const char *
time_type(const char *type)
{
	if (strcmp(type, "date") == 0)
		return "date";
	if (!begins_with(type, "timestamp"))
		return NULL;
	return strstr(type, "with time zone") ? "timestamptz" : "timestamp";
}

/* The column of a feature, as it is compared. */
static char *
make_operand(const GroveFeature *feature, const char *type)
{
	const char *column = quote_identifier(grovepg_model_text(feature->name));

	if (feature->kind == GROVE_FEATURE_CATEGORICAL)
		return psprintf(begins_with(type, "character(") || strcmp(type, "character") == 0 || strcmp(type, "bpchar") == 0 ?
						"%s::bpchar::text" : "%s::text", column);
	if (time_type(type))
		return psprintf("%s::%s", column, time_type(type));
	return psprintf(strcmp(type, "real") == 0 ? "%s::real::float8" : "%s::float8", column);
}

/* The last date or microsecond that is at most a threshold, as a literal that no setting changes. */
static void
append_time(SqlWriter *writer, const char *type, double threshold)
{
	StringInfo	out = &writer->out;
	bool		date = strcmp(type, "date") == 0;
	double		units = date ? floor(threshold) : floor(threshold * USECS_PER_SEC);
	struct pg_tm tm;
	fsec_t		fraction = 0;

	/* the product above was rounded */
	if (!date && (units + 1) / USECS_PER_SEC <= threshold)
		units++;
	if (!date && units / USECS_PER_SEC > threshold)
		units--;
	appendStringInfo(out, "%s '", type);
	if (date && units >= DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE && units < DATE_END_JULIAN - POSTGRES_EPOCH_JDATE)
	{
		j2date((int) units + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		appendStringInfo(out, "%04d-%02d-%02d%s", tm.tm_year > 0 ? tm.tm_year : 1 - tm.tm_year, tm.tm_mon, tm.tm_mday,
						 tm.tm_year > 0 ? "" : " BC");
	}
	else if (!date && units >= (double) MIN_TIMESTAMP && units < (double) END_TIMESTAMP &&
			 timestamp2tm((Timestamp) units, NULL, &tm, &fraction, NULL, NULL) == 0)
		appendStringInfo(out, "%04d-%02d-%02d %02d:%02d:%02d.%06d%s%s", tm.tm_year > 0 ? tm.tm_year : 1 - tm.tm_year,
						 tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fraction,
						 strcmp(type, "timestamptz") == 0 ? "+00" : "", tm.tm_year > 0 ? "" : " BC");
	else
		appendStringInfoString(out, units > 0 ? "infinity" : "-infinity");
	appendStringInfoChar(out, '\'');
}

/* What makes a row take the side that is not for missing values. */
static void
append_condition(SqlWriter *writer, const GroveNode *node)
{
	const GroveModel *model = writer->model;
	const GroveFeature *feature = &model->features[node->feature];
	StringInfo	out = &writer->out;
	bool		left = !(node->flags & GROVE_NODE_MISSING_LEFT);
	const char *separator = "";

	appendStringInfoString(out, writer->operands[node->feature]);
	if (node->flags & GROVE_NODE_CATEGORICAL)
	{
		appendStringInfoString(out, " COLLATE \"C\" IN (");
		for (uint32 i = 0; i < feature->n_levels; i++)
		{
			if (grove_model_set_has(model, node->set, i + 1) != left)
				continue;
			appendStringInfo(out, "%s%s", separator, quote_literal_cstr(grovepg_model_text(feature->levels[i])));
			separator = ", ";
		}
		appendStringInfoString(out, separator[0] ? ")" : "NULL)");
		return;
	}
	appendStringInfoString(out, left ? " <= " : " > ");
	if (time_type(writer->types[node->feature]))
	{
		append_time(writer, time_type(writer->types[node->feature]), node->value);
		return;
	}
	/* infinite values count as the largest finite ones */
	if (node->value == DBL_MAX)
		appendStringInfoString(out, "'Infinity'::float8");
	else if (node->value == -DBL_MAX)
		appendStringInfoString(out, "'-1.7976931348623157e+308'::float8");
	else
	{
		appendStringInfoChar(out, '\'');
		grovepg_number_append(out, node->value);
		appendStringInfoString(out, "'::float8");
	}
	if (!left)					/* NaN is missing, but the server sorts it last */
		appendStringInfo(out, " AND %s <> 'NaN'", writer->operands[node->feature]);
}

/* second[]: of each split on the way down the second child, when it is still to come, else 0. */
static void
append_tree(SqlWriter *writer, const GroveNode *nodes, uint32 *second)
{
	StringInfo	out = &writer->out;
	uint32		depth = 0;
	uint32		at = 0;

	for (;;)
	{
		bool		left = !(nodes[at].flags & GROVE_NODE_MISSING_LEFT);

		CHECK_FOR_INTERRUPTS();
		if (nodes[at].left != 0)
		{
			appendStringInfoString(out, "CASE WHEN ");
			append_condition(writer, &nodes[at]);
			appendStringInfoString(out, " THEN ");
			second[depth++] = nodes[at].left + left;
			at = nodes[at].left + !left;
			continue;
		}
		appendStringInfoChar(out, '\'');
		grovepg_number_append(out, nodes[at].value);
		appendStringInfoString(out, "'::float8");
		while (depth > 0 && second[depth - 1] == 0)
		{
			appendStringInfoString(out, " END");
			depth--;
		}
		if (depth == 0)
			return;
		appendStringInfoString(out, " ELSE ");
		at = second[depth - 1];
		second[depth - 1] = 0;
	}
}

static void
append_margin(SqlWriter *writer, uint32 output, uint32 *second)
{
	const GroveModel *model = writer->model;

	appendStringInfoChar(&writer->out, '\'');
	grovepg_number_append(&writer->out, model->base[output]);
	appendStringInfoString(&writer->out, "'::float8");
	for (uint32 tree = output; tree < model->n_trees; tree += model->n_outputs)
	{
		appendStringInfoString(&writer->out, "\n + ");
		append_tree(writer, model->nodes + model->tree_start[tree], second);
	}
}

/* The links in SQL; %s of the margin is between the two parts. */
static const struct
{
	const char *before;
	const char *after;
} links[] = {
	[GROVE_LINK_IDENTITY] = {"(", ")"},
	[GROVE_LINK_LOGISTIC] = {"(SELECT CASE WHEN m >= 0 THEN 1 / (1 + exp(-least(m, 745))) "
		"ELSE exp(greatest(m, -745)) / (1 + exp(greatest(m, -745))) END FROM (SELECT ", " AS m OFFSET 0) AS s)"},
	[GROVE_LINK_EXP] = {"exp(greatest(", ", -745))"},
	[GROVE_LINK_CLAMP] = {"least(greatest(", ", 0), 1)"},
	[GROVE_LINK_SOFTMAX] = {"(SELECT array_agg(e / total ORDER BY i) FROM (SELECT i, e, sum(e) OVER () AS total FROM "
		"(SELECT i, exp(greatest(m - max(m) OVER (), -745)) AS e FROM unnest(ARRAY[", "]) WITH ORDINALITY AS u (m, i)) AS x) AS y)"},
	[GROVE_LINK_NORMALIZE] = {"(SELECT array_agg(CASE WHEN total > 0 THEN e / total ELSE 1.0 / n END ORDER BY i) FROM "
		"(SELECT i, e, sum(e) OVER () AS total, count(*) OVER () AS n FROM "
		"(SELECT i, greatest(m, 0) AS e FROM unnest(ARRAY[", "]) WITH ORDINALITY AS u (m, i)) AS x) AS y)"}
};

PG_FUNCTION_INFO_V1(grove_export_sql);

/* export_sql(model bytea) returns text */
Datum
grove_export_sql(PG_FUNCTION_ARGS)
{
	const GroveModel *model = grovepg_model_get(PG_GETARG_DATUM(0), CurrentMemoryContext);
	SqlWriter	writer = {.model = model};
	uint32	   *second = palloc(sizeof(uint32) * GROVE_MAX_LEAVES);

	initStringInfo(&writer.out);
	writer.operands = palloc(sizeof(char *) * model->n_features);
	writer.types = palloc(sizeof(char *) * model->n_features);
	for (uint32 i = 0; i < model->n_features; i++)
	{
		writer.types[i] = grovepg_model_text(model->features[i].type_name);
		writer.operands[i] = make_operand(&model->features[i], writer.types[i]);
	}
	appendStringInfoString(&writer.out, links[model->link].before);
	for (uint32 output = 0; output < model->n_outputs; output++)
	{
		appendStringInfoString(&writer.out, output > 0 ? ",\n" : "");
		append_margin(&writer, output, second);
	}
	appendStringInfoString(&writer.out, links[model->link].after);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(writer.out.data, writer.out.len));
}
