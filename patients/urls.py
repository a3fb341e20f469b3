"""Addresses of patients."""

from django.urls import path

from patients.views import care, duplicates, family, merging

app_name = "patients"
urlpatterns = [
    path("patients/<int:patient_id>/preferences/", care.preferences, name="preferences"),
    path("patients/<int:patient_id>/consents/", care.consents, name="consents"),
    path("patients/<int:patient_id>/family/", family.family, name="family"),
    path("patients/family/<int:related_person_id>/", family.family_member, name="family-member"),
    path("patients/family/<int:related_person_id>/end/", family.end_family_member, name="family-member-end"),
    path("patients/duplicates/", duplicates.duplicate_list, name="duplicates"),
    path("patients/duplicates/scan/", duplicates.scan, name="duplicate-scan"),
    path("patients/duplicates/<int:pk>/dismiss/", duplicates.dismiss, name="duplicate-dismiss"),
    path("patients/duplicates/<int:pk>/reopen/", duplicates.reopen, name="duplicate-reopen"),
    path("patients/merges/", duplicates.merge_list, name="merges"),
    path("patients/merges/<int:pk>/", merging.merge_page, name="merge"),
    path("patients/merges/<int:pk>/undo/", merging.undo, name="unmerge"),
    path("patients/<int:pk>/merge/", merging.find_other, name="merge-find"),
    path("patients/<int:pk>/merge/<int:other_id>/", merging.pair, name="merge-pair"),
    path("settings/consent-texts/", care.consent_texts, name="consent-texts"),
    path("settings/coming-of-age/", family.care_rules, name="care-rules"),
]
