"""What one does with an interaction, for machines: snooze, transfer, labels, tasks. The services are the pages' own."""

from functools import partial
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.accounts.selectors import people
from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdField, IdFilter, checked
from contact_center.common.api_verbs import plain_verb, verb
from inbox.api.serializers import ANSWER, REFUSALS, InteractionSerializer, pick
from inbox.enums import Priority
from inbox.models import Interaction, Queue, Tag, Task
from inbox.selectors.interactions import get_interaction_for, interactions_visible_to
from inbox.selectors.setup import reasons_visible_to
from inbox.selectors.tasks import get_task_for
from inbox.services import labels, merging, snooze, tasks, transfers, unmerging


class SnoozeSerializer(serializers.Serializer):
    """Without `until_at` it rests until the patient writes. `is_kept`: a message of the patient does not wake it."""

    until_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    is_kept = serializers.BooleanField(required=False, default=False)


class TransferSerializer(serializers.Serializer):
    """A queue, a person who serves it, or both; `note` is written for the next person."""

    why = serializers.CharField(max_length=240)
    queue = IdField(required=False, allow_null=True)
    assignee = IdField(required=False, allow_null=True)
    note = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class PriorityChoiceSerializer(serializers.Serializer):
    priority = serializers.ChoiceField(choices=Priority.choices)


class ReasonChoiceSerializer(serializers.Serializer):
    reason = IdField()


class TagsSerializer(serializers.Serializer):
    """Exactly these tags; none for an empty list."""

    tags = serializers.ListField(child=IdField(), max_length=50, allow_empty=True)


class MergeSerializer(serializers.Serializer):
    """The interaction in which this one goes on."""

    into = IdField()


class SplitSerializer(serializers.Serializer):
    """The messages that are another matter."""

    messages = serializers.ListField(child=IdField(), min_length=1, max_length=100)


class UnmergeSerializer(serializers.Serializer):
    """What was added to the target since and belongs to the source; what came on its own thread goes back anyway."""

    messages = serializers.ListField(child=IdField(), max_length=100, required=False, default=list)
    notes = serializers.ListField(child=IdField(), max_length=100, required=False, default=list)
    tasks = serializers.ListField(child=IdField(), max_length=100, required=False, default=list)


class TaskSerializer(serializers.ModelSerializer):
    class Meta:
        model = Task
        fields = ["id", "interaction", "title", "owner", "due_date", "is_blocking", "position", "done_at", "done_by"]
        read_only_fields = fields


TASK = {200: TaskSerializer, **REFUSALS}


class TaskWriteSerializer(serializers.Serializer):
    title = serializers.CharField(max_length=200)
    owner = IdField(required=False, allow_null=True)
    due_date = serializers.DateField(required=False, allow_null=True, default=None)
    is_blocking = serializers.BooleanField(required=False, default=False)


class NewTaskSerializer(TaskWriteSerializer):
    interaction = IdField()


class WorkActions:
    """Actions of an interaction; the view set beneath finds it for the person, 404 else."""

    def _done(self, interaction: Interaction) -> Response:
        return Response(InteractionSerializer(interaction).data)

    def _acting(self, request: Request, pk: str) -> dict[str, Any]:
        """Who acts on what, after the person was found to see it (404 else)."""
        user: Any = request.user
        return {"actor": user, "interaction_id": get_interaction_for(user, int(pk)).pk}

    wake = plain_verb("wake", snooze.wake, "Bring it back from snooze", answers=ANSWER)

    @verb("Let it rest", takes=SnoozeSerializer, answers=ANSWER)
    def snooze(self, request: Request, pk: str) -> Response:
        return self._done(snooze.snooze(**self._acting(request, pk), **checked(SnoozeSerializer, request)))

    @verb("Hand it to a queue or a person", takes=TransferSerializer, answers=ANSWER)
    def transfer(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(TransferSerializer, request)
        given["queue"] = pick(Queue.objects.filter(is_active=True), given.get("queue"), "queue")
        given["assignee"] = pick(people(), given.get("assignee"), "assignee")
        return self._done(transfers.transfer(**acting, **given))

    @verb("Say how urgent it is", takes=PriorityChoiceSerializer, answers=ANSWER)
    def priority(self, request: Request, pk: str) -> Response:
        acting = self._acting(request, pk)
        return self._done(
            labels.set_priority(**acting, priority=int(checked(PriorityChoiceSerializer, request)["priority"]))
        )

    @verb("Say why the patient contacts us", takes=ReasonChoiceSerializer, answers=ANSWER)
    def reason(self, request: Request, pk: str) -> Response:
        acting = self._acting(request, pk)
        wanted = checked(ReasonChoiceSerializer, request)["reason"]
        return self._done(
            labels.set_reason(**acting, reason=pick(reasons_visible_to(acting["actor"]), wanted, "reason"))
        )

    @verb("Set its tags", takes=TagsSerializer, answers=ANSWER)
    def tags(self, request: Request, pk: str) -> Response:
        acting = self._acting(request, pk)
        wanted = set(checked(TagsSerializer, request)["tags"])
        known = Tag.objects.filter(pk__in=wanted)
        if len(known) < len(wanted):
            raise serializers.ValidationError({"tags": ["There is no such row, or it may not be used here."]})
        return self._done(labels.set_tags(**acting, tags=known))

    @verb("Let it go on in another interaction", takes=MergeSerializer, answers=ANSWER)
    def merge(self, request: Request, pk: str) -> Response:
        acting = self._acting(request, pk)
        actor = acting["actor"]
        target = pick(interactions_visible_to(actor), checked(MergeSerializer, request)["into"], "into")
        return self._done(merging.merge(actor=actor, source_id=acting["interaction_id"], target_id=target.pk))

    @verb("Undo a merge of the last 24 hours", takes=UnmergeSerializer, answers=ANSWER)
    def unmerge(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(UnmergeSerializer, request)
        chosen = {f"{name}_ids": given[f"{name}s"] for name in ("message", "note", "task")}
        return self._done(unmerging.unmerge(**acting, **chosen))

    @verb(
        "Take messages out into a new interaction",
        takes=SplitSerializer,
        answers={201: InteractionSerializer, **REFUSALS},
    )
    def split(self, request: Request, pk: str) -> Response:
        acting = self._acting(request, pk)
        new = merging.split(**acting, message_ids=checked(SplitSerializer, request)["messages"])
        return Response(InteractionSerializer(new).data, status=status.HTTP_201_CREATED)


class TaskFilters(django_filters.FilterSet):
    interaction = IdFilter(field_name="interaction_id")
    owner = IdFilter(field_name="owner_id")
    is_done = django_filters.BooleanFilter(field_name="done_at", lookup_expr="isnull", exclude=True)
    due_until = django_filters.DateFilter(field_name="due_date", lookup_expr="lte")

    class Meta:
        model = Task
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List tasks"),
    retrieve=extend_schema(summary="Read one task", responses=TASK),
)
class TaskViewSet(AuditedReadViewSet):
    scope = "interactions"
    audited_type = "task"
    serializer_class = TaskSerializer
    filterset_class = TaskFilters
    queryset = Task.objects.none()

    def get_queryset(self) -> QuerySet[Task]:
        seen = interactions_visible_to(self.request.user).values("pk")  # type: ignore[arg-type]
        return Task.objects.select_related("interaction").filter(interaction__in=seen)

    def patient_of(self, row: Task) -> int | None:
        return row.interaction.patient_id

    def _acting(self, request: Request, pk: str) -> dict[str, Any]:
        user: Any = request.user
        return {"actor": user, "task_id": get_task_for(user, int(pk)).pk}

    @extend_schema(summary="Add a task", request=NewTaskSerializer, responses={201: TaskSerializer, **REFUSALS})
    def create(self, request: Request) -> Response:
        given, user = checked(NewTaskSerializer, request), request.user
        interaction = pick(interactions_visible_to(user), given.pop("interaction"), "interaction")  # type: ignore[arg-type]
        given["owner"] = pick(people(), given.get("owner"), "owner")
        task = tasks.add_task(actor=user, interaction_id=interaction.pk, **given)  # type: ignore[arg-type]
        return Response(TaskSerializer(task).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Write a task anew", request=TaskWriteSerializer, responses=TASK)
    def update(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(TaskWriteSerializer, request)
        given["owner"] = pick(people(), given.get("owner"), "owner")
        return self._done(tasks.change_task(**acting, **given))

    def _done(self, task: Task) -> Response:
        return Response(TaskSerializer(task).data)

    done = plain_verb("done", partial(tasks.set_task_done, is_done=True), "Tick a task", answers=TASK)
    not_done = plain_verb(
        "not_done", partial(tasks.set_task_done, is_done=False), "Take the tick back", answers=TASK, path="not-done"
    )

    @extend_schema(summary="Remove a task", request=None, responses={204: None, **REFUSALS})
    def destroy(self, request: Request, pk: str) -> Response:
        tasks.remove_task(**self._acting(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
