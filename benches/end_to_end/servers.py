"""The servers: nginx that takes everything, one that answers after a while, and one that notes when the first byte came."""

import asyncio
import multiprocessing
import pathlib
import re
import socket
import subprocess
import time
import urllib.request

import machine

# How long the slow server waits before it answers, in seconds.
DELAY = 0.05

CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_max_body_size 0;
    client_body_temp_path {folder}/nginx-bodies;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200; }}
        location /v1/ {{ default_type application/json; return 200 '{{"user":{{}}}}'; }}
        location = /status {{ stub_status; }}
    }}
}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Nginx:
    """One worker on the server's core, which drains every body and answers 200."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        config = pathlib.Path(self.folder, "nginx.conf")
        config.write_text(CONFIG.format(folder=self.folder, port=self.port))
        command = [machine.tool_at("nginx"), "-c", str(config), "-e", f"{self.folder}/nginx.log"]
        self.process = subprocess.Popen(command, preexec_fn=lambda: machine.pin(machine.SERVER))
        wait_for(self.port)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def requests(self):
        """How many requests came so far, those for this number included."""
        text = urllib.request.urlopen(f"{self.url}/status").read().decode()
        return int(re.search(r"^ \d+ \d+ (\d+)", text, re.M).group(1))


class Slow:
    """Answers 200 after DELAY, each connection by itself, on the server's core."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self.process = multiprocessing.get_context("fork").Process(target=answer_slowly, args=(self.port,), daemon=True)
        self.process.start()
        wait_for(self.port)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join(10)


def wait_for(port):
    for _ in range(200):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def answer_slowly(port):
    machine.pin(machine.SERVER)
    try:
        import uvloop

        loop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    loop.run_until_complete(loop.create_server(lambda: Delayed(loop), "127.0.0.1", port, backlog=512))
    loop.run_forever()


class Delayed(asyncio.Protocol):
    """A connection on which requests come one after the other, each with a content length."""

    def __init__(self, loop):
        self.loop, self.buffer = loop, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while length := whole_request(self.buffer):
            self.buffer = self.buffer[length:]
            self.loop.call_later(DELAY, self.transport.write, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def whole_request(buffer):
    """The length of the request that the buffer begins with, 0 while it is not there to its end."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return 0
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", buffer[: head + 2])
    length = head + 4 + (int(found.group(1)) if found else 0)
    return length if len(buffer) >= length else 0


class FirstByte:
    """Notes when the first byte of a request came, and answers it with 200."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(30)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        return self

    def __exit__(self, *_):
        self.socket.close()

    def came(self):
        """The moment; the connection is closed after the answer."""
        connection, _ = self.socket.accept()
        with connection:
            connection.settimeout(30)
            buffer = connection.recv(1)
            moment = time.monotonic()
            while not whole_request(buffer):
                buffer += connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        return moment
