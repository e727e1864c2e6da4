from django.apps import AppConfig


class CompetitorsConfig(AppConfig):
    name = "arena.competitors"
    label = "competitors"
