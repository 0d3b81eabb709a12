"""Industry clips (ENIGMA): two bare hands take, touch and leave parts and tools on a workbench."""

from __future__ import annotations

from collections.abc import Callable

from egocross_eval.tasks.egocross.demo.backdrops import benched
from egocross_eval.tasks.egocross.demo.handling import Setting, write_grips, write_views
from egocross_eval.tasks.egocross.demo.palette import HUES, Colour, hues_in_order
from egocross_eval.tasks.egocross.demo.panel import PlannedScene, Step, plan_picture
from egocross_eval.tasks.egocross.demo.shapes import INDUSTRY
from egocross_eval.tasks.egocross.demo.shots import Riddle, Shot, Take, time_bins
from egocross_eval.tasks.egocross.demo.tabletop import Hand, Stay, Tabletop, Thing
from egocross_eval.tasks.egocross.demo.tabletop_riddles import (
    absent_riddle,
    count_riddle,
    dominant_riddle,
    region_riddle,
)

_WOOD: Colour = (150, 132, 112)
_LEFT: Colour = (236, 206, 184)
_RIGHT: Colour = (120, 84, 66)

BENCH = Setting(
    things={name: Thing(INDUSTRY[name], HUES[hue]) for name, hue in hues_in_order(INDUSTRY).items()},
    hands={"left": Hand((0.04, 1.0), _LEFT, "left"), "right": Hand((0.96, 1.0), _RIGHT, "right")},
    reach={
        "left": ("bottom-left", "bottom-center", "center"),
        "right": ("bottom-right", "bottom-center", "center"),
    },
)
"""The wearer's hands reach the four regions that all spatial questions of ENIGMA have as options."""

_REACHED = ("bottom-center", "bottom-left", "bottom-right", "center")
_COUNTS = (*range(1, 8), 10, 11, 12)

_TOUCH = 1.9
"""Seconds that a touch lasts: one frame of those every 2 s shows it, and the next touch is told from it."""


def _table(take: Take, stays: tuple[Stay, ...], size: tuple[int, int] | None = None) -> Tabletop:
    ground = benched(size or take.size, _WOOD, take.look)
    return Tabletop(ground.size, ground, BENCH.things, BENCH.hands, stays, take.rng.uniform(0, 6))


def bench_view(take: Take) -> Shot:
    """Parts and tools that come and go: how many there are, and where one was touched."""
    script = write_views(take, BENCH, take.rng.randint(1, 6))
    table = _table(take, script.stays)
    stay, time = script.asked
    counting = count_riddle(
        take,
        table,
        "How many distinct types of objects (e.g. tools, components, buttons as a single category) were visible in "
        f"the video segment from 0.00s to {take.end:.2f}s?",
        _COUNTS,
    )
    locating = region_riddle(
        f"Approximately in which region of the view was the {stay.name} located when the operator's {stay.hand} "
        f"hand was in contact with it around timestamp {time:.2f}s (within segment 0.00s-{take.end:.2f}s)?",
        stay,
        time,
        f"the operator's {stay.hand} hand",
        _REACHED,
    )
    return Shot(table, take.times, (counting, locating))


def bench_hands(take: Take) -> Shot:
    """Two hands with parts, others lie around: what is held longest, and what is never seen."""
    script = write_grips(take, BENCH, spare=take.rng.randint(1, 3))
    table = _table(take, script.stays)
    hand = take.rng.choice(script.hands)
    text = (
        "Which of the following objects (using refined categories like 'button' for all buttons) was NOT visible in "
        f"the video segment from 0.00s to {take.end:.2f}s?"
    )
    held = dominant_riddle(take, table, f"the operator's {hand} hand", hand, f"0.00s to {take.end:.2f}s")
    return Shot(table, take.times, (held, absent_riddle(take, table, text)))


def bench_act(take: Take) -> Shot:
    """A hand touches one part once or twice: at what time it does so first, or for the second time."""
    rng = take.rng
    hand = rng.choice(sorted(BENCH.hands))
    name, other = rng.sample(sorted(BENCH.things), 2)
    centres = time_bins(take.seconds)
    starts = [centre + rng.choice((-1.0, -0.5, 0.0)) for centre in centres]
    twice = rng.random() < 0.4
    touches = sorted(rng.sample(range(len(starts)), 2 if twice else 1))
    right = touches[-1]
    region = rng.choice(("bottom-center", "center"))  # away from where the hands rest
    stays = [Stay(other, rng.choice(("top-left", "top-center", "top-right")), 0.0, take.until)]
    moment = 0.0
    for index in touches:
        until = starts[index] + _TOUCH
        stays.append(Stay(name, region, moment, starts[index]))
        stays.append(Stay(name, region, starts[index], until, hand, acting=True))
        moment = until
    stays.append(Stay(name, region, moment, take.until))
    what = "perform the second 'contact'" if twice else "first perform 'contact'"
    earlier = f", after a first contact at {starts[touches[0]]:.2f}s" if twice else ""
    riddle = Riddle(
        "action temporal localization",
        f"At what approximate timestamp did the operator's {hand} hand {what} with the {name} within the video segment "
        f"from 0.00s to {take.end:.2f}s?",
        f"{starts[right]:.2f}s",
        tuple(f"{start:.2f}s" for index, start in enumerate(starts) if index != right),
        f"The operator's {hand} hand touches the {name} at {starts[right]:.2f}s{earlier}.",
    )
    return Shot(_table(take, tuple(stays)), take.times, (riddle,))


def bench_order(take: Take) -> Shot:
    """One step of the work order, with the card beside it: which interaction comes next."""
    rng = take.rng
    names = rng.sample(sorted(BENCH.things), 3)
    hands = [rng.choice(sorted(BENCH.hands)) for _ in names]
    verbs = [rng.choice(("contact", "decontact")) for _ in names]
    card_width = round(take.size[0] * 0.42)
    table_size = (take.size[0] - card_width, take.size[1])
    region = "center"
    halfway = (take.times[0] + take.times[-1]) / 2
    touching, leaving = (hands[1], None) if verbs[1] == "decontact" else (None, hands[1])
    stays = (
        Stay(names[1], region, 0.0, halfway, touching),
        Stay(names[1], region, halfway, take.until, leaving),
        Stay(names[2], "top-left", 0.0, take.until),
    )
    card = plan_picture(
        (card_width, take.size[1]),
        *(
            Step(BENCH.things[name], (f"{verb} ({hand})", name), dark=verb == "decontact")
            for name, hand, verb in zip(names, hands, verbs, strict=True)
        ),
    )
    who = rng.choice(("the operator", f"the operator's {hands[2]} hand"))
    right = f"{verbs[2]} the {names[2]}"
    riddle = Riddle(
        "next interaction prediction",
        f"Based on the activity observed up to {take.end:.2f}s, what is the predicted next type of interaction "
        f"for {who}?",
        right,
        tuple(
            f"{verb} the {name}"
            for verb in ("contact", "decontact")
            for name in BENCH.things
            if f"{verb} the {name}" != right
        ),
        f"The clip shows the step '{verbs[1]} the {names[1]}'; the work order lists '{right}' ({hands[2]} hand) next.",
    )
    return Shot(PlannedScene(_table(take, stays, table_size), card), take.times, (riddle,))


BENCH_KINDS: dict[str, Callable[[Take], Shot]] = {
    "view": bench_view,
    "hands": bench_hands,
    "act": bench_act,
    "order": bench_order,
}
