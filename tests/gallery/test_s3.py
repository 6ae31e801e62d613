"""Files in an S3 bucket: an installation of its own imports, serves, replaces and deletes."""

import json

import boto3
import pytest

from tests.pictures import jpeg
from tests.site import Site

# Runs inside the installation, whose storages are chosen when Django starts.
VISIT = """
import json, urllib.request
from django.test import Client
from gallery.models import Image, Rendition
image = Image.objects.get()
response = Client().get(image.url(320))
with urllib.request.urlopen(response.url) as answer:
    headers, content = answer.headers, answer.read()
    served = {"type": headers["Content-Type"], "cache": headers["Cache-Control"], "bytes": len(content)}
made = Rendition.objects.get().bytes
image.delete()
print(json.dumps({
    "status": response.status_code, "cache": response["Cache-Control"], "signed": "Signature" in response.url,
    "served": served, "made": made, "left": Rendition.objects.count(),
}))
"""


@pytest.fixture
def site(tmp_path, s3_server) -> Site:
    return Site(tmp_path, **s3_server.environment)


def names(s3_server) -> list[str]:
    client = boto3.client(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key=s3_server.secret_key,
        region_name=s3_server.region,
    )
    return [item["Key"] for item in client.list_objects_v2(Bucket=s3_server.bucket).get("Contents", [])]


def test_files_live_in_the_bucket_and_are_handed_on_by_signed_addresses(site, s3_server, tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "dress.jpg").write_bytes(jpeg())
    before = set(names(s3_server))
    site.manage("migrate", "-v0")
    site.manage("import_catalogue", str(folder))
    stored = set(names(s3_server)) - before
    assert len(stored) == 1
    assert stored.pop().startswith("originals/")

    answer = json.loads(site.manage("shell", "-v0", "-c", VISIT))
    assert answer["status"] == 302
    assert answer["cache"] == answer["served"]["cache"] == "public, max-age=300"
    assert answer["signed"]
    assert answer["served"]["type"] == "image/webp"
    assert answer["served"]["bytes"] == answer["made"]
    assert answer["left"] == 0
    assert set(names(s3_server)) == before
