"""FHIR R4 resources as descriptions of ours, with everything that was not understood as an issue.

A resource is checked by fhir.resources first (its R4B models: R4 and R4B agree on the types that are read here), then
read from its own JSON, so that partial dates and extensions do not depend on how a library turns them into objects.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from patients.enums import ConsentPurpose, ConsentStatus, CoverageStatus, Relation
from patients.tables.values import LANGUAGES, Described, split_name

MRN_SYSTEM = "urn:continuo:mrn"
PURPOSE_SYSTEM, CHANNEL_SYSTEM = "urn:continuo:consent-purpose", "urn:continuo:channel-kind"
READ = ("Patient", "RelatedPerson", "Consent", "Coverage")
MOST_ISSUES, MOST_CONTACTS = 20, 20
DAY = re.compile(r"^\d{4}-\d{2}-\d{2}")
Resource = dict[str, Any]


@dataclass(slots=True)
class Issue:
    """One line of an OperationOutcome; `severity` error means: nothing was taken in."""

    severity: str
    code: str
    words: str
    where: str = ""


@dataclass(slots=True)
class Person:
    """Name and relation of somebody beside the patient."""

    name: str
    relation: str
    patient: str = ""


@dataclass(slots=True)
class Read:
    """What a resource says; `about` is the reference to its patient."""

    kind: str
    about: str = ""
    described: Described = field(default_factory=Described)
    relatives: list[Person] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        """Whether it cannot be taken in."""
        return any(issue.severity == "error" for issue in self.issues)

    def error(self, code: str, words: str, where: str = "") -> None:
        """Note why it cannot be taken in."""
        self.issues.append(Issue("error", code, words, where))

    def warn(self, words: str, where: str = "") -> None:
        """Note what was left out."""
        self.issues.append(Issue("warning", "not-supported", words, where))


def resources_in(data: Any) -> list[tuple[str, Resource]]:
    """The resources of a bundle, or the one resource, each with the address by which others refer to it."""
    if not isinstance(data, dict):
        return []
    if data.get("resourceType") != "Bundle":
        return [(_address(data), data)]
    entries = data.get("entry")
    found = []
    for entry in entries if isinstance(entries, list) else []:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            found.append((str(entry.get("fullUrl") or _address(resource)), resource))
    return found


def _address(resource: Resource) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id', '')}"


def read(resource: Resource) -> Read:
    """What this resource says. Never raises: what is wrong stands in `issues`."""
    kind = str(resource.get("resourceType") or "")
    found = Read(kind)
    if kind not in READ:
        found.error("not-supported", _("%(kind)s is not taken in here.") % {"kind": kind or "?"}, kind)
        return found
    found.issues += invalid(kind, resource)
    if not found.is_wrong:
        _READERS[kind](resource, found)
    return found


def invalid(kind: str, resource: Resource) -> list[Issue]:
    """Why this is no resource of that kind as the standard says; empty when it is one. Never raises."""
    from fhir.resources.R4B import get_fhir_model_class  # heavy: half a second, only for those who need it
    from pydantic import ValidationError

    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        return [
            Issue("error", "structure", one["msg"][:240], ".".join([kind, *map(str, one["loc"])])[:200])
            for one in error.errors(include_input=False, include_url=False)[:MOST_ISSUES]
        ]
    except Exception:
        return [Issue("error", "structure", _("This is not a FHIR R4 resource."), kind)]
    return []


def _patient(resource: Resource, found: Read) -> None:
    said = found.described
    given, family = _name(resource)
    said.fields = {"given_name": given, "family_name": family} if given or family else {}
    for name in ("gender",):
        if resource.get(name):
            said.fields[name] = resource[name]
    _dates(resource, found)
    for language in resource.get("communication", []):
        code = _code(language.get("language", {}))
        if code.lower()[:2] in LANGUAGES.values():
            said.fields["language"] = code.lower()[:2]
    _identifiers(resource, found)
    _telecom(resource, found)
    _homes(resource, found)
    for contact in resource.get("contact", [])[:MOST_CONTACTS]:
        person = _beside(contact.get("name") or {}, contact.get("relationship", []))
        if person.name:
            found.relatives.append(person)
    if resource.get("active") is False:
        found.warn(_("The record is not active where it comes from."), "Patient.active")
    if resource.get("link"):
        found.warn(_("Links to other records are not followed."), "Patient.link")


def _dates(resource: Resource, found: Read) -> None:
    said, born = found.described, str(resource.get("birthDate", ""))
    if born and (day := _day(born)):
        said.fields["birth_date"] = day
    elif born:
        found.warn(_("A birth date without its day is not kept."), "Patient.birthDate")
    if died := _day(str(resource.get("deceasedDateTime", ""))):
        said.fields["deceased_date"] = died
    elif resource.get("deceasedBoolean") is True or resource.get("deceasedDateTime"):
        said.fields["is_do_not_contact"] = True
        found.warn(_("The patient died on an unknown day: nothing is sent any more."), "Patient.deceased")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if DAY.match(text) else None
    except ValueError:
        return None


def _name(resource: Resource) -> tuple[str, str]:
    names = [name for name in resource.get("name", []) if name.get("use") not in ("old", "anonymous")]
    order = {"official": 0, "usual": 1}
    best: Resource = min(names, key=lambda name: order.get(name.get("use", ""), 2), default={})
    return _parts(best)


def _parts(name: Resource) -> tuple[str, str]:
    given = " ".join(part for part in name.get("given", []) if part)
    family = name.get("family") or ""
    if not (given and family) and name.get("text"):
        first, last = split_name(name["text"])
        given, family = given or first, family or last
    return given.strip(), family.strip()


def _identifiers(resource: Resource, found: Read) -> None:
    for identifier in resource.get("identifier", []):
        value, system = identifier.get("value"), identifier.get("system") or ""
        if identifier.get("use") == "old" or not value:
            continue
        if system == MRN_SYSTEM:
            found.described.mrn = value
        elif system:
            found.described.identifiers.append((system[:120], value))
        else:
            found.warn(_("An identifier without its system is not kept."), "Patient.identifier")


def _telecom(resource: Resource, found: Read) -> None:
    today = date.today().isoformat()  # noqa: DTZ011 - a day is enough to tell what has ended
    for point in resource.get("telecom", []):
        value, ended = point.get("value"), (point.get("period") or {}).get("end", "9999")
        if not value or point.get("use") == "old" or ended < today:
            continue
        use = {"mobile": "mobile", "home": "home", "work": "work"}.get(point.get("use", ""), "other")
        if point.get("system") in ("phone", "sms"):
            found.described.phones.append((use, value))
        elif point.get("system") == "email":
            found.described.emails.append(value)
        else:
            found.warn(_("Only phones and e-mail addresses are kept."), f"{found.kind}.telecom")


def _homes(resource: Resource, found: Read) -> None:
    for address in resource.get("address", []):
        lines = [line for line in address.get("line", []) if line] or [address.get("text", "")]
        home = {
            "line": lines[0][:200], "extra_line": ", ".join(lines[1:])[:200], "city": address.get("city", ""),
            "region": address.get("state", ""), "postal_code": address.get("postalCode", ""),
            "country": address.get("country", ""),
            "use": {"home": "home", "work": "work"}.get(address.get("use", ""), "other"),
        }  # fmt: skip
        is_over = address.get("use") == "old"
        if not is_over and any(home[name] for name in ("line", "extra_line", "city", "postal_code")):
            found.described.homes.append(home)


RELATIONS = {
    Relation.PARENT: "PRN MTH FTH NMTH NFTH PARENT M F",
    Relation.CHILD: "CHILD CHD SON DAU NCHILD SONC DAUC",
    Relation.PARTNER: "SPS HUSB WIFE DOMPART PARTNER SIGOTHR",
    Relation.SIBLING: "SIB BRO SIS NSIB TWIN TWINBRO TWINSIS",
    Relation.GUARDIAN: "GUARD LEGAL POWATT HPOWATT",
    Relation.CAREGIVER: "CAREGIVER CP C E",
}
_RELATIONS = {code: str(relation) for relation, codes in RELATIONS.items() for code in codes.split()}


def _beside(name: Resource, relationships: list[Resource]) -> Person:
    given, family = _parts(name)
    codes = [coding.get("code", "") for one in relationships for coding in one.get("coding", [])]
    relation = next((_RELATIONS[code.upper()] for code in codes if code.upper() in _RELATIONS), str(Relation.OTHER))
    return Person(f"{given} {family}".strip()[:240], relation)


def _related(resource: Resource, found: Read) -> None:
    found.about = _reference(resource.get("patient"))
    person = _beside(next(iter(resource.get("name", [])), {}), resource.get("relationship", []))
    if person.name:
        found.relatives.append(person)
    else:
        found.error("required", _("A related person needs a name."), "RelatedPerson.name")
    if resource.get("telecom"):
        found.warn(_("Addresses of relatives are not kept."), "RelatedPerson.telecom")


def _reference(value: Any) -> str:
    reference = value if isinstance(value, dict) else {}
    if reference.get("reference"):
        return str(reference["reference"])
    identifier = reference.get("identifier") or {}
    return f"identifier|{identifier.get('system', '')}|{identifier['value']}" if identifier.get("value") else ""


def _code(concept: Resource, system: str = "") -> str:
    codings = concept.get("coding", []) if isinstance(concept, dict) else []
    return next((coding.get("code", "") for coding in codings if not system or coding.get("system") == system), "")


def _consent(resource: Resource, found: Read) -> None:
    found.about = _reference(resource.get("patient"))
    provision = resource.get("provision") or {}
    purposes = [coding for coding in provision.get("purpose", []) if coding.get("system") == PURPOSE_SYSTEM]
    purpose = purposes[0].get("code", "") if purposes else ""
    if purpose not in ConsentPurpose.values:
        found.error(
            "not-supported",
            _("This consent is about the use of health data. Only consent to being contacted is kept here."),
            "Consent.provision",
        )
        return
    channel = next((_code(action, CHANNEL_SYSTEM) for action in provision.get("action", [])), "")
    is_given = resource.get("status") == "active" and provision.get("type", "permit") == "permit"
    found.values = {
        "purpose": purpose,
        "channel_kind": "" if channel == "all" else channel,
        "status": str(ConsentStatus.GRANTED if is_given else ConsentStatus.WITHDRAWN),
    }


def _coverage(resource: Resource, found: Read) -> None:
    found.about = _reference(resource.get("beneficiary"))
    period, status = resource.get("period") or {}, resource.get("status", "")
    plan = next((one.get("name") or one.get("value", "") for one in _classes(resource, "plan")), "")
    kind = resource.get("type") or {}
    labels = [kind.get("text", ""), *(coding.get("display", "") for coding in kind.get("coding", []))]
    numbers = [one.get("value", "") for one in resource.get("identifier", [])]
    found.values = {
        "payer": next(_payers(resource), "")[:120],
        "plan": (plan or next(filter(None, labels), ""))[:120],
        "member_number": (resource.get("subscriberId") or next(filter(None, numbers), ""))[:60],
        "valid_from_date": _day(str(period.get("start", ""))),
        "valid_until_date": _day(str(period.get("end", ""))),
        "status": status if status in CoverageStatus.values else str(CoverageStatus.DRAFT),
    }
    if not found.values["payer"]:
        found.error("required", _("A coverage needs to say who pays."), "Coverage.payor")


def _classes(resource: Resource, code: str) -> Iterator[Resource]:
    yield from (one for one in resource.get("class", []) if _code(one.get("type") or {}) == code)


def _payers(resource: Resource) -> Iterator[str]:
    for payer in resource.get("payor", []):
        identifier = payer.get("identifier") or {}
        said = payer.get("display") or identifier.get("value") or payer.get("reference", "").partition("/")[2]
        if said:
            yield str(said)


_READERS = {"Patient": _patient, "RelatedPerson": _related, "Consent": _consent, "Coverage": _coverage}


def outcome(issues: list[Issue]) -> Resource:
    """An OperationOutcome of these issues; "all is well" for none."""
    lines = [
        {"severity": issue.severity, "code": issue.code, "diagnostics": str(issue.words)}
        | ({"expression": [issue.where]} if issue.where else {})
        for issue in sorted(issues, key=lambda issue: issue.severity != "error")
    ]
    well = {"severity": "information", "code": "informational", "diagnostics": _("All is well.")}
    return {"resourceType": "OperationOutcome", "issue": lines or [well]}
