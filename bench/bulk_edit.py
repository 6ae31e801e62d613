"""``python -m bench.bulk_edit``: how long a bulk edit of many products takes, from its preview to its undo."""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from bench.installation import Installation, Options, limit_threads

_PRICE = {"action": "price", "how": "percent", "value": "-10", "rounding": "cent"}
_PHOTOS_OF_FOUR = 5  # products of the synthetic catalogue: one of four has two


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bulk_edit", description=__doc__)
    parser.add_argument("--products", type=int, default=10_000, help="(default: %(default)s)")
    given = parser.parse_args()
    limit_threads(2)
    options = Options(given.products * _PHOTOS_OF_FOUR // 4, runs=1, batches=1, engines=("embedded",))
    with Installation(options) as installation:
        installation.run("bench.catalogue:build")
        print(json.dumps(installation.run("bench.bulk_edit:measure"), indent=2))


def measure(_options: Options) -> dict[str, object]:
    """Lower all prices by ten percent as staff do, and take it back.

    :raises RuntimeError: when a product was left out, or its photos were not announced to the index once
    """
    from django.contrib.auth.models import Group
    from django.test import Client
    from django.urls import reverse

    from gallery import jobs
    from gallery.models import BulkEdit, Image, Product, Role, User
    from search.models import Change

    staff = User.objects.create_user("staff", "staff@example.com", "a password long enough")
    staff.groups.add(Group.objects.get(name=Role.STAFF))
    client = Client(SERVER_NAME="localhost")
    client.force_login(staff)
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[name] = round(time.perf_counter() - began, 2)

    def raised() -> Counter[int]:
        return Counter(dict(Change.objects.values_list("key", "version")))

    prices = dict(Product.objects.values_list("pk", "price"))
    before = raised()
    client.post(reverse("bulk-edits"), {"all": "1"})
    edit = BulkEdit.objects.get()
    with timed("preview"):
        client.get(edit.get_absolute_url(), _PRICE)
    with timed("start"):
        client.post(f"{edit.get_absolute_url()}apply/", _PRICE | {"count": len(prices)})
    edit.refresh_from_db()
    with timed("job"):
        jobs.run(str(edit.job_id))
    steps = raised() - before
    edit.job.refresh_from_db()
    changed = edit.job.result["changed"]
    client.post(f"{edit.get_absolute_url()}undo/")
    edit.refresh_from_db()
    with timed("undo"):
        jobs.run(str(edit.undo_job_id))
    if changed != len(prices) or set(steps.values()) != {1} or len(steps) != Image.objects.count():
        raise RuntimeError(f"{changed} of {len(prices)} products changed; {len(steps)} photos were announced.")
    if dict(Product.objects.values_list("pk", "price")) != prices:
        raise RuntimeError("After the undo some prices are not as before.")
    return {"products": len(prices), "photos": len(steps), "seconds": seconds}


if __name__ == "__main__":
    main()
