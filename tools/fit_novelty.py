"""Makes what “none of these” needs for finished runs, and records its digest in their manifests.

``python -m tools.fit_novelty RUN…`` brings runs up to date that finished before the lab made it;
every new run makes its own when it finishes. Needs the full dataset; half a minute a run.
"""

from __future__ import annotations

import sys

from cifar_core import services
from cifar_core.errors import LabError

if __name__ == "__main__":
    try:
        with services.acting_for(services.OWNER):
            for name in sys.argv[1:]:
                made = services.fit_novelty(services.read_run(name))
                print(f"{name}: threshold {made.threshold:.3f}, {made.false_alarm_rate:.1%} alarms")
    except LabError as error:
        sys.exit(str(error))
