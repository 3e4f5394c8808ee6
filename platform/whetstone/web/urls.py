"""Addresses of the pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from whetstone.web.views import (
    compare,
    datasets,
    evaluators,
    jobs,
    judges,
    models,
    overview,
    settings,
    webhooks,
    workers,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path(
        "login",
        LoginView.as_view(template_name="web/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout", LogoutView.as_view(), name="logout"),
    path("models", models.models, name="models"),
    path("models/<int:pk>", models.model, name="model"),
    path("datasets", datasets.datasets, name="datasets"),
    path("datasets/new", datasets.new, name="dataset-new"),
    path("datasets/<str:version_id>", datasets.dataset, name="dataset"),
    path("datasets/<str:version_id>/split", datasets.split, name="dataset-split"),
    path("datasets/<str:version_id>/delete", datasets.delete, name="dataset-delete"),
    path("evaluators", evaluators.evaluators, name="evaluators"),
    path("evaluators/<str:name>", evaluators.evaluator, name="evaluator"),
    path("evaluators/<str:name>/delete", evaluators.delete, name="evaluator-delete"),
    path("evaluators/<str:name>/compare", compare.compare, name="evaluator-compare"),
    path("build/evaluator", evaluators.build, name="evaluator-build"),
    path("jobs", jobs.jobs, name="jobs"),
    path("jobs/new", jobs.new, name="job-new"),
    path("jobs/<str:job_id>", jobs.job, name="job"),
    path("jobs/<str:job_id>/cancel", jobs.cancel, name="job-cancel"),
    path("jobs/<str:job_id>/pause", jobs.pause, name="job-pause"),
    path("jobs/<str:job_id>/resume", jobs.go_on, name="job-resume"),
    path("jobs/<str:job_id>/checkpoints/<int:step>/keep", jobs.keep, name="checkpoint-keep"),
    path("workers", workers.workers, name="workers"),
    path("settings", settings.settings, name="settings"),
    path("settings/keys/<int:pk>/revoke", settings.revoke, name="key-revoke"),
    path("settings/judges", judges.add, name="judge-add"),
    path("settings/judges/<int:pk>/delete", judges.remove, name="judge-delete"),
    path("settings/webhooks", webhooks.add, name="webhook-add"),
    path("settings/webhooks/<str:endpoint_id>/test", webhooks.test, name="webhook-test"),
    path("settings/webhooks/<str:endpoint_id>/rotate", webhooks.new_secret, name="webhook-rotate"),
    path("settings/webhooks/<str:endpoint_id>/delete", webhooks.remove, name="webhook-delete"),
    path("settings/deliveries/<str:delivery_id>", webhooks.send_again, name="delivery-again"),
    path("settings/secrets", judges.add_secret, name="secret-add"),
    path("settings/secrets/<int:pk>/delete", judges.remove_secret, name="secret-delete"),
]
