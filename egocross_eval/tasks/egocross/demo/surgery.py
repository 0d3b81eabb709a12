"""Surgery clips: CholecTrack20 (by endoscope, phases of one procedure) and EgoSurgery (open, two gloved hands)."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

from egocross_eval.tasks.egocross.demo.backdrops import blotched
from egocross_eval.tasks.egocross.demo.handling import Setting, write_grips, write_views
from egocross_eval.tasks.egocross.demo.palette import HUES, INK, PAPER, Colour, hues_in_order
from egocross_eval.tasks.egocross.demo.panel import PlannedScene, Step, plan_picture
from egocross_eval.tasks.egocross.demo.shapes import SURGERY
from egocross_eval.tasks.egocross.demo.shots import Riddle, Shot, Take, seeded, time_bins
from egocross_eval.tasks.egocross.demo.sprites import stamp, tag
from egocross_eval.tasks.egocross.demo.tabletop import Hand, Stay, Tabletop, Thing
from egocross_eval.tasks.egocross.demo.tabletop_riddles import (
    absent_riddle,
    count_riddle,
    dominant_riddle,
    region_riddle,
)

_TISSUE: Colour = (170, 118, 112)
_DRAPE: Colour = (96, 124, 122)
_LEFT: Colour = (226, 226, 220)
_RIGHT: Colour = (66, 66, 74)
_THIRD: Colour = (128, 136, 150)


def _things(*names: str, first: int = 0) -> dict[str, Thing]:
    return {name: Thing(SURGERY[name], HUES[hue]) for name, hue in hues_in_order(names, first).items()}


_LEFT_SIDE = ("top-left", "center-left", "bottom-left", "top-center", "center", "bottom-center")
_RIGHT_SIDE = ("top-right", "center-right", "bottom-right", "top-center", "center", "bottom-center")

CHOLEC = Setting(
    things=_things(
        "bipolar", "clipper", "grasper", "hook", "irrigator", "scissors", "specimen-bag", first=1
    ),  # no red on red tissue
    hands={
        "main surgeon left hand": Hand((0.04, 1.0), _LEFT, "main left"),
        "main surgeon right hand": Hand((0.96, 1.0), _RIGHT, "main right"),
        "assistant surgeon right hand": Hand((0.5, 0.0), _THIRD, "assistant right"),
    },
    reach={
        "main surgeon left hand": _LEFT_SIDE,
        "main surgeon right hand": _RIGHT_SIDE,
        "assistant surgeon right hand": ("top-left", "top-center", "top-right"),
    },
)

OPEN = Setting(
    things=_things("Bipolar Forceps", "Forceps", "Gauze", "Hook", "Scalpel", "Scissors", "Syringe", "Tweezers"),
    hands={"left": Hand((0.04, 1.0), _LEFT, "left"), "right": Hand((0.96, 1.0), _RIGHT, "right")},
    reach={"left": _LEFT_SIDE, "right": _RIGHT_SIDE},
)

ACTIONS: dict[str, tuple[str, str]] = {
    "bipolar": ("dissect", "cystic duct"),
    "clipper": ("clip", "cystic artery"),
    "grasper": ("grasp", "specimen bag"),
    "hook": ("dissect", "gallbladder"),
    "irrigator": ("aspirate", "fluid"),
    "scissors": ("cut", "omentum"),
    "specimen-bag": ("pack", "gallbladder"),
}
"""Verb and target of each CholecTrack20 instrument."""

PHASES: dict[str, str] = {
    "preparation": "scissors",
    "carlot triangle dissection": "bipolar",
    "clipping and cutting": "clipper",
    "gallbladder dissection": "hook",
    "gallbladder packaging": "specimen-bag",
    "cleaning and coagulation": "irrigator",
    "gallbladder extraction": "grasper",
}
"""The instrument that begins each phase; the spelling of the phases is the benchmark's."""


def _cholec_table(take: Take, stays: tuple[Stay, ...], ground: Image.Image | None = None) -> Tabletop:
    ground = ground or blotched(take.size, _TISSUE, take.look)
    return Tabletop(ground.size, ground, CHOLEC.things, CHOLEC.hands, stays, take.rng.uniform(0, 6))


def _open_table(take: Take, stays: tuple[Stay, ...]) -> Tabletop:
    ground = blotched(take.size, _DRAPE, take.look).copy()
    width, height = take.size
    wound = [width * 0.3, height * 0.3, width * 0.7, height * 0.74]
    ImageDraw.Draw(ground).ellipse(wound, fill=(168, 128, 118), outline=(196, 176, 160), width=max(2, height // 60))
    return Tabletop(take.size, ground, OPEN.things, OPEN.hands, stays, take.rng.uniform(0, 6))


def cholec_view(take: Take) -> Shot:
    """Instruments that enter and leave: how many there are, and where one is."""
    script = write_views(take, CHOLEC, take.rng.randint(1, 5))
    table = _cholec_table(take, script.stays)
    stay, time = script.asked
    counting = count_riddle(
        take,
        table,
        "How many distinct types of surgical instruments were fully or partially visible in the video segment "
        f"from 0.00s to {take.end:.2f}s?",
        range(7),
    )
    locating = region_riddle(
        f"Approximately in which region of the view was the '{stay.name}' (operated by {stay.hand}) located "
        f"around timestamp {time:.2f}s?",
        stay,
        time,
        f"the {stay.hand}",
    )
    return Shot(table, take.times, (counting, locating))


def cholec_hands(take: Take) -> Shot:
    """Hands that hold instruments, and instruments that lie around: what is held longest, and what is never seen."""
    script = write_grips(take, CHOLEC, spare=take.rng.randint(1, 2))
    table = _cholec_table(take, script.stays)
    hand = take.rng.choice(script.hands)
    text = f"Which surgical instrument is NOT visible in the video segment from 0.00s to {take.end:.2f}s?"
    held = dominant_riddle(take, table, f"the {hand}", hand, f"0.00s to {take.end:.2f}s")
    return Shot(table, take.times, (held, absent_riddle(take, table, text)))


def open_view(take: Take) -> Shot:
    """Tools that enter and leave under two gloved hands: how many there are, and where one is."""
    script = write_views(take, OPEN, take.rng.randint(1, 6))
    table = _open_table(take, script.stays)
    stay, time = script.asked
    counting = count_riddle(
        take,
        table,
        "How many distinct types of objects (e.g., tools, instruments) were visible in the video segment "
        f"from 0.0s to {take.end:.0f}s?",
        range(8),
    )
    locating = region_riddle(
        f"Approximately in which region of the view was the '{stay.name}' located when the operator's {stay.hand} hand "
        f"was interacting with it (around timestamp {time:.0f}s) in the segment from 0s to {take.end:.0f}s?",
        stay,
        time,
        f"the operator's {stay.hand} hand",
    )
    return Shot(table, take.times, (counting, locating))


def open_hands(take: Take) -> Shot:
    """Two gloved hands with tools, and tools that lie around: what is held longest, and what is never seen."""
    script = write_grips(take, OPEN, spare=take.rng.randint(1, 3))
    table = _open_table(take, script.stays)
    hand = take.rng.choice(script.hands)
    text = f"Which of the following objects was NOT visible in the video segment from 0.0s to {take.end:.0f}s?"
    held = dominant_riddle(take, table, f"the operator's {hand} hand", hand, f"0s to {take.end:.0f}s")
    return Shot(table, take.times, (held, absent_riddle(take, table, text)))


def cholec_act(take: Take) -> Shot:
    """An instrument waits beside the organ and begins to work on it at a time that is asked for."""
    rng = take.rng
    hand, other_hand = rng.sample(sorted(CHOLEC.hands), 2)
    name, other = rng.sample(sorted(ACTIONS), 2)
    verb, target = ACTIONS[name]
    starts = [centre + rng.choice((-0.5, 0.0, 0.5)) for centre in time_bins(take.seconds)]
    right = rng.randrange(len(starts))
    home, other_home = _homes(hand), _homes(other_hand)
    stays = (
        Stay(name, home, 0.0, starts[right], hand),
        Stay(name, "center", starts[right], take.until, hand, acting=True),
        Stay(other, other_home, 0.0, take.until, other_hand),
    )
    ground = blotched(take.size, _TISSUE, take.look).copy()
    width, height = take.size
    ImageDraw.Draw(ground).ellipse(
        [width * 0.28, height * 0.26, width * 0.72, height * 0.76], fill=(138, 104, 92), outline=INK
    )
    label = tag(target, round(height * 0.052), INK, PAPER)
    stamp(ground, label, (width / 2, height * 0.81))
    phrase = f"{verb} {target} using {name}"
    riddle = Riddle(
        "action temporal localization",
        f"In this video segment, approximately at what timestamp does the {hand} first start {phrase}?",
        f"{starts[right]:.1f}s",
        tuple(f"{start:.1f}s" for index, start in enumerate(starts) if index != right),
        f"The {hand} waits with the {name} beside the organ and starts to {verb} the {target} at {starts[right]:.1f}s.",
    )
    return Shot(_cholec_table(take, stays, ground), take.times, (riddle,))


def _homes(hand: str) -> str:
    """The region in which a hand's instrument waits."""
    return {"main surgeon left hand": "center-left", "main surgeon right hand": "center-right"}.get(hand, "top-center")


def cholec_phase(take: Take) -> Shot:
    """One phase of the procedure, with the plan beside it: which phase follows, and with which action it begins.

    Every video has its own order of phases, so that the answer is in the frames and not in the question.
    """
    order = list(PHASES)
    seeded("phases", take.look).shuffle(order)
    index = take.rng.randrange(1, len(order) - 1)
    done, phase, following = order[index - 1 : index + 2]
    plan_width = round(take.size[0] * 0.46)
    table_size = (take.size[0] - plan_width, take.size[1])
    tool = PHASES[phase]
    stays = (Stay(tool, "center", 0.0, take.until, "main surgeon right hand", acting=True),)
    hands = {"main surgeon right hand": CHOLEC.hands["main surgeon right hand"]}
    organ = _organ(table_size, take.look, phase)
    table = Tabletop(table_size, organ, CHOLEC.things, hands, stays, take.rng.uniform(0, 6))
    plan = plan_picture((plan_width, take.size[1]), *(_phase_step(name) for name in (done, phase, following)))
    others = [name for name in order if name not in (phase, following)]
    next_phase = Riddle(
        "next phase prediction",
        "Based on the surgical activity shown in this clip, which surgical phase immediately follows the "
        f"'{phase}' phase?",
        f"{following} phase",
        tuple(f"{name} phase" for name in others),
        f"The clip shows the {phase} phase; the plan lists the {following} phase right after it.",
    )
    next_action = Riddle(
        "next action prediction",
        f"Following the conclusion of the '{phase}' phase shown in the clip, what is the predicted key action that "
        "will begin the next phase?",
        _action(following),
        tuple(_action(name) for name in others),
        f"After the {phase} phase the plan lists {following}, which begins with: {_action(following)}.",
    )
    return Shot(PlannedScene(table, plan), take.times, (next_phase, next_action))


def _action(phase: str) -> str:
    verb, target = ACTIONS[PHASES[phase]]
    return f"use {PHASES[phase]} to {verb} {target}"


def _phase_step(phase: str) -> Step:
    tool = PHASES[phase]
    return Step(CHOLEC.things[tool], (phase, f"{tool}: {' '.join(ACTIONS[tool])}"))


def _organ(size: tuple[int, int], look: str, phase: str) -> Image.Image:
    """The gallbladder in the state that a phase finds it in: whole, ducts open, clipped, lifted, bagged or gone."""
    image = blotched(size, _TISSUE, look).copy()
    draw = ImageDraw.Draw(image)
    width, height = size
    stage = list(PHASES).index(phase)
    if stage <= 4:
        lift = height * 0.06 if stage >= 3 else 0.0
        draw.ellipse(
            [width * 0.2, height * 0.14 - lift, width * 0.8, height * 0.72 - lift], fill=(128, 136, 104), outline=INK
        )
        if stage in (1, 2):
            draw.line(
                [(width * 0.5, height * 0.7), (width * 0.4, height * 0.96)],
                fill=(196, 184, 150),
                width=max(3, height // 24),
            )
        if stage == 2:
            for y in (0.8, 0.86):
                draw.line(
                    [(width * 0.34, height * y), (width * 0.52, height * (y + 0.02))],
                    fill=PAPER,
                    width=max(2, height // 50),
                )
        if stage == 0:
            draw.ellipse([width * 0.1, height * 0.5, width * 0.9, height * 0.9], fill=(206, 190, 150), outline=INK)
        if stage == 4:
            draw.rectangle([width * 0.12, height * 0.5, width * 0.88, height * 0.92], fill=(190, 190, 184), outline=INK)
    elif stage == 5:
        for x, y in ((0.3, 0.3), (0.6, 0.24), (0.7, 0.7), (0.35, 0.74)):
            radius = height * 0.05
            draw.ellipse(
                [width * x - radius, height * y - radius, width * x + radius, height * y + radius], fill=(112, 50, 48)
            )
    else:
        draw.ellipse([width * 0.3, height * 0.34, width * 0.7, height * 0.66], fill=(58, 44, 44), outline=INK)
    stamp(image, tag(phase, round(height * 0.052), INK, PAPER), (width / 2, height * 0.04))
    return image


CHOLEC_KINDS: dict[str, Callable[[Take], Shot]] = {
    "view": cholec_view,
    "hands": cholec_hands,
    "act": cholec_act,
    "phase": cholec_phase,
}
OPEN_KINDS: dict[str, Callable[[Take], Shot]] = {"view": open_view, "hands": open_hands}
