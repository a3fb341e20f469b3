"""Every address of the web process, read from the URLconf."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Address:
    """One pattern: its full name (`inbox:list`), its keyword names, its view."""

    name: str
    keywords: tuple[str, ...]
    pattern: URLPattern

    @property
    def view(self):
        return self.pattern.callback


def addresses() -> list[Address]:
    return list(_below(get_resolver(), "", ()))


def _below(resolver: URLResolver, prefix: str, keywords: tuple[str, ...]) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        known = (*keywords, *entry.pattern.converters, *entry.pattern.regex.groupindex)
        known = tuple(dict.fromkeys(known))
        if isinstance(entry, URLResolver):
            inner = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from _below(entry, inner, known)
        else:
            yield Address(f"{prefix}{entry.name or entry.pattern}", known, entry)
