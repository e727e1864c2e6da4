from django.apps import AppConfig


class IntegrityConfig(AppConfig):
    name = "arena.integrity"
    verbose_name = "Integrity"
