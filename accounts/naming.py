"""How a clone is called that is not given a name: the profile's `clone_naming` decides.

    NONE       x → x
    COUNTER    x → x_1 → x_2
    DATE       x → x-2014-06-05, and an older date is replaced
    TIMESTAMP  x → x-2014-06-05 09:45:56, and an older time is replaced

Names that the owner has already are passed over: COUNTER takes the next free number, and a stamp
that is in use gets a counter behind it.
"""

import re
from collections.abc import Callable
from datetime import datetime
from itertools import count

from accounts.models import Profile

NAME_LENGTH = 255
LONGEST_COUNTER = len("_1000000000")
COUNTER = re.compile(r"_(\d{1,9})$", re.ASCII)
STAMP = re.compile(r"-\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?(_\d{1,9})?$", re.ASCII)
STAMP_FORMATS = {
    Profile.CloneNaming.DATE: "%Y-%m-%d",
    Profile.CloneNaming.TIMESTAMP: "%Y-%m-%d %H:%M:%S",
}

NamesBeginningWith = Callable[[str], set[str]]


def name_clone(source: str, naming: str, moment: datetime, taken: NamesBeginningWith) -> str:
    """Return the name of a clone of `source`; `taken` tells the owner's names with a beginning."""
    if naming == Profile.CloneNaming.COUNTER:
        match = COUNTER.search(source)
        base, own = (source[: match.start()], int(match.group(1))) if match else (source, 0)
        return next_numbered(base, "", own, taken)
    if naming in STAMP_FORMATS:
        base = STAMP.sub("", source)
        stamp = moment.strftime(f"-{STAMP_FORMATS[Profile.CloneNaming(naming)]}")
        stamped = shortened(base, stamp)
        return next_numbered(base, stamp, 0, taken) if stamped in taken(stamped) else stamped
    return source


def next_numbered(base: str, stamp: str, own: int, taken: NamesBeginningWith) -> str:
    """Return base and stamp with the lowest free counter above `own` behind them."""
    names = taken(base[: NAME_LENGTH - len(stamp) - LONGEST_COUNTER])
    candidates = (shortened(base, f"{stamp}_{number}") for number in count(own + 1))
    return next(candidate for candidate in candidates if candidate not in names)


def shortened(base: str, ending: str) -> str:
    """Return base and ending; the base gives way when both are longer than a name may be."""
    return base[: NAME_LENGTH - len(ending)] + ending
