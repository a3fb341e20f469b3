"""How admins set the desk up: queues, channels, mailboxes, reasons, wrap-up codes, templates, web forms."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline

from contact_center.accounts.admin_site import ConfiguredInline, ConfiguredModelAdmin
from inbox.adapters.registry import ADAPTERS
from inbox.enums import ChannelKind, FieldType
from inbox.models import (
    Channel,
    Disposition,
    FormField,
    Mailbox,
    MenuOption,
    MessageTemplate,
    Queue,
    Reason,
    VoiceLine,
    WebForm,
)
from patients.enums import ContactScheme
from patients.services.addresses import normalise_address

PHONE_KINDS = {ChannelKind.SMS, ChannelKind.WHATSAPP, ChannelKind.VOICE}
VARIABLE = re.compile(r"{{(\w+)}}")


@admin.register(Queue)
class QueueAdmin(ConfiguredModelAdmin):
    list_display = ["name", "position", "is_active"]
    prepopulated_fields = {"slug": ["name"]}
    filter_horizontal = ["teams"]


class ChannelForm(forms.ModelForm):
    adapter = forms.ChoiceField(choices=[(key, key) for key in sorted(ADAPTERS)])

    class Meta:
        model = Channel
        fields = ["name", "kind", "adapter", "address", "queue", "is_active"]

    def clean(self) -> dict[str, Any]:
        """The address as providers and parsers spell it, else messages to it would find no channel."""
        cleaned = super().clean() or {}
        kind, address = cleaned.get("kind"), cleaned.get("address")
        if address and kind in PHONE_KINDS | {ChannelKind.EMAIL}:
            scheme = ContactScheme.EMAIL if kind == ChannelKind.EMAIL else ContactScheme.PHONE
            try:
                cleaned["address"] = normalise_address(scheme, address)
            except ValidationError as error:
                self.add_error("address", error.messages)
        return cleaned


@admin.register(Channel)
class ChannelAdmin(ConfiguredModelAdmin):
    form = ChannelForm
    list_display = ["name", "kind", "address", "queue", "is_active", "sends_receipts"]
    list_filter = ["kind", "is_active"]
    list_select_related = ["queue"]


class MailboxForm(forms.ModelForm):
    """The password goes in and never comes out again; it is kept encrypted."""

    new_password = forms.CharField(
        label=_("New password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Empty keeps the present one."),
    )

    class Meta:
        model = Mailbox
        fields = ["channel", "host", "port", "use_tls", "username", "credential_env", "folder"]

    def clean(self) -> dict[str, Any]:
        """There is a password, kept here or named in the environment."""
        cleaned = super().clean() or {}
        if not (cleaned.get("new_password") or cleaned.get("credential_env") or self.instance.password):
            self.add_error("new_password", _("Give a password, or the environment variable that has it."))
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """The mailbox with the new password, if there is one."""
        self.instance.password = self.cleaned_data["new_password"] or self.instance.password
        return super().save(commit)


@admin.register(Mailbox)
class MailboxAdmin(ConfiguredModelAdmin):
    """The password is kept encrypted, or stands in the environment variable named here."""

    form = MailboxForm

    list_display = ["channel", "host", "folder", "last_polled_at", "last_error"]
    list_select_related = ["channel"]
    fields = [
        "channel",
        "host",
        "port",
        "use_tls",
        "username",
        "new_password",
        "credential_env",
        "folder",
        "last_polled_at",
        "last_error",
    ]
    readonly_fields = ["last_polled_at", "last_error"]


@admin.register(Reason)
class ReasonAdmin(ConfiguredModelAdmin):
    list_display = ["name", "parent", "priority", "is_sensitive", "is_active", "position"]
    list_select_related = ["parent"]
    list_filter = ["is_sensitive", "is_active"]
    prepopulated_fields = {"code": ["name"]}


@admin.register(Disposition)
class DispositionAdmin(ConfiguredModelAdmin):
    list_display = ["name", "is_resolved", "is_active", "position"]
    prepopulated_fields = {"code": ["name"]}


class MessageTemplateForm(forms.ModelForm):
    class Meta:
        model = MessageTemplate
        fields = ["name", "language", "channel_kind", "category", "body", "variables", "external_id", "status"]

    def clean(self) -> dict[str, Any]:
        """Every `{{1}}` of the text is described, and nothing else is."""
        cleaned = super().clean() or {}
        described = cleaned.get("variables") or []
        well_formed = isinstance(described, list) and all(
            isinstance(one, dict) and {"key", "label", "type"} <= set(one) for one in described
        )
        if not well_formed:
            self.add_error(
                "variables", _('Write a list such as [{"key": "1", "label": "First name", "type": "text"}].')
            )
        elif "body" in cleaned and {str(one["key"]) for one in described} != set(VARIABLE.findall(cleaned["body"])):
            self.add_error("variables", _("Describe exactly the variables that stand in the text."))
        return cleaned


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ConfiguredModelAdmin):
    form = MessageTemplateForm
    list_display = ["name", "language", "channel_kind", "status"]
    list_filter = ["channel_kind", "status", "language"]


class FormFieldForm(forms.ModelForm):
    class Meta:
        model = FormField
        exclude: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        """A choice has choices, a consent its text and the version of it."""
        cleaned = super().clean() or {}
        if cleaned.get("type") in {FieldType.CHOICE, FieldType.CHOICES} and not cleaned.get("choices"):
            self.add_error("choices", _("Add at least one choice."))
        if cleaned.get("type") == FieldType.CONSENT:
            for name in ("consent_text", "consent_version"):
                if not cleaned.get(name):
                    self.add_error(name, _("A consent needs its text and a version."))
        return cleaned


class FormFieldInline(ConfiguredInline, StackedInline):
    model = FormField
    form = FormFieldForm
    extra = 0
    ordering_field = "position"
    formfield_overrides = {models.JSONField: {"widget": forms.Textarea}}


class WebFormForm(forms.ModelForm):
    class Meta:
        model = WebForm
        exclude: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["channel"].queryset = Channel.objects.filter(kind=ChannelKind.FORM)  # type: ignore[attr-defined]

    def clean_allowed_origins(self) -> list[str]:
        """Origins as browsers send them: scheme, host and port, nothing after."""
        origins = [origin.strip().rstrip("/") for origin in self.cleaned_data["allowed_origins"] if origin.strip()]
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
                raise ValidationError(_("Write origins such as https://www.example.org."))
        return origins


@admin.register(WebForm)
class WebFormAdmin(ConfiguredModelAdmin):
    form = WebFormForm
    list_display = ["title", "slug", "language", "channel", "is_active"]
    list_select_related = ["channel"]
    prepopulated_fields = {"slug": ["title"]}
    readonly_fields = ["page", "embed_code"]
    inlines = [FormFieldInline]

    @admin.display(description=_("Address of the page"))
    def page(self, obj: WebForm) -> str:
        address = _address_of(obj)
        return format_html('<a href="{}" class="underline">{}</a>', address, address) if address else "–"

    @admin.display(description=_("Code for another website"))
    def embed_code(self, obj: WebForm) -> str:
        """The frame to copy, and what has to be true before it shows anything."""
        address = _address_of(obj)
        if not address:
            return "–"
        title = escape(obj.title)
        frame = f'<iframe src="{address}?embed" title="{title}" width="100%" height="900" loading="lazy"></iframe>'
        hint = (
            _("It works on these websites: %(origins)s.") % {"origins": ", ".join(obj.allowed_origins)}
            if obj.allowed_origins
            else _(
                "It works nowhere yet. Name the websites under allowed origins, for example https://www.example.org."
            )
        )
        return format_html(
            '<textarea readonly rows="3" cols="90" aria-label="{}" class="font-mono w-full">{}</textarea><p>{}</p>',
            _("Code for another website"),
            frame,
            hint,
        )


def _address_of(form: WebForm) -> str:
    return f"{settings.PUBLIC_BASE_URL}{reverse('inbox:form', args=[form.slug])}" if form.pk else ""


class MenuOptionInline(ConfiguredInline, StackedInline):
    model = MenuOption
    extra = 0


@admin.register(VoiceLine)
class VoiceLineAdmin(ConfiguredModelAdmin):
    list_display = ["channel", "offer_seconds", "wrap_up_seconds"]
    inlines = [MenuOptionInline]
