from .engine import jobs as jobs
from .engine.jobs import Job as Job
from .errors import (
    Cancelled as Cancelled,
)
from .errors import (
    InvalidImage as InvalidImage,
)
from .errors import (
    InvalidParam as InvalidParam,
)
from .errors import (
    ModelUnavailable as ModelUnavailable,
)
from .errors import (
    NotApplicable as NotApplicable,
)
from .errors import (
    UnknownName as UnknownName,
)
from .errors import (
    XaiError as XaiError,
)
from .images import SAMPLES as SAMPLES
from .images import image_sha256 as image_sha256
from .images import read_image as read_image
from .methods import (
    METHODS as METHODS,
)
from .methods import (
    MethodSpec as MethodSpec,
)
from .methods import (
    Plan as Plan,
)
from .methods import (
    Status as Status,
)
from .methods import (
    TargetLike as TargetLike,
)
from .methods import (
    compare as compare,
)
from .methods import (
    engine_note as engine_note,
)
from .methods import (
    explain as explain,
)
from .methods import (
    find as find,
)
from .methods import (
    find_picture as find_picture,
)
from .methods import (
    forget_picture as forget_picture,
)
from .methods import (
    guess as guess,
)
from .methods import (
    keep_picture as keep_picture,
)
from .methods import (
    plan as plan,
)
from .methods import (
    predict as predict,
)
from .methods import (
    ready as ready,
)
from .methods import (
    start as start,
)
from .methods import (
    start_model as start_model,
)
from .methods import (
    status as status,
)
from .methods import (
    store_note as store_note,
)
from .methods import (
    warm as warm,
)
from .methods.base.cards import method_card as method_card
from .models import MODELS as MODELS
from .models import load_model as load_model
from .models.classifier import Classifier as Classifier
from .results import Attribution as Attribution
from .results import Check as Check
from .results import Prediction as Prediction
from .trust import Agreement as Agreement
from .trust import agreement as agreement
