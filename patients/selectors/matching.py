"""Records as descriptions that are compared: a constant number of queries for any number of records."""

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from patients.matching.blocking import CROWD
from patients.matching.people import Person, Place, fold, person, place
from patients.matching.verdict import Rarity
from patients.models import ContactPoint, Identifier, MatchProfile, Patient, PostalAddress, RelatedPerson
from patients.numbers import phone_variants

RARITY_KEPT_SECONDS = 600.0
COMMON_NAMES = 5000
VARIED = ("+52", "+54", "+55")
"""Countries that write one number in two ways (`phone_variants`)."""
_rarity: tuple[float, Rarity] | None = None


def persons(ids: Iterable[int]) -> dict[int, Person]:
    """Current records by id, as they are compared. Four queries, none for nobody."""
    wanted = list(ids)
    if not wanted:
        return {}
    columns = ("pk", "given_name", "family_name", "birth_date", "gender")
    rows = _among(Patient.objects.current(), "id", wanted).values_list(*columns)
    contacts, numbers, homes = _contacts(wanted), _numbers(wanted), _homes(wanted)
    return {
        pk: person(
            pk, given=given, family=family, birth_date=born, gender=gender,
            contacts=contacts[pk], identifiers=numbers[pk], places=homes[pk],
        )
        for pk, given, family, born, gender in rows
    }  # fmt: skip


class Described:
    """Records as they are compared, kept from one step of a scan to the next: most steps need the same ones.

    A record is read again when its profile tells of a change, and left out when it has none any more.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, Person]] = {}

    def of(self, ids: Iterable[int]) -> dict[int, Person]:
        """As `persons`, of records that have a profile; one query where all of them are known."""
        rows = _among(MatchProfile.objects.all(), "patient_id", list(ids)).values_list("patient_id", "fingerprint")
        prints = dict(rows)
        fresh = [pk for pk, told in prints.items() if pk not in self._known or self._known[pk][0] != told]
        self._known |= {pk: (prints[pk], one) for pk, one in persons(fresh).items()}
        return {pk: self._known[pk][1] for pk in prints if pk in self._known}

    def keep(self, *, first: int, most: int) -> None:
        """Forget records numbered below `first`, and all of them when there are more than `most`."""
        known = {pk: entry for pk, entry in self._known.items() if pk >= first}
        self._known = known if len(known) <= most else {}


def _among(rows: QuerySet[Any], column: str, ids: list[int]) -> QuerySet[Any]:
    """As `filter(column__in=ids)`, which takes seconds to write down tens of thousands of ids."""
    return rows.extra(where=[f'"{rows.model._meta.db_table}"."{column}" = ANY(%s)'], params=[ids])  # noqa: S610


def _contacts(ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    found = defaultdict(list)
    for pk, scheme, value in _among(ContactPoint.objects.all(), "patient_id", ids).values_list(
        "patient_id", "scheme", "value"
    ):
        has_variants = scheme == "phone" and value[:3] in VARIED
        found[pk].append((scheme, min(phone_variants(value)) if has_variants else value))
    return found


def _numbers(ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    found = defaultdict(list)
    for pk, system, value in _among(Identifier.objects.all(), "patient_id", ids).values_list(
        "patient_id", "system", "value"
    ):
        found[pk].append((system, value))
    return found


def _homes(ids: list[int]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = defaultdict(list)
    columns = ("patient_id", "line", "extra_line", "city", "region", "postal_code")
    for pk, line, extra, city, region, code in _among(PostalAddress.objects.all(), "patient_id", ids).values_list(
        *columns
    ):
        found[pk].append(place(line=line, extra=extra, city=city, region=region, postcode=code))
    return found


def fingerprint(one: Person) -> str:
    """A print of everything that is compared; 32 letters that tell nothing of it."""
    told = (one.given, one.family, one.birth, one.gender, sorted(one.contacts), sorted(one.identifiers), one.places)
    return hashlib.blake2b(repr(told).encode("utf-8", "replace"), digest_size=16).hexdigest()


def rarity() -> Rarity:
    """How often names stand among current records; at most ten minutes and a tenth of the records old."""
    global _rarity
    size = Patient.objects.current().count()
    if _rarity is None or time.monotonic() > _rarity[0] or abs(size - _rarity[1].size) * 10 > _rarity[1].size:
        _rarity = (time.monotonic() + RARITY_KEPT_SECONDS, _names_of(size))
    return _rarity[1]


def _names_of(size: int) -> Rarity:
    people, homes = "patients_patient WHERE merged_into_id IS NULL", "patients_postaladdress WHERE true"
    codes = {code.replace(" ", ""): count for code, count in _counts("postal_code", homes).items()}
    return Rarity(size, _counts("given_name", people), _counts("family_name", people), _counts("city", homes), codes)


def forget_rarity() -> None:
    """Count names anew from now on."""
    global _rarity
    _rarity = None


def _counts(column: str, rows: str) -> Counter[str]:
    found: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT lower({column}), count(*) FROM {rows}"  # noqa: S608
            " GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC LIMIT %s",
            [COMMON_NAMES],
        )
        for name, count in cursor.fetchall():
            found[fold(name)] += count
    return found


SHARING = (
    "SELECT k, array_agg(found.patient_id) FROM unnest(%s::bigint[]) k CROSS JOIN LATERAL"
    " (SELECT patient_id FROM patients_matchprofile WHERE keys @> ARRAY[k] LIMIT %s) found GROUP BY k"
)


def sharing(keys: Iterable[int]) -> dict[int, list[int]]:
    """Ids of the records under each key; keys of a crowd and of nobody are left out. One query."""
    with connection.cursor() as cursor:
        # The planner takes one array of keys for thousands of rows and would read the whole table.
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true)")
        cursor.execute(SHARING, [list(keys), CROWD + 1])
        found = dict(cursor.fetchall())
        cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")
    return {key: ids for key, ids in found.items() if len(ids) <= CROWD}


NEAR = """
SELECT ours.holders, found.ids FROM (
  SELECT key, array_agg(patient_id) AS holders FROM patients_matchprofile CROSS JOIN unnest(keys) AS key
  WHERE patient_id >= %s AND patient_id < %s GROUP BY key HAVING count(*) <= %s) ours
CROSS JOIN LATERAL (SELECT array_agg(near.patient_id) AS ids FROM (
  SELECT patient_id FROM patients_matchprofile WHERE keys @> ARRAY[ours.key] LIMIT %s) near) found
WHERE cardinality(found.ids) BETWEEN 2 AND %s
"""


def later_neighbours(first: int, end: int) -> dict[int, set[int]]:
    """For each record numbered from `first` up to `end`: the later ones that share a key. By the stored keys; those of
    a crowd are left out. Records without any are missing. One query."""
    found: dict[int, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true)")
        cursor.execute(NEAR, [first, end, CROWD, CROWD + 1, CROWD])
        for holders, ids in cursor:
            for pk in holders:
                found[pk].update(ids)
        cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")
    later = {pk: {other for other in ids if other > pk} for pk, ids in found.items()}
    return {pk: ids for pk, ids in later.items() if ids}


def relatives_among(ids: Iterable[int]) -> set[tuple[int, int]]:
    """Pairs of these records that are known to be relatives, lower id first."""
    rows = RelatedPerson.objects.filter(patient__in=list(ids), relative__isnull=False)
    return {(min(pair), max(pair)) for pair in rows.values_list("patient_id", "relative_id")}
