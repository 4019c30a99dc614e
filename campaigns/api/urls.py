from django.urls import path

from campaigns.api import attention, campaigns, deliveries, logs, media, posts, projects, publish, reviews, slots

app_name = "campaigns-api"
DELIVERY = "deliveries/<uuid:delivery_id>"
urlpatterns = [
    path("campaigns", campaigns.CampaignListView.as_view(), name="campaigns"),
    path("campaigns/<uuid:campaign_id>", campaigns.CampaignView.as_view(), name="campaign"),
    path("campaigns/<uuid:campaign_id>/status", campaigns.CampaignStatusView.as_view(), name="campaign-status"),
    path("posts", posts.PostListView.as_view(), name="posts"),
    path("posts/<uuid:post_id>", posts.PostView.as_view(), name="post"),
    path("posts/<uuid:post_id>/submit", posts.PostSubmitView.as_view(), name="post-submit"),
    path("posts/<uuid:post_id>/duplicate", posts.PostDuplicateView.as_view(), name="post-duplicate"),
    path("deliveries", deliveries.DeliveryListView.as_view(), name="deliveries"),
    path(DELIVERY, deliveries.DeliveryView.as_view(), name="delivery"),
    path(f"{DELIVERY}/schedule", deliveries.ScheduleView.as_view(), name="delivery-schedule"),
    path(f"{DELIVERY}/publish", deliveries.PublishView.as_view(), name="delivery-publish"),
    path(f"{DELIVERY}/next-slot", deliveries.NextSlotView.as_view(), name="delivery-next-slot"),
    path(f"{DELIVERY}/unschedule", deliveries.UnscheduleView.as_view(), name="delivery-unschedule"),
    path(f"{DELIVERY}/cancel", deliveries.CancelView.as_view(), name="delivery-cancel"),
    path(f"{DELIVERY}/confirm-live", deliveries.ConfirmLiveView.as_view(), name="delivery-confirm-live"),
    path(f"{DELIVERY}/send-again", deliveries.SendAgainView.as_view(), name="delivery-send-again"),
    path("attention", attention.AttentionView.as_view(), name="attention"),
    path("preflight", attention.PreflightView.as_view(), name="preflight"),
    path("deliveries/settle-missed", attention.SettleMissedView.as_view(), name="settle-missed"),
    path("connections/<uuid:connection_id>/retry-failed", attention.RetryFailedView.as_view(), name="retry-failed"),
    path("reviews", reviews.ReviewListView.as_view(), name="reviews"),
    path("reviews/<uuid:review_id>/approve", reviews.ApproveView.as_view(), name="review-approve"),
    path("reviews/<uuid:review_id>/reject", reviews.RejectView.as_view(), name="review-reject"),
    path("media", media.MediaListView.as_view(), name="media"),
    path("media/<uuid:asset_id>", media.MediaView.as_view(), name="media-file"),
    path("connections/<uuid:connection_id>/slots", slots.SlotListView.as_view(), name="slots"),
    path("connections/<uuid:connection_id>/slots/<uuid:slot_id>", slots.SlotView.as_view(), name="slot"),
    path("logs", logs.LogListView.as_view(), name="logs"),
    path("logs/rollup", logs.RollupView.as_view(), name="logs-rollup"),
    path("projects", projects.ProjectListView.as_view(), name="projects"),
    path("projects/scan", projects.ScanView.as_view(), name="project-scan"),
    path("projects/<uuid:project_id>", projects.ProjectView.as_view(), name="project"),
    path("tasks/publish", publish.PublishTaskView.as_view(), name="tasks-publish"),
]
