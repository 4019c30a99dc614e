"""The pages of results: what happened, and what it earned."""

from django.urls import URLPattern, path

from analytics.views import anomalies, audience, campaign, dashboard, funnels, live, segments, share

CAMPAIGN = "campaigns/<uuid:campaign_id>/results"
RESULTS: list[URLPattern] = [
    path("results", dashboard.results, name="results"),
    path("results/export", dashboard.results_export, name="results-export"),
    path("results/live", live.results_live, name="results-live"),
    path("results/audience", audience.audience_page, name="audience"),
    path("results/audience/export", audience.audience_export, name="audience-export"),
    path("results/cohorts", audience.cohort_page, name="cohorts"),
    path("results/cohorts/export", audience.cohort_export, name="cohorts-export"),
    path("results/funnels", funnels.funnel_list, name="funnels"),
    path("results/funnels/new", funnels.funnel_new, name="funnel-new"),
    path("results/funnels/export", funnels.funnel_export, name="funnels-export"),
    path("results/funnels/<uuid:funnel_id>", funnels.funnel_edit, name="funnel"),
    path("results/funnels/<uuid:funnel_id>/delete", funnels.funnel_delete, name="funnel-delete"),
    path("results/segments", segments.segment_list, name="segments"),
    path("results/segments/new", segments.segment_new, name="segment-new"),
    path("results/segments/size", segments.segment_size_now, name="segment-size"),
    path("results/segments/<uuid:segment_id>", segments.segment_edit, name="segment"),
    path("results/segments/<uuid:segment_id>/export", segments.segment_export, name="segment-export"),
    path("results/segments/<uuid:segment_id>/delete", segments.segment_delete, name="segment-delete"),
    path("results/unusual", anomalies.anomaly_list, name="anomalies"),
    path("results/unusual/export", anomalies.anomaly_export, name="anomalies-export"),
    path("results/unusual/<uuid:anomaly_id>/seen", anomalies.anomaly_seen, name="anomaly-seen"),
    path("results/shared", share.share_list, name="shares"),
    path("results/shared/new", share.share_new, name="share-new"),
    path("results/shared/<uuid:share_id>/revoke", share.share_revoke, name="share-revoke"),
    path("shared/<str:token>", share.shared_page, name="shared-page"),
    path(CAMPAIGN, campaign.campaign_results, name="campaign"),
    path(f"{CAMPAIGN}/export", campaign.campaign_export, name="campaign-export"),
    path(f"{CAMPAIGN}/goals", campaign.target_set, name="target-set"),
    path(f"{CAMPAIGN}/goals/<uuid:target_id>/delete", campaign.target_delete, name="target-delete"),
    path(f"{CAMPAIGN}/costs", campaign.cost_add, name="cost-add"),
    path(f"{CAMPAIGN}/costs/<uuid:cost_id>/delete", campaign.cost_delete, name="cost-delete"),
]
