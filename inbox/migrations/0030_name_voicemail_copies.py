"""Voice messages from before their provider's id was kept: without it the provider's copies could never be deleted."""

import re

from django.db import migrations

NAMED = re.compile(r"/Recordings/([A-Za-z0-9]{2,64})(?:\.mp3)?$")


def name_copies(apps, _editor):
    """Take the id from the message that has the sound, else from the address of the sound."""
    calls = apps.get_model("inbox", "Call").objects.filter(status="voicemail", voicemail_id="")
    messages = apps.get_model("inbox", "Message").objects.filter(direction="inbound").exclude(external_id="")
    for call in calls.only("pk", "voicemail_url", "interaction_id", "provider").iterator():
        heard = messages.filter(interaction=call.interaction_id, provider=call.provider).order_by("pk")
        at_provider = NAMED.search(call.voicemail_url)
        name = heard.values_list("external_id", flat=True).first() or (at_provider[1] if at_provider else "")
        if 0 < len(name) <= 64:
            calls.filter(pk=call.pk).update(voicemail_id=name)


class Migration(migrations.Migration):
    dependencies = [("inbox", "0029_copies_and_notices")]
    operations = [migrations.RunPython(name_copies, migrations.RunPython.noop, elidable=True)]
