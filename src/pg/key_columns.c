/*
 * key_columns.c: which columns are the key of a source: those that the caller
 * names, or the table's primary key.
 */
#include "pg_grove.h"

#include "access/sysattr.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "keys.h"

static List *
named_columns(ArrayType *key)
{
	List	   *names = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(key, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("column name in argument \"key\" must not be null"),
					 errhint("Leave the null out of the array.")));
		names = lappend(names, TextDatumGetCString(elements[i]));
	}
	return names;
}

List *
grovepg_key_columns(ArrayType *key, Oid relation)
{
	List	   *names = NIL;

	if (key != NULL)
		names = named_columns(key);
	else if (OidIsValid(relation))
	{
		Oid			constraint;
		Bitmapset  *columns = get_primary_key_attnos(relation, true, &constraint);
		int			i = -1;

		while ((i = bms_next_member(columns, i)) >= 0)
			names = lappend(names, get_attname(relation, i + FirstLowInvalidHeapAttributeNumber, false));
	}

	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 key != NULL ? errmsg("argument \"key\" names no column") :
				 OidIsValid(relation) ? errmsg("relation \"%s\" has no primary key", get_rel_name(relation)) :
				 errmsg("a query as source needs argument \"key\""),
				 errhint("Name the columns that identify a row, for example key => '{id}'.")));
	return names;
}
