from django.urls import path

from compliance.api import consent, contacts, guard

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
]
