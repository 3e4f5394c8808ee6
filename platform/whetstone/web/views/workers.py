"""Machines that carry out jobs."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from whetstone.accounts.scope import owned, person, team_of
from whetstone.jobs.busy import busy_workers
from whetstone.jobs.models import Job
from whetstone.web.estimates import price_text, table
from whetstone.workers.models import Worker


@login_required
@require_safe
def workers(request: HttpRequest) -> HttpResponse:
    """Each with what it does: other teams' jobs are counted, never named."""
    busy = busy_workers()
    mine = owned(Job, team_of(person(request))).filter(id__in=busy.values()).in_bulk()
    rows = [(worker, busy.get(worker.pk), mine.get(busy.get(worker.pk, ""))) for worker in Worker.objects.all()]
    prices = {pool: text for pool in {worker.pool for worker, *_ in rows} if (text := price_text(pool))}
    context = {"workers": rows, "prices": sorted(prices.items()), "estimates": table()}
    return render(request, "web/workers.html", context)
