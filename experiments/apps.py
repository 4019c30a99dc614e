from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "experiments"

    def ready(self) -> None:
        from campaigns.repeats import PAIRED
        from experiments import inventory  # noqa: F401  (declares the models)
        from experiments.post_making import is_one_block

        PAIRED.append(is_one_block)
