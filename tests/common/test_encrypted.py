"""P4: encrypted columns give nothing away, refuse what is not theirs, and change their keys without a gap."""

import io
import os

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from contact_center.common import encrypted, rotation
from contact_center.common.field_keys import read_keys
from inbox.models import Mailbox
from tests.factories.inbox import MailboxFactory

PLACE = "inbox_mailbox.password"


def keys(*names):
    return {name: name.encode() * 32 for name in names}


def stored(mailbox):
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM inbox_mailbox WHERE id = %s", [mailbox.pk])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("text", ["x", "with: colons, and commas", "contraseña 🔑", "a" * 100_000])
def test_what_was_written_is_read(text):
    assert encrypted.decrypt(encrypted.encrypt(text, PLACE), PLACE) == text


def test_the_same_text_never_looks_the_same_and_its_blind_index_always_does():
    values = {encrypted.encrypt("secret", PLACE) for _ in range(20)}
    indexes = {encrypted.index_of("secret", PLACE) for _ in range(20)}
    assert (len(values), len(indexes)) == (20, 1)
    assert encrypted.index_of("secret", "elsewhere.column") not in indexes


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value[:-4] + "AAAA",
        lambda value: value.replace("v1:", "v2:", 1),
        lambda value: value.replace(":test:", ":gone:", 1),
        lambda value: "clear text",
        lambda value: "v1:test:not base64",
        lambda value: "v1:test:",
    ],
)
def test_what_was_changed_is_an_error_and_never_ciphertext(spoil):
    with pytest.raises(encrypted.CannotDecrypt) as error:
        encrypted.decrypt(spoil(encrypted.encrypt("secret", PLACE)), PLACE)
    assert "secret" not in str(error.value)


def test_a_value_moved_to_another_column_is_not_read():
    with pytest.raises(encrypted.CannotDecrypt):
        encrypted.decrypt(encrypted.encrypt("secret", "a.b"), "a.c")


def test_keys_of_the_environment_are_read_in_order_and_half_ones_refused():
    good = "dGVzdHMgb25seSwgdGhlc2UgYXJlIDMyIGJ5dGVzISE="
    assert list(read_keys(f"new:{good}, old:{good}")) == ["new", "old"]
    assert read_keys("") == {}
    for wrong in ("new", "new:short", f":{good}", f"a:{good},a:{good}", f"a b:{good}"):
        with pytest.raises(ImproperlyConfigured):
            read_keys(wrong)


@pytest.mark.django_db
def test_an_encrypted_column_cannot_be_searched():
    with pytest.raises(FieldError):
        Mailbox.objects.filter(password="secret").exists()
    assert Mailbox.objects.filter(password__isnull=True).count() == 0


@pytest.mark.fault
@pytest.mark.django_db
def test_p4_a_dump_holds_no_secret_and_rotation_keeps_every_value_readable(settings):
    settings.FIELD_KEYS = keys("a")
    canaries = [f"CANARY-{os.urandom(6).hex()}" for _ in range(40)]
    boxes = [MailboxFactory(channel__address=f"box{n}@aurora.test", password=text) for n, text in enumerate(canaries)]
    dump = "".join(stored(box) for box in boxes)
    leaked = [text for text in canaries if text in dump]

    settings.FIELD_KEYS = keys("b")
    unreadable = 0
    for box in boxes:
        try:
            Mailbox.objects.get(pk=box.pk)
        except encrypted.CannotDecrypt:
            unreadable += 1

    settings.FIELD_KEYS = keys("b", "a")
    place = next(one for one in rotation.places() if one.name == PLACE)
    assert (place.waiting(), place.rotate(15), place.waiting()) == (40, 15, 25)  # stopped in the middle
    told = io.StringIO()
    call_command("rotate_keys", stdout=told)
    assert f"{PLACE}: 25 of 25" in told.getvalue()
    settings.FIELD_KEYS = keys("b")
    readable = [Mailbox.objects.get(pk=box.pk).password for box in boxes]
    print(
        f"P4: 40 secrets: {len(leaked)} in the dump, {unreadable} refused with a wrong key,"
        f" {len(readable)} readable after rotation"
    )
    assert (leaked, unreadable, readable) == ([], 40, canaries)
    call_command("rotate_keys", "--check", stdout=told)


@pytest.mark.django_db
def test_rotation_without_the_old_key_says_so_and_changes_nothing(settings):
    settings.FIELD_KEYS = keys("a")
    before = stored(box := MailboxFactory(password="secret"))
    settings.FIELD_KEYS = keys("b")
    with pytest.raises(CommandError, match="Put its key back"):
        call_command("rotate_keys", stdout=io.StringIO())
    with pytest.raises(CommandError, match="still under another key"):
        call_command("rotate_keys", "--check", stdout=io.StringIO())
    assert stored(box) == before
