"""Which TCP connections a gateway serves, and which it has answered since: asked of the kernel, without root.

An HTTP/1.1 connection serves one request at a time and answers it before the next. A request that was under way at
some moment is therefore over once its connection is gone, or an answer was written to it since. That holds only
without HTTP/2, which the gateway has switched off, and tells nothing under TLS, where a client can make the server
write without answering.

Source: sock_diag(7), linux/inet_diag.h, linux/tcp.h (`struct tcp_info`).
"""

import socket
import struct
from collections.abc import Iterator, Mapping

_SOCK_DIAG_BY_FAMILY, _NLMSG_DONE, _NLMSG_ERROR = 20, 3, 2
_REQUEST, _DUMP = 0x1, 0x300
_NETLINK_SOCK_DIAG = 4
_INET_DIAG_INFO = 2
_ESTABLISHED, _CLOSE_WAIT, _FIN_WAIT1, _FIN_WAIT2 = 1, 8, 4, 5
# A closed client may have sent its whole body before: such a request is still carried out.
_STATES = sum(1 << state for state in (_ESTABLISHED, _CLOSE_WAIT, _FIN_WAIT1, _FIN_WAIT2))
_BYTES_ACKED_AT = 120  # tcpi_bytes_acked in struct tcp_info: what the peer confirmed to have got from us
_WRITE_QUEUE_AT = 60  # idiag_wqueue in struct inet_diag_msg: what was written and is not confirmed yet
_HEADER = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=BBBB2s2s16s16sI8s")  # family, state, timer, retransmits, ports, addresses, interface, cookie
_MESSAGE_BYTES = 72


def written_bytes(port: int) -> dict[str, int]:
    """For every connection to this local port: how many bytes were written to it. Keys are the kernel's own names.

    Raises: OSError where the kernel does not answer such questions.
    """
    found: dict[str, int] = {}
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asking:
            asking.settimeout(5)
            asking.sendto(_question(family, port), (0, 0))
            found.update(_answers(asking, port))
    return found


def are_over(then: Mapping[str, int], now: Mapping[str, int], answer_bytes: int) -> bool:
    """Whether every request that was under way `then` has ended: its connection is gone or has answered since.

    An answer has at least `answer_bytes`; less is an interim one (`100 Continue`). 0: bytes tell nothing (TLS).
    """
    return all(
        name not in now or (answer_bytes > 0 and now[name] - written >= answer_bytes) for name, written in then.items()
    )


def _question(family: int, port: int) -> bytes:
    """inet_diag_req_v2: all connections of a family, with struct tcp_info. The port is filtered on our side."""
    ids = struct.pack("=2s2s16s16sI8s", b"", b"", b"", b"", 0, b"\xff" * 8)
    wanted = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 1 << (_INET_DIAG_INFO - 1), 0, _STATES) + ids
    return _HEADER.pack(_HEADER.size + len(wanted), _SOCK_DIAG_BY_FAMILY, _REQUEST | _DUMP, 1, 0) + wanted


def _answers(asking: socket.socket, port: int) -> Iterator[tuple[str, int]]:
    while True:
        data = asking.recv(1 << 20)
        while len(data) >= _HEADER.size:
            length, kind, *_ = _HEADER.unpack_from(data)
            body, data = data[_HEADER.size : length], data[(length + 3) & ~3 :]
            if kind == _NLMSG_DONE:
                return
            if kind == _NLMSG_ERROR:
                raise OSError(-struct.unpack_from("=i", body)[0], "the kernel does not tell its connections")
            if (connection := _connection(body, port)) is not None:
                yield connection


def _connection(body: bytes, port: int) -> tuple[str, int] | None:
    _, _, _, _, local_port, _, _, _, _, cookie = _MESSAGE.unpack_from(body)
    if int.from_bytes(local_port, "big") != port:
        return None
    waiting = struct.unpack_from("=I", body, _WRITE_QUEUE_AT)[0]
    attributes = body[_MESSAGE_BYTES:]
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind == _INET_DIAG_INFO and length >= 4 + _BYTES_ACKED_AT + 8:
            return cookie.hex(), struct.unpack_from("=Q", attributes, 4 + _BYTES_ACKED_AT)[0] + waiting
        attributes = attributes[(length + 3) & ~3 :]
    raise OSError("the kernel does not count the bytes of its connections")
