"""Deconvolution: a signal sent back through the network whose rectifiers keep what is positive, open or not.

Zeiler & Fergus 2013, arXiv:1311.2901. How little it depends on the class: Nie et al. 2018, arXiv:1805.07039.
"""

from __future__ import annotations

from xai_core.methods.base.request import Request
from xai_core.methods.base.spec import METHODS, MethodSpec, RawMap
from xai_core.methods.base.structure import refuse_without_rectifier
from xai_core.methods.shared.gradients import apply_rectifier_rule
from xai_core.rules import Deconvolution


def run(request: Request) -> RawMap:
    """Return the signal at each value of the prepared picture, (C, H, W), signed, in logits per unit of it."""
    return RawMap(*apply_rectifier_rule(request, Deconvolution()))


METHODS.add(
    MethodSpec(
        name="deconvolution",
        title="Signal run backwards",
        technical="Deconvolution (deconvnet)",
        question="Which patterns in the picture would bring forth this score if one ran the network backwards?",
        sentence=(
            "{For}[ and {against}] structures are what {class} sends back through the layers when only positive "
            "signals are passed on."
        ),
        caution=(
            "It depends little on the class and on the weights (Nie 2018), and without max-pooling it shows little "
            "of the picture."
        ),
        family="gradient",
        paper="Zeiler & Fergus 2013, arXiv:1311.2901",
        verdict="fails",
        sanity=(
            "Fails: the map does not depend on the weights of the later layers (Sixt et al. 2020, arXiv:1912.09818)."
        ),
        run=run,
        cost=lambda params, side: 3,
        unit="deconvolved logit per unit of input",
        gradient=True,
        refusal=refuse_without_rectifier,
    )
)
