"""A catalogue that a member of staff has sent, checked: with new, changed and failing rows."""

import io
import zipfile

from django.core.files.base import ContentFile

from gallery import jobs
from gallery.importing.work import start_check
from gallery.models import CatalogueImport, Job, User
from tests.browser.shop import FIRST_PHOTO
from tests.pictures import jpeg

TABLE = """sku,file,title,title:zh-hans,price,description
NEW-1,new.jpg,A new circle,新的圆形,12.90 EUR,"Round, and new"
CIRCLE-00,CIRCLE-00.jpg,The first circle of all,,4,
NEW 2,new.jpg,A space in its SKU,,,
NEW-3,a-photo-with-a-very-long-name-that-somebody-has-forgotten-to-put-into-the-archive.jpg,Nothing,,,
NEW-1,new.jpg,Twice,,,
"""


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("catalogue.csv", TABLE)
        packed.writestr("new.jpg", jpeg("circle", "teal"))
        packed.writestr("CIRCLE-00.jpg", FIRST_PHOTO)
    return file.getvalue()


def checked_import() -> CatalogueImport:
    staff = User.objects.get(username="staff")
    one = CatalogueImport(name="spring-catalogue.zip", currency="EUR", created_by=staff)
    one.file.save("imports/spring.zip", ContentFile(archive()), save=False)
    one.save()
    start_check(one, staff)
    do_jobs()
    return one


def do_jobs() -> None:
    """As the worker does."""
    for job in Job.objects.filter(state=Job.State.QUEUED).order_by("created_at"):
        jobs.run(str(job.pk))
