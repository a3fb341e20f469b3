"""Cheap programs for the launcher's fault tests: `web PORT` answers health, `ticker FILE` commits and acknowledges."""

import http.server
import os
import sys
import time

import psycopg2
import redis


def health() -> int:
    """200 when both engines answer, else 503."""
    try:
        with psycopg2.connect(os.environ["DATABASE_URL"], connect_timeout=2) as connection:
            connection.cursor().execute("SELECT 1")
        redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2).ping()
    except (psycopg2.Error, redis.RedisError):
        return 503
    return 200


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(health())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def tick(acknowledged: str) -> None:
    """Insert the next number, commit, count in Valkey, and only then write the number down."""
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    link = redis.Redis.from_url(os.environ["REDIS_URL"])
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS tick (n bigint PRIMARY KEY, filler text)")
    connection.commit()
    with open(acknowledged, "a", buffering=1) as file:
        while True:
            cursor.execute("INSERT INTO tick SELECT coalesce(max(n), 0) + 1, repeat('x', 500) FROM tick RETURNING n")
            number = cursor.fetchone()[0]
            connection.commit()
            counted = link.incr("ticks")
            file.write(f"{number} {counted}\n")
            time.sleep(0.002)


if __name__ == "__main__":
    if sys.argv[1] == "web":
        http.server.HTTPServer.allow_reuse_address = True
        http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Web).serve_forever()
    tick(sys.argv[2])
