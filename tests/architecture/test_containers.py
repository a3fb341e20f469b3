"""The containers run what the Procfile runs, so that one line is tried once for both."""

from pathlib import Path

import yaml

from contact_center.supervisor import read_procfile, to_start

ROOT = Path(__file__).resolve().parents[2]
ONLY_DEMO = {"simulator", "traffic"}


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_every_process_of_the_procfile_is_a_service_with_the_same_command():
    services = compose()["services"]
    commands = {
        name: services[name]["command"][-1].replace("$$", "$").removeprefix("exec ")
        for name in services
        if services[name].get("command", [""])[0] == "sh"
    }
    procfile = read_procfile(ROOT / "Procfile")
    assert commands == {name: line for name, line in procfile.items() if name not in ONLY_DEMO}


def test_a_program_that_only_listens_to_others_is_started_where_it_is_told_on_which_port(monkeypatch):
    commands = {"web": "serve", "hl7": "listen", "traffic": "write"}
    monkeypatch.delenv("HL7_PORT", raising=False)
    assert to_start(commands, ["traffic"]) == {"web": "serve"}
    monkeypatch.setenv("HL7_PORT", "0")
    assert to_start(commands, ["traffic"]) == {"web": "serve"}
    monkeypatch.setenv("HL7_PORT", "2575")
    assert to_start(commands, ["traffic"]) == {"web": "serve", "hl7": "listen"}


def test_the_image_starts_the_web_process_when_nothing_else_is_said():
    line = next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("CMD "))
    assert yaml.safe_load(line.removeprefix("CMD ")) == ["sh", "-c", f"exec {read_procfile(ROOT / 'Procfile')['web']}"]


def test_processes_that_hold_session_locks_go_around_the_pooler():
    hosts = {
        name: service["environment"]["DATABASE_URL"].rsplit("@", 1)[1]
        for name, service in compose()["services"].items()
        if "DATABASE_URL" in service.get("environment", {})
    }
    pooled, direct = "pgbouncer:6432/continuo", "postgres:5432/continuo"
    assert hosts == {
        "migrate": direct,
        "web": pooled,
        "live": pooled,
        "worker": direct,
        "beat": direct,
        "mail": direct,
        "hl7": pooled,
    }


def test_every_long_running_process_knows_whether_it_is_pooled():
    services = compose()["services"]
    told = {
        name: (environment["DATABASE_POOLED"], environment["DISABLE_SERVER_SIDE_CURSORS"])
        for name in ("web", "live", "hl7", "worker", "beat", "mail")
        if (environment := services[name]["environment"])
    }
    assert told == dict.fromkeys(("web", "live", "hl7"), ("1", "1")) | dict.fromkeys(
        ("worker", "beat", "mail"), ("0", "0")
    )


def test_only_the_proxy_is_reachable_from_outside():
    assert [name for name, service in compose()["services"].items() if "ports" in service] == ["caddy"]


def test_every_long_running_service_has_a_health_check():
    services = compose()["services"]
    built_in = {"web", "pgbouncer"}  # in their images
    without = {name for name, service in services.items() if "test" not in service.get("healthcheck", {})}
    assert without - built_in == {"migrate"}
    assert ["HEALTHCHECK" in (ROOT / path).read_text() for path in ("Dockerfile", "docker/pgbouncer/Dockerfile")] == [
        True,
        True,
    ]


def test_web_counts_callers_by_the_address_that_the_proxy_saw():
    assert compose()["services"]["web"]["environment"]["TRUSTED_PROXY_COUNT"] == "${TRUSTED_PROXY_COUNT:-1}"
