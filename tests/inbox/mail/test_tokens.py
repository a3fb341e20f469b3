"""A token in the reply address ties an answer to its conversation, and nobody can guess one."""

import pytest

from inbox.mail import tokens

KEY = b"k" * 32


def test_a_token_names_its_interaction_only_with_its_key():
    token = tokens.sign(123456, KEY)
    assert tokens.verify(token, KEY) == 123456
    assert tokens.verify(token.upper(), KEY) == 123456
    assert tokens.verify(token, b"x" * 32) is None
    assert len(token) <= 30


@pytest.mark.parametrize("position", range(22))
def test_no_changed_token_is_believed(position):
    token = tokens.sign(123456, KEY)
    if position < len(token):
        changed = token[:position] + ("a" if token[position] != "a" else "b") + token[position + 1 :]
        assert tokens.verify(changed, KEY) is None


@pytest.mark.parametrize(
    "token", ["", "-", "2n9c-", "zz-zzzzzzzzzzzzzzzz", "é-aaaaaaaaaaaaaaaa", "1" * 5000, "²-aaaaaaaaaaaaaaaa"]
)
def test_garbage_is_no_token(token):
    assert tokens.verify(token, KEY) is None


def test_the_reply_address_carries_the_token():
    address = tokens.reply_address("care@aurora.test", 42, KEY)
    assert address.partition("+")[0] == "care"
    assert tokens.find_interaction(["other@aurora.test", address.upper()], KEY) == 42
    assert tokens.find_interaction(["care+r-1-aaaaaaaaaaaaaaaa@aurora.test"], KEY) is None


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="too short"):
        tokens.sign(1, b"short")
