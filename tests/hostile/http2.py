"""HTTP/2 as no library would send it: frames and header fields as they are given (RFC 9113, RFC 7541)."""

import contextlib
import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS = 1, 4
STATIC_STATUSES = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}  # HPACK's static table


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def text(data):
    """A string literal that is not compressed."""
    length, coded = len(data), b""
    if length < 127:
        return bytes([length]) + data
    length -= 127
    while length > 127:
        coded += bytes([length % 128 + 128])
        length //= 128
    return bytes([127]) + coded + bytes([length]) + data


def headers(fields, flags, stream=1):
    """Of (name, value) pairs, whatever they hold; none of them enters a table."""
    return frame(HEADERS, END_HEADERS | flags, stream, b"".join(b"\x10" + text(name) + text(value) for name, value in fields))


def request(fields, body=b"", stream=1):
    if not body:
        return headers(fields, END_STREAM, stream)
    return headers(fields, 0, stream) + frame(DATA, END_STREAM, stream, body)


def status_of(block):
    """nginx writes it first, after an update of the table's size, and compresses nothing of it."""
    block = block[1:] if block[0] & 0xe0 == 0x20 else block
    return STATIC_STATUSES[block[0] & 0x7f] if block[0] & 0x80 else int(block[2:5])


class Answers:
    """What came back on one connection, by stream."""

    def __init__(self, data):
        self.statuses, self.bodies, self.ended, self.refused, self.data = {}, {}, set(), False, data
        while len(data) >= 9:
            length, kind, flags, stream = int.from_bytes(data[:3], "big"), data[3], data[4], int.from_bytes(data[5:9], "big")
            payload, data = data[9:9 + length], data[9 + length:]
            if kind == HEADERS and stream not in self.statuses:
                self.statuses[stream] = status_of(payload)
            elif kind == DATA:
                self.bodies[stream] = self.bodies.get(stream, b"") + payload
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                self.ended.add(stream)
            self.refused |= kind in (RST_STREAM, GOAWAY)

    def __repr__(self):
        return f"<{self.statuses} {self.data[:300]!r}>"


def say(address, trusted, name, frames, streams):
    """Over a connection of its own: what comes back until it closes, or has answered so many streams or refused one, and is then
    silent. `trusted` is a file with the certificate that the server, called `name`, must show."""
    context = ssl.create_default_context(cafile=trusted)
    context.set_alpn_protocols(["h2"])
    got = b""
    with socket.create_connection(address, timeout=10) as plain, context.wrap_socket(plain, server_hostname=name) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        with contextlib.suppress(OSError):
            connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frames)
            while piece := connection.recv(65536):
                got += piece
                answers = Answers(got)
                if answers.refused or len(answers.ended) >= streams:
                    connection.settimeout(0.1)
    return Answers(got)
