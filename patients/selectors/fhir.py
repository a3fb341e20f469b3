"""Records of ours as FHIR R4 resources."""

from collections.abc import Iterable
from typing import Any

from patients.enums import ConsentStatus
from patients.fhir.reading import CHANNEL_SYSTEM, MRN_SYSTEM, PURPOSE_SYSTEM
from patients.models import Consent, Coverage, Patient, RelatedPerson
from patients.selectors.consents import latest_consents

ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ROLES = {
    "parent": "PRN",
    "child": "CHILD",
    "partner": "SIGOTHR",
    "sibling": "SIB",
    "guardian": "GUARD",
    "caregiver": "CAREGIVER",
}
Resource = dict[str, Any]


def patient_resource(patient: Patient) -> Resource:
    """FHIR Patient; identifiers carry the record number under a system of ours."""
    numbers = [{"system": MRN_SYSTEM, "value": patient.mrn, "use": "usual"}]
    numbers += [{"system": one.system, "value": one.raw or one.value} for one in patient.identifiers.all()]
    found: Resource = {
        "resourceType": "Patient",
        "id": str(patient.pk),
        "identifier": numbers,
        "active": patient.merged_into_id is None,
        "name": [{"use": "official", "family": patient.family_name, "given": patient.given_name.split()}],
        "gender": patient.gender,
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": patient.language}]}}],
    }
    if patient.preferred_name:
        found["name"].append({"use": "nickname", "text": patient.preferred_name})
    if patient.birth_date:
        found["birthDate"] = patient.birth_date.isoformat()
    if patient.deceased_date:
        found["deceasedDateTime"] = patient.deceased_date.isoformat()
    points = [_point(one.scheme, one.value, one.use, one.rank) for one in patient.contact_points.all()]
    homes = [_home(one) for one in patient.postal_addresses.all()]
    return found | {name: value for name, value in (("telecom", points), ("address", homes)) if value}


def _point(scheme: str, value: str, use: str, rank: int) -> Resource:
    system = {"phone": "phone", "email": "email"}.get(scheme, "other")
    found: Resource = {"system": system, "value": value, "rank": max(rank, 1)}
    return found | ({"use": use} if use in ("home", "work", "mobile") else {})


def _home(one: Any) -> Resource:
    parts = {
        "line": [line for line in (one.line, one.extra_line) if line], "city": one.city, "state": one.region,
        "postalCode": one.postal_code, "country": one.country,
    }  # fmt: skip
    use = {"use": one.use} if one.use in ("home", "work") else {}
    return use | {name: value for name, value in parts.items() if value}


def related_resource(person: RelatedPerson) -> Resource:
    """FHIR RelatedPerson."""
    code = ROLES.get(person.relation, "O")
    return {
        "resourceType": "RelatedPerson",
        "id": str(person.pk),
        "active": person.ended_at is None,
        "patient": {"reference": f"Patient/{person.patient_id}"},
        "relationship": [{"coding": [{"system": ROLE, "code": code}]}],
        "name": [{"text": person.name}],
    }


def consent_resource(consent: Consent) -> Resource:
    """FHIR Consent: purpose and channel in words of ours, permit or deny."""
    is_given = consent.status == ConsentStatus.GRANTED
    return {
        "resourceType": "Consent",
        "id": str(consent.pk),
        "status": "active" if is_given else "inactive",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{consent.patient_id}"},
        "dateTime": consent.recorded_at.isoformat(),
        "policyRule": {"text": consent.text_version or consent.source},
        "provision": {
            "type": "permit" if is_given else "deny",
            "purpose": [{"system": PURPOSE_SYSTEM, "code": consent.purpose}],
            "action": [{"coding": [{"system": CHANNEL_SYSTEM, "code": consent.channel_kind or "all"}]}],
        },
    }


def coverage_resource(coverage: Coverage) -> Resource:
    """FHIR Coverage."""
    days = {"start": coverage.valid_from_date, "end": coverage.valid_until_date}
    period = {name: day.isoformat() for name, day in days.items() if day}
    found: Resource = {
        "resourceType": "Coverage",
        "id": str(coverage.pk),
        "status": coverage.status,
        "beneficiary": {"reference": f"Patient/{coverage.patient_id}"},
        "payor": [{"display": coverage.payer}],
    }
    if coverage.plan:
        found["type"] = {"text": coverage.plan}
    if coverage.member_number:
        found["subscriberId"] = coverage.member_number
    return found | ({"period": period} if period else {})


def everything(patient: Patient) -> list[Resource]:
    """The patient with relatives, present consents and coverage."""
    found = [patient_resource(patient)]
    found += [related_resource(one) for one in patient.related_persons.order_by("pk")]
    found += [consent_resource(one) for one in latest_consents(patient)]
    return found + [coverage_resource(one) for one in patient.coverages.order_by("pk")]


def bundle(resources: Iterable[Resource], kind: str = "collection") -> Resource:
    """A bundle of these resources."""
    entries = [{"fullUrl": f"urn:continuo:{one['resourceType']}:{one['id']}", "resource": one} for one in resources]
    found: Resource = {"resourceType": "Bundle", "type": kind, "entry": entries}
    return found | ({"total": len(entries)} if kind == "searchset" else {})
