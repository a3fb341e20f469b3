"""One line of JSON per event. Ids only: names, numbers and texts of patients never reach a log."""

import logging

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def without_query(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Cut the query off a logged request: a search or filter holds names and numbers of patients."""
    if isinstance(request := event.get("request"), str):
        event["request"] = request.partition("?")[0]
    return event


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
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        foreign_pre_chain=SHARED,
    )
