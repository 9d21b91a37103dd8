"""Writes the model folder from a checkpoint: both ONNX files and the JSON files beside them.

    python3 export_onnx.py runs/first/checkpoint.pt
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from model import LlamaModel, ModelConfig
from onnx_graph import GraphBuilder
from tokenizer import END_ID, MODEL_FOLDER, PAD_ID

OPSET, IR_VERSION = 17, 8

# The template drops system messages and keeps the last three messages: the model has learned
# conversations of two stories.
CHAT_TEMPLATE = (
    "{%- set recent = messages if messages | length < 4 else messages[-3:] -%}"
    "{%- for message in recent -%}"
    "{%- if message['role'] == 'user' -%}{{ '<|user|>' + (message['content'] | trim) + '<|end|>' }}"
    "{%- elif message['role'] == 'assistant' -%}"
    "{{ '<|assistant|>' + (message['content'] | trim) + '<|end|>' }}"
    "{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"
)


def attention_mask_node(graph: GraphBuilder) -> str:
    """0 where a position may look, a very negative number elsewhere: [batch, 1, new, all]."""
    def length(name: str) -> str:
        return graph.node("Gather", graph.node("Shape", name), scalar(1))

    def scalar(value: int) -> str:
        return graph.constant(f"scalar_{value}", np.array(value, np.int64))

    total = length("attention_mask")
    past = graph.node("Sub", total, length("input_ids"))
    rows = graph.node("Unsqueeze", graph.node("Range", past, total, scalar(1)), graph.integers(1))
    columns = graph.node("Unsqueeze", graph.node("Range", scalar(0), total, scalar(1)), graph.integers(0))
    causal = graph.node("LessOrEqual", columns, rows)
    given = graph.node("Cast", "attention_mask", to=TensorProto.BOOL)
    given = graph.node("Unsqueeze", given, graph.integers(1, 2))
    visible = graph.node("And", given, causal)
    return graph.node("Where", visible, graph.number(0.0), graph.number(-1e9))


def rotary_nodes(graph: GraphBuilder, config: ModelConfig) -> tuple[str, str]:
    """Cosine and sine of the rotary angles: [batch, 1, new, head_dim]."""
    frequencies = config.rope_theta ** (-np.arange(0, config.head_dim, 2) / config.head_dim)
    frequencies = graph.constant("inv_freq", frequencies.astype(np.float32))
    positions = graph.node("Cast", "position_ids", to=TensorProto.FLOAT)
    positions = graph.node("Unsqueeze", positions, graph.integers(1, 3))
    half = graph.node("Mul", positions, frequencies)
    angles = graph.node("Concat", half, half, axis=-1)
    return graph.node("Cos", angles), graph.node("Sin", angles)


def attention(graph: GraphBuilder, config: ModelConfig, x: str, index: int, weights: dict,
              rotary: tuple[str, str], mask: str) -> str:
    """One attention block with its key-value cache."""
    heads, dim = config.num_attention_heads, config.head_dim

    def project(kind: str) -> str:
        y = graph.linear(x, f"model.layers.{index}.self_attn.{kind}_proj.weight",
                         weights[f"layers.{index}.attention.{kind}_proj.weight"])
        y = graph.node("Reshape", y, graph.integers(0, 0, heads, dim))
        return graph.node("Transpose", y, perm=[0, 2, 1, 3])

    def rotate(y: str) -> str:
        left = graph.node("Slice", y, graph.integers(0), graph.integers(dim // 2), graph.integers(-1))
        right = graph.node("Slice", y, graph.integers(dim // 2), graph.integers(dim), graph.integers(-1))
        turned = graph.node("Concat", graph.node("Neg", right), left, axis=-1)
        return graph.node("Add", graph.node("Mul", y, rotary[0]), graph.node("Mul", turned, rotary[1]))

    query, key, value = rotate(project("q")), rotate(project("k")), project("v")
    key = graph.node("Concat", f"past_key_values.{index}.key", key, axis=2,
                     outputs=[f"present.{index}.key"])
    value = graph.node("Concat", f"past_key_values.{index}.value", value, axis=2,
                       outputs=[f"present.{index}.value"])
    scores = graph.node("MatMul", query, graph.node("Transpose", key, perm=[0, 1, 3, 2]))
    scores = graph.node("Mul", scores, graph.number(1 / math.sqrt(dim)))
    shares = graph.node("Softmax", graph.node("Add", scores, mask), axis=-1)
    mixed = graph.node("Transpose", graph.node("MatMul", shares, value), perm=[0, 2, 1, 3])
    mixed = graph.node("Reshape", mixed, graph.integers(0, 0, heads * dim))
    return graph.linear(mixed, f"model.layers.{index}.self_attn.o_proj.weight",
                        weights[f"layers.{index}.attention.o_proj.weight"])


def feed_forward(graph: GraphBuilder, x: str, index: int, weights: dict) -> str:
    """The SwiGLU block; the products it adds up differ too much in size for 8 bits."""
    def weight(kind: str) -> tuple[str, np.ndarray]:
        name = f"{kind}_proj.weight"
        return f"model.layers.{index}.mlp.{name}", weights[f"layers.{index}.{name}"]

    gate = graph.linear(x, *weight("gate"))
    gate = graph.node("Mul", gate, graph.node("Sigmoid", gate))
    return graph.float_linear(graph.node("Mul", gate, graph.linear(x, *weight("up"))), *weight("down"))


def build(config: ModelConfig, weights: dict, quantised: bool) -> onnx.ModelProto:
    """The whole graph, with the input and output names that transformers.js expects."""
    graph = GraphBuilder(quantised)
    eps = config.rms_norm_eps
    x = graph.embedding(weights["embed_tokens"], "input_ids")
    rotary, mask = rotary_nodes(graph, config), attention_mask_node(graph)
    for index in range(config.num_hidden_layers):
        for norm, block in (("input_layernorm", None), ("post_attention_layernorm", feed_forward)):
            y = graph.rms_norm(x, f"model.layers.{index}.{norm}.weight", weights[f"layers.{index}.{norm}"], eps)
            y = block(graph, y, index, weights) if block else attention(
                graph, config, y, index, weights, rotary, mask)
            x = graph.node("Add", x, y)
    graph.tied_output(graph.rms_norm(x, "model.norm.weight", weights["norm"], eps))

    def tensor(name: str, kind: int, *shape) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, ["batch_size", *shape])

    heads, dim = config.num_attention_heads, config.head_dim
    caches = [f"{i}.{part}" for i in range(config.num_hidden_layers) for part in ("key", "value")]
    inputs = [tensor("input_ids", TensorProto.INT64, "sequence_length"),
              tensor("attention_mask", TensorProto.INT64, "total_sequence_length"),
              tensor("position_ids", TensorProto.INT64, "sequence_length")]
    inputs += [tensor(f"past_key_values.{c}", TensorProto.FLOAT, heads, "past_sequence_length", dim)
               for c in caches]
    outputs = [tensor("logits", TensorProto.FLOAT, "sequence_length", config.vocab_size)]
    outputs += [tensor(f"present.{c}", TensorProto.FLOAT, heads, "total_sequence_length", dim)
                for c in caches]
    proto = helper.make_graph(graph.nodes, "storyteller", inputs, outputs, list(graph.initializers.values()))
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)],
                              ir_version=IR_VERSION, producer_name="cuckoo")
    onnx.checker.check_model(model)
    return model


def write_json(name: str, content: dict) -> None:
    (MODEL_FOLDER / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    config = ModelConfig()
    model = LlamaModel(config)
    model.load_state_dict(torch.load(sys.argv[1])["model"])
    weights = {}
    for name, weight in model.named_parameters():
        value = weight.detach().numpy()
        is_linear = value.ndim == 2 and name != "embed_tokens"
        weights[name] = np.ascontiguousarray(value.T if is_linear else value)
    (MODEL_FOLDER / "onnx").mkdir(exist_ok=True)
    for name, quantised in (("model.onnx", False), ("model_quantized.onnx", True)):
        path: Path = MODEL_FOLDER / "onnx" / name
        onnx.save(build(config, weights, quantised), str(path))
        print(f"{name}: {path.stat().st_size} bytes")
    write_json("config.json", config.as_json())
    write_json("generation_config.json", {
        "eos_token_id": END_ID, "pad_token_id": PAD_ID, "max_new_tokens": 200, "do_sample": False})
    write_json("tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "pad_token": "<|pad|>",
        "additional_special_tokens": ["<|user|>", "<|assistant|>", "<|system|>"],
        "add_bos_token": False, "add_eos_token": False, "clean_up_tokenization_spaces": False,
        "model_max_length": config.max_position_embeddings, "padding_side": "left",
        "chat_template": CHAT_TEMPLATE})


if __name__ == "__main__":
    main()
