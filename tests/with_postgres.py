"""``python -m tests.with_postgres COMMAND...``: the command with ``TEST_DATABASE_URL`` of a PostgreSQL of its own."""

import os
import subprocess
import sys

from tests.servers.postgres import postgres
from tests.servers.processes import ServerFailed


def main(command: list[str]) -> int:
    """The command's exit status."""
    if not command:
        sys.exit(__doc__)
    try:
        with postgres() as url:
            return subprocess.call(command, env=os.environ | {"TEST_DATABASE_URL": url})
    except (ServerFailed, LookupError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
