"""The classes that a visitor teaches: their names and their pictures from files, the camera or a zip."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st
from PIL import Image

import xai_core
from pages.ui.frame.session import session_id
from pages.ui.widgets import background, picture_grid, show, uploader
from pages.ui.widgets.words import escape_markdown
from xai_core import imageset
from xai_core.labs import teach

MAX_PICTURE_MB, MAX_ZIP_MB = 25, 200
# The bundled set of which two classes are the example.
EXAMPLE_SET, EXAMPLE_CLASSES, EXAMPLE_PICTURES = "photo_crops", ("Cat", "Coffee"), 20
_KEY = "teach_classes"
_SMALLER = "Save the pictures smaller and try again."
_THUMBNAIL = 64
_CAMERA_HELP = (
    "If the camera stays dark, the browser has refused it: allow it by the sign beside the address, or choose photos "
    "instead. Browsers allow cameras only on this computer itself and at addresses that begin with https."
)


@dataclass
class OwnClass:
    """A class being taught: its name, ids of its pictures, and why some files were not read."""

    id: int
    name: str
    pictures: list[str] = field(default_factory=list)
    problems: tuple[str, ...] = ()
    uploads: int = 0
    """Count of readings: a new widget each time, which empties the uploader."""


def _classes() -> list[OwnClass]:
    classes: list[OwnClass] = st.session_state.setdefault(_KEY, [])
    if not classes:
        classes += [OwnClass(0, "Class 1"), OwnClass(1, "Class 2")]
    return classes


def current_examples() -> dict[str, list[teach.Example]]:
    """Return the pictures of each class that are still kept, by the name of the class.

    Raises:
        InvalidParam: two classes have the same name.
    """
    names = [entry.name for entry in _classes()]
    if len(set(names)) < len(names):
        raise xai_core.InvalidParam("Two classes have the same name. Give each a name of its own.")
    return {
        entry.name: [example for key in entry.pictures if (example := teach.find_example(key)) is not None]
        for entry in _classes()
    }


def describe_state() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return names and pictures as they are now, to tell whether they have changed."""
    return tuple((entry.name, tuple(entry.pictures)) for entry in _classes())


def _add_class(name: str = "") -> OwnClass:
    classes = _classes()
    number = max((entry.id for entry in classes), default=-1) + 1
    entry = OwnClass(number, name or f"Class {number + 1}")
    classes.append(entry)
    return entry


def _add_empty_class() -> None:
    """Callback: add a class without pictures."""
    _add_class()


def _remove_class(entry: OwnClass) -> None:
    _classes().remove(entry)


def _rename(entry: OwnClass, key: str) -> None:
    try:
        entry.name, entry.problems = teach.check_name(st.session_state[key]), ()
    except xai_core.XaiError as problem:
        entry.problems = (str(problem),)


def _take(entry: OwnClass, reading: teach.Reading) -> None:
    """Add what was read to a class; more than fit are left out, and said."""
    # The order of the files, each picture once.
    fresh = [key for key in dict.fromkeys(reading.examples) if key not in entry.pictures]
    room = max(teach.MAX_PER_CLASS - len(entry.pictures), 0)
    entry.pictures += fresh[:room]
    problems = list(reading.problems)
    if len(fresh) < len(reading.examples):
        count = len(reading.examples) - len(fresh)
        words = "One picture was" if count == 1 else f"{count} pictures were"
        problems.append(f"{words} here already and will not count twice.")
    if len(fresh) > room:
        problems.append(f"A class holds {teach.MAX_PER_CLASS} pictures; {len(fresh) - room} were left out.")
    entry.problems, entry.uploads = tuple(problems), entry.uploads + 1


def _render_input(entry: OwnClass) -> None:
    """Render uploader and camera of a class, and read what they hold."""
    place = f"teach_{entry.id}_{entry.uploads}"
    files = uploader.render_many(f"Add pictures of {escape_markdown(entry.name)}", place, MAX_PICTURE_MB, _SMALLER)
    if st.toggle("Use the camera", key=f"teach_camera_{entry.id}"):
        shot = st.camera_input(
            f"Take a photo of {escape_markdown(entry.name)}", key=f"{place}_shot", help="One press, one picture."
        )
        st.caption(_CAMERA_HELP)
        files = [*files, shot] if shot is not None else files
    if not files:
        return
    contents = [(file.name, file.getvalue()) for file in files]
    reading = background.compute(
        ("teach read", session_id(), tuple(file.file_id for file in files)),
        partial(teach.read_files, contents),
        f"Reading pictures of {entry.name}",
    )
    if reading is not None:
        _take(entry, reading)
        st.rerun()


def _render_pictures(entry: OwnClass) -> None:
    examples = [(place, teach.find_example(key)) for place, key in enumerate(entry.pictures)]
    if lost := sum(example is None for _place, example in examples):
        show.write_warning(f"{lost} of the pictures are no longer kept on this computer. Add them again.")
    items = []
    for place, example in examples:
        if example is not None:
            source, _ = picture_grid.encode_picture(Image.open(io.BytesIO(example.thumbnail)), _THUMBNAIL * 2)
            items.append(picture_grid.Item(place, source, f"Take out picture {place + 1}"))
    if items:
        key = f"teach_pictures_{entry.id}_{len(entry.pictures)}"
        picture_grid.render_items(items, key, f"Pictures of {entry.name}", partial(_remove_picture, entry), _THUMBNAIL)


def _remove_picture(entry: OwnClass, place: int) -> None:
    if place < len(entry.pictures):
        del entry.pictures[place]


def _render_class(entry: OwnClass) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            key = f"teach_name_{entry.id}"
            st.text_input("Name of the class", entry.name, key=key, on_change=_rename, args=(entry, key))
            if len(_classes()) > teach.MIN_CLASSES:
                label = f"Remove {entry.name}"
                st.button(label, key=f"teach_remove_{entry.id}", on_click=_remove_class, args=(entry,))
        count = len(entry.pictures)
        hint = " Press one to take it out." if count else ""
        show.write(f"{count} {'picture' if count == 1 else 'pictures'}.{hint}", quiet=True)
        _render_pictures(entry)
        show.write_list(entry.problems)
        _render_input(entry)


def _replace(readings: Mapping[str, teach.Reading]) -> None:
    """Put the classes that were read in the place of empty ones."""
    classes = _classes()
    classes[:] = [entry for entry in classes if entry.pictures]
    for label, reading in readings.items():
        name = teach.make_name(label) or f"Class {len(classes) + 1}"
        entry = next((known for known in classes if known.name == name), None) or _add_class(name)
        _take(entry, reading)


def _read_zip(data: bytes, name: str, job: xai_core.Job[Any]) -> dict[str, teach.Reading]:
    return teach.read_set(imageset.read_zip(io.BytesIO(data), name, job), job=job)


def _read_example(job: xai_core.Job[Any]) -> dict[str, teach.Reading]:
    return teach.read_set(imageset.load_set(EXAMPLE_SET), EXAMPLE_CLASSES, job, EXAMPLE_PICTURES)


def _render_zip() -> None:
    turn = st.session_state.setdefault("teach_zip_turn", 0)
    upload = uploader.render(
        "A zip with one folder for each class", f"teach_zip_{turn}", MAX_ZIP_MB, "Make a zip of fewer pictures."
    )
    if upload is not None:
        readings = background.compute(
            ("teach zip", session_id(), upload.file_id),
            partial(_read_zip, upload.getvalue(), upload.name),
            "Reading the zip",
            write_failure=show.write_upload_problem,
        )
        if readings is not None:
            _replace(readings)
            st.session_state["teach_zip_turn"] = turn + 1
            st.rerun()


def _request_example() -> None:
    """Callback: ask for the example."""
    st.session_state["teach_example"] = True


def _render_example() -> None:
    st.button(
        "Fill in an example",
        icon=":material/pets:",
        help="Pieces of two sample photos: a cat and a coffee.",
        on_click=_request_example,
    )
    if st.session_state.get("teach_example"):
        readings = background.compute(("teach example",), _read_example, "Reading the example")
        if readings is not None:
            del st.session_state["teach_example"]
            _replace(readings)
            st.rerun()


def render() -> None:
    """Render all classes, and ways to add more."""
    columns = st.columns(2, gap="medium")
    for place, entry in enumerate(list(_classes())):
        with columns[place % 2]:
            _render_class(entry)
    if len(_classes()) < teach.MAX_CLASSES:
        st.button("Add a class", on_click=_add_empty_class, icon=":material/add:")
    else:
        show.write(f"{teach.MAX_CLASSES} classes are the most that can be taught.", quiet=True)
    with st.expander("Many pictures at once, or an example", icon=":material/folder_zip:"):
        _render_zip()
        _render_example()
