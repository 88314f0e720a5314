"""nginx as a receiver of deliveries: answers everything with 200."""

import contextlib
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from database import WrongAnswer
from cluster import free_port

START_TIMEOUT_S = 10
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_certificate {folder}/certificate.pem;
  ssl_certificate_key {folder}/key.pem;
  server {{
    listen 127.0.0.1:{port} {options};
    location / {{ return 200 "ok"; }}
  }}
}}
"""

LISTEN_OPTIONS = {"http": "", "https": "ssl"}


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem",
         "-out", f"{folder}/certificate.pem"], check=True, capture_output=True)


def wait_for(port):
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise WrongAnswer("nginx did not start")
            time.sleep(0.02)


@dataclass
class Nginx:
    url: str
    certificate: str
    pid: int  # the master's; its child does the work


@contextlib.contextmanager
def nginx(protocol="http"):
    with tempfile.TemporaryDirectory() as folder:
        make_certificate(folder)
        port = free_port()
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(folder=folder, port=port, options=LISTEN_OPTIONS[protocol]))
        command = ["/usr/sbin/nginx", "-e", f"{folder}/error.log", "-c", configuration]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(port)
                scheme = "http" if protocol == "http" else "https"
                yield Nginx(f"{scheme}://127.0.0.1:{port}/", f"{folder}/certificate.pem", process.pid)
            finally:
                process.terminate()
