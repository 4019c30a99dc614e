from django.urls import URLPattern, URLResolver, path

from personal.views import briefs, home, preferences, tasks, watchlist

app_name = "personal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("you", home.home, name="home"),
    path("you/preferences", preferences.preferences, name="preferences"),
    path("you/watchlist", watchlist.watchlist, name="watchlist"),
    path("you/watchlist/<uuid:watch_id>", watchlist.watch_change, name="watch-change"),
    path("you/watchlist/<uuid:watch_id>/remove", watchlist.watch_remove, name="watch-remove"),
    path("you/briefs", briefs.brief_list, name="briefs"),
    path("you/briefs/<uuid:brief_id>", briefs.brief_detail, name="brief"),
    path("you/tasks", tasks.task_list, name="tasks"),
    path("you/tasks/new/<slug:kind>", tasks.task_new, name="task-new"),
    path("you/tasks/<uuid:task_id>", tasks.task_detail, name="task"),
    path("you/tasks/<uuid:task_id>/edit", tasks.task_edit, name="task-edit"),
    path("you/tasks/<uuid:task_id>/<slug:act>", tasks.task_act, name="task-act"),
]
