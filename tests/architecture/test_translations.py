"""What a page or a refusal says can be said in every language we offer."""

import ast
import gettext
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parents[2]
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
PLAIN = re.compile(r"""{%\s*translate\s+(?:"([^"]+)"|'([^']+)')(?:\s+context\s+(?:"([^"]+)"|'([^']+)'))?""")
WITH_CONTEXT = {"pgettext", "pgettext_lazy"}


def catalog(language: str) -> gettext.GNUTranslations:
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def texts_of_pages() -> set[str]:
    pages = (ROOT / "templates").rglob("*.html")
    return {
        in_context(double or single, context or other)
        for page in pages
        for double, single, context, other in PLAIN.findall(page.read_text())
    }


def in_context(text: str, context: str) -> str:
    """As the catalog names it."""
    return f"{context}\x04{text}" if context else text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_a_page_is_translated(language: str) -> None:
    known = catalog(language)._catalog  # type: ignore[attr-defined]
    assert sorted(text for text in texts_of_pages() if text not in known and text.replace("%", "%%") not in known) == []


def texts_of_code() -> set[str]:
    """Every literal that Python code hands to gettext."""
    found = set()
    for app in ("contact_center", "patients", "inbox", "scheduling", "complaints", "analytics"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                    words = [
                        one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
                    ]
                    if words and node.func.id in {"_", "gettext", "gettext_lazy", "gettext_noop"}:
                        found.add(words[0])
                    if len(words) == 2 and node.func.id in WITH_CONTEXT:
                        found.add(in_context(words[1], words[0]))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_code_is_translated(language: str) -> None:
    known = catalog(language)._catalog  # type: ignore[attr-defined]
    found = texts_of_code()
    assert sorted(text for text in found if text not in known) == []
    assert len(found) > 150
    assert "complaint\x04Answered" in found & texts_of_pages()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalog_is_the_one_that_was_translated(language: str, tmp_path: Path) -> None:
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    try:
        subprocess.run(["msgfmt", "-o", tmp_path / "new.mo", folder / "django.po"], check=True)
    except FileNotFoundError:
        pytest.skip("msgfmt is not installed")
    assert (tmp_path / "new.mo").read_bytes() == (folder / "django.mo").read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_loses_or_invents_a_variable(language: str) -> None:
    variable = re.compile(r"%\(\w+\)s|%s|%%s")
    wrong = [
        source
        for source, target in catalog(language)._catalog.items()  # type: ignore[attr-defined]
        if isinstance(source, str) and source and sorted(variable.findall(source)) != sorted(variable.findall(target))
    ]
    assert wrong == []
