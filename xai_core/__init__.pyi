from .attacks import ATTACKS as ATTACKS, Attacked as Attacked, AttackSpec as AttackSpec, attack as attack
from .engine import jobs as jobs
from .engine.jobs import Job as Job
from .engine.results.shares import Share as Share
from .errors import (
    Cancelled as Cancelled,
    InvalidImage as InvalidImage,
    InvalidParam as InvalidParam,
    ModelUnavailable as ModelUnavailable,
    NotApplicable as NotApplicable,
    UnknownName as UnknownName,
    XaiError as XaiError,
)
from .images import (
    INVERSION_HINT as INVERSION_HINT,
    READABLE_SUFFIXES as READABLE_SUFFIXES,
    SAMPLES as SAMPLES,
    ImageFile as ImageFile,
    image_sha256 as image_sha256,
    invert as invert,
    read_image as read_image,
    read_image_file as read_image_file,
    suggest_inversion as suggest_inversion,
)
from .methods import (
    METHODS as METHODS,
    MethodSpec as MethodSpec,
    Plan as Plan,
    Status as Status,
    TargetLike as TargetLike,
    compare as compare,
    delete_share as delete_share,
    describe_maps as describe_maps,
    engine_note as engine_note,
    explain as explain,
    find as find,
    find_picture as find_picture,
    find_share as find_share,
    find_shared_picture as find_shared_picture,
    forget_picture as forget_picture,
    guess as guess,
    judge as judge,
    plan as plan,
    predict as predict,
    ready as ready,
    share as share,
    start as start,
    start_model as start_model,
    status as status,
    store_note as store_note,
    warm as warm,
)
from .methods.base.cards import method_card as method_card, method_example as method_example
from .models import MODELS as MODELS, load_model as load_model
from .models.classifier import Classifier as Classifier
from .models.framing import Framing as Framing, frame_picture as frame_picture, visible_box as visible_box
from .results import Attribution as Attribution, Check as Check, Prediction as Prediction, Preview as Preview
from .trust import Agreement as Agreement, MapVerdict as MapVerdict, agreement as agreement, doubt as doubt
