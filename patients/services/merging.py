"""Making two records of one person into one, and undoing that. A person decides, every step stands in a journal.

The old record stays and points to the one it goes on in; what was merged into it before points there too, so one step
always suffices. Whatever names a patient moves, found from the models. What cannot move because the other record has
the same stays with the old one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from patients import signals
from patients.enums import MergedItem, SuggestionStatus
from patients.models import DuplicateSuggestion, MatchProfile, Patient, PatientMerge, PatientMergeItem
from patients.policies import can_merge_patients
from patients.selectors.duties import is_erased_or_about_to_be
from patients.selectors.merging import Link, as_json, fields_to_choose, high_water, links, newer_rows, strictest
from patients.selectors.people import patients_visible_to
from patients.services import stops
from patients.services.duplicates import refresh_profiles

FIELD = "patients.Patient."
LATE = timedelta(hours=24)


def merge_patients(*, actor: User, source_id: int, target_id: int, take: Collection[str] = ()) -> PatientMerge:
    """Let `source` go on in `target`; returns the merge with its journal. `take` names fields kept from the source.

    What protects the patient (protection, do-not-contact, a date of death) is kept from either. Raises Refused for a
    record with itself, one that was merged or erased already, and fields that cannot be chosen; PermissionDenied;
    Patient.DoesNotExist for hidden ones.
    """
    _require(actor)
    if source_id == target_id:
        raise Refused(_("A record cannot be merged with itself."))
    unknown = set(take) - {field.name for field in fields_to_choose()}
    if unknown:
        raise Refused(_("Some of these fields cannot be chosen."))
    with transaction.atomic():
        source, target = _hold(source_id, target_id)
        _check(actor, source, target)
        merge = PatientMerge(source=source, target=target, merged_by=actor, high_water=high_water())
        merge.save()
        items = _take_fields(merge, source, target, take)
        for link in links().values():
            items += move(link, link.ids_of(source.pk), source.pk, target.pk)
        for item in items:
            item.merge = merge
        PatientMergeItem.objects.bulk_create(items, batch_size=2000)
        source.merged_into = target
        source.save(update_fields=["merged_into", "updated_at"])
        if target.is_do_not_contact or target.deceased_date:
            stops.hold_back(target)
            stops.stop_all(target, actor)
        _settle(actor, source, target)
        moved = sum(item.what == MergedItem.MOVED for item in items)
        _conclude(actor, merge, "merged", signals.patients_merged, moved=moved, fields=sorted(take))
        return merge


def _require(actor: User) -> None:
    if not can_merge_patients(actor):
        raise PermissionDenied


def _hold(*ids: int) -> list[Patient]:
    """Both rows locked, the lower id first: nothing can be added to either until the end."""
    found = {row.pk: row for row in Patient.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    if len(found) != len(ids):
        raise Patient.DoesNotExist
    return [found[pk] for pk in ids]


def _check(actor: User, source: Patient, target: Patient) -> None:
    for patient in (source, target):
        if patient.merged_into_id is not None:
            raise Refused(_("Record %(mrn)s was merged already.") % {"mrn": patient.mrn})
        if is_erased_or_about_to_be(patient.pk):
            raise Refused(
                _("Record %(mrn)s is erased or about to be, so nothing can be merged with it.") % {"mrn": patient.mrn}
            )
    if patients_visible_to(actor).filter(pk__in=[source.pk, target.pk]).count() != 2:
        raise Patient.DoesNotExist


def _take_fields(
    merge: PatientMerge, source: Patient, target: Patient, take: Collection[str]
) -> list[PatientMergeItem]:
    wanted = {name: getattr(source, name) for name in take} | strictest(source, target)
    items = []
    for name, value in wanted.items():
        before = {"was": as_json(getattr(target, name)), "now": as_json(value)}
        if before["was"] != before["now"]:
            items.append(_item(MergedItem.FIELD, FIELD + name, target.pk, before))
            setattr(target, name, value)
    if items:
        try:
            with transaction.atomic():
                target.save(update_fields=[*wanted, "updated_at"])
        except IntegrityError:
            raise Refused(_("These fields do not go together. Take both from one record.")) from None
    return items


def _item(what: MergedItem, link: str, object_id: int, before: dict[str, object]) -> PatientMergeItem:
    return PatientMergeItem(what=what, link=link, object_id=object_id, before=before)


def move(link: Link, ids: Iterable[int], giver: int, taker: int) -> list[PatientMergeItem]:
    """Give rows of one kind from one record to another in the caller's transaction; what became of each.

    All at once; one by one where something clashes, and what the taker has already stays.
    """
    wanted = list(ids)
    if _try_move(link, wanted, taker):
        return [_item(MergedItem.MOVED, link.name, pk, {"was": giver}) for pk in wanted]
    return [
        _item(MergedItem.MOVED if _try_move(link, [pk], taker) else MergedItem.STAYED, link.name, pk, {"was": giver})
        for pk in wanted
    ]


def _try_move(link: Link, ids: list[int], taker: int) -> bool:
    if not ids:
        return True
    try:
        with transaction.atomic():
            link.model._default_manager.filter(pk__in=ids).update(**{link.field.attname: taker})
    except IntegrityError:
        return False
    return True


def _settle(actor: User, source: Patient, target: Patient) -> None:
    """The question whether these two are one is answered; other questions about the old record are pointless."""
    MatchProfile.objects.filter(patient=source).delete()
    pair = {"first": min(source.pk, target.pk), "second": max(source.pk, target.pk)}
    about = DuplicateSuggestion.objects.select_for_update().filter(
        Q(first=source) | Q(second=source), status=SuggestionStatus.OPEN
    )
    about.exclude(first=pair["first"], second=pair["second"]).delete()
    answered = DuplicateSuggestion.objects.select_for_update().filter(**pair).exclude(status=SuggestionStatus.MERGED)
    for suggestion in answered:
        suggestion.decided_by, suggestion.decided_at = actor, timezone.now()
        suggestion.settle()
        suggestion.save()
    refresh_profiles([target.pk])


def _conclude(actor: User, merge: PatientMerge, how: str, signal: object, **detail: object) -> None:
    for own, other in ((merge.source_id, merge.target_id), (merge.target_id, merge.source_id)):
        record(
            actor=actor, action=AuditAction.CHANGED, object_type="patientmerge", object_id=merge.pk, patient_id=own,
            to=how, other=other, **detail,
        )  # fmt: skip
        signals.announce(signals.patient_changed, patient_id=own)
    signals.announce(signal, source_id=merge.source_id, target_id=merge.target_id)  # type: ignore[arg-type]


def unmerge_patients(*, actor: User, merge_id: int, give_back: Collection[str] = ()) -> PatientMerge:
    """Let the old record stand on its own again, with every item it brought that is still there.

    `give_back` names what was added since and belongs to the old record (`selectors.merging.additions`); all else
    stays. A field that was changed since keeps its present value. Raises Refused when it was undone already, when the
    joined record was itself merged (undo that first), and for what was not added since; PermissionDenied;
    PatientMerge.DoesNotExist for hidden ones.
    """
    _require(actor)
    with transaction.atomic():
        pair = PatientMerge.objects.values_list("source_id", "target_id").get(pk=merge_id)
        source, target = _hold(*pair)
        merge = PatientMerge.objects.select_for_update(of=("self",)).get(pk=merge_id)
        _check_undo(actor, merge, source, target)
        moved, known = _moved_by(merge), links()
        chosen = _chosen(merge, give_back)
        for name in {*moved, *chosen} & set(known):
            link = known[name]
            still = link.model._default_manager.filter(pk__in=moved[name], **{link.field.name: target.pk})
            move(link, [*still.values_list("pk", flat=True), *chosen[name]], target.pk, source.pk)
        source.merged_into = None
        source.save(update_fields=["merged_into", "updated_at"])
        kept = _give_fields_back(merge, target)
        merge.undone_at, merge.undone_by = timezone.now(), actor
        merge.save()
        _part(actor, source, target)
        given = sum(map(len, chosen.values()))
        _conclude(actor, merge, "unmerged", signals.patients_unmerged, given_back=given, kept_fields=kept)
        return merge


def _check_undo(actor: User, merge: PatientMerge, source: Patient, target: Patient) -> None:
    if merge.undone_at is not None:
        raise Refused(_("This merge was undone already."))
    if source.merged_into_id != target.pk or target.merged_into_id is not None:
        raise Refused(_("Record %(mrn)s was merged itself. Undo that merge first.") % {"mrn": target.mrn})
    if is_erased_or_about_to_be(source.pk) or is_erased_or_about_to_be(target.pk):
        raise Refused(_("One of these records was erased, so the merge cannot be undone."))
    if not patients_visible_to(actor).filter(pk=target.pk).exists():
        raise PatientMerge.DoesNotExist


def _moved_by(merge: PatientMerge) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for link, pk in merge.items.filter(what=MergedItem.MOVED).values_list("link", "object_id"):
        found[link].append(pk)
    return found


def _chosen(merge: PatientMerge, keys: Collection[str]) -> dict[str, list[int]]:
    wanted: dict[str, list[int]] = defaultdict(list)
    known = links()
    for key in keys:
        name, _colon, number = key.rpartition(":")
        if name not in known or not number.isdecimal() or len(number) > 18:
            raise Refused(_("Choose among what was added since the merge."))
        wanted[name].append(int(number))
    for name, ids in wanted.items():
        if newer_rows(merge, known[name]).filter(pk__in=ids).count() != len(set(ids)):
            raise Refused(_("Choose among what was added since the merge."))
    return wanted


def _give_fields_back(merge: PatientMerge, target: Patient) -> list[str]:
    """Fields as before, but those that changed since; returns the names of these."""
    kept = []
    for item in merge.items.filter(what=MergedItem.FIELD):
        name = item.link.removeprefix(FIELD)
        if as_json(getattr(target, name)) == item.before["now"]:
            field = Patient._meta.get_field(name)
            setattr(target, name, field.to_python(item.before["was"]))  # type: ignore[union-attr]
        elif not _hand_down(merge, item):
            kept.append(name)
    target.save()
    return kept


def _hand_down(merge: PatientMerge, item: PatientMergeItem) -> bool:
    """A later merge set this field anew: what it goes back to is now what stood before this one."""
    later = PatientMergeItem.objects.filter(
        what=MergedItem.FIELD, link=item.link, object_id=item.object_id, merge__undone_at=None, merge__gt=merge.pk
    ).order_by("merge_id")
    for other in later[:1]:
        if other.before["was"] == item.before["now"]:
            other.before = {**other.before, "was": item.before["was"]}
            other.save(update_fields=["before"])
            return True
    return False


def _part(actor: User, source: Patient, target: Patient) -> None:
    pair = {"first": min(source.pk, target.pk), "second": max(source.pk, target.pk)}
    found = DuplicateSuggestion.objects.select_for_update().filter(**pair, status=SuggestionStatus.MERGED)
    refresh_profiles([source.pk, target.pk])
    prints = dict(MatchProfile.objects.filter(patient__in=pair.values()).values_list("patient_id", "fingerprint"))
    for suggestion in found:
        suggestion.decided_by, suggestion.decided_at = actor, timezone.now()
        suggestion.fingerprint = f"{prints.get(pair['first'], '')}:{prints.get(pair['second'], '')}"
        suggestion.part()
        suggestion.save()


def gather_stragglers(*, limit: int = 500) -> int:
    """Move what reached an old record in the moment it was merged; returns how much. Called again and again.

    Whoever looked up the old record just before waits for the merge's lock and then writes to it.
    """
    count = 0
    fresh = PatientMerge.objects.filter(undone_at=None, created_at__gt=timezone.now() - LATE)
    for merge in fresh.order_by("-pk")[:limit]:
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=merge.source_id)
            goal = Patient.objects.values_list("merged_into", flat=True).get(pk=merge.source_id)
            stayed = set(merge.items.filter(what=MergedItem.STAYED).values_list("link", "object_id"))
            if goal is None:
                continue
            for link in links().values():
                late = [pk for pk in link.ids_of(merge.source_id) if (link.name, pk) not in stayed]
                items = move(link, late, merge.source_id, goal)
                for item in items:
                    item.merge = merge
                PatientMergeItem.objects.bulk_create(items, ignore_conflicts=True)
                count += len(items)
    return count
