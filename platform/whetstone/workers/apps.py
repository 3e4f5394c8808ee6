from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "whetstone.workers"
