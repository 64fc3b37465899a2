"""The Locust user: carries out what the conductor hands to it."""

from collections.abc import Callable

from gevent.queue import Queue
from locust import User, constant, task

Job = Callable[[], None]


class Invoker(User):
    """One worker of Locust's runner. A job is a burst, a stream of arrivals, or one closed-loop user."""

    wait_time = constant(0)
    jobs: Queue[Job]  # set on the class before Locust makes its users

    @task
    def work(self) -> None:
        """Take the next job and do it."""
        self.jobs.get()()
