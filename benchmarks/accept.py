"""Webhook accept against a bare signed view that inserts one row, on the same server."""

import contextlib
import multiprocessing
import statistics
import time

import psutil
import psycopg2

from benchmarks.machine import (
    SCRATCH,
    Row,
    cpu_seconds,
    environment,
    free_port,
    granian,
    post_all,
    signed_request,
)

GOAL = 0.6
ROUNDS, REQUESTS = 6, 600


def measure(database_url: str) -> list[Row]:
    """Requests per second and CPU milliseconds with 1 and 2 clients; floor and product take turns."""
    with contextlib.closing(psycopg2.connect(database_url)) as link:
        link.autocommit = True
        link.cursor().execute(
            "CREATE TABLE bench_bare (id bigserial PRIMARY KEY, external_id text, body bytea, "
            "received_at timestamptz DEFAULT now())"
        )
        ports = {"floor": free_port(), "product": free_port()}
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        with (
            granian("benchmarks.bare:application", ports["floor"], environment(database_url, urls["floor"])) as floor,
            granian(
                "contact_center.wsgi:application", ports["product"], environment(database_url, urls["product"])
            ) as product,
        ):
            servers = {"floor": floor, "product": product}
            return [_compare(clients, servers, ports, urls, link) for clients in (1, 2)]


def _compare(clients: int, servers: dict[str, psutil.Process], ports, urls, link) -> Row:
    rates: dict[str, list[float]] = {"floor": [], "product": []}
    costs: dict[str, list[float]] = {"floor": [], "product": []}
    for number in range(-1, ROUNDS):
        for name in ("floor", "product"):
            prefix = f"{clients}{number + 1:01x}{'f' if name == 'floor' else '0'}0"
            rate, cost = _drive(clients, prefix, servers[name], ports[name], urls[name], link)
            if number >= 0:  # the first round warms up
                rates[name].append(rate)
                costs[name].append(cost)
    middle = {name: statistics.median(found) for name, found in rates.items()}
    cpu = {name: statistics.median(found) for name, found in costs.items()}
    ratio = statistics.median(p / f for p, f in zip(rates["product"], rates["floor"], strict=True))
    return Row(
        f"webhook accept, {clients} client{'s' * (clients > 1)}",
        f"{middle['product']:.0f}/s, {cpu['product']:.2f} ms CPU",
        f"{middle['floor']:.0f}/s, {cpu['floor']:.2f} ms CPU",
        f"{ratio:.0%} of the rate",
        f"≥ {GOAL:.0%}",
        ratio >= GOAL,
    )


def _drive(clients: int, prefix: str, server, port: int, url: str, link) -> tuple[float, float]:
    batches = [
        [signed_request(number * clients + client, url, prefix) for number in range(REQUESTS)]
        for client in range(clients)
    ]
    workers = [multiprocessing.Process(target=post_all, args=(port, batch)) for batch in batches]
    before, begun = cpu_seconds(server, SCRATCH, link), time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0, "a client failed"
    seconds = time.perf_counter() - begun
    total = REQUESTS * clients
    return total / seconds, (cpu_seconds(server, SCRATCH, link) - before) / total * 1000
