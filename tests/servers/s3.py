"""An S3 endpoint on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class S3:
    endpoint_url: str
    bucket: str
    access_key: str = "tests"
    secret_key: str = "tests"
    region: str = "us-east-1"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let the application use it."""
        return {
            "S3_ENDPOINT_URL": self.endpoint_url,
            "S3_BUCKET": self.bucket,
            "S3_ACCESS_KEY": self.access_key,
            "S3_SECRET_KEY": self.secret_key,
            "S3_REGION": self.region,
        }


@contextmanager
def s3(bucket: str = "imgsite") -> Iterator[S3]:
    """An endpoint with one empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        store = S3(f"http://{host}:{port}", bucket)
        boto3.client(
            "s3",
            endpoint_url=store.endpoint_url,
            aws_access_key_id=store.access_key,
            aws_secret_access_key=store.secret_key,
            region_name=store.region,
        ).create_bucket(Bucket=bucket)
        yield store
    finally:
        server.stop()
