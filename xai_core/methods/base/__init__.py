"""Parts of a method: spec, request, facts about the network, card."""
