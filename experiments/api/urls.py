from django.urls import path

from experiments.api import views

app_name = "experiments-api"
urlpatterns = [
    path("experiments", views.ExperimentListView.as_view(), name="experiments"),
    path("experiments/<uuid:experiment_id>", views.ExperimentView.as_view(), name="experiment"),
    path("experiments/<uuid:experiment_id>/start", views.StartView.as_view(), name="experiment-start"),
    path("experiments/<uuid:experiment_id>/pause", views.PauseView.as_view(), name="experiment-pause"),
    path("experiments/<uuid:experiment_id>/resume", views.ResumeView.as_view(), name="experiment-resume"),
    path("experiments/<uuid:experiment_id>/stop", views.StopView.as_view(), name="experiment-stop"),
    path("experiments/<uuid:experiment_id>/winner", views.WinnerView.as_view(), name="experiment-winner"),
    path("experiments/<uuid:experiment_id>/archive", views.ArchiveView.as_view(), name="experiment-archive"),
    path("experiments/<uuid:experiment_id>/looks", views.LookListView.as_view(), name="experiment-looks"),
    path("experiments/<uuid:experiment_id>/export", views.ExportView.as_view(), name="experiment-export"),
]
