"""How many examples the property tests try: HYPOTHESIS_PROFILE=default or nightly."""

import os

from hypothesis import settings

settings.register_profile("default", max_examples=500, deadline=None)
settings.register_profile("nightly", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
