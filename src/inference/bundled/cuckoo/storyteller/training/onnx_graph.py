"""A small builder for the ONNX graph of the model, in fp32 or with dynamic 8-bit matrices."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

ZERO_POINT = 128


def quantise_columns(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unsigned 8-bit weights around 128, and one scale per column."""
    scale = np.maximum(np.abs(weight).max(axis=0), 1e-8) / 127
    quantised = np.clip(np.round(weight / scale) + ZERO_POINT, 1, 255).astype(np.uint8)
    return quantised, scale.astype(np.float32)


class GraphBuilder:
    """Collects nodes and initializers; every method returns the name of its output."""

    def __init__(self, quantised: bool):
        self.quantised = quantised
        self.nodes: list = []
        self.initializers: dict = {}
        self.activations: dict[str, tuple[str, str, str]] = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(value, name)
        return name

    def integers(self, *values: int) -> str:
        return self.constant("int_" + "_".join(map(str, values)), np.array(values, np.int64))

    def number(self, value: float) -> str:
        return self.constant(f"float_{value}", np.array(value, np.float32))

    def node(self, operator: str, *inputs: str, outputs: list[str] | None = None, **attributes) -> str:
        names = outputs or [f"{operator}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=names[0], **attributes))
        return names[0]

    def embedding(self, table: np.ndarray, ids: str) -> str:
        """Rows of the embedding matrix."""
        name = "model.embed_tokens.weight"
        if not self.quantised:
            return self.node("Gather", self.constant(name, table), ids)
        rows, scale = quantise_columns(table.T)
        picked = self.node("Gather", self.constant(name + "_quantized", np.ascontiguousarray(rows.T)), ids)
        scales = self.node("Gather", self.constant(name + "_scale", scale), ids)
        centred = self.node("Sub", self.node("Cast", picked, to=TensorProto.FLOAT),
                            self.number(float(ZERO_POINT)))
        return self.node("Mul", centred, self.node("Unsqueeze", scales, self.integers(-1)))

    def tied_output(self, x: str) -> str:
        """Logits: x times the transposed embedding matrix."""
        name = "model.embed_tokens.weight"
        if not self.quantised:
            return self.node("MatMul", x, self.node("Transpose", name, perm=[1, 0]), outputs=["logits"])
        matrix = self.node("Transpose", name + "_quantized", perm=[1, 0])
        return self.integer_product(x, matrix, name + "_scale", outputs=["logits"])

    def linear(self, x: str, name: str, weight: np.ndarray) -> str:
        """x times a weight matrix of shape [in, out]."""
        if not self.quantised:
            return self.node("MatMul", x, self.constant(name, weight))
        matrix, scale = quantise_columns(weight)
        return self.integer_product(x, self.constant(name + "_quantized", matrix),
                                    self.constant(name + "_scale", scale))

    def float_linear(self, x: str, name: str, weight: np.ndarray) -> str:
        """As `linear`, but 8-bit weights meet x unquantised: for x with a few very large values."""
        if not self.quantised:
            return self.linear(x, name, weight)
        matrix, scale = quantise_columns(weight)
        zero = self.constant("column_zero_points", np.full(scale.size, ZERO_POINT, np.uint8))
        restored = self.node("DequantizeLinear", self.constant(name + "_quantized", matrix),
                             self.constant(name + "_scale", scale), zero, axis=1)
        return self.node("MatMul", x, restored)

    def integer_product(self, x: str, matrix: str, scale: str, outputs: list[str] | None = None) -> str:
        """Quantises x as it comes, multiplies in integers and scales back."""
        if x not in self.activations:
            names = (x + "_quantized", x + "_scale", x + "_zero_point")
            self.node("DynamicQuantizeLinear", x, outputs=list(names))
            self.activations[x] = names
        quantised, x_scale, x_zero = self.activations[x]
        zero = self.constant("weight_zero_point", np.array(ZERO_POINT, np.uint8))
        product = self.node("Cast", self.node("MatMulInteger", quantised, matrix, x_zero, zero),
                            to=TensorProto.FLOAT)
        return self.node("Mul", product, self.node("Mul", x_scale, scale), outputs=outputs)

    def rms_norm(self, x: str, name: str, weight: np.ndarray, eps: float) -> str:
        mean = self.node("ReduceMean", self.node("Mul", x, x), axes=[-1], keepdims=1)
        root = self.node("Sqrt", self.node("Add", mean, self.number(eps)))
        return self.node("Mul", self.node("Div", x, root), self.constant(name, weight))
