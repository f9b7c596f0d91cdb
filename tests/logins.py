"""Servers that people can log in to, and keys that they log in with."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.core import sshsig
from strongroom.db.models import Server

KEY = sshsig.public_key_line(Ed25519PrivateKey.generate().public_key().public_bytes_raw(), "laptop")
HOST_KEY = sshsig.public_key_line(Ed25519PrivateKey.generate().public_key().public_bytes_raw(), "")


def takes_logins(server: Server) -> Server:
    """The server after its agent said where its sshd is."""
    server.ssh_host_key, server.ssh_host = HOST_KEY, "genomics.example.org:2222"
    server.save(update_fields=["ssh_host_key", "ssh_host"])
    return server
