-- Bytes given as a model: damaged, truncated, from a later version, or none at
-- all.  The models are the golden files of test/golden.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
CREATE SCHEMA model_format;
SET search_path = model_format;

\set regression '\\x9347524f56450d0a0100000000000000060200000000000004000000020000000a0000000000000064000000000000006d8e9e9753bc7f92fbcd6e96e70ab1780a00000072656772657373696f6e06000000616d6f756e7410000000646f75626c6520707265636973696f6e2b0000007b22616c676f726974686d223a202267626474222c20226c6561726e696e675f72617465223a20302e317d190000007b22747261696e223a207b226c6f7373223a20302e32357d7d0300000061676507000000696e7465676572000000050000007072696365070000006e756d65726963000000030000006461790400000064617465000000040000007365656e1b00000074696d657374616d7020776974686f75742074696d65207a6f6e650000000000000000002440050000000500000005640000000000c841000048410100000000000000000000003e40013c000000000070410000f0400300000001000000000000002340002800000000002041000000000000104000140000000000a040000000000000f03f002800000000002041000000000000004005640000000000c84100004841010000000200000000000040bf40003200000000004841000000000000e03f0132000000000048410000c8400300000003000000008093dcc44100190000000000c840000000000000d0bf00190000000000c840000000000000d03fac6869f4'
CREATE TABLE good AS SELECT :'regression'::bytea AS model;

-- what reading a model ends in
CREATE FUNCTION outcome(model bytea, OUT state text, OUT message text, OUT detail text, OUT hint text) AS $$
BEGIN
	message := coalesce(grove.describe(model) ->> 'task', 'null');
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	state := SQLSTATE;
END $$ LANGUAGE plpgsql;

SELECT octet_length(model) AS bytes, (outcome(model)).* FROM good;

-- every shorter value, and some that are longer
SELECT min(length) AS from_length, max(length) AS to_length, state, message, hint
FROM good, generate_series(0, octet_length(model) - 1) AS length, outcome(substr(model, 1, length))
GROUP BY state, message, hint ORDER BY 1;
SELECT (outcome(model || '\x00')).*, (outcome(model || model)).state FROM good;

-- every byte of the header changed, in all of its bits and in one
SELECT min(at) AS from_byte, max(at) AS to_byte, state, message, detail, hint
FROM good, generate_series(0, 63) AS at, outcome(set_byte(model, at, 255 - get_byte(model, at)))
GROUP BY state, message, detail, hint ORDER BY 1, 2;
SELECT min(at) AS from_byte, max(at) AS to_byte, state, message, detail, hint
FROM good, generate_series(0, 63) AS at, outcome(set_byte(model, at, get_byte(model, at) # 1))
GROUP BY state, message, detail, hint ORDER BY 1, 2;

-- every byte behind the header
SELECT count(*), state, message, detail, hint
FROM good, generate_series(64, octet_length(model) - 1) AS at, outcome(set_byte(model, at, get_byte(model, at) # 16))
GROUP BY state, message, detail, hint;

-- a later version, an unknown flag, version 0
SELECT at, value, (outcome(set_byte(model, at, value))).*
FROM good, (VALUES (8, 2), (9, 1), (10, 1), (11, 128), (8, 0)) AS change (at, value) ORDER BY at, value;

-- no models at all: random bytes, also behind a right beginning, text, nothing
SELECT count(*), state, message, hint
FROM generate_series(1, 200) AS i, outcome(decode(md5(i::text) || md5((-i)::text) || md5(i || 'x'), 'hex'))
GROUP BY state, message, hint;
SELECT count(*), state, message, detail, hint
FROM good, generate_series(1, 100) AS i,
	 outcome(substr(model, 1, 24) || substr(decode(repeat(md5(i::text), 31), 'hex'), 1, octet_length(model) - 24))
GROUP BY state, message, detail, hint;
SELECT * FROM outcome('');
SELECT * FROM outcome('not a model');
SELECT * FROM outcome(NULL);

-- models that the format allows but the server cannot show: texts that are not
-- UTF-8, parameters that are not JSON
\set bad_text '\\x9347524f56450d0a01000000010204001a01000000000000010002000100000003000000010000006400000000000000b822f3a7f8dab52e0f533b942849fe920600000062696e61727901000000c304000000746578742b0000007b22616c676f726974686d223a202267626474222c20226c6561726e696e675f72617465223a20302e317d190000007b22747261696e223a207b226c6f7373223a20302e32357d7d0700000068616c6620e282040000007465787401020002000000fffe0400000066696e650400000066696e6501000000ff000000000000000003000000020a000000000020400000a03f0100000000000400050000000000a03f000000000000d03f00050000000000a03f000000000000e83f032bff2c'
\set bad_json '\\x9347524f56450d0a0100000000020000ea000000000000000100000001000000030000000000000064000000000000003db1c3269656a3fbf26407fef46508100a00000072656772657373696f6e0100000079040000007265616c1b0000007b2273656564223a20317d2c20227461736b223a20226e6f6e6522030000005b315d0d0000006120226222205c202763270a64040000007265616c000000000000000000000003000000010a000000000020400000a03f010000000000000000000000e03f00050000000000a03f000000000000f03f00050000000000a03f0000000000000040e204357a'
CREATE FUNCTION try(query text) RETURNS text AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$ LANGUAGE plpgsql;
CREATE TABLE bad AS SELECT :'bad_text'::bytea AS text, :'bad_json'::bytea AS json;
SELECT call, try('SELECT ' || call || ' FROM model_format.bad') AS outcome FROM unnest(ARRAY[
	'grove.describe(text)', 'grove.classes(text)', 'grove.metrics(text)', 'grove.tree_text(text, 0)', 'grove.tree_dot(text, 0)',
	'(SELECT count(*) FROM grove.nodes(text))', '(SELECT count(*) FROM grove.importance(text))',
	'grove.predict(text, ''fine'')', 'grove.predict_class(text, ''fine'')', 'grove.predict_class(text, NULL)', 'grove.predict(text, 1, 2)',
	'grove.predict(text, date ''2020-01-01'')', 'grove.predict(text, bad)', 'grove.predict(text, ''{}''::jsonb)',
	'grove.describe(json)', 'grove.metrics(json)', 'grove.predict(json, 1)', 'grove.predict(json, bad)',
	'grove.tree_text(json, 0)', 'grove.tree_dot(json, 0)'])
	WITH ORDINALITY AS c (call, i) ORDER BY i;

-- the hints
SELECT grove.predict('\x00'::bytea, 1);
SELECT grove.predict(set_byte(model, 8, 9), 1) FROM good;

DROP SCHEMA model_format CASCADE;
