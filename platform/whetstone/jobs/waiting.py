"""Why a queued job has not begun."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from whetstone.jobs.models import Job
from whetstone.workers.pools import alive


def waiting_reason(job: Job) -> str:
    """One sentence for the person who waits."""
    workers = sum(worker.pool == job.pool for worker in alive())
    if workers == 0:
        return _("No worker of the pool “%(pool)s” is running.") % {"pool": job.pool}
    ahead = Job.objects.filter(status=Job.Status.QUEUED, pool=job.pool, created_at__lt=job.created_at).count()
    if ahead:
        return ngettext("%(n)d job is ahead of it.", "%(n)d jobs are ahead of it.", ahead) % {"n": ahead}
    return ngettext("The pool's worker is busy.", "All %(n)d workers of the pool are busy.", workers) % {"n": workers}
