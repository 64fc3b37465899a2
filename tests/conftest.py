"""What holds for all tests."""

from hypothesis import settings

# The machines are noisy: how long an example takes says nothing.
settings.register_profile("coldbench", deadline=None)
settings.load_profile("coldbench")
