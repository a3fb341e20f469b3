from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """Patients, whom they belong to, what they allow, and which records are one person."""

    name = "patients"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from contact_center.common import shell
        from contact_center.jobs import registry
        from contact_center.jobs.signals import job_finished
        from patients import receivers, signals
        from patients.policies import can_import_patients, can_merge_patients
        from patients.record import register_record
        from patients.services import duplicates, importing

        shell.register_in_menu(
            shell.NavigationEntry(_("Duplicate records"), "users", "patients:duplicates", 40, can_merge_patients)
        )
        shell.register_in_menu(
            shell.NavigationEntry(_("Take in patients"), "user-plus", "patients:imports", 41, can_import_patients)
        )
        registry.register(duplicates.SCAN, registry.Kind(_("Search for duplicates"), do=duplicates.scan_part))
        registry.register(importing.CHECK, registry.Kind(_("Check of a file of patients"), do=importing.do_check))
        registry.register(importing.IMPORT, registry.Kind(_("Import of patients"), do=importing.do_import))
        job_finished.connect(receivers.follow_job, dispatch_uid="patients.follow_job")
        for signal in (signals.patient_created, signals.patient_changed, signals.contact_points_changed):
            signal.connect(receivers.compare_record, dispatch_uid="patients.compare_record")
        register_record()
