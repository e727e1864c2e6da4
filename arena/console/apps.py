from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "arena.console"
    verbose_name = "Console"
