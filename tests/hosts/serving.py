"""A passage that runs in a thread of the tests."""

import threading

from strongroom.agent.passage import Passage
from strongroom.agent.passage_sockets import Route


class Serving:
    """A passage in a thread; what is asked of it is done between two of its turns, as the real process does it."""

    def __init__(self) -> None:
        self.passage = Passage()
        self._is_over = False
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._is_over:
            with self._turn:
                self.passage.serve(seconds=0.02)
        self.passage.close()

    def add(self, *routes: Route) -> None:
        with self._turn:
            for route in routes:
                self.passage.add(route)

    def remove(self, route: Route) -> None:
        with self._turn:
            self.passage.remove(route)

    def stop(self) -> None:
        self._is_over = True
        self._thread.join()
