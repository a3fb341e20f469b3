"""The guards that all other tests lean on."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError

from contact_center.accounts.enums import Role
from tests.factories import inbox as desk
from tests.factories import patients as people


def test_a_connection_off_this_machine_is_refused():
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_there_is_one_person_per_role_and_an_outsider(everybody):
    roles = {name: person.role for name, person in vars(everybody).items()}
    assert roles == {role.value: role.value for role in Role} | {"outsider": "agent"}


@pytest.mark.parametrize(
    "factory",
    [
        desk.AttachmentFactory,
        desk.CaseFactory,
        desk.DispositionFactory,
        desk.FormFieldFactory,
        desk.InteractionFactory,
        desk.MailboxFactory,
        desk.MessageFactory,
        desk.MessageTemplateFactory,
        desk.NoteFactory,
        desk.OptOutFactory,
        desk.ReasonFactory,
        desk.WebhookEventFactory,
        people.ConsentFactory,
        people.ContactPointFactory,
        people.RelatedPersonFactory,
    ],
)
def test_every_factory_makes_rows_the_database_accepts(db, factory):
    first, second = factory(), factory() if factory not in ONLY_ONE else None
    assert type(first).objects.count() == 1 + (second is not None)


ONLY_ONE = {desk.MailboxFactory, desk.OptOutFactory}
