"""API keys: who they let in."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from contact_center.accounts import services
from contact_center.accounts.enums import Role
from contact_center.accounts.models import ApiKey
from contact_center.accounts.policies import SCOPES, default_scopes
from contact_center.audit.models import AuditEntry


class Scoped(APIView):
    scope = "ledger"

    def get(self, request):
        return Response({"user": request.user.pk})

    post = get


class Unscoped(APIView):
    def get(self, request):
        return Response()


urlpatterns = [path("scoped/", Scoped.as_view()), path("unscoped/", Unscoped.as_view())]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def call(key, method="get", address="/scoped/"):
    client = APIClient()
    if key is not None:
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return getattr(client, method)(address)


@pytest.fixture
def key_of():
    return lambda role, scopes=None: services.create_api_key(actor=None, name="Sync", role=role, scopes=scopes)[1]


@pytest.mark.parametrize("key", [None, "", "wrong", "x" * 5000, "a b c", "\xff\xfe", "0" * 64])
def test_without_a_good_key_the_answer_is_a_challenge(key):
    response = call(key)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Token")


def test_a_key_reads_and_writes_what_its_scopes_say(key_of):
    reader = key_of(Role.SUPERVISOR, ["ledger:read"])
    assert (call(reader).status_code, call(reader, "post").status_code) == (200, 403)
    writer = key_of(Role.SUPERVISOR, ["ledger:write"])
    assert (call(writer).status_code, call(writer, "post").status_code) == (403, 200)


def test_a_view_without_a_scope_is_closed_to_every_key(key_of):
    assert call(key_of(Role.ADMIN), address="/unscoped/").status_code == 403


def test_a_scope_is_worth_nothing_when_the_role_is_taken_back(key_of):
    key = key_of(Role.SUPERVISOR)
    services.change_role(actor=None, user_id=ApiKey.objects.get().user_id, role=Role.PARTNER_AGENT)
    assert call(key).status_code == 403


def test_an_expired_key_is_as_wrong_as_any(key_of):
    key = key_of(Role.SUPERVISOR)
    ApiKey.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert call(key).status_code == 401


def test_the_key_of_somebody_disabled_is_wrong(key_of):
    key = key_of(Role.SUPERVISOR)
    user = ApiKey.objects.get().user
    user.is_active = False
    user.save()
    assert call(key).status_code == 401


def test_the_key_is_kept_only_as_a_digest_and_its_use_is_noted(key_of):
    text = key_of(Role.SUPERVISOR)
    call(text)
    row = ApiKey.objects.get()
    assert text not in repr(vars(row))
    assert timezone.now() - row.last_used_at < timedelta(minutes=1)


def test_a_call_costs_one_query_for_the_key(key_of, django_assert_num_queries):
    key = key_of(Role.SUPERVISOR)
    call(key)
    with django_assert_num_queries(1):
        call(key)


def test_the_command_prints_a_working_key_once_and_leaves_a_trace():
    out = StringIO()
    call_command("create_api_key", "--role", "supervisor", "--name", "Sync", stdout=out)
    assert call(out.getvalue().strip()).status_code == 200
    assert ApiKey.objects.get().scopes == list(SCOPES)
    assert AuditEntry.objects.filter(detail__api_key=True).count() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--role", "king", "--name", "x"],
        ["--role", "agent", "--name", " "],
        ["--role", "partner_agent", "--name", "x", "--scopes", "ledger:read"],
    ],
)
def test_the_command_refuses_in_words_what_cannot_be(arguments):
    with pytest.raises(CommandError):
        call_command("create_api_key", *arguments, stdout=StringIO())
    assert not ApiKey.objects.exists()


def test_default_scopes_follow_the_role():
    assert {role.value: len(default_scopes(role)) for role in Role} == {
        "agent": 14,
        "clinical_agent": 14,
        "partner_agent": 8,
        "supervisor": 16,
        "admin": 16,
        "auditor": 2,
    }


def test_demo_logins_are_refused_outside_a_demo(settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=0"):
        call_command("demo_logins")


def test_demo_logins_print_the_people_who_are_there(settings):
    settings.DEBUG = True
    services.create_user(actor=None, email="agent@aurora.example", role=Role.AGENT, password="aurora-demo-2026")
    out = StringIO()
    call_command("demo_logins", stdout=out)
    assert out.getvalue().split() == ["agent@aurora.example", "aurora-demo-2026", "Agent"]
