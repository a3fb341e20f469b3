"""Canned replies and macros of the demo clinic."""

from __future__ import annotations

from contact_center.accounts.models import Team, User
from inbox.models import CannedReply, Disposition, Macro

# shortcode, language, channels, title, text
CANNED = (
    ("ayuno", "es", (), "Ayuno antes de la resonancia",
     "{{ patient.given_name }}, puede tomar un desayuno ligero hasta 4 horas antes. Después, solo agua."),
    ("llegar", "es", (), "Llegar y documentos",
     "Llegue 20 minutos antes. Traiga su documento y la tarjeta del seguro. Le espera {{ agent.given_name }}."),
    ("calma", "es", ("whatsapp", "sms"), "Espacios cerrados",
     "Si los espacios cerrados le ponen nerviosa, podemos mostrarle la sala antes. ¿Qué preguntas tiene?"),
    ("visita", "es", (), "Su próxima visita", "Su próxima visita es el {{ next_visit }}. ¿Le viene bien?"),
    ("fasting", "en", (), "Fasting before the scan",
     "{{ patient.given_name }}, a light breakfast is fine until 4 hours before. After that, only water."),
    ("arrive", "en", (), "Arriving and papers",
     "Please come 20 minutes early and bring your ID and insurance card. {{ agent.given_name }} will expect you."),
    ("received", "en", ("email",), "We have your message",
     "Thank you for writing to {{ clinic.name }}. Your number is {{ interaction.reference }}. We answer by tomorrow."),
    ("jejum", "pt", (), "Jejum antes do exame",
     "{{ patient.given_name }}, você pode tomar um café leve até 4 horas antes. Depois, só água."),
    ("chegar", "pt", (), "Chegada e documentos",
     "Chegue 20 minutos antes e traga seu documento e a carteirinha do plano. {{ agent.given_name }} espera você."),
    ("directions", "", (), "Where we are", "Aurora Health, 1200 Brickell Ave, Miami. Parking: level 2."),
)  # fmt: skip


def set_up(users: dict[str, User]) -> None:
    """Create shared, team and own texts, and macros, in the caller's transaction."""
    CannedReply.objects.bulk_create(
        CannedReply(shortcode=code, language=language, channel_kinds=list(kinds), title=title, body=body)
        for code, language, kinds, title, body in CANNED
    )
    team, agent = Team.objects.order_by("pk").first(), users.get("agent")
    thanks = CannedReply.objects.create(
        shortcode="thanks", title="Thank you", body="Thank you, {{ patient.given_name }}. Take care.", team=team
    )
    if agent is not None:
        CannedReply.objects.create(shortcode="me", title="Who I am", body="My name is {{ agent.name }}.", owner=agent)
    answered = Disposition.objects.get(code="answered")
    Macro.objects.create(
        name="Thank and close",
        steps=[{"do": "reply", "canned": thanks.pk}, {"do": "close", "disposition": answered.pk}],
    )
    Macro.objects.create(
        name="Mine, urgent, tomorrow again",
        steps=[{"do": "assign", "queue": 0}, {"do": "priority", "priority": 1}, {"do": "snooze", "hours": 24}],
    )
