"""A request remembers what it looked up, and forgets it at its end."""

from django.http import HttpResponse
from django.test import RequestFactory

from contact_center.common.request_memory import RequestMemoryMiddleware, remembered


def looks(asked):
    """`look(key)` notes that somebody really looked."""

    def look(key):
        return remembered((key,), lambda: asked.append(key) or len(asked))

    return look


def test_one_request_looks_once_per_key_and_the_next_one_anew():
    asked, answers = [], []
    look = looks(asked)

    def view(request):
        answers.append((look("a"), look("b"), look("a")))
        return HttpResponse()

    middleware = RequestMemoryMiddleware(view)
    middleware(RequestFactory().get("/"))
    middleware(RequestFactory().get("/"))
    assert (asked, answers) == (["a", "b", "a", "b"], [(1, 2, 1), (3, 4, 3)])


def test_outside_of_requests_nothing_is_remembered():
    asked = []
    look = looks(asked)
    assert (look("a"), look("a"), asked) == (1, 2, ["a", "a"])
