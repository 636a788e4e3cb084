"""Small maps at several perplexities: those that few pictures cap are shown once, with the cap said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.imageset.page_reader import DIGITS, MAP, finish_work, press, read_text
from tests.pages.imageset.test_set import upload_zip
from tests.pages.imageset.zip_of_digits import build_zip

pytestmark = pytest.mark.long

Open = Callable[..., AppTest]


def test_capped_perplexities_are_shown_once(open_app: Open) -> None:
    dataset = upload_zip(open_app, build_zip(broken=False), **DIGITS).query_params["set"]
    at = finish_work(open_app(MAP, map="pca", set=dataset, model="small_cnn"))
    at = press(at, "Show the map at perplexities 5 and 13")
    captions = [image.proto.imgs[0].caption for image in at.main.image]
    titles = [caption.partition(", trust")[0] for caption in captions if caption.startswith("Perplexity")]
    assert titles == [f"Perplexity {perplexity}, seed {seed}" for seed in (0, 1) for perplexity in ("5", "13")]
    assert read_text(at).count("40 pictures allow a perplexity of 13.0 at most: it stands for 15, 30 and 50.") == 1
