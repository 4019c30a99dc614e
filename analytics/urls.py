from django.urls import URLPattern, URLResolver, path

from analytics.views import reports

app_name = "analytics"
urlpatterns: list[URLPattern | URLResolver] = [
    path("results/reports", reports.report_list, name="reports"),
    path("results/reports/schedules/new", reports.schedule_new, name="report-schedule-new"),
    path("results/reports/schedules/<uuid:schedule_id>", reports.schedule_edit, name="report-schedule"),
    path("results/reports/schedules/<uuid:schedule_id>/<str:act>", reports.schedule_act, name="report-schedule-act"),
    path("results/reports/<uuid:report_id>", reports.report_detail, name="report"),
    path("results/reports/<uuid:report_id>/pdf", reports.report_pdf, name="report-pdf"),
    path("results/reports/<uuid:report_id>/delete", reports.report_delete, name="report-delete"),
]
