from django.urls import path

from compliance.api import consent, contacts, guard, privacy

app_name = "compliance-api"
urlpatterns = [
    path("contacts", contacts.ContactListView.as_view(), name="contacts"),
    path("contacts/import", contacts.ContactImportView.as_view(), name="contacts-import"),
    path("contacts/<uuid:contact_id>", contacts.ContactView.as_view(), name="contact"),
    path("contacts/<uuid:contact_id>/consents", consent.ConsentListView.as_view(), name="contact-consents"),
    path("contacts/<uuid:contact_id>/may-contact", consent.MayContactView.as_view(), name="contact-may"),
    path("notices", consent.NoticeListView.as_view(), name="notices"),
    path("notices/<uuid:notice_id>", consent.NoticeView.as_view(), name="notice"),
    path("guard/check", guard.CheckView.as_view(), name="guard-check"),
    path("guard/rules", guard.RuleListView.as_view(), name="guard-rules"),
    path("guard/settings", guard.SettingsView.as_view(), name="guard-settings"),
    path("guard/terms", guard.TermListView.as_view(), name="guard-terms"),
    path("guard/terms/<uuid:term_id>", guard.TermView.as_view(), name="guard-term"),
    path("privacy/requests", privacy.RequestListView.as_view(), name="privacy-requests"),
    path("privacy/requests/<uuid:request_id>", privacy.RequestView.as_view(), name="privacy-request"),
    path("privacy/requests/<uuid:request_id>/verify", privacy.VerifyView.as_view(), name="privacy-verify"),
    path("privacy/requests/<uuid:request_id>/start", privacy.StartView.as_view(), name="privacy-start"),
    path("privacy/requests/<uuid:request_id>/refuse", privacy.RefuseView.as_view(), name="privacy-refuse"),
    path("privacy/requests/<uuid:request_id>/extend", privacy.ExtendView.as_view(), name="privacy-extend"),
    path("privacy/requests/<uuid:request_id>/file", privacy.FileView.as_view(), name="privacy-file"),
    path("privacy/export", privacy.ExportView.as_view(), name="privacy-export"),
    path("privacy/holds", privacy.HoldListView.as_view(), name="privacy-holds"),
    path("privacy/holds/<uuid:hold_id>/release", privacy.HoldReleaseView.as_view(), name="privacy-hold-release"),
    path("privacy/inventory", privacy.InventoryView.as_view(), name="privacy-inventory"),
    path("workspace/deletion", privacy.DeletionView.as_view(), name="workspace-deletion"),
    path("account/privacy", privacy.OwnView.as_view(), name="own-privacy"),
    path("account/privacy/<uuid:request_id>/file", privacy.OwnFileView.as_view(), name="own-privacy-file"),
]
