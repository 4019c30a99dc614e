from django.urls import URLPattern, URLResolver, path

from analytics.api import reports

app_name = "analytics-api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("reports", reports.ReportListView.as_view(), name="reports"),
    path("reports/<uuid:report_id>", reports.ReportView.as_view(), name="report"),
    path("reports/<uuid:report_id>/pdf", reports.ReportPdfView.as_view(), name="report-pdf"),
]
