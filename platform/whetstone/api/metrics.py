"""`/metrics`: the platform's numbers in Prometheus' text format, for whoever shows a key or the workers' token."""

import secrets
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.fault import Fault
from whetstone.api.caller import admitted
from whetstone.api.errors import STATUS, fault_json
from whetstone.artifacts.disk import GB, free_gb
from whetstone.jobs.numbers import by_status, events_told, leases_expired, waiting_since
from whetstone.workers.pools import alive, pools

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
REQUESTS = Histogram(
    "whetstone_request_seconds",
    "Time until the answer began, by route; of this process.",
    ["method", "route", "status"],
    registry=REGISTRY,
)


class Platform(Collector):
    """What the database says at this moment, the same in every process."""

    def collect(self) -> Iterator[Metric]:
        yield _jobs()
        yield _queue()
        yield _workers()
        yield CounterMetricFamily("whetstone_events_recorded", "Events that jobs have told.", value=events_told())
        silent = leases_expired()
        yield CounterMetricFamily("whetstone_leases_expired", "Attempts whose worker fell silent.", value=silent)
        yield GaugeMetricFamily("whetstone_disk_free_bytes", "Free space of the platform.", value=free_gb() * GB)

    def describe(self) -> list[Metric]:
        return []  # else the registry would collect as soon as this module is read


def _jobs() -> Metric:
    family = GaugeMetricFamily("whetstone_jobs", "Jobs by status.", labels=["status"])
    for status, count in by_status().items():
        family.add_metric([status], count)
    return family


def _queue() -> Metric:
    family = GaugeMetricFamily("whetstone_queue_age_seconds", "Age of the oldest job that waits.", labels=["pool"])
    oldest = waiting_since()
    for pool in sorted({*pools(), *oldest}):
        family.add_metric([pool], (timezone.now() - oldest[pool]).total_seconds() if pool in oldest else 0)
    return family


def _workers() -> Metric:
    family = GaugeMetricFamily("whetstone_workers_alive", "Workers heard within the last minute.", labels=["pool"])
    living = [worker.pool for worker in alive()]
    for pool in pools():
        family.add_metric([pool], living.count(pool))
    return family


REGISTRY.register(Platform())


def metrics(request: HttpRequest) -> HttpResponse:
    try:
        _admit(request)
    except Fault as fault:
        return JsonResponse({"error": fault_json(fault.report)}, status=STATUS[fault.report.code])
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _admit(request: HttpRequest) -> None:
    """Raises Fault: auth.missing, or what is wrong with the key."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Fault("auth.missing")
    if not secrets.compare_digest(token.encode(), settings.WORKER_TOKEN.encode()):
        admitted(request, token)
