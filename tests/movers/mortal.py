"""A mover in a process of its own, to be killed: `mortal.py ENDPOINT KEY SECRET BUCKET FOLDER JOURNAL RATE THREADS`."""

import sys
from pathlib import Path

from strongroom.movers.journal import Journal
from strongroom.movers.retrying import Patience
from strongroom.movers.s3 import Credentials, Repository
from strongroom.movers.upload import Order, Upload

if __name__ == "__main__":
    endpoint, key, secret, bucket, folder, journal, rate, threads = sys.argv[1:]
    held = Credentials(key, secret)
    repository = Repository(endpoint, "us-east-1", bucket, lambda: held, patience=Patience(30))
    order = Order(folder, threads=int(threads), bytes_per_second=float(rate))
    upload = Upload(order, repository, Journal(Path(journal)))
    upload.run()
    sys.exit(upload.tally.problems)
