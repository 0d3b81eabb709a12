"""EgoCross: 957 multiple-choice questions on first-person clips of four domains (arXiv:2508.10729)."""

import json
import os
import re
from functools import cache
from pathlib import Path

from PIL import Image

DOMAINS = {
    "EgoPet": "animal",
    "ENIGMA": "industry",
    "ExtrameSportFPV": "xsports",
    "CholecTrack20": "surgery",
    "EgoSurgery": "surgery",
}
"""The domain of each source dataset, spelt as the questions file spells it."""

LETTERS = "ABCD"
FAILED = ("[LMMS_EVAL_REQUEST_FAILED", "[LMMS_EVAL_BUDGET_EXCEEDED]")


def root() -> Path:
    """The folder that holds `egocross_testbed/`, the benchmark's repository as downloaded and unpacked."""
    if not os.environ.get("EGOCROSS_DATA"):
        raise ValueError(
            "set EGOCROSS_DATA to the folder of the EgoCross repository, e.g. after "
            "'hf download myuniverse/EgoCross --repo-type dataset --local-dir EgoCross', with its archives unpacked"
        )
    return Path(os.environ["EGOCROSS_DATA"])


def _of(dataset, domain):
    return dataset.filter(lambda doc: DOMAINS[doc["dataset"]] == domain)


def animal(dataset):
    """The questions on EgoPet."""
    return _of(dataset, "animal")


def industry(dataset):
    """The questions on ENIGMA."""
    return _of(dataset, "industry")


def xsports(dataset):
    """The questions on extreme sports."""
    return _of(dataset, "xsports")


def surgery(dataset):
    """The questions on CholecTrack20 and EgoSurgery."""
    return _of(dataset, "surgery")


def _number(name):
    """The last number in a frame's file name."""
    return int(re.findall(r"\d+", name.rpartition("/")[2].rpartition(".")[0])[-1])


def frames(doc):
    """(path, seconds from the clip's start) of each frame, in the order of time.

    Two clips list their frames out of order, so they are sorted by the numbers in their names. EgoSurgery and the PNG
    frames of CholecTrack20 carry frame numbers of their source with some left out: their times follow those numbers
    (0.5 and 25 a second). All others are sampled every two seconds.
    """
    names = sorted((name.lstrip("/") for name in doc["video_path"]), key=_number)
    numbers = [_number(name) for name in names]
    if doc["dataset"] == "EgoSurgery":
        times = [2.0 * (number - numbers[0]) for number in numbers]
    elif doc["dataset"] == "CholecTrack20" and names[0].lower().endswith(".png"):
        times = [(number - numbers[0]) / 25 for number in numbers]
    else:
        times = [2.0 * place for place in range(len(names))]
    return [(str(root() / name), time) for name, time in zip(names, times, strict=True)]


def options(doc):
    """Option text by letter; the file writes `A: text` or `A. text`."""
    return {line.strip()[0]: line.strip()[2:].strip() for line in doc["options"]}


def _before(doc):
    count = len(doc["video_path"])
    if count == 1:
        return "Here is one frame of a first-person video.\n"
    return f"Here are {count} frames of a first-person video, in the order of time.\n"


def _after(doc, kwargs):
    block = "\n".join(f"{letter}: {text}" for letter, text in options(doc).items())
    return f"{kwargs['pre_prompt']}Question: {doc['question_text'].strip()}\n{block}{kwargs['post_prompt']}"


def doc_to_messages(doc, lmms_eval_specific_kwargs):
    """The frames, each behind its time, and the question with its options."""
    content = [{"type": "text", "text": _before(doc)}]
    for path, time in frames(doc):
        if lmms_eval_specific_kwargs["timestamps"]:
            content.append({"type": "text", "text": f"<{time:.1f} seconds>"})
        content.append({"type": "image", "url": path})
    if lmms_eval_specific_kwargs["timestamps"]:
        content.append({"type": "text", "text": "\n"})
    content.append({"type": "text", "text": _after(doc, lmms_eval_specific_kwargs)})
    return [{"role": "user", "content": content}]


def doc_to_visual(doc):
    """The frames as pictures, for classes that take pictures before one text."""
    return [Image.open(path).convert("RGB") for path, _ in frames(doc)]


def doc_to_text(doc, lmms_eval_specific_kwargs):
    """The words alone; with the frames' times as one list, since they can't stand between the frames here."""
    times = ", ".join(f"{time:.1f}" for _, time in frames(doc)) if lmms_eval_specific_kwargs["timestamps"] else ""
    listed = f"The frames are at these seconds: {times}.\n" if times else ""
    return _before(doc) + listed + _after(doc, lmms_eval_specific_kwargs)


@cache
def _answers(folder):
    path = Path(folder) / "egocross_testbed" / "egocross_testbed_answers.json"
    return {record["id"]: record["correct_option_letter"] for record in json.loads(path.read_text(encoding="utf-8"))}


def doc_to_target(doc):
    """The right letter, from the question itself or from the answers file beside the questions."""
    return doc.get("correct_option_letter") or _answers(str(root()))[doc["id"]]


def letter(text, doc):
    """The letter that an output gives, or "": nothing is guessed.

    Thinking is taken off; then a letter alone counts, one that is marked as the answer, one that begins the output
    before a colon, dot or bracket, and the exact text of an option.
    """
    text = re.sub(r".*</think>|<think>.*", "", text, flags=re.DOTALL).strip()
    marked = re.findall(r"\\boxed\{\s*\(?([A-D])\)?|answer\s*(?:is|:)\s*\**\s*\(?([A-D])\b", text, flags=re.IGNORECASE)
    found = {(one or other).upper() for one, other in marked}
    if len(found) == 1:
        return found.pop()
    begins = re.match(r"\**\(?([A-D])\)?\**\s*(?:[.:)\n]|$)", text)
    if begins and not found:
        return begins[1]
    same = [key for key, option in options(doc).items() if option.casefold().strip(".") == text.casefold().strip(".")]
    return same[0] if len(same) == 1 and not found else ""


def process_results(doc, results):
    """One row for both averages; `question_id` is the number that the benchmark's files join by."""
    target = doc_to_target(doc)
    failed = results[0].startswith(FAILED)
    read = "" if failed else letter(results[0], doc)
    row = {
        "score": float(read == target),
        "question_id": str(doc["id"]),
        "domain": DOMAINS[doc["dataset"]],
        "video": "/".join(part for part in doc["video_path"][0].split("/") if part != "generated").split("/frames/")[0],
        "question_type": doc["question_type"],
        "letter": read,
        "outcome": "errored" if failed else "not_parsed" if not read else "right" if read == target else "wrong",
    }
    return {"micro": row, "macro": row}


def mean_score(rows):
    """Mean of the rows' scores."""
    return sum(row["score"] for row in rows) / len(rows)
