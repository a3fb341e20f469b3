"""Addresses of patients."""

from django.urls import path

from patients.views import care, family

app_name = "patients"
urlpatterns = [
    path("patients/<int:patient_id>/preferences/", care.preferences, name="preferences"),
    path("patients/<int:patient_id>/consents/", care.consents, name="consents"),
    path("patients/<int:patient_id>/family/", family.family, name="family"),
    path("patients/family/<int:related_person_id>/", family.family_member, name="family-member"),
    path("patients/family/<int:related_person_id>/end/", family.end_family_member, name="family-member-end"),
    path("settings/consent-texts/", care.consent_texts, name="consent-texts"),
    path("settings/coming-of-age/", family.care_rules, name="care-rules"),
]
