"""A keyword counts only when it is the whole message."""

import json
from pathlib import Path

import pytest

from inbox.keywords import Keyword, find_keyword

CORPUS = Path(__file__).resolve().parents[3] / "shared/data/optout/keywords.json"


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOP!!!",
        "“stop”",
        "Stop all",
        "STOPALL",
        "opt-out",
        "OPTOUT",
        "Opt out",
        "Unsubscribe",
    ]
    + ["END", "quit", "cancel", "revoke", "remove", "TD", "ALTO", "baja", "Darme de baja", "no más", "CANCELAR"]
    + ["sair", "Descadastrar", "parar", "ARRET", "Arrêt", "arrêter", "désabonner", "ｓｔｏｐ", "stop\n", "\tSTOP\r\n"],
)
def test_a_stop_word_alone_stops_in_four_languages(text):
    assert find_keyword(text) == Keyword.STOP


@pytest.mark.parametrize("text", ["START", "unstop", "Alta", "empezar", "começar", "voltar", "début", "commencer"])
def test_a_start_word_alone_starts(text):
    assert find_keyword(text) == Keyword.START


@pytest.mark.parametrize("text", ["HELP", "info", "Ayuda", "información", "ajuda", "aide", "help?"])
def test_a_help_word_alone_asks_for_help(text):
    assert find_keyword(text) == Keyword.HELP


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "...", "🛑", "Please don't stop my treatment", "stop by tomorrow?", "Can you help me?", "the end",
        "I want to cancel my appointment", "no quiero cancelar", "quiero darme de alta mañana", "START over please",
        "baja presión", "What is the info?", "stopp", "STOP\x00IT", "x" * 5000, "stop " * 100,
    ],
)  # fmt: skip
def test_a_sentence_with_the_word_and_empty_texts_are_no_keyword(text):
    assert find_keyword(text) is None


@pytest.mark.parametrize("text", ["yes", "Sí", "sim", "OUI"])
def test_yes_starts_again_only_for_somebody_who_had_opted_out(text):
    assert (find_keyword(text), find_keyword(text, is_opted_out=True)) == (None, Keyword.START)


@pytest.mark.skipif(not CORPUS.exists(), reason="the published keyword lists are not here")
@pytest.mark.parametrize("name", ["twilio_default", "aws_required", "telnyx_default", "us_fcc_reasonable_means"])
def test_every_published_opt_out_word_stops(name):
    words = json.loads(CORPUS.read_text())[name]["keywords"]
    assert [word for word in words if find_keyword(word) != Keyword.STOP] == []


@pytest.mark.skipif(not CORPUS.exists(), reason="the published keyword lists are not here")
def test_every_published_word_of_return_and_help_is_known():
    given = json.loads(CORPUS.read_text())
    assert [w for w in given["opt_in"]["keywords"] if find_keyword(w, is_opted_out=True) != Keyword.START] == []
    assert [w for w in given["help"]["keywords"] if find_keyword(w) != Keyword.HELP] == []
