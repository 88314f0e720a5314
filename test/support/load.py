"""Clients that send one unique signed message after the other, each until it is acknowledged, as Meta does."""

import http.client
import threading
import time

import meta
from client import Client
from waiting import eventually

PATH = "/api/whatsapp/webhook"
RETRY_S = 0.02


class Load:
    """Runs from `with` to its end.

    acknowledged  ids answered with 200
    unanswered    ids whose last attempt ended without any answer
    resends       whether what was not acknowledged is sent again
    """

    def __init__(self, gateway, account, secret, clients=6, resends=True):
        self.acknowledged, self.unanswered, self.statuses = [], [], {}
        self._gateway, self._account, self._secret, self._resends = gateway, account, secret, resends
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count=60):
        """Returns when so many more are acknowledged than were at the call."""
        goal = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= goal)

    def _run(self):
        client = Client(self._gateway.port)
        while not self._ended.is_set():
            message = meta.message()
            body = meta.whatsapp_messages(self._account.key, message)
            while not self._attempt(client, message["id"], body) and self._resends and not self._ended.is_set():
                time.sleep(RETRY_S)
        client.close()

    def _attempt(self, client, message_id, body):
        try:
            status = client.post(PATH, body, self._secret).status
        except ConnectionRefusedError:
            time.sleep(RETRY_S)
            return False
        except (OSError, http.client.HTTPException):
            self.unanswered.append(message_id)
            return False
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 200:
            self.acknowledged.append(message_id)
        return status == 200
