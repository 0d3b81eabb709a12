"""How EgoCross is divided and named in tables and files."""

from __future__ import annotations

from egocross_eval.contracts.task import TrainingSplits
from egocross_eval.schema import BenchmarkRecord, Grouping
from egocross_eval.tasks.egocross.catalogue import QUESTION_TYPES, TESTBED_COUNT
from egocross_eval.tasks.egocross.known_questions import testbed_videos

SPLITS = ("testbed", "support", "demo")

HUB_DATASET = "myuniverse/EgoCross"
"""Where the testbed lies on the Hugging Face Hub."""

TRAINING = TrainingSplits(
    examples="support",
    tested="testbed",
    alike=("domain", "question_type"),
    tested_folder="egocross_testbed",
    tested_clusters=testbed_videos,
)

_DOMAIN_TITLES = {"animal": "Animal", "industry": "Industry", "xsports": "XSports", "surgery": "Surgery"}

RECORD = BenchmarkRecord(
    name="egocross",
    title="EgoCross",
    groupings=(
        Grouping(name="domain", title="domain", labels=("domain",), groups=_DOMAIN_TITLES),
        Grouping(name="category", title="category", labels=("category",)),
        Grouping(
            name="question_type",
            title="question type",
            labels=("question_type",),
            groups={name: name for name in QUESTION_TYPES},
        ),
        Grouping(name="dataset", title="source dataset", labels=("dataset",)),
        Grouping(name="cell", title="dataset and question type", labels=("dataset", "question_type")),
    ),
    macro="domain",
    cluster="source video",
    sizes={"testbed": TESTBED_COUNT},
    prediction_labels=("dataset",),
)
