"""Teaching texts: topics of explanation with a glossary."""

from __future__ import annotations

from xai_core.teaching.topics import GROUPS, TOPICS, Topic, get_topic, glossary, page_topics, read_topic, topics

__all__ = ["GROUPS", "TOPICS", "Topic", "get_topic", "glossary", "page_topics", "read_topic", "topics"]
