from django.apps import AppConfig


class EvaluatorsConfig(AppConfig):
    name = "whetstone.evaluators"
