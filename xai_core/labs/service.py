"""State for the pages of the labs: trainings in the background, the networks they gave, and the votes on them."""

from __future__ import annotations

from xai_core.engine.jobs import CLOSED_TAB_S, Job, JobPool
from xai_core.labs.cheater import networks
from xai_core.labs.cheater.networks import CheaterLab, train_cheaters
from xai_core.labs.objects import networks as scene_networks
from xai_core.labs.objects.networks import SceneNetwork, train_scene_networks
from xai_core.labs.votes import Votes
from xai_core.params import check_seed

# Forward passes that a training counts as in the queue.
_COST = 2000.0
# Few finished ones are kept: each holds its test pictures, 5 MB.
_POOL = JobPool("labs", workers=2, quick_workers=0, keep=8, timeout=CLOSED_TAB_S)
VOTES = Votes()


def start_cheaters(seed: int, session_id: str = "") -> Job[CheaterLab]:
    """Train the three networks of a seed in the background; one job for everybody who asks for this seed.

    Raises:
        InvalidParam: the seed is not allowed.
    """
    seed = check_seed(seed)
    return _POOL.start(
        ("cheaters", seed), lambda job: train_cheaters(seed, job), _COST, session_id, memory=networks.MEMORY
    )


def start_scene_networks(seed: int = 0, session_id: str = "") -> Job[tuple[SceneNetwork, ...]]:
    """Train the two networks for scenes of a seed in the background; one job for everybody.

    Raises:
        InvalidParam: the seed is not allowed.
    """
    seed = check_seed(seed)
    return _POOL.start(
        ("scenes", seed), lambda job: train_scene_networks(seed, job), _COST, session_id, memory=scene_networks.MEMORY
    )
