"""The clinic's message templates, as they would stand in its Twilio account."""

from __future__ import annotations

import hashlib
from typing import Any

from contact_center.simulator.content_api import new_content

BUTTONS = {
    "en": (("Yes, I will come", "confirm"), ("Change it", "change")),
    "es": (("Sí, asistiré", "confirm"), ("Cambiar", "change")),
    "pt": (("Sim, eu vou", "confirm"), ("Mudar", "change")),
}
TEXTS: dict[str, dict[str, str]] = {
    "appointment_reminder": {
        "en": "Hello {{1}}. You have a visit at {{2}} on {{3}} at {{4}}. Will you come?",
        "es": "Hola, {{1}}. Tiene una cita en {{2}} el {{3}} a las {{4}}. ¿Podrá venir?",
        "pt": "Olá, {{1}}. Você tem uma consulta em {{2}} no dia {{3}} às {{4}}. Você virá?",
    },
    "we_have_your_answer": {
        "en": "Hello {{1}}. We have an answer for you. Reply here and {{2}} will write to you.",
        "es": "Hola, {{1}}. Ya tenemos una respuesta para usted. Responda aquí y {{2}} le escribirá.",
        "pt": "Olá, {{1}}. Já temos uma resposta para você. Responda aqui e {{2}} vai escrever.",
    },
    "please_call_us": {
        "en": "Hello {{1}}. Please call {{2}} at {{3}}. Ask for {{4}}.",
        "es": "Hola, {{1}}. Por favor llame a {{2}} al {{3}}. Pregunte por {{4}}.",
        "pt": "Olá, {{1}}. Por favor, ligue para {{2}} no número {{3}}. Procure por {{4}}.",
    },
}
SAMPLES = {
    "appointment_reminder": {"1": "Ana", "2": "Aurora Brickell", "3": "20 November", "4": "9:40"},
    "we_have_your_answer": {"1": "Ana", "2": "Rosa from Aurora Health"},
    "please_call_us": {"1": "Ana", "2": "Aurora Health", "3": "+1 500 555 0100", "4": "Rosa"},
}
UNAPPROVED = "please_call_us"


def content_sid(name: str, language: str) -> str:
    """The id of a template: the same on every machine."""
    return "HX" + hashlib.md5(f"{name}/{language}".encode(), usedforsecurity=False).hexdigest()


def demo_contents(account_sid: str) -> list[dict[str, Any]]:
    """Every template; one kind still waits for WhatsApp's approval."""
    made = []
    for name, texts in TEXTS.items():
        for language, body in texts.items():
            shape: dict[str, Any] = {"body": body}
            kind = "twilio/text"
            if name == "appointment_reminder":
                kind = "twilio/quick-reply"
                shape["actions"] = [
                    {"title": text, "id": key, "type": "QUICK_REPLY"} for text, key in BUTTONS[language]
                ]
            made.append(
                new_content(
                    account_sid,
                    sid=content_sid(name, language),
                    name=f"{name}_{language}",
                    language=language,
                    types={kind: shape},
                    variables=SAMPLES[name],
                    approval="pending" if name == UNAPPROVED else "approved",
                )
            )
    return made
