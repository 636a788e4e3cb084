"""What a browser would show: the messages of a Streamlit server merged into elements, as far as a visitor without a
browser needs it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BidiComponent_pb2 import BidiComponent
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg, ForwardMsgMetadata
from streamlit.proto.WidgetStates_pb2 import WidgetState

VIEWER = "whybox_viewer"
KEPT = 1000
"""Large messages kept, the newest: the server sends what a page says it still has by name only, and may do so some runs
later.
"""

Card = Mapping[str, Any]
"""One card of the viewer as it comes: id, state, message, level, map and more (pages/ui/image/viewer.py)."""


@dataclass(frozen=True)
class Node:
    """One element, the fragment it was drawn in (empty outside of any) and the run that drew it."""

    element: Element
    fragment: str
    run: str

    @property
    def kind(self) -> str:
        return self.element.WhichOneof("type") or ""

    @property
    def inner(self) -> Any:
        """The element itself, whatever its kind."""
        return getattr(self.element, self.kind) if self.kind else None

    def called(self, name: str) -> bool:
        """True if this is the widget with this label or this key, with which Streamlit ends its id."""
        return getattr(self.inner, "label", None) == name or getattr(self.inner, "id", "").endswith(f"-{name}")


class Page:
    """The state of one open page. `take` every message in the order it comes."""

    def __init__(self) -> None:
        self.session = ""
        self.script = ""
        self.query = ""
        self.running = False
        self.full_runs = 0
        self.nodes: dict[tuple[int, ...], Node] = {}
        self.widgets: dict[str, WidgetState] = {}
        """What the visitor has set, until the server says otherwise or the widget goes."""
        self.polls: dict[str, float] = {}
        """Fragments to run again and again, with the seconds between."""
        self.uploads: dict[str, FileURLs] = {}
        self.cards: list[Card] = []
        self.cards_run = 0
        """The full run the cards belong to: after a click those of the run before may still stand."""
        self._run = ""
        self._viewer = ""
        self._kept: OrderedDict[str, ForwardMsg] = OrderedDict()
        self._takers: Mapping[str, Callable[[ForwardMsg, ForwardMsgMetadata], None]] = {
            "new_session": self._begin,
            "navigation": self._arrive,
            "script_finished": self._end,
            "delta": self._draw,
            "auto_rerun": self._poll,
            "stop_auto_rerun": self._stop_polls,
            "page_info_changed": self._address,
            "file_urls_response": self._upload_place,
        }

    def take(self, message: ForwardMsg) -> None:
        """Merge one message. Raises KeyError if the server names a message that was never sent here."""
        metadata = message.metadata
        if message.WhichOneof("type") == "ref_hash":
            self._kept.move_to_end(message.ref_hash)
            message = self._kept[message.ref_hash]
        elif metadata.cacheable:
            self._kept[message.hash] = message
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        taker = self._takers.get(message.WhichOneof("type") or "")
        if taker is not None:
            taker(message, metadata)

    @property
    def kept(self) -> list[str]:
        return list(self._kept)

    def find(self, name: str) -> Node | None:
        """The widget with this label or key."""
        return next((node for node in self.nodes.values() if node.called(name)), None)

    @property
    def errors(self) -> list[str]:
        """The sentences in all error boxes, and the exceptions shown."""
        alerts = [node.inner for node in self.nodes.values() if node.kind == "alert"]
        failed = [
            f"{node.inner.type}: {node.inner.message}" for node in self.nodes.values() if node.kind == "exception"
        ]
        return [alert.body for alert in alerts if alert.format == Alert.ERROR] + failed

    def _begin(self, message: ForwardMsg, metadata: ForwardMsgMetadata) -> None:
        begun = message.new_session
        self.session = begun.initialize.session_id or self.session
        self._run, self.running = metadata.run.script_run_id, True
        if not metadata.run.fragment_ids:
            self.full_runs += 1
            self.polls.clear()

    def _arrive(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        """Which page this is: a new session only knows the script around all pages."""
        self.script = message.navigation.page_script_hash

    def _end(self, message: ForwardMsg, metadata: ForwardMsgMetadata) -> None:
        """The end of a run: what it has not drawn again is gone."""
        status = message.script_finished
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        self.running = False
        if metadata.HasField("run") and status != ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            run, fragments = metadata.run.script_run_id, set(metadata.run.fragment_ids)
            part = {path for path, node in self.nodes.items() if not fragments or node.fragment in fragments}
            self.nodes = {path: node for path, node in self.nodes.items() if path not in part or node.run == run}
            alive = {getattr(node.inner, "id", "") for node in self.nodes.values()}
            self.widgets = {name: state for name, state in self.widgets.items() if name in alive}

    def _draw(self, message: ForwardMsg, metadata: ForwardMsgMetadata) -> None:
        path, delta = tuple(metadata.delta_path), message.delta
        if delta.WhichOneof("type") == "add_block":
            self.nodes.pop(path, None)
        if delta.WhichOneof("type") != "new_element":
            return
        node = self.nodes[path] = Node(delta.new_element, delta.fragment_id, self._run)
        if getattr(node.inner, "set_value", False):
            self.widgets.pop(node.inner.id, None)
        if node.kind == "bidi_component" and node.inner.component_name == VIEWER:
            self._show(node.inner, message.hash)

    def _show(self, viewer: BidiComponent, name: str) -> None:
        if not name or name != self._viewer:
            self.cards, self._viewer = json.loads(viewer.json or viewer.mixed.json)["panels"], name
        self.cards_run = self.full_runs

    def _poll(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        self.polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval

    def _stop_polls(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        for fragment in message.stop_auto_rerun.fragment_ids:
            self.polls.pop(fragment, None)

    def _address(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        self.query = message.page_info_changed.query_string

    def _upload_place(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        answer = message.file_urls_response
        if answer.file_urls:
            self.uploads[answer.response_id] = answer.file_urls[0]
