"""Habits of the house that no type checker sees."""

import ast
import importlib
import re
import weakref
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.dispatch import Signal

from contact_center.accounts.enums import Action, Role
from contact_center.accounts.policies import ROLE_ACTIONS, SCOPES, can, default_scopes
from tests.factories.accounts import UserFactory

ROOT = Path(__file__).resolve().parents[2]
OURS = ("contact_center", "patients", "inbox", "scheduling", "complaints", "analytics")
FOREIGN = {
    "auth": "django.contrib.auth.signals",
    "account": "allauth.account.signals",  # repeats some of auth's
    "anymail": "anymail.signals",
    "mfa": "allauth.mfa.signals",
}


def table_in(path: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of a document."""
    text = (ROOT / path).read_text().split(f"## {heading}\n", 1)[1]
    rows = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def signals_of(module_name: str) -> dict[str, Signal]:
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
        return {}
    return {name: value for name, value in vars(module).items() if isinstance(value, Signal)}


def receivers_of(signal: Signal) -> list[str]:
    """Our receivers of a signal, as `app.module.function`."""
    found = []
    for _key, receiver, *_rest in signal.receivers:
        function = receiver() if isinstance(receiver, weakref.ReferenceType) else receiver
        if function is not None and function.__module__.startswith(OURS):
            found.append(f"{function.__module__.removeprefix('contact_center.')}.{function.__name__}")
    return sorted(found)


def test_the_table_of_signals_is_the_code():
    modules = {
        config.label: f"{config.name}.signals" for config in apps.get_app_configs() if config.name.startswith(OURS)
    }
    code, seen = {}, set()
    for app, module in {**modules, **FOREIGN}.items():
        for name, signal in signals_of(module).items():
            receivers = receivers_of(signal)
            is_repeated = id(signal) in seen
            seen.add(id(signal))
            if (app in modules or receivers) and not is_repeated:
                code[f"{app}.{name}"] = receivers
    told = {
        signal.strip("`"): sorted(re.findall(r"`([^`]+)`", receivers))
        for signal, receivers in table_in("docs/architecture.md", "Signals")[2:]
    }
    assert told == code


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_documented_permissions_are_the_table():
    header, _line, *rows = table_in("docs/permissions.md", "What each role may do")
    documented = {
        row[0].strip("`"): {role for role, cell in zip(header[1:], row[1:], strict=True) if cell == "yes"}
        for row in rows
    }
    table = {action.value: {role.value for role in Role if action in ROLE_ACTIONS[role]} for action in Action}
    assert (header[1:], documented) == ([role.value for role in Role], table)


def test_the_documented_scopes_are_the_table():
    rows = table_in("docs/permissions.md", "What an API key may carry")[2:]
    assert {row[0].strip("`"): row[1].strip("`") for row in rows} == {
        scope: action.value for scope, action in SCOPES.items()
    }


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_says_and_nothing_when_disabled(db, role):
    user = UserFactory.build(role=role)
    assert {action for action in Action if can(user, action)} == ROLE_ACTIONS[role]
    user.is_active = False
    assert {action for action in Action if can(user, action)} == set()


def test_partner_teams_and_auditors_reach_no_further_than_their_duty():
    assert ROLE_ACTIONS[Role.PARTNER_AGENT] == {Action.WORK_INBOX}
    duty = {Action.VIEW_AUDIT, Action.VIEW_LEDGER, Action.VIEW_OUTBOX, Action.OVERSEE_PRIVACY}
    assert ROLE_ACTIONS[Role.AUDITOR] == duty
    assert default_scopes(Role.AUDITOR) == ("ledger:read", "outbox:read")


def test_what_compares_names_is_loaded_only_where_it_is_used():
    """Its compiled parts would cost every process 4 MB."""
    loading = set()
    for path in Path("patients").rglob("*.py"):
        imports = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom))
        if any((node.module or "").startswith(("rapidfuzz", "patients.matching.scoring")) for node in imports):
            loading.add(str(path))
    assert loading == {"patients/matching/scoring.py"}
