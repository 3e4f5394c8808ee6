from django.apps import AppConfig


class SuitesConfig(AppConfig):
    name = "whetstone.suites"
