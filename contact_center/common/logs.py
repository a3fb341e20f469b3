"""One line of JSON per event. Ids only: names, numbers and texts of patients never reach a log."""

import logging
import sys
import traceback

# structlog loads these where they are installed, 7 MB in every process, for ways of logging that are not ours.
_UNUSED = [name for name in ("rich", "twisted") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_UNUSED))  # type: ignore[arg-type]
import structlog  # noqa: E402
from structlog.typing import EventDict, Processor, WrappedLogger  # noqa: E402

for name in _UNUSED:
    del sys.modules[name]


def without_query(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Cut the query off a logged request: a search or filter holds names and numbers of patients."""
    if isinstance(request := event.get("request"), str):
        event["request"] = request.partition("?")[0]
    return event


OURS = ("contact_center.", "patients.", "inbox.", "scheduling.", "complaints.", "analytics.")


def without_words_of_errors(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Tell types and frames of an exception as `exception`, and its words only where they are ours.

    A driver's or a parser's message quotes the row or the text it failed on. What it says is also taken out of the
    event itself, for libraries that repeat it there.
    """
    given = event.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given if isinstance(given, BaseException) else None
    if error is None and given:
        error = sys.exc_info()[1]
    if error is None:
        return event
    chain = _chain_of(error)
    told = event.get("event")
    if isinstance(told, str):
        for one in chain:
            told = _without_words_of(one, told)
        event["event"] = told
    event["exception"] = "\ncaused\n".join(_told(one) for one in reversed(chain))
    return event


def _chain_of(error: BaseException) -> list[BaseException]:
    """The exception and those behind it, at most ten."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain and len(chain) < 10:
        chain.append(following)
        following = following.__cause__ or following.__context__
    return chain


def _is_ours(error: BaseException) -> bool:
    return f"{type(error).__module__}.".startswith(OURS)


def _told(error: BaseException) -> str:
    frames = "".join(
        f"{frame.filename}:{frame.lineno} in {frame.name}\n" for frame in traceback.extract_tb(error.__traceback__)
    )
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{frames}{name}: {error}" if _is_ours(error) else f"{frames}{name}"


def _without_words_of(error: BaseException, told: str) -> str:
    if _is_ours(error):
        return told
    words = str(error)
    parts = [repr(error), repr(words)[1:-1], words, *words.splitlines(), *map(str, error.args)]
    for part in sorted(set(parts), key=len, reverse=True):
        if len(part.strip()) > 2:
            told = told.replace(part, type(error).__name__)
    return told


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    without_query,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def formatter() -> logging.Formatter:
    """Formatter for the standard library's handlers; configures structlog on the way."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            without_words_of_errors,
            structlog.processors.JSONRenderer(),
        ],
        foreign_pre_chain=SHARED,
    )
