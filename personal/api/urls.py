from django.urls import URLPattern, URLResolver, path

from personal.api import briefs, preferences, reports, watchlist

app_name = "personal-api"
ME = "users/<uuid:user_id>"
urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{ME}/preferences", preferences.PreferencesView.as_view(), name="preferences"),
    path(f"{ME}/watchlist", watchlist.WatchlistView.as_view(), name="watchlist"),
    path(f"{ME}/watchlist/<uuid:watch_id>", watchlist.WatchView.as_view(), name="watch"),
    path(f"{ME}/briefs", briefs.BriefListView.as_view(), name="briefs"),
    path(f"{ME}/briefs/<uuid:brief_id>", briefs.BriefView.as_view(), name="brief"),
    path(f"{ME}/reports", reports.OwnReportsView.as_view(), name="reports"),
]
