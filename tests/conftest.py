"""What holds for every test: how hypothesis searches."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Machines are noisy: how fast examples come is no finding. In CI the same examples every time, so that a run there says only
# whether the change is good; everywhere else new ones are looked for.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
