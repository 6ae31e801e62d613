from django import template

from gallery.jobs import name_of
from gallery.models import Job

register = template.Library()


@register.filter
def job_name(job: Job) -> str:
    """What the job does, in the reader's language."""
    return str(name_of(job.kind))
