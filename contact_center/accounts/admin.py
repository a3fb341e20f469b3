"""People, teams and skills, for admins. Access changes go through the services, so sessions and keys follow."""

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from contact_center.accounts import services
from contact_center.accounts.admin_site import ConfiguredInline, ConfiguredModelAdmin
from contact_center.accounts.enums import Role
from contact_center.accounts.models import ApiKey, Skill, Team, User, UserSkill

NAMES = ("email", "first_name", "last_name", "language")


class UserForm(forms.ModelForm):
    """Checks what the services would refuse, so that it is told at the field."""

    teams = forms.ModelMultipleChoiceField(Team.objects.all(), required=False, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = User
        fields = [*NAMES, "role", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["teams"] = self.instance.teams.all()

    def clean_email(self) -> str:
        return self.cleaned_data["email"].strip().lower()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        before = User.objects.filter(pk=self.instance.pk).first()
        if before is not None and before.role == Role.ADMIN and before.is_active:
            stays = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
            others = User.objects.filter(role=Role.ADMIN, is_active=True, is_service_account=False).exclude(
                pk=before.pk
            )
            if not stays and not others.exists():
                raise ValidationError(_("This is the last admin. Make somebody else an admin first."))
        return cleaned


class UserSkillInline(ConfiguredInline, TabularInline):
    model = UserSkill
    extra = 0


@admin.register(User)
class UserAdmin(ConfiguredModelAdmin):
    """New people choose their password through “Forgot it?” on the sign-in page."""

    form = UserForm
    list_display = ["email", "first_name", "last_name", "role", "is_active"]
    list_filter = ["role", "is_active", "teams"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    inlines = [UserSkillInline]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(is_service_account=False)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        actor, given = request.user, form.cleaned_data
        names = {name: given[name] for name in NAMES}
        if not change:
            made = services.create_user(actor=actor, role=given["role"], teams=given["teams"], **names)  # type: ignore[arg-type]
            obj.pk, obj._state.adding = made.pk, False
            return
        services.update_user(actor=actor, user_id=obj.pk, **names)  # type: ignore[arg-type]
        services.change_role(actor=actor, user_id=obj.pk, role=given["role"])  # type: ignore[arg-type]
        services.change_teams(actor=actor, user_id=obj.pk, teams=given["teams"])  # type: ignore[arg-type]
        if "is_active" in form.changed_data:
            switch = services.enable_user if given["is_active"] else services.disable_user
            switch(actor=actor, user_id=obj.pk)  # type: ignore[arg-type]


@admin.register(Team)
class TeamAdmin(ConfiguredModelAdmin):
    list_display = ["name", "is_partner"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Skill)
class SkillAdmin(ConfiguredModelAdmin):
    list_display = ["name", "kind"]
    list_filter = ["kind"]
    prepopulated_fields = {"code": ["name"]}


@admin.register(ApiKey)
class ApiKeyAdmin(ConfiguredModelAdmin):
    """Keys are made by `manage.py create_api_key`, which shows them once; here they are read and revoked."""

    list_display = ["name", "scopes", "created", "last_used_at", "expiry"]
    fields = readonly_fields = ["name", "scopes", "created", "last_used_at", "expiry"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        services.revoke_api_key(actor=request.user, key=obj)  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for key in queryset:
            self.delete_model(request, key)


admin.site.unregister(Group)
admin.site.unregister(Authenticator)  # its page would show secrets and skip `protection.reset_second_factor`
