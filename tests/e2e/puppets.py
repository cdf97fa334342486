"""Guests that do what a test tells them: their /boot script asks for orders here and posts what came of them."""

import http.server
import queue
import threading

from harness import Failure
from host import GATEWAY

PORT = 8002

# Never asks for its JIT config by itself. An order may take its own address away: it puts it back at its end.
SCRIPT = f"""#!/bin/sh
mac=$(cat /sys/class/net/eth0/address)
own=$(ip -4 -o addr show eth0 | awk '{{print $4}}')
export own
while :; do
  if timeout 40 wget -q -O /run/order http://{GATEWAY}:{PORT}/$mac && [ -s /run/order ]; then
    sh /run/order >/run/told 2>&1
    ip addr flush dev eth0; ip addr add $own dev eth0; ip route replace default via {GATEWAY}
    timeout 10 wget -q -O - --post-data "$(cat /run/told)" http://{GATEWAY}:{PORT}/$mac >/dev/null
  else
    sleep 0.2
  fi
done
"""


class Puppets:
    """The other end of the script."""

    def __init__(self):
        self.orders, self.answers = {}, {}
        lock = threading.Lock()
        self.seen = set()
        outer = self

        def of(table, mac):
            with lock:
                outer.seen.add(mac)
                return table.setdefault(mac, queue.Queue())
        self.of = of

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def reply(self, body):
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                try:
                    self.reply(of(outer.orders, self.path[1:]).get(timeout=5).encode())
                except queue.Empty:
                    self.reply(b"")

            def do_POST(self):
                told = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
                self.reply(b"")
                of(outer.answers, self.path[1:]).put(told)
        self.server = http.server.ThreadingHTTPServer((GATEWAY, PORT), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def order(self, mac, script, seconds=60):
        """Runs the script in the guest with that MAC; what it printed."""
        self.of(self.orders, mac).put(script)
        try:
            return self.of(self.answers, mac).get(timeout=seconds)
        except queue.Empty:
            raise Failure(f"{mac} does not answer") from None

    def end(self):
        self.server.shutdown()
        self.server.server_close()
