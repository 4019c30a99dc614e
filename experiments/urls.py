from django.urls import path

from experiments.views import pages

app_name = "experiments"
urlpatterns = [
    path("experiments", pages.experiment_list, name="experiment-list"),
    path("experiments/new", pages.experiment_new, name="experiment-new"),
    path("experiments/<uuid:experiment_id>", pages.experiment_detail, name="experiment-detail"),
    path("experiments/<uuid:experiment_id>/edit", pages.experiment_edit, name="experiment-edit"),
    path("experiments/<uuid:experiment_id>/export", pages.experiment_export, name="experiment-export"),
    path("experiments/<uuid:experiment_id>/<str:act>", pages.experiment_act, name="experiment-act"),
]
