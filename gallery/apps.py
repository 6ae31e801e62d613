from django.apps import AppConfig


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = "Gallery"

    def ready(self) -> None:
        from gallery import checks, receivers  # noqa: F401  (registers checks)
        from gallery.bulk import working  # noqa: F401  (registers kinds of jobs)
        from gallery.importing import work  # noqa: F401  (registers kinds of jobs)

        receivers.connect()
