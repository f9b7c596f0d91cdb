"""Letters that Strongroom sends, one by one, while somebody waits; refuses to keep or to repeat them.

A letter may hold a code that is stored nowhere in plain words, so that nothing could send it later.
"""

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import structlog

from strongroom.actions.configuration import settings

log = structlog.get_logger()

_SECONDS = 10
_INVITATION = """\
Hello {name},

you are invited to Strongroom at {url}.

Open this address to choose your password. It works once, until {until} UTC:

{url}/invitations/{code}

For the command line:

strongroom login {url} --code {code}

Whoever has this letter can sign in as you until you did. If you expected no invitation, do nothing, and tell whoever
operates Strongroom.
"""


def invite(*, email: str, name: str, code: str, expires_at: datetime) -> bool:
    """Send somebody the address at which they choose their password; whether a mail server took it.

    False as well where none is set. What went wrong is in the log, without the code.
    """
    text = _INVITATION.format(name=name, url=settings().web_url, code=code, until=f"{expires_at:%Y-%m-%d %H:%M}")
    return send(to=email, subject="Your invitation to Strongroom", text=text)


def send(*, to: str, subject: str, text: str) -> bool:
    """Send one letter; whether a mail server took it."""
    if not settings().smtp_url:
        return False
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = settings().mail_from, to, subject
    letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(domain=settings().mail_from.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes back
    letter.set_content(text)
    try:
        with _connected() as server:
            server.send_message(letter)
    except (OSError, smtplib.SMTPException) as problem:
        log.warning("mail.refused", to=to, problem=type(problem).__name__, code=getattr(problem, "smtp_code", None))
        return False
    return True


def _connected() -> smtplib.SMTP:
    """A session with the mail server, encrypted unless the setting says plain, and signed in where it holds a name."""
    where = urlsplit(settings().smtp_url)
    host, context = str(where.hostname), ssl.create_default_context()
    if where.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, where.port or 465, timeout=_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, where.port or 587, timeout=_SECONDS)
    try:
        if where.scheme == "smtp":
            server.starttls(context=context)
        if where.username:
            server.login(unquote(where.username), unquote(where.password or ""))
    except BaseException:
        server.close()
        raise
    return server
