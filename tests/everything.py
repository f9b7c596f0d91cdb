"""`python -m tests.everything`: all tests at once, on SQLite and on PostgreSQL, beside what else `make test` looks at.

Those on SQLite wait a good deal for processes that they start. What runs beside them waits for nothing, and would
otherwise come after; it is shown at the end, or at once where something is wrong with it.
"""

import os
import subprocess
import sys
import tempfile
import threading

BESIDE = ("check", "postgresql")


def main() -> int:
    """The status of whichever failed; 0 when neither did."""
    make = os.environ.get("MAKE", "make")
    with tempfile.TemporaryFile() as said:
        beside = subprocess.Popen([make, *BESIDE], stdout=said, stderr=subprocess.STDOUT)

        def show() -> None:
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()

        watch = threading.Thread(target=lambda: beside.wait() and show())
        watch.start()
        status = subprocess.call([make, "pytest"])
        watch.join()
        if beside.returncode == 0:
            show()
        return status or beside.returncode


if __name__ == "__main__":
    sys.exit(main())
