"""Links that visitors have handed out: each page takes all names of an old link and writes the same link back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

import xai_core
from tests.browser_tools import ROOT
from tests.pages.page_reader import run_until
from tests.pages.tables.page_reader import finish_work

Open = Callable[..., AppTest]
LINKS = (
    "/home?sample=rocket",
    "/compare?model=small_cnn&sample=digit_3&class=5&methods=saliency,occlusion&sort=time&seed=3",
    "/compare?model=small_cnn&sample=digit_3&rows=classes&classes=3,5&methods=saliency",
    "/explain?model=small_cnn&sample=digit_3&class=5&not=3&method=occlusion&occlusion_window=9",
    "/hide?model=small_cnn&sample=digit_3&hide_task=map&hide_map=occlusion&hide_share=30&hide_with=black&painted=keep",
    "/trust?model=small_cnn&sample=digit_3&class=5&method=saliency",
    "/shake?model=small_cnn&sample=digit_3&shake=blur&shake_map=occlusion",
    "/flip?model=small_cnn&sample=digit_3&flip_filling=black",
    "/methods?method=lime&family=surrogate&needs=answers",
    "/teach?model=small_cnn",
    "/train?model=small_cnn&live_rate=0.01&live_epochs=4&seed=3",
    "/topics?topic=saturation",
    "/status?model=small_cnn",
    f"/result?result={'0' * 64}",
    "/network?model=small_cnn&sample=digit_5",
    "/layer?model=small_cnn&sample=digit_3&layer=conv2",
    "/answer?model=small_cnn&sample=digit_3&class=5&not=3",
    "/unit?model=small_cnn&set=digits&unit=channel:conv2:3",
    "/concept?model=small_cnn&sample=digit_3&class=5&idea_layer=relu1",
    "/concepts?model=small_cnn&sample=digit_3&layer=conv2",
    "/class_page?model=small_cnn&sample=digit_3&class=5",
    "/attack?model=small_cnn&sample=digit_3&attack=fgsm&attack_fgsm_epsilon=9&aim=5",
    "/set?set=digits&model=small_cnn&picture=7",
    "/map?set=digits&model=small_cnn&map=pca&map_of=pixels&map_axes=3&points=confidence",
    "/extremes?set=digits&model=small_cnn&extremes=channel&channel=3&channel_by=mean",
    "/extremes?set=digits&model=small_cnn&of=4&extremes_by=logit",
    "/set_scores?set=digits&model=small_cnn&change=blur&strength=3&scores=classes",
    "/data?table=iris&column=sepal+width+(cm)",
    "/model?table=iris&learner=decision_tree&seed=4",
    "/general?table=iris&learner=decision_tree&view=two&feature=petal+length+(cm)&with=petal+width+(cm)&pairs=ale",
    "/row?table=iris&learner=decision_tree&row=7&outcome=setosa&feature=petal+length+(cm)",
    "/fairness?table=iris&learner=decision_tree&group=petal+width+(cm)",
)
# Opened by their own tests in learn/, which train their networks once.
LABS = {"cheater", "objects"}


@pytest.fixture(scope="module", autouse=True)
def digit_network() -> None:
    """Load the network of digits, so that no page has to wait for it."""
    xai_core.warm("small_cnn")


@pytest.mark.parametrize("link", LINKS)
def test_an_old_link_opens(link: str, open_app: Open) -> None:
    address = urlsplit(link)
    (page,) = ROOT.glob(f"pages/*/{address.path.strip('/')}.py")
    query = dict(parse_qsl(address.query))
    at = finish_work(open_app(page.relative_to(ROOT).as_posix(), **query))
    assert at.query_params == query
    # A run that begins anew shows for a moment neither its job nor the widgets behind it.
    run_until(at, lambda at: at.session_state["link"].unread == {})


def test_no_page_has_another_address() -> None:
    stems = {path.stem for path in ROOT.glob("pages/*/*.py") if path.parent.name != "ui" and path.stem != "__init__"}
    assert stems == {urlsplit(link).path.strip("/") for link in LINKS} | LABS
