"""State of a page without a browser: messages of a Streamlit server merged into elements."""

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
MAX_CACHED = 1000
"""Large messages kept, the newest: the server sends what a page says it still has by name only, and may do so some runs
later.
"""

Card = Mapping[str, Any]
"""One card of the viewer as it comes: id, state, message, level, map and more (pages/ui/image/viewer.py)."""


@dataclass(frozen=True)
class Node:
    """One element, the fragment that drew it (empty outside of any) and its run."""

    element: Element
    fragment: str
    run: str

    @property
    def kind(self) -> str:
        return self.element.WhichOneof("type") or ""

    @property
    def inner(self) -> Any:
        """The element itself, of any kind."""
        return getattr(self.element, self.kind) if self.kind else None

    def has_name(self, name: str) -> bool:
        """Test for a widget with this label or this key, with which Streamlit ends its id."""
        return getattr(self.inner, "label", None) == name or getattr(self.inner, "id", "").endswith(f"-{name}")


class Page:
    """The state of one open page. `merge` every message in order of arrival."""

    def __init__(self) -> None:
        self.session = ""
        self.script = ""
        self.query = ""
        self.running = False
        self.full_runs = 0
        self.nodes: dict[tuple[int, ...], Node] = {}
        self.widgets: dict[str, WidgetState] = {}
        """Widget values of the visitor, until the server resets them or the widget disappears."""
        self.polls: dict[str, float] = {}
        """Polled fragments and their intervals in seconds."""
        self.uploads: dict[str, FileURLs] = {}
        self.cards: list[Card] = []
        self.cards_run = 0
        """Full run of the cards: after a click, those of the run before may still stand."""
        self._run = ""
        self._viewer = ""
        self._cached_messages: OrderedDict[str, ForwardMsg] = OrderedDict()
        self._handlers: Mapping[str, Callable[[ForwardMsg, ForwardMsgMetadata], None]] = {
            "new_session": self._begin_run,
            "navigation": self._set_script,
            "script_finished": self._end_run,
            "delta": self._draw,
            "auto_rerun": self._start_poll,
            "stop_auto_rerun": self._stop_polls,
            "page_info_changed": self._set_query,
            "file_urls_response": self._store_upload_urls,
        }

    def merge(self, message: ForwardMsg) -> None:
        """Merge one message.

        Raises:
            KeyError: The server refers to a message that was never sent here.
        """
        metadata = message.metadata
        if message.WhichOneof("type") == "ref_hash":
            self._cached_messages.move_to_end(message.ref_hash)
            message = self._cached_messages[message.ref_hash]
        elif metadata.cacheable:
            self._cached_messages[message.hash] = message
            while len(self._cached_messages) > MAX_CACHED:
                self._cached_messages.popitem(last=False)
        handler = self._handlers.get(message.WhichOneof("type") or "")
        if handler is not None:
            handler(message, metadata)

    @property
    def cached_hashes(self) -> list[str]:
        return list(self._cached_messages)

    def find(self, name: str) -> Node | None:
        """Find the widget with this label or key."""
        return next((node for node in self.nodes.values() if node.has_name(name)), None)

    @property
    def errors(self) -> list[str]:
        """The texts of all error boxes and exceptions on the page."""
        alerts = [node.inner for node in self.nodes.values() if node.kind == "alert"]
        failed = [
            f"{node.inner.type}: {node.inner.message}" for node in self.nodes.values() if node.kind == "exception"
        ]
        return [alert.body for alert in alerts if alert.format == Alert.ERROR] + failed

    def _begin_run(self, message: ForwardMsg, metadata: ForwardMsgMetadata) -> None:
        new_session = message.new_session
        self.session = new_session.initialize.session_id or self.session
        self._run, self.running = metadata.run.script_run_id, True
        if not metadata.run.fragment_ids:
            self.full_runs += 1
            self.polls.clear()

    def _set_script(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        """Store the script of the page: a new session only knows the script around all pages."""
        self.script = message.navigation.page_script_hash

    def _end_run(self, message: ForwardMsg, metadata: ForwardMsgMetadata) -> None:
        """End a run and drop the elements that it has not drawn again."""
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
            self._update_cards(node.inner, message.hash)

    def _update_cards(self, viewer: BidiComponent, name: str) -> None:
        if not name or name != self._viewer:
            self.cards, self._viewer = json.loads(viewer.json or viewer.mixed.json)["panels"], name
        self.cards_run = self.full_runs

    def _start_poll(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        self.polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval

    def _stop_polls(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        for fragment in message.stop_auto_rerun.fragment_ids:
            self.polls.pop(fragment, None)

    def _set_query(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        self.query = message.page_info_changed.query_string

    def _store_upload_urls(self, message: ForwardMsg, _metadata: ForwardMsgMetadata) -> None:
        answer = message.file_urls_response
        if answer.file_urls:
            self.uploads[answer.response_id] = answer.file_urls[0]
