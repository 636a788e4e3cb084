"""Open skops files safely: check their size, their types, and the parts that run compiled code.

skops rebuilds objects from a list of types and names those it does not know. It does not trust trees, because
scikit-learn follows their nodes without checks: here every node is checked before a model predicts anything.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from xai_core.errors import ModelUnavailable
from xai_core.tabular.models.object_graph import iter_objects
from xai_core.tabular.models.tree_checks import check_trees, is_harmless_function

# Of the file, and of what is packed in it.
MAX_BYTES = 500 * 2**20
# Types that are rebuilt because their content is checked afterwards.
TREE_TYPES = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")
# Types that skops does not list. None holds code of the file's own.
DATA_TYPES = (
    # Plain Python of scikit-learn that only holds numbers and fitted parts, which are checked like all others.
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
    # A loss is a formula of scikit-learn's; only its link is used to predict.
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    # A dtype names how numbers are stored.
    "numpy.dtype",
    # Base types are only compared with dtypes, by column selectors, and cannot do anything.
    "builtins.object",
    "numpy.floating",
    "numpy.generic",
    "numpy.integer",
    "numpy.number",
    # Holds a text and names of dtypes; after fitting it is not called any more.
    "sklearn.compose._column_transformer.make_column_selector",
    # Histogram boosting checks its rows by a partial of this function; `_check_functions` allows no other one.
    "functools.partial",
    "sklearn.utils.validation.check_array",
    # What a search and a selection of features were scored by: functions of scikit-learn that read two arrays of
    # numbers. They are not called to predict.
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.metrics._classification.accuracy_score",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._classification.f1_score",
    "sklearn.metrics._classification.log_loss",
    "sklearn.metrics._classification.precision_score",
    "sklearn.metrics._classification.recall_score",
    "sklearn.metrics._ranking.average_precision_score",
    "sklearn.metrics._ranking.roc_auc_score",
    "sklearn.metrics._regression.mean_absolute_error",
    "sklearn.metrics._regression.mean_squared_error",
    "sklearn.metrics._regression.r2_score",
    "sklearn.metrics._regression.root_mean_squared_error",
    # How a search called its score and split its rows: names and numbers.
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.RepeatedKFold",
    "sklearn.model_selection._split.RepeatedStratifiedKFold",
    "sklearn.model_selection._split.ShuffleSplit",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.model_selection._split.StratifiedShuffleSplit",
    "sklearn.model_selection._split.TimeSeriesSplit",
    # Which arguments scikit-learn's own parts hand on: names.
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
)
# Parts of scikit-learn that predict with NumPy or trees; others follow a file's numbers in unchecked compiled code.
FAMILIES = frozenset(
    "calibration compose cross_decomposition decomposition discriminant_analysis dummy ensemble feature_selection "
    "frozen impute isotonic linear_model model_selection multiclass multioutput naive_bayes neural_network pipeline "
    "preprocessing tree".split()
)
# Parts of other families that predict with NumPy.
CLASSES = frozenset(("LinearSVC", "LinearSVR"))
DAMAGED = "The model in this file cannot be rebuilt: it is damaged or from another release of scikit-learn."
# Errors caused by a file that was cut, altered or made for another release.
BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)


def load_skops(data: bytes) -> Any:
    """Return the estimator in a skops file, checked so that it may predict.

    Raises:
        ModelUnavailable: it is too large, not known to be safe, damaged or no model, with the reason.
    """
    _check_size(data)
    _check_types(data)
    estimator = _rebuild(data)
    check_content(estimator)
    return estimator


def untrusted_types(data: bytes) -> list[str]:
    """Return the types in a skops file that would not be rebuilt.

    Raises:
        ModelUnavailable: bytes that are no skops file.
    """
    import skops.io

    try:
        types = skops.io.get_untrusted_types(data=data)
    except BROKEN as error:
        raise ModelUnavailable(
            "This is not a skops file, or it is damaged. Save the fitted model with skops.io.dump(model, 'a.skops') "
            "and choose that file."
        ) from error
    return [name for name in types if name not in TREE_TYPES + DATA_TYPES]


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = max(sum(entry.file_size for entry in archive.infolist()), len(data))
    except BROKEN:
        # Reading its types says better what is wrong.
        return
    if size > MAX_BYTES:
        raise ModelUnavailable(
            f"A model may have up to {MAX_BYTES // 2**20} MB unpacked. Got {size // 2**20:,} MB. Use a smaller model."
        )


def _check_types(data: bytes) -> None:
    unknown = untrusted_types(data)
    if unknown:
        shown = ", ".join(unknown[:12]) + (f" and {len(unknown) - 12} more" if len(unknown) > 12 else "")
        raise ModelUnavailable(
            f"The file contains types that are not known to be safe, so it was not opened: {shown[:800]}. "
            f"{_advise(unknown)}"
        )


def _advise(unknown: list[str]) -> str:
    """Return a sentence on what to write instead of types that are not known to be safe."""
    strangers = [name for name in unknown if name.split(".")[0] not in ("sklearn", "numpy", "scipy", "builtins")]
    if strangers:
        return (
            "Own models may be made of scikit-learn's own parts only. In place of a function or class of your own, "
            "such as one in a FunctionTransformer, use one of NumPy's (FunctionTransformer(np.log1p)) or work the "
            "column out in the table before training."
        )
    return "These parts cannot be checked. Save the fitted model, without what its training used beside it."


def _check_functions(estimator: Any) -> None:
    """Refuse functions, in the parts that call some, other than NumPy's."""
    for name in ("func", "inverse_func"):
        if not is_harmless_function(vars(estimator).get(name)):
            raise ModelUnavailable(
                f"{type(estimator).__name__} may call functions of NumPy only, such as np.log1p. "
                "Work the column out in the table before training instead."
            )


def _rebuild(data: bytes) -> Any:
    import skops.io

    try:
        return skops.io.loads(data, trusted=[*TREE_TYPES, *DATA_TYPES])
    except BROKEN as error:
        raise ModelUnavailable(DAMAGED) from error


def check_content(estimator: Any) -> None:
    """Check the numbers that compiled code follows: trees, and nothing else, may have some.

    Raises:
        ModelUnavailable: a part that cannot be checked, or a tree that points outside itself.
    """
    from sklearn.base import BaseEstimator

    if not isinstance(estimator, BaseEstimator):
        raise ModelUnavailable(
            f"The file holds no scikit-learn model. Got {type(estimator).__name__}. Save the fitted model itself."
        )
    _check_purpose(estimator)
    for entry in iter_objects(estimator):
        if isinstance(entry, BaseEstimator):
            _check_family(entry)
            check_trees(entry)
            _check_functions(entry)


def _check_purpose(estimator: Any) -> None:
    from sklearn.base import ClusterMixin, OutlierMixin

    steps = getattr(estimator, "steps", None)
    last = steps[-1][-1] if isinstance(steps, list) and steps and isinstance(steps[-1], tuple) else estimator
    if isinstance(last, (ClusterMixin, OutlierMixin)):
        raise ModelUnavailable(
            f"{type(last).__name__} predicts no target: it looks for groups or for odd rows. "
            "Choose a classifier or a regressor."
        )


def _check_family(estimator: Any) -> None:
    if _family_name(estimator) not in FAMILIES and type(estimator).__name__ not in CLASSES:
        raise ModelUnavailable(
            f"{type(estimator).__name__} cannot be checked for safety and is not taken. Models of these parts of "
            f"scikit-learn are: {', '.join(sorted(FAMILIES))}."
        )


def _family_name(estimator: Any) -> str:
    """Return the part of scikit-learn that an estimator belongs to, such as "ensemble"."""
    return type(estimator).__module__.split(".")[1]
