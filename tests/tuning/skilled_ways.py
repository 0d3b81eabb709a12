"""Respondents of known skill on questions laid out like the support set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from scored_samples import question

from egocross_eval.tuning.evidence import Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUPPORT = {"animal": (6, 5, 4, 3, 2), "industry": (11, 9), "xsports": (11, 9), "surgery": (10, 10)}
"""Questions by source video, as the 80 examples have them."""


def evidence(
    seed: int,
    skills: Sequence[Mapping[str, float] | float],
    *,
    videos: Mapping[str, Sequence[int]] = SUPPORT,
    costs: Sequence[float] | None = None,
    apart: float = 0.03,
) -> Evidence:
    """What ways of these skills (one for all domains, or by domain) make of the questions.

    Hard questions are hard for all ways; `apart` is the share of the variance by which a video suits one way more.
    """
    draw = np.random.default_rng(seed)
    places = [(d, f"{d}{v}") for d, sizes in videos.items() for v, size in enumerate(sizes) for _ in range(size)]
    groups, clusters = [place[0] for place in places], [place[1] for place in places]
    names = sorted(set(clusters))
    video = np.array([names.index(name) for name in clusters])
    hard = draw.normal(size=len(places))
    credits: list[NDArray[np.float64]] = []
    for skill in skills:
        share = np.array([skill if isinstance(skill, float) else skill[group] for group in groups])
        bar = np.array([NormalDist().inv_cdf(value) for value in share])
        suits = draw.normal(size=len(names))[video]
        luck = 0.6**0.5 * hard + apart**0.5 * suits + (0.4 - apart) ** 0.5 * draw.normal(size=len(places))
        credits.append((luck < bar).astype(np.float64))
    return Evidence(
        questions=[question(n + 1, domain=d, cluster=c) for n, (d, c) in enumerate(places)],
        groups=groups,
        clusters=clusters,
        credits=np.array(credits),
        requests=list(costs or [1.0] * len(skills)),
        tokens=None,
        left_out=0,
    )
