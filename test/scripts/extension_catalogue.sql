-- extension_catalogue.sql: what the catalogue says about the extension, a line
-- a fact, without OIDs: two ways to the same version must give the same lines.
\pset format unaligned
\pset tuples_only on
SET search_path = pg_catalog;
CREATE TEMPORARY VIEW members AS
	SELECT d.classid, d.objid, i.type, i.identity
	FROM pg_depend AS d, pg_identify_object(d.classid, d.objid, 0) AS i
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_grove');
SELECT line FROM (
	SELECT concat_ws(' | ', 'extension', extversion, extrelocatable, extnamespace::regnamespace, extconfig::regclass[], extcondition) AS line
	FROM pg_extension WHERE extname = 'pg_grove'
	UNION ALL
	SELECT concat_ws(' | ', 'member', type, identity, obj_description(objid, classid::regclass::text::name)) FROM members
	UNION ALL
	SELECT concat_ws(' | ', 'function', m.identity, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.prokind, p.provolatile,
		p.proparallel, p.proisstrict, p.proleakproof, p.prosecdef, p.procost, p.prorows, p.prosupport, p.prosrc, p.probin, p.proconfig, p.proacl, p.proowner::regrole)
	FROM members AS m JOIN pg_proc AS p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid JOIN pg_language AS l ON l.oid = p.prolang
	UNION ALL
	SELECT concat_ws(' | ', 'aggregate', m.identity, to_jsonb(a) || jsonb_build_object('aggfnoid', '', 'aggtranstype', a.aggtranstype::regtype, 'aggmtranstype', a.aggmtranstype::regtype,
		'aggsortop', a.aggsortop::regoperator))
	FROM members AS m JOIN pg_aggregate AS a ON m.classid = 'pg_proc'::regclass AND m.objid = a.aggfnoid
	UNION ALL
	SELECT concat_ws(' | ', 'type', m.identity, t.typlen, t.typbyval, t.typtype, t.typcategory, t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin,
		t.typanalyze, t.typalign, t.typstorage, t.typdefault, t.typacl, t.typowner::regrole)
	FROM members AS m JOIN pg_type AS t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
	UNION ALL
	SELECT concat_ws(' | ', 'schema', n.nspname, n.nspacl, n.nspowner::regrole)
	FROM members AS m JOIN pg_namespace AS n ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
	UNION ALL
	SELECT concat_ws(' | ', 'relation', m.identity, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.reloptions, c.relacl,
		c.relowner::regrole, CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid) END)
	FROM members AS m JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	UNION ALL
	SELECT concat_ws(' | ', 'column', m.identity, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage, a.attcollation::regcollation,
		a.attacl, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum))
	FROM members AS m JOIN pg_attribute AS a ON m.classid = 'pg_class'::regclass AND m.objid = a.attrelid AND a.attnum > 0
		LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	UNION ALL
	SELECT concat_ws(' | ', 'index', m.identity, pg_get_indexdef(x.indexrelid), obj_description(x.indexrelid, 'pg_class'))
	FROM members AS m JOIN pg_index AS x ON m.classid = 'pg_class'::regclass AND m.objid = x.indrelid
	UNION ALL
	SELECT concat_ws(' | ', 'constraint', m.identity, c.conname, pg_get_constraintdef(c.oid), obj_description(c.oid, 'pg_constraint'))
	FROM members AS m JOIN pg_constraint AS c ON m.classid = 'pg_class'::regclass AND m.objid = c.conrelid
	UNION ALL
	SELECT concat_ws(' | ', 'policy', m.identity, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[], pg_get_expr(p.polqual, p.polrelid),
		pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy'))
	FROM members AS m JOIN pg_policy AS p ON m.classid = 'pg_class'::regclass AND m.objid = p.polrelid
	UNION ALL
	SELECT concat_ws(' | ', 'trigger', m.identity, pg_get_triggerdef(t.oid))
	FROM members AS m JOIN pg_trigger AS t ON m.classid = 'pg_class'::regclass AND m.objid = t.tgrelid
	UNION ALL
	SELECT concat_ws(' | ', 'initial privileges', m.identity, i.objsubid, i.initprivs)
	FROM members AS m JOIN pg_init_privs AS i ON m.classid = i.classoid AND m.objid = i.objoid AND i.privtype = 'e'
) AS q ORDER BY line COLLATE "C";
