from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0006_wishes")]
    operations = [
        migrations.AddField(
            model_name="patientimportrow",
            name="position",
            field=models.PositiveIntegerField(
                default=0, help_text="Counted without the head and empty rows, from 1."
            ),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="patientimportrow",
            index=models.Index(fields=["source", "position"], name="patient_import_row_position"),
        ),
    ]
