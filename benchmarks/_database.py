"""Reads a server's database beside the server, to see what it has really kept."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg2


def rows(url: str, query: str) -> list[tuple[Any, ...]]:  # the columns are the query's
    """What a query finds at sqlite:///PATH or postgresql://…"""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            return database.execute(query).fetchall()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
