"""Numpy arrays in and out of PostgreSQL by COPY (FORMAT binary).

The quickest way that a client has: a row of fixed-width columns without NULLs is a record of constant size,
so that a whole result is one structured array and no value is touched one by one.
"""
import io
import struct

import numpy as np

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
WIRE_TYPE = {"int4": ">i4", "int8": ">i8", "float8": ">f8"}


class Pipe:
    """A file to read from over an iterator of bytes."""

    def __init__(self, parts):
        self.parts, self.rest = parts, b""

    def read(self, size):
        if not self.rest:
            self.rest = next(self.parts, b"")
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece


def write(conn, table, columns, types, rows_per_write=2_000):
    """Appends columns (name -> array) to a table; types: name -> key of WIRE_TYPE."""
    names = list(columns)
    record = [("count", ">i2")]
    for name in names:
        record += [("length " + name, ">i4"), (name, WIRE_TYPE[types[name]])]
    record = np.dtype(record)
    total = len(columns[names[0]])

    def wire():
        yield SIGNATURE
        for first in range(0, total, rows_per_write):
            last = min(total, first + rows_per_write)
            block = np.empty(last - first, record)
            block["count"] = len(names)
            for name in names:
                block["length " + name] = record[name].itemsize
                block[name] = columns[name][first:last]
            yield block.tobytes()
        yield TRAILER

    with conn.cursor() as cursor:
        cursor.copy_expert("COPY %s (%s) FROM STDIN (FORMAT binary)" % (table, ", ".join(names)), Pipe(wire()))


def read(conn, query, columns):
    """Result of a query of so many float8 columns as (rows, columns), in wire order: copy it to use it."""
    stream = io.BytesIO()
    with conn.cursor() as cursor:
        cursor.copy_expert("COPY (%s) TO STDOUT (FORMAT binary)" % query, stream)
    data = stream.getbuffer()
    record = np.dtype([("count", ">i2"), ("field", [("length", ">i4"), ("value", ">f8")], (columns,))])
    rows, rest = divmod(len(data) - len(SIGNATURE) - len(TRAILER), record.itemsize)
    if rest:
        raise ValueError("the query does not return %d float8 columns without NULLs" % columns)
    return np.frombuffer(data, record, rows, len(SIGNATURE))["field"]["value"]
