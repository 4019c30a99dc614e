from django.urls import path

from compliance.views import consent, contacts, guard, privacy, privacy_account

app_name = "compliance"
urlpatterns = [
    path("contacts", contacts.contact_list, name="contacts"),
    path("contacts/new", contacts.contact_new, name="contact-new"),
    path("contacts/import", contacts.contact_import, name="contact-import"),
    path("contacts/<uuid:contact_id>", contacts.contact_detail, name="contact"),
    path("contacts/<uuid:contact_id>/edit", contacts.contact_edit, name="contact-edit"),
    path("contacts/<uuid:contact_id>/restrict", contacts.contact_restrict, name="contact-restrict"),
    path("contacts/<uuid:contact_id>/consent", consent.contact_consent, name="contact-consent"),
    path("notices", consent.notice_list, name="notices"),
    path("notices/new", consent.notice_new, name="notice-new"),
    path("notices/<uuid:notice_id>", consent.notice_edit, name="notice"),
    path("settings/guard", guard.guard_settings_page, name="guard-settings"),
    path("settings/guard/words", guard.term_list, name="guard-terms"),
    path("settings/guard/words/new", guard.term_new, name="guard-term-new"),
    path("settings/guard/words/import", guard.term_import, name="guard-terms-import"),
    path("settings/guard/words/export", guard.term_export, name="guard-terms-export"),
    path("settings/guard/words/<uuid:term_id>", guard.term_edit, name="guard-term-edit"),
    path("settings/guard/words/<uuid:term_id>/delete", guard.term_delete, name="guard-term-delete"),
    path("settings/guard/rules", guard.rule_list, name="guard-rules"),
    path("settings/guard/try", guard.try_text, name="guard-try"),
    path("settings/privacy", privacy.privacy, name="privacy"),
    path("settings/privacy/requests/<uuid:request_id>", privacy.privacy_request, name="privacy-request"),
    path("settings/privacy/requests/<uuid:request_id>/file", privacy.privacy_file, name="privacy-file"),
    path("settings/privacy/requests/<uuid:request_id>/<str:act>", privacy.privacy_act, name="privacy-act"),
    path("settings/privacy/data", privacy.privacy_data, name="privacy-data"),
    path("settings/privacy/data/export", privacy.privacy_export, name="privacy-export"),
    path("settings/privacy/data/delete", privacy.delete_workspace, name="workspace-delete"),
    path("settings/privacy/data/keep", privacy.keep_workspace, name="workspace-keep"),
    path("settings/privacy/rules", privacy.privacy_rules, name="privacy-rules"),
    path("settings/privacy/holds/<uuid:hold_id>/release", privacy.release_hold, name="hold-release"),
    path("account/privacy", privacy_account.own_privacy, name="own-privacy"),
    path("account/privacy/ask/<str:kind>", privacy_account.ask, name="own-privacy-ask"),
    path("account/privacy/<uuid:request_id>/file", privacy_account.own_file, name="own-privacy-file"),
]
