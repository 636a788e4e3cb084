"""Words about methods: families, needs and verdicts of the sanity check."""

from __future__ import annotations

FAMILIES = {
    "activation": "Region maps (activation)",
    "gradient": "Pixel sensitivity (gradients)",
    "path": "Shares along a path (path methods)",
    "relevance": "Score passed back (relevance)",
    "perturbation": "Cover and compare (perturbation)",
    "surrogate": "Simple stand-in model (surrogate)",
}
NEEDS = {"answers": "only the model's answers", "gradient": "its gradients (slopes)", "layer": "its inner layers"}
# By whether a method is post-hoc, and whether it is model-agnostic.
TIMES = {True: "after training, on a finished model (post-hoc)", False: "built into the model (intrinsic)"}
MODELS = {True: "any model (model-agnostic)", False: "networks it can look into (model-specific)"}
VERDICTS = {
    "passes": ":green-badge[:material/check_circle: Sanity check passed]",
    "mixed": ":orange-badge[:material/contrast: Sanity check mixed]",
    "fails": ":red-badge[:material/cancel: Sanity check failed]",
    "unknown": ":gray-badge[:material/help: Sanity check not published]",
}
UNKNOWN = "Nobody has published this test for the method. Run it yourself before you rely on the map."
SANITY = (
    "The sanity check replaces what a network has learnt by random numbers. A good explanation must then change. "
    "One that stays the same did not speak about the model."
)
