"""Languages that patients speak, named in the language of the page."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

INTERPRETED = (
    "ar",
    "de",
    "en",
    "es",
    "fr",
    "hi",
    "ht",
    "it",
    "ja",
    "ko",
    "pl",
    "pt",
    "ru",
    "tr",
    "uk",
    "vi",
    "zh-hans",
)

UNLISTED = {"ht": gettext_lazy("Haitian Creole")}
"""Languages that Django does not name."""


def language_choices(present: str = "", codes: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Codes with their names, sorted by name: ours unless `codes` are given, and `present` whatever it is."""
    wanted = set(codes if codes is not None else dict(settings.LANGUAGES)) | ({present} if present else set())
    return sorted(((code, name_of(code)) for code in wanted), key=lambda pair: pair[1])


def name_of(code: str) -> str:
    """A language's name in the language of the page; the code itself where it is not known."""
    if code in UNLISTED:
        return str(UNLISTED[code])
    try:
        return _(get_language_info(code)["name"])
    except KeyError:
        return code
