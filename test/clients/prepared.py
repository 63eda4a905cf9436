"""predict() through psycopg 3 as prepared statements with parameters.  Prints one number a line.

    prepared.py FILE        a model in hexadecimal digits; libpq's environment names the server
"""
import json
import sys

import psycopg

with open(sys.argv[1], encoding="ascii") as file:
    model = bytes.fromhex(file.read())
sources = ["mail", "search", None]
with psycopg.connect() as connection:
    for pages in range(1, 21):
        source = sources[pages % 3]
        statements = [
            ("SELECT grove.predict(%s::bytea, %s::int, %s::text)", (model, pages, source)),
            ("SELECT grove.predict(%s::bytea, %s::jsonb)", (model, json.dumps({"pages": pages, "source": source}))),
        ]
        for text, values in statements:
            for binary in (False, True):
                with connection.cursor(binary=binary) as cursor:
                    number = cursor.execute(text, values, prepare=True).fetchone()[0]
            print(repr(number))
