from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """Patients, whom they belong to, what they allow, and which records are one person."""

    name = "patients"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from contact_center.audit.selectors import register_earlier_records
        from contact_center.common import shell
        from contact_center.jobs import registry
        from contact_center.jobs.signals import job_finished
        from patients import receivers, signals
        from patients.policies import can_import_patients, can_merge_patients
        from patients.record import register_record
        from patients.selectors.duplicates import earlier_records
        from patients.services import duplicates, importing

        self._take_up_duties()
        register_earlier_records(earlier_records)
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

    def _take_up_duties(self) -> None:
        """What is owed for each table, the work that does it, and where people find it."""
        from django.utils.translation import gettext_lazy as _

        from contact_center.common import shell
        from contact_center.jobs import registry
        from patients import own_duties, policies
        from patients.services import erasure, giving_out

        own_duties.declare_own()
        registry.register(erasure.KIND, registry.Kind(_("Erasure of a patient"), do=erasure.do_item))
        registry.register(
            giving_out.KIND, registry.Kind(_("All data of a patient"), make=giving_out.make, ending="zip")
        )
        shell.register(shell.NavigationEntry(_("Privacy"), "lock", "patients:duties", 85, policies.can_see_duties))
