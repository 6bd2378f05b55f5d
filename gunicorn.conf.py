"""The web server, in the demo and in production alike. Read by gunicorn by its name."""

import os

bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
# Loaded before the fork: a misconfigured product ends with its sentence instead of trying for ever.
preload_app = True
timeout = 60
graceful_timeout = 20
max_requests = 5000
max_requests_jitter = 500
# Heartbeats in memory: the root file system is read-only in a container.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
accesslog = "-" if os.environ.get("WEB_ACCESS_LOG") else None
control_socket_disable = True
