"""Long work: its row, its worker, cancelling it, and what happens to one whose worker was killed."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from gallery import jobs
from gallery.models import Job
from tests.site import Site

pytestmark = pytest.mark.django_db

# A job that counts to 40, a tenth of a second each, and keeps every number it has done.
COUNTING = """
import time
from gallery import jobs
@jobs.kind("count", "Count")
def count(run):
    numbers = run.resume.get("numbers", [])
    while len(numbers) < 40:
        numbers.append(len(numbers))
        run.step(len(numbers), total=40, resume={"numbers": numbers})
        time.sleep(0.1)
    return {"numbers": numbers}
"""


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    monkeypatch.setattr(jobs, "_KINDS", {})


def started(work, by=None, **parameters) -> Job:
    jobs.kind("work", "Some work")(work)
    return jobs.start("work", by, **parameters)


def test_a_job_is_queued_done_and_tells_its_result(staff):
    def work(run):
        run.step(1, total=2, says="half of it")
        return {"sum": run.parameters["a"] + 1}

    job = started(work, staff, a=2)
    assert (job.state, DBTaskResult.objects.count()) == ("queued", 1)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.result, job.done, job.total, job.says) == ("done", {"sum": 3}, 2, 2, "half of it")
    jobs.run(str(job.pk))  # the queue may deliver twice
    job.refresh_from_db()
    assert job.run == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_that_start_it_at_once_one_does():
    jobs.kind("work", "Some work")(lambda run: None)
    together = threading.Barrier(2)

    def start() -> Job | None:
        try:
            together.wait()
            return jobs.start_alone("work", None)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        begun = list(pool.map(lambda _n: start(), range(2)))
    assert sorted(job is None for job in begun) == [False, True]
    job = Job.objects.get()
    assert DBTaskResult.objects.count() == 1
    assert job.begin() and jobs.start_alone("work", None) is None, "nor while it runs"
    job.end(Job.State.DONE)
    assert jobs.start_alone("work", None) is not None


def test_an_error_that_is_for_people_is_told_and_any_other_is_logged(caplog):
    def refuse(run):
        raise jobs.JobError("Choose a category first.")

    job = started(refuse)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.says) == ("failed", "Choose a category first.")
    job = started(lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == "failed" and "log" in job.says and "ZeroDivisionError" in caplog.text


def test_an_unknown_kind_is_said(staff):
    job = started(lambda run: None)
    jobs._KINDS.clear()
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == "failed" and "work" in job.says
    with pytest.raises(KeyError):
        jobs.start("work", staff)


def test_cancelling_before_and_while_it_runs():
    done = []

    def work(run):
        for n in range(10):
            done.append(n)
            if n == 3:
                Job.objects.get().request_cancel()
            run.step(n, at_once=True)

    job = started(work)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, len(done)) == ("cancelled", 4)
    job.delete()
    job = started(work)
    job.request_cancel()
    jobs.run(str(job.pk))
    assert (job.state, len(done)) == ("cancelled", 4)


def test_a_run_that_was_taken_over_writes_no_more():
    def work(run):
        Job.objects.get(pk=run.job.pk).begin()  # another worker
        run.step(5, at_once=True)

    job = started(work)
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.run, job.done) == ("running", 2, 0)


def test_a_silent_job_is_queued_again_once(settings):
    job = started(lambda run: None)
    job.begin()
    assert jobs.revive_silent() == 0
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=settings.JOB_SILENT_SECONDS + 1))
    assert (jobs.revive_silent(), jobs.revive_silent()) == (1, 0)
    assert DBTaskResult.objects.count() == 2


def test_old_jobs_go(settings):
    job = started(lambda run: None)
    jobs.run(str(job.pk))
    assert Job.objects.purge() == 0
    Job.objects.update(finished_at=timezone.now() - timedelta(days=settings.JOBS_KEPT_DAYS + 1))
    assert Job.objects.purge() == 1


def test_pages_of_jobs(client, staff, moderator, shopper):
    job = started(lambda run: run.step(1, total=4, at_once=True), staff)
    pages = [reverse("jobs"), reverse("job", args=[job.pk])]
    assert all(client.get(page).status_code == 302 for page in pages)
    client.force_login(shopper)
    assert all(client.get(page).status_code == 403 for page in pages)
    client.force_login(moderator)
    assert client.get(pages[1]).status_code == 404, "another one's"
    client.force_login(staff)
    assert all("Some work" in client.get(page).content.decode() for page in pages)
    assert "hx-get" in client.get(pages[1], headers={"HX-Request": "true"}).content.decode()
    assert client.get(reverse("job-report", args=[job.pk])).status_code == 404
    client.post(reverse("job-cancel", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert "hx-get" not in client.get(pages[1]).content.decode()


def test_a_report_that_storage_has_lost_is_not_found(client, staff):
    job = started(lambda run: None, staff)
    job.report.save("reports/lost.csv", ContentFile(b"sku"))
    client.force_login(staff)
    assert client.get(reverse("job-report", args=[job.pk])).status_code == 200
    job.report.storage.delete(job.report.name)
    assert client.get(reverse("job-report", args=[job.pk])).status_code == 404


def test_a_killed_worker_s_job_goes_on_where_it_was(tmp_path):
    """A real worker, killed half-way; the loop's schedule revives the job, and another worker ends it."""
    site = Site(tmp_path, JOB_SILENT_SECONDS="1")
    site.manage("migrate", "-v0")
    worker = f"import django; django.setup()\n{COUNTING}\nfrom django.core.management import call_command\n"
    begin = f"import django; django.setup()\n{COUNTING}\nprint(jobs.start('count', None).pk)"
    site.run("-c", begin)
    killed = site.start("-c", worker + "call_command('db_worker', interval=0.1)")
    deadline = time.monotonic() + 60
    while site.read("SELECT done FROM gallery_job")[0][0] < 5:
        assert killed.poll() is None and time.monotonic() < deadline, killed.communicate()
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    time.sleep(1.2)  # so long a job may be silent here
    revive = f"import django; django.setup()\n{COUNTING}\nprint(jobs.revive_silent())"
    assert site.run("-c", revive).split() == ["1"]
    site.run("-c", worker + "call_command('db_worker', batch=True, interval=0.1, startup_delay=False)")
    ((state, runs, result),) = site.read("SELECT state, run, result FROM gallery_job")
    assert (state, runs) == ("done", 2)
    assert result == '{"numbers": [' + ", ".join(map(str, range(40))) + "]}", "no number is missing and none twice"


@pytest.mark.django_db(transaction=True)
def test_one_thing_that_takes_long_keeps_the_job_alive(settings):
    settings.JOB_SILENT_SECONDS = 2
    seen = []

    def work(run):
        run.step(0, at_once=True)
        begun = Job.objects.get().heartbeat_at
        with run.kept_alive():
            time.sleep(2.5)
        seen.extend([Job.objects.get().heartbeat_at > begun, Job.objects.silent().exists()])

    jobs.run(str(started(work).pk))
    assert seen == [True, False]
