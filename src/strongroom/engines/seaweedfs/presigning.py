"""Links that read one object for some minutes, signed by a session that the policy lets read attachments only."""

from datetime import timedelta
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def link(
    endpoint: str,
    repository: str,
    key: str,
    credentials: Credentials,
    region: str,
    *,
    lifetime: timedelta,
    filename: str,
) -> str:
    """A URL that downloads as `filename`; needs no further credentials."""
    query = urlencode({"response-content-disposition": disposition(filename)}, quote_via=quote)
    request = AWSRequest("GET", f"{endpoint}/{repository}/{quote(key)}?{query}")
    S3SigV4QueryAuth(credentials, "s3", region, expires=int(lifetime.total_seconds())).add_auth(request)
    return str(request.url)


def disposition(filename: str) -> str:
    """The header that names a download: a plain name for old programs, the whole one for all others.

    Source: RFC 6266 section 4.3 and appendix D; RFC 8187 section 3.2.1.
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
