"""Errors of services that pages and the API tell in words."""


class Refused(Exception):
    """The request is understood and not allowed in this state. The message is a sentence for people (HTTP 422)."""


class Conflict(Refused):
    """Somebody else was faster or the row changed meanwhile. The message is a sentence for people (HTTP 409)."""
