from django.urls import URLPattern, URLResolver, path

from analytics.api import dashboard, posts, reports, tracking

app_name = "analytics-api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("analytics/dashboard", dashboard.DashboardView.as_view(), name="dashboard"),
    path("analytics/campaigns/<uuid:campaign_id>", dashboard.CampaignAnalyticsView.as_view(), name="campaign"),
    path("reports", reports.ReportListView.as_view(), name="reports"),
    path("reports/<uuid:report_id>", reports.ReportView.as_view(), name="report"),
    path("reports/<uuid:report_id>/pdf", reports.ReportPdfView.as_view(), name="report-pdf"),
    path("deliveries/<uuid:delivery_id>/metrics", posts.DeliveryMetricsView.as_view(), name="delivery-metrics"),
    path("links", tracking.LinkListView.as_view(), name="links"),
    path("links/<uuid:link_id>", tracking.LinkView.as_view(), name="link"),
    path("conversions", tracking.ConversionsView.as_view(), name="conversions"),
]
