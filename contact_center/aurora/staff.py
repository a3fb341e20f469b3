"""Who works at Aurora: teams, queues, skills and people. Pure data; every password is the same."""

from typing import NamedTuple

from contact_center.accounts.enums import Role, SkillKind

PASSWORD = "aurora-demo-2026"  # noqa: S105 - shown on purpose: it opens invented data on one machine
DOMAIN = "aurora.example"


class Person(NamedTuple):
    """`login` is the part before the @."""

    login: str
    first_name: str
    last_name: str
    role: Role
    team: str = ""
    languages: tuple[str, ...] = ("en",)
    skills: tuple[str, ...] = ()
    is_lead: bool = False


TEAMS = (
    ("front-desk", "Front desk", False),
    ("nurse-line", "Nurse line", False),
    ("billing", "Billing and insurance", False),
    ("night-partner", "Night partner", True),
)
QUEUES = (
    ("general", "General", ("front-desk",)),
    ("appointments", "Appointments", ("front-desk", "night-partner")),
    ("nurse-line", "Nurse line", ("nurse-line",)),
    ("billing", "Billing and authorisations", ("billing",)),
    ("patient-relations", "Patient relations", ("front-desk", "billing")),
    ("after-hours", "After hours", ("night-partner", "front-desk")),
)
SKILLS = (
    ("english", "English", SkillKind.LANGUAGE),
    ("spanish", "Spanish", SkillKind.LANGUAGE),
    ("portuguese", "Portuguese", SkillKind.LANGUAGE),
    ("scheduling", "Scheduling", SkillKind.SERVICE_LINE),
    ("insurance", "Insurance and authorisations", SkillKind.SERVICE_LINE),
    ("complaints", "Patient relations", SkillKind.SERVICE_LINE),
    ("registered-nurse", "Registered nurse (Florida)", SkillKind.LICENCE),
)
LANGUAGE_SKILLS = {"en": "english", "es": "spanish", "pt": "portuguese"}

ES, PT, ALL = ("en", "es"), ("en", "pt"), ("en", "es", "pt")
AGENTS = (
    Person("agent", "Rosa", "Villalobos", Role.AGENT, "front-desk", ES, ("scheduling",)),
    Person("daniel.ferreira", "Daniel", "Ferreira", Role.AGENT, "front-desk", PT, ("scheduling",)),
    Person("maya.thompson", "Maya", "Thompson", Role.AGENT, "front-desk", ("en",), ("scheduling", "complaints")),
    Person("luis.cabrera", "Luis", "Cabrera", Role.AGENT, "front-desk", ES, ("scheduling",)),
    Person("fabiola.joseph", "Fabiola", "Joseph", Role.AGENT, "front-desk", ALL, ("scheduling", "complaints"), True),
    Person("clinical", "Grace", "Okafor", Role.CLINICAL_AGENT, "nurse-line", ES, ("registered-nurse",), True),
    Person("marta.quiroga", "Marta", "Quiroga", Role.CLINICAL_AGENT, "nurse-line", ES, ("registered-nurse",)),
    Person("paulo.sarmento", "Paulo", "Sarmento", Role.CLINICAL_AGENT, "nurse-line", PT, ("registered-nurse",)),
    Person("anita.desai", "Anita", "Desai", Role.AGENT, "billing", ("en",), ("insurance",), True),
    Person("victor.montero", "Victor", "Montero", Role.AGENT, "billing", ES, ("insurance",)),
    Person("claire.dubois", "Claire", "Dubois", Role.AGENT, "billing", PT, ("insurance", "complaints")),
    Person("partner", "Tomas", "Rivadeneira", Role.PARTNER_AGENT, "night-partner", ES, ("scheduling",), True),
    Person("nina.kowalski", "Nina", "Kowalski", Role.PARTNER_AGENT, "night-partner", ("en",), ("scheduling",)),
    Person("joana.barreto", "Joana", "Barreto", Role.PARTNER_AGENT, "night-partner", PT, ("scheduling",)),
    Person("andre.baptiste", "Andre", "Baptiste", Role.PARTNER_AGENT, "night-partner", ALL, ("scheduling",)),
)
LEADERS = (
    Person("supervisor", "Ines", "Calloway", Role.SUPERVISOR, "", ALL),
    Person("robert.castellanos", "Robert", "Castellanos", Role.SUPERVISOR, "", ES),
    Person("admin", "Priya", "Raman", Role.ADMIN, "", ("en",)),
    Person("auditor", "Walter", "Lindqvist", Role.AUDITOR, "", ("en",)),
)
EVERYBODY = AGENTS + LEADERS
