#!/usr/bin/python3
"""One well-behaved reader, in a process of its own so that nobody else's work counts as its waiting.

    good_client.py ADDRESS PORT SOURCE

Reads /dashboard.json as fast as an eager page would, until its input ends, and connects anew for every tenth read; then
prints a line of JSON: {"reads": [[begin, seconds, whether it had to connect], ...], "failures": [text, ...]}; `begin` by the
machine's monotonic clock. The time of a read that had to connect includes that."""

import http.client
import json
import select
import sys
import time

READS_OF_A_CONNECTION = 10


def main(address, port, source):
    reads, failures = [], []
    connection = None
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        if connection and len(reads) % READS_OF_A_CONNECTION == 0:
            connection.close()
            connection = None
        begin, anew = time.monotonic(), connection is None
        try:
            if anew:
                connection = http.client.HTTPConnection(address, int(port), timeout=10, source_address=(source, 0))
            connection.request("GET", "/dashboard.json")
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                reads.append((begin, time.monotonic() - begin, anew))
            else:
                failures.append(str(answer.status))
        except (OSError, http.client.HTTPException) as error:
            failures.append(repr(error))
            connection = None
    print(json.dumps({"reads": reads, "failures": failures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
