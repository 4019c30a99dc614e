from django.urls import path

from compliance.views import guard

app_name = "compliance"
urlpatterns = [
    path("settings/guard", guard.guard_settings_page, name="guard-settings"),
    path("settings/guard/words", guard.term_list, name="guard-terms"),
    path("settings/guard/words/new", guard.term_new, name="guard-term-new"),
    path("settings/guard/words/import", guard.term_import, name="guard-terms-import"),
    path("settings/guard/words/export", guard.term_export, name="guard-terms-export"),
    path("settings/guard/words/<uuid:term_id>", guard.term_edit, name="guard-term-edit"),
    path("settings/guard/words/<uuid:term_id>/delete", guard.term_delete, name="guard-term-delete"),
    path("settings/guard/rules", guard.rule_list, name="guard-rules"),
    path("settings/guard/try", guard.try_text, name="guard-try"),
]
