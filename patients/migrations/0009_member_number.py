"""Member numbers of coverages are encrypted. What is there is kept, forwards and back."""

from collections.abc import Callable
from typing import Any

import django.core.validators
from django.db import migrations

import contact_center.common.encrypted
from contact_center.common.encrypted import decrypt, encrypt

PLACE, BATCH = "patients_coverage.member_number", 1000


def _rewrite(schema_editor: Any, change: Callable[[str, str], str]) -> None:
    after = 0
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id, member_number FROM patients_coverage"
                " WHERE member_number <> '' AND id > %s ORDER BY id LIMIT %s",
                [after, BATCH],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            cursor.executemany(
                "UPDATE patients_coverage SET member_number = %s WHERE id = %s",
                [(change(text, PLACE), pk) for pk, text in rows],
            )
            after = rows[-1][0]


def close(apps: Any, schema_editor: Any) -> None:
    """Clear text becomes ciphertext."""
    _rewrite(schema_editor, encrypt)


def reveal(apps: Any, schema_editor: Any) -> None:
    """Ciphertext becomes clear text; needs the keys that wrote it."""
    _rewrite(schema_editor, decrypt)


class Migration(migrations.Migration):
    dependencies = [("patients", "0008_duties")]

    operations = [
        migrations.AlterField(
            model_name="coverage",
            name="member_number",
            field=contact_center.common.encrypted.EncryptedTextField(
                blank=True, validators=[django.core.validators.MaxLengthValidator(60)]
            ),
        ),
        migrations.RunPython(close, reveal),
    ]
