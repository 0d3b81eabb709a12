"""The built-in methods as a plugin."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.contracts.method import MethodType
from egocross_eval.methods import count, dialogue, locate, once, pairwise, point, reason, rotate, sample, verify


@hookimpl
def egocross_methods() -> Iterable[MethodType]:
    """All that come with the package; each module says how it asks."""
    return (
        MethodType(
            name="once",
            description="asks each question once, as it stands",
            build=lambda argument, options: once.Once(),
            cost="one",
            example="once",
        ),
        MethodType(
            name="rotate",
            description="asks under all rotations of the options and sums the evidence for each option",
            build=lambda argument, options: rotate.Rotate(),
            cost="one for each option",
            example="rotate",
        ),
        MethodType(
            name="sample",
            description="asks N times with sampling; the most frequent answer counts",
            build=sample.build,
            argument="N",
            cost="N",
            example="sample:5",
        ),
        MethodType(
            name="verify",
            description="asks of each option whether it is right; the log-probabilities of yes and no decide",
            build=verify.build,
            options=verify.VerifyOptions,
            cost="one for each option and chunk of frames",
            example="verify:chunks=4,join=max",
        ),
        MethodType(
            name="pairwise",
            description="puts each two options side by side, in both orders; the one that wins most counts",
            build=pairwise.build,
            options=pairwise.PairwiseOptions,
            cost="one for each ordered pair of options: 12 for 4",
            example="pairwise:by=wins",
        ),
        MethodType(
            name="reason",
            description="lets the model think in words, then compares the letters behind its own thinking",
            build=reason.reason,
            options=dialogue.ReasonOptions,
            cost="two, and one more where the thinking is cut off",
            example="reason:tokens=2048",
        ),
        MethodType(
            name="roles",
            description="describe, argue for and against each option, decide: three turns of one dialogue",
            build=reason.roles,
            options=dialogue.DialogueOptions,
            cost="three, and one more for each turn that is cut off",
            example="roles",
        ),
        MethodType(
            name="reflect",
            description="answer, look for what speaks against the answer, answer again",
            build=reason.reflect,
            options=dialogue.DialogueOptions,
            cost="three, and one more for each turn that is cut off",
            example="reflect",
        ),
        MethodType(
            name="locate",
            description="asks for the number of the frame in which it happens; the option nearest in time counts",
            build=lambda argument, options: locate.Locate(),
            cost="one",
            example="locate",
        ),
        MethodType(
            name="point",
            description="asks for a point or box; the option whose region of nine is nearest counts",
            build=point.build,
            options=point.PointOptions,
            cost="one",
            example="point",
        ),
        MethodType(
            name="count",
            description="asks for a number, or for boxes that are counted; the nearest option counts",
            build=count.build,
            options=count.CountOptions,
            cost="one, or two with by=both",
            example="count:by=boxes",
        ),
    )
