"""Questions about tabletop scenes, answered from what the frames show."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.tasks.egocross.demo.shots import REGION_NAMES, Riddle, Take
from egocross_eval.tasks.egocross.demo.tabletop import Stay, Tabletop


def listed(names: Iterable[str]) -> str:
    """The names in alphabetical order, joined by commas."""
    return ", ".join(sorted(names))


def count_riddle(take: Take, table: Tabletop, text: str, wrong: Iterable[int]) -> Riddle:
    """How many kinds of things come into view; `wrong` numbers may hold the right one, which is left out."""
    seen = table.seen(take.times)
    return Riddle(
        "object counting",
        text,
        str(len(seen)),
        tuple(str(number) for number in wrong if number != len(seen)),
        f"{len(seen)} in all come into view between 0s and {take.seconds:.0f}s: {listed(seen)}.",
    )


def region_riddle(text: str, stay: Stay, time: float, who: str, regions: Iterable[str] = REGION_NAMES) -> Riddle:
    """Where a held thing is at `time`, with the other `regions` as wrong answers."""
    return Riddle(
        "object spatial localization",
        text,
        stay.region,
        tuple(region for region in regions if region != stay.region),
        f"{who[0].upper()}{who[1:]} holds the {stay.name} in the {stay.region} region at {time:.2f}s.",
    )


def dominant_riddle(take: Take, table: Tabletop, who: str, hand: str, segment: str) -> Riddle:
    """What `hand` (called `who` in the text) holds in most frames of the `segment`."""
    (name, frames), *_ = table.held_counts(hand, take.times).most_common()
    return Riddle(
        "dominant held-object identification",
        f"Which tool was {who} predominantly interacting with in the video segment from {segment}?",
        name,
        tuple(other for other in table.things if other != name),
        f"{who[0].upper()}{who[1:]} holds the {name} in {frames} of {len(take.times)} frames.",
    )


def absent_riddle(take: Take, table: Tabletop, text: str) -> Riddle:
    """Which thing never comes into view; the wrong answers all do."""
    seen = table.seen(take.times)
    name = take.rng.choice(sorted(set(table.things) - seen))
    detail = f"In view are {listed(seen)}; the {name} never appears."
    return Riddle("object not visible identification", text, name, tuple(sorted(seen)), detail)
