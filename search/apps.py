from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        from search import checks, reasons, receivers  # noqa: F401  (registers checks, and reasons to be shown)
        from search.classification import training  # noqa: F401  (registers its job)
        from search.duplicates import scanning  # noqa: F401  (registers a kind of job)
        from search.quality import job  # noqa: F401  (registers a kind of job)
        from search.tuning import training as tuning  # noqa: F401  (registers a kind of job)

        receivers.connect()
