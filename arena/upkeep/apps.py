from django.apps import AppConfig


class UpkeepConfig(AppConfig):
    name = "arena.upkeep"
    verbose_name = "Upkeep"
