"""Traced gradients as OpenVINO graphs: translation, and what has to be rewritten for the CPU.

A transposed convolution whose weights a convolution uses too comes out wrong: the plugin keeps repacked weights by the
constant's name, and both find the same ones where the layer has as many inputs as outputs (OpenVINO 2026.4, seen on
ResNet-18 and on `relu(conv(x) + x)`, the forward half included). Each gets weights of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

# Transposed convolutions, and the functions that build one and the convolution of its kind.
_BUILDERS = {
    "ConvolutionBackpropData": ("convolution_backprop_data", "convolution"),
    "GroupConvolutionBackpropData": ("group_convolution_backprop_data", "group_convolution"),
}


def translate_gradient(traced: torch.fx.GraphModule, shapes: tuple[tuple[int, ...], ...]) -> Any:
    """Translate a traced gradient with inputs of these shapes into an OpenVINO graph for the CPU.

    Raises RuntimeError where an operation does not convert.
    """
    from openvino import PartialShape
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder
    from openvino.passes import ConstantFolding, Manager

    decoder = TorchFXPythonDecoder(
        traced, input_shapes=[PartialShape(list(shape)) for shape in shapes], input_types=[torch.float32] * len(shapes)
    )
    frontend = FrontEndManager().load_by_framework("pytorch")
    graph = frontend.convert(frontend.load(decoder))
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(graph)
    for operation in graph.get_ordered_ops():
        if operation.get_type_name() in _BUILDERS:
            _rewrite(operation)
    graph.validate_nodes_and_infer_types()
    return graph


def _rewrite(operation: Any) -> None:
    """Give a transposed convolution weights of its own, and let it crop its output itself.

    With stride 1 it becomes a convolution with turned weights, which takes additions and clips into itself.
    """
    from openvino import opset13

    settings, source = operation.get_attributes(), operation.input_value(1).get_node()
    if source.get_type_name() != "Constant":
        raise RuntimeError("a convolution's weights are not constant")
    weights = np.array(source.data)
    last, crops = _find_crop(operation)
    begin, end = (
        [pad + crop for pad, crop in zip(settings[name], part, strict=True)]
        for name, part in zip(("pads_begin", "pads_end"), crops, strict=True)
    )
    transposed, plain = (getattr(opset13, name) for name in _BUILDERS[operation.get_type_name()])
    common = {"strides": settings["strides"], "dilations": settings["dilations"]}
    reach = [(side - 1) * step for side, step in zip(weights.shape[-2:], settings["dilations"], strict=True)]
    around = [[side - pad for side, pad in zip(reach, pads, strict=True)] for pads in (begin, end)]
    if all(step == 1 for step in settings["strides"]) and min(*around[0], *around[1]) >= 0:
        turned = opset13.constant(np.ascontiguousarray(weights[..., ::-1, ::-1].swapaxes(-4, -3)))
        common |= {"pads_begin": around[0], "pads_end": around[1]}
        result = plain(operation.input_value(0), turned, **common)
    else:
        common |= {"pads_begin": begin, "pads_end": end, "output_padding": settings["output_padding"]}
        result = transposed(operation.input_value(0), opset13.constant(weights), **common)
    for user in list(last.output(0).get_target_inputs()):
        user.replace_source_output(result.output(0))


def _find_crop(operation: Any) -> tuple[Any, tuple[list[int], list[int]]]:
    """Return the operation whose output counts and how much it cuts off rows and columns, at the begin and the end."""
    users = [user.get_node() for user in operation.output(0).get_target_inputs()]
    if len(users) == 1 and users[0].get_type_name() == "Pad":
        pads = [users[0].input_value(number).get_node() for number in (1, 2)]
        if all(pad.get_type_name() == "Constant" for pad in pads):
            begin, end = ([-int(size) for size in pad.data] for pad in pads)
            if min(*begin, *end) >= 0 and not any((*begin[:-2], *end[:-2])):
                return users[0], (begin[-2:], end[-2:])
    return operation, ([0, 0], [0, 0])
