"""State machines as Mermaid diagrams, read from the models."""

from collections.abc import Iterator

from django.apps import apps
from django_fsm import FSMFieldMixin

HEADING = "# State machines\n\nGenerated from the models by `manage.py state_diagrams`; a test compares.\n"


def document() -> str:
    """Markdown with one diagram per protected status of our models, in a stable order."""
    return HEADING + "".join(_diagrams())


def _diagrams() -> Iterator[str]:
    for model in sorted(apps.get_models(), key=lambda found: found._meta.label):
        for field in model._meta.concrete_fields:
            if isinstance(field, FSMFieldMixin) and field.protected:
                lines = sorted(
                    f"    {move.source} --> {move.target}: {move.name}"
                    for move in field.get_all_transitions(model)
                    if move.target
                )
                start = f"    [*] --> {field.default}\n" if field.default else ""
                yield (
                    f"\n## {model._meta.object_name}\n\n```mermaid\nstateDiagram-v2\n{start}"
                    + "\n".join(lines)
                    + "\n```\n"
                )
