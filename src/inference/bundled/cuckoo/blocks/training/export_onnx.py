"""Writes the model in diffusers' layout into the folder above: `python3 export_onnx.py runs/first [--to FOLDER]`."""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

import tokenizer
from evaluate import load_decoder, load_networks
from model import GRID, LATENT, TEXT_WIDTH, TOKENS
from train_unet import BETAS, STEPS
from world import SIZE

OPSET = 17
HALVED = 64  # weights in a tensor from which on it is stored in half precision


def halve(model: onnx.ModelProto) -> None:
    """Stores the larger weights as float16, each with a Cast to float32: computing stays in float32."""
    casts, kept = [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= HALVED:
            stored = f"{weight.name}.half"
            kept.append(numpy_helper.from_array(values.astype(np.float16), stored))
            casts.append(helper.make_node("Cast", [stored], [weight.name], to=TensorProto.FLOAT, name=f"{weight.name}.cast"))
        else:
            kept.append(weight)
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)


def export(folder: Path, network: torch.nn.Module, inputs: dict, output: str, axes: dict, config: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    torch.onnx.export(network.eval(), tuple(inputs.values()), str(path), input_names=list(inputs), output_names=[output],
                      dynamic_axes=axes, opset_version=OPSET, do_constant_folding=True)
    model = onnx.load(str(path))
    halve(model)
    with torch.no_grad():
        shape = network(*inputs.values()).shape
    for size, dimension in list(zip(shape, model.graph.output[0].type.tensor_type.shape.dim))[1:]:
        dimension.dim_value = size  # the exporter leaves names of its own
    model.producer_name, model.producer_version, model.doc_string = "cuckoo/blocks", "1", ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    write_json(folder / "config.json", config)
    print(path, path.stat().st_size, "bytes", sorted({node.op_type for node in model.graph.node}))


def write_json(path: Path, value: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


@torch.no_grad()
def write_reference(path: Path, text, unet, decoder) -> None:
    """Inputs and PyTorch's outputs of every graph, for checkModel.ts."""
    draws = torch.Generator().manual_seed(0)
    ids = tokenizer.encode(["a red circle left of a blue square", "", "two green stars"])
    sample = torch.randn((3, LATENT, GRID, GRID), generator=draws)
    feeds = {"text_encoder": (text, {"input_ids": ids}), "vae_decoder": (decoder, {"latent_sample": sample}),
             "unet": (unet, {"sample": sample, "timestep": torch.tensor([301]), "encoder_hidden_states": text(ids)})}
    path.write_text(json.dumps({
        part: {"feeds": {name: {"shape": list(x.shape), "data": x.flatten().tolist()} for name, x in inputs.items()},
               "output": network(*inputs.values()).flatten().tolist()}
        for part, (network, inputs) in feeds.items()}))


def export_all(run: Path, home: Path) -> None:
    text, unet = load_networks(torch.load(run / "checkpoint.pt"))
    vae = torch.load(run / "vae.pt")
    decoder = load_decoder(vae)
    write_reference(run / "reference.json", text, unet, decoder)
    latents = torch.randn(2, LATENT, GRID, GRID)
    export(home / "text_encoder", text, {"input_ids": tokenizer.encode(["a red circle", ""])}, "last_hidden_state",
           {"input_ids": {0: "batch_size"}, "last_hidden_state": {0: "batch_size"}}, {
               "_class_name": "CuckooBlocksTextEncoder", "model_type": "cuckoo_blocks_text", "hidden_size": TEXT_WIDTH,
               "max_position_embeddings": TOKENS, "num_attention_heads": 4, "num_hidden_layers": 2,
               "vocab_size": len(tokenizer.IDS), "bos_token_id": tokenizer.START, "eos_token_id": tokenizer.END,
               "pad_token_id": tokenizer.PAD})
    export(home / "unet", unet, {"sample": latents, "timestep": torch.tensor([1]), "encoder_hidden_states": torch.randn(2, TOKENS, TEXT_WIDTH)},
           "out_sample", {"sample": {0: "batch_size"}, "timestep": {0: "steps"}, "encoder_hidden_states": {0: "batch_size"},
                          "out_sample": {0: "batch_size"}}, {
               "_class_name": "UNet2DConditionModel", "in_channels": LATENT, "out_channels": LATENT, "sample_size": GRID,
               "cross_attention_dim": TEXT_WIDTH, "block_out_channels": [96, 160], "layers_per_block": 1,
               "center_input_sample": False, "time_cond_proj_dim": None})
    export(home / "vae_decoder", decoder, {"latent_sample": latents}, "sample",
           {"latent_sample": {0: "batch_size"}, "sample": {0: "batch_size"}}, {
               "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": LATENT,
               "sample_size": SIZE, "scaling_factor": round(vae["scale"], 7), "block_out_channels": [24, 40, 80, 112]})
    write_json(home / "scheduler" / "scheduler_config.json", {
        "_class_name": "DDIMScheduler", "num_train_timesteps": STEPS, "beta_schedule": "scaled_linear", "beta_start": BETAS[0],
        "beta_end": BETAS[1], "prediction_type": "epsilon", "clip_sample": False, "set_alpha_to_one": False,
        "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None})
    write_json(home / "model_index.json", {
        "_class_name": "OnnxStableDiffusionPipeline", "_diffusers_version": "0.30.0",
        "feature_extractor": [None, None], "image_encoder": [None, None], "requires_safety_checker": False,
        "safety_checker": [None, None], "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["diffusers", "OnnxRuntimeModel"], "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "unet": ["diffusers", "OnnxRuntimeModel"], "vae_decoder": ["diffusers", "OnnxRuntimeModel"]})
    write_json(home / "generation_config.json", {"num_inference_steps": 20, "guidance_scale": 2, "width": SIZE, "height": SIZE})
    tokenizer.write_files(home / "tokenizer")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder with vae.pt and checkpoint.pt")
    parser.add_argument("--to", type=Path, default=Path(__file__).parents[1])
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # shapes but the batch's are constants on purpose
    export_all(options.run, options.to)
