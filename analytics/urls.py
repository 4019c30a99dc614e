from django.urls import URLPattern, URLResolver, path

from analytics.urls_results import RESULTS
from analytics.views import links, posts, reports, tracking, tracking_doors, utm

app_name = "analytics"
urlpatterns: list[URLPattern | URLResolver] = [
    *RESULTS,
    path("results/reports", reports.report_list, name="reports"),
    path("results/reports/schedules/new", reports.schedule_new, name="report-schedule-new"),
    path("results/reports/schedules/<uuid:schedule_id>", reports.schedule_edit, name="report-schedule"),
    path("results/reports/schedules/<uuid:schedule_id>/<str:act>", reports.schedule_act, name="report-schedule-act"),
    path("results/reports/<uuid:report_id>", reports.report_detail, name="report"),
    path("results/reports/<uuid:report_id>/pdf", reports.report_pdf, name="report-pdf"),
    path("results/reports/<uuid:report_id>/delete", reports.report_delete, name="report-delete"),
    path("deliveries/<uuid:delivery_id>/numbers", posts.delivery_numbers, name="delivery-numbers"),
    path("results/posts/<uuid:measured_id>", posts.measured_numbers, name="measured"),
    path("links", links.link_list, name="links"),
    path("links/new", links.link_new, name="link-new"),
    path("links/domains", links.link_domains, name="link-domains"),
    path("links/domains/<uuid:domain_id>/check", links.link_domain_check, name="link-domain-check"),
    path("links/domains/<uuid:domain_id>/remove", links.link_domain_remove, name="link-domain-remove"),
    path("links/<uuid:link_id>", links.link_detail, name="link"),
    path("links/<uuid:link_id>/switch", links.link_switch, name="link-switch"),
    path("links/<uuid:link_id>/qr.svg", links.link_qr, name="link-qr"),
    path("links/utm", utm.utm, name="utm"),
    path("settings/tracking", tracking.tracking_settings, name="tracking"),
    path("conversions/import", tracking.conversion_import, name="conversion-import"),
    path("t/<slug:key>.gif", tracking_doors.pixel_gif, name="pixel-gif"),
    path("t/<slug:key>.js", tracking_doors.pixel_js, name="pixel-js"),
]
