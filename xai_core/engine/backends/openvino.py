"""OpenVINO in float32 on the CPU: translation of a network into its graph, and compilation of graphs."""

from __future__ import annotations

import queue
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from xai_core.arrays import Float32
from xai_core.engine import cores
from xai_core.engine.backends.graph_files import graph_id, read_graph, save_graph
from xai_core.engine.backends.network import Run, example_input, network_to_run
from xai_core.models.classifier import Classifier
from xai_core.models.layers import Layer

# Tracing a network is not safe in two threads at once.
OPENVINO_LOCK = threading.Lock()

# OpenVINO reads traced networks best; torch's advice to export them instead is no use to visitors.
warnings.filterwarnings("ignore", r"`torch\.jit\.", FutureWarning)


def translate_network(model: Classifier, layer: Layer | None = None) -> Any:
    """Return the network as an OpenVINO graph, read from disk where it is kept.

    Of networks with features only the recommended layer's is kept: a visitor may try dozens, and each file holds all
    weights.
    """
    import openvino

    example = example_input(model, layer)
    key = graph_id(model, layer, tuple(example.shape))
    graph = read_graph(key, model.name)
    if graph is not None:
        return graph
    with torch.no_grad():
        traced = torch.jit.trace(network_to_run(model, layer), example, check_trace=False)
    graph = openvino.convert_model(traced, example_input=example)
    if layer is None or layer.recommended:
        save_graph(graph, key, model.name)
    return graph


def compile_inputs(graph: Any) -> Callable[[Sequence[Float32]], list[Float32]]:
    """Compile a graph into a function from its inputs to its outputs, called by one worker at a time each."""
    import openvino

    threads = cores.WORKERS * cores.CORES_PER_WORKER
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": cores.WORKERS}
    network = openvino.Core().compile_model(graph, "CPU", options)
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(cores.WORKERS):
        idle.put(network.create_infer_request())

    def run(inputs: Sequence[Float32]) -> list[Float32]:
        request = idle.get()
        try:
            outputs = request.infer(list(inputs), share_inputs=True)
            # Copies: the request reuses its output buffers.
            return [np.array(outputs[number], dtype=np.float32) for number in range(len(outputs))]
        finally:
            idle.put(request)

    return run


def compile_graph(graph: Any) -> Run:
    """Compile a graph with one input and one output into a function that runs batches, one per worker at a time."""
    run = compile_inputs(graph)
    return lambda batch: torch.from_numpy(run([batch.detach().cpu().contiguous().numpy()])[0])


def build_openvino_run(model: Classifier, layer: Layer | None = None, batch_size: int = 0) -> Run:
    """Build the function that runs batches; those of `batch_size` go through a network compiled for this size alone."""
    with OPENVINO_LOCK:
        graph = translate_network(model, layer)
        run = compile_graph(graph)
        if not batch_size:
            return run
        graph.reshape([batch_size, *example_input(model, layer).shape[1:]])
        fixed = compile_graph(graph)
    return lambda batch: (fixed if len(batch) == batch_size else run)(batch)
