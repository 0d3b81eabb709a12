"""Quantiles for single figures are scipy's."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.scoring.quantiles import normal_quantile, t_quantile, two_sided


@given(st.floats(4, 1e6), st.floats(0.97, 0.9999))
def test_student_and_normal_quantiles_are_those_of_scipy(freedom: float, share: float) -> None:
    from scipy.special import ndtr, ndtri, stdtrit

    assert t_quantile(share, freedom) == pytest.approx(float(stdtrit(freedom, share)), rel=2e-5)
    assert normal_quantile(share) == pytest.approx(float(ndtri(share)), rel=1e-9)
    assert two_sided(normal_quantile(share)) == pytest.approx(2 * float(ndtr(-ndtri(share))), rel=1e-9)


def test_a_run_ends_without_scipy() -> None:
    code = (
        "import sys, tempfile, warnings; warnings.simplefilter('ignore')\n"
        "from egocross_eval import evaluate\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    evaluate('baseline:chance', split='demo', output=folder + '/run', limit=12)\n"
        "sys.exit('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
