"""Where Aurora works, who treats there, and what is offered. Pure data."""

from typing import NamedTuple


class Site(NamedTuple):
    name: str
    address: str


class Service(NamedTuple):
    """A healthcare service; `names` by language, as it stands in a sentence."""

    code: str
    names: dict[str, str]
    minutes: int
    preparation: dict[str, str]


class Practitioner(NamedTuple):
    name: str
    service: str
    site: str
    languages: tuple[str, ...]


SITES = (
    Site("Brickell", "1221 Brickell Plaza, Suite 400, Miami, FL 33131"),
    Site("Coral Way", "3290 Coral Way, Miami, FL 33145"),
    Site("Aventura", "20801 Harbor Walk, Floor 2, Aventura, FL 33180"),
)

_FASTING = {
    "en": "Please do not eat for 8 hours before. Water is fine.",
    "es": "Por favor no coma nada en las 8 horas anteriores. Agua sí puede tomar.",
    "pt": "Por favor, não coma nas 8 horas anteriores. Água pode.",
}
_NOTHING = {
    "en": "You do not need to prepare anything. Please come 10 minutes early.",
    "es": "No necesita prepararse. Por favor llegue 10 minutos antes.",
    "pt": "Não precisa de preparo. Por favor, chegue 10 minutos antes.",
}
_CLOTHES = {
    "en": "Wear something comfortable and bring earlier images if you have them.",
    "es": "Venga con ropa cómoda y traiga estudios anteriores si los tiene.",
    "pt": "Venha com roupa confortável e traga exames anteriores, se tiver.",
}

_NAMES = {
    "family-medicine": ("family medicine", "medicina familiar", "medicina de família"),
    "paediatrics": ("paediatrics", "pediatría", "pediatria"),
    "cardiology": ("cardiology", "cardiología", "cardiologia"),
    "dermatology": ("dermatology", "dermatología", "dermatologia"),
    "womens-health": ("women's health", "salud de la mujer", "saúde da mulher"),
    "physiotherapy": ("physiotherapy", "fisioterapia", "fisioterapia"),
    "ultrasound": ("ultrasound", "ecografía", "ultrassom"),
    "blood-tests": ("blood tests", "análisis de sangre", "exames de sangue"),
}


def _service(code: str, minutes: int, preparation: dict[str, str]) -> Service:
    return Service(code, dict(zip(("en", "es", "pt"), _NAMES[code], strict=True)), minutes, preparation)


SERVICES = (
    _service("family-medicine", 20, _NOTHING),
    _service("paediatrics", 20, _NOTHING),
    _service("cardiology", 30, _CLOTHES),
    _service("dermatology", 20, _NOTHING),
    _service("womens-health", 30, _NOTHING),
    _service("physiotherapy", 45, _CLOTHES),
    _service("ultrasound", 30, _FASTING),
    _service("blood-tests", 10, _FASTING),
)

PRACTITIONERS = (
    Practitioner("Dr. Elena Marquez", "family-medicine", "Brickell", ("en", "es")),
    Practitioner("Dr. Samuel Whitfield", "family-medicine", "Aventura", ("en",)),
    Practitioner("Dr. Beatriz Nogueira", "family-medicine", "Coral Way", ("en", "pt", "es")),
    Practitioner("Dr. Jean-Marc Desrosiers", "paediatrics", "Coral Way", ("en",)),
    Practitioner("Dr. Lucia Ferrando", "paediatrics", "Aventura", ("en", "es")),
    Practitioner("Dr. Arjun Mehrotra", "cardiology", "Brickell", ("en",)),
    Practitioner("Dr. Carolina Iturbe", "cardiology", "Aventura", ("en", "es")),
    Practitioner("Dr. Hannah Osei", "dermatology", "Brickell", ("en",)),
    Practitioner("Dr. Patricia Solano", "womens-health", "Coral Way", ("en", "es")),
    Practitioner("Marcos Teixeira, PT", "physiotherapy", "Aventura", ("en", "pt")),
    Practitioner("Dr. Nadia Haddad", "ultrasound", "Brickell", ("en",)),
    Practitioner("Yvette Larrazabal, RN", "blood-tests", "Coral Way", ("en", "es")),
)

# How often each reason brings somebody to us, in percent.
REASON_WEIGHTS = {
    "booking": 26,
    "rescheduling": 15,
    "cancellation": 7,
    "preparation": 8,
    "directions": 5,
    "results": 9,
    "prescription": 9,
    "authorisation": 7,
    "billing": 6,
    "records": 2,
    "complaint": 2,
    "praise": 1,
    "general": 3,
}
