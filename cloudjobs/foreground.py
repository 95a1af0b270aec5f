"""`python -m cloudjobs.foreground`: runs the Procfile until Ctrl-C, or until one process ends."""

import os
import sys
from pathlib import Path
from threading import Timer

from honcho.environ import parse_procfile
from honcho.manager import Manager

PROCFILE = Path(__file__).parent.parent / "Procfile"
PAUSE_SECONDS = 0.05


class Foreground(Manager):
    """Honcho's manager, which a signal ends while it still starts, too."""

    def terminate(self) -> None:
        """End all processes; if some have not told their numbers yet, as soon as they have.

        Honcho calls this from its handler of signals, and looks each number up.
        """
        if self._all_started():
            super().terminate()
            return
        later = Timer(PAUSE_SECONDS, self.terminate)
        later.daemon = True  # each process that starts may have got the signal as well
        later.start()


def main() -> int:
    """Run all processes, and return the status of the first that ended."""
    manager = Foreground()
    for name, command in parse_procfile(PROCFILE.read_text()).processes.items():
        manager.add_process(name, command, env=dict(os.environ))
    manager.loop()
    return int(manager.returncode)


if __name__ == "__main__":
    sys.exit(main())
