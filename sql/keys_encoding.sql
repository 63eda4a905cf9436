-- Text is hashed in UTF-8, whatever the encoding of the database.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_grove;
RESET client_min_messages;
SET client_encoding = 'UTF8';
SELECT current_database() AS home \gset
SELECT grove.hash64(42, 'B' || U&'\00e4' || 'ume') AS hash, grove.hash64(42, (U&'\00e4')::char(5)) AS padded,
	   encode(grove.key_bytes(U&'\00e4'), 'hex') AS bytes;
CREATE DATABASE grove_latin1 TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C';
\c grove_latin1
CREATE EXTENSION pg_grove;
SELECT getdatabaseencoding(), octet_length(chr(228));
SELECT grove.hash64(42, 'B' || chr(228) || 'ume') AS hash, grove.hash64(42, chr(228)::char(5)) AS padded,
	   encode(grove.key_bytes(chr(228)), 'hex') AS bytes;
\c :home
DROP DATABASE grove_latin1;
