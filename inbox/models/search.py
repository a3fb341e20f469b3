"""The words of messages, apart from the messages: taking one in pays nothing for being found later."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Lookup, Q

from inbox.models.messages import Message


class MessageWords(models.Model):
    """The words of one message, its subject and its sender's name, in lower case and without accents.

    Written a moment after the message by `services.indexing`; every message gets a row, also an empty one.
    """

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="words")
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="message_words", gin_pending_list_limit=512)]

    def __str__(self) -> str:
        return f"words of message {self.pk}"


@SearchVectorField.register_lookup
class Mean(Lookup):
    """`words__mean="text"`: has all these words; the last one may be the beginning of a word."""

    lookup_name = "mean"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} @@ continuo_query({right})", (*left_params, *right_params)


class IndexProgress(models.Model):
    """How far `services.indexing` came: a single row.

    Ids are given out in order but committed in any order. Everything up to `safe_id` is committed and indexed for
    good; `mark_id` becomes safe once every transaction before `mark_xid` has ended; `seen_id` is the next mark.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    safe_id = models.BigIntegerField(default=0)
    mark_id = models.BigIntegerField(default=0)
    mark_xid = models.BigIntegerField(default=0)
    seen_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="index_progress_once")]

    def __str__(self) -> str:
        return f"indexed up to message {self.safe_id}"
