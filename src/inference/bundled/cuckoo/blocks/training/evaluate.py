"""Judges pictures by what checkPicture.ts measures in their pixels.

python3 evaluate.py truth                      the world's own pictures
python3 evaluate.py vae runs/first             the same through the autoencoder
python3 evaluate.py model runs/first           pictures the averaged weights draw for the held-out prompts
"""

import argparse
import json
import random
import subprocess
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model import Decoder, Encoder, TextEncoder, UNet
from tokenizer import IDS, encode
from train_unet import STEPS, signal_shares
from train_vae import to_tensor
from world import Scene, picture_of

HERE = Path(__file__).parent


def to_bytes(drawn: Tensor) -> np.ndarray:
    return ((drawn.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def load_prompts(name: str) -> tuple[list[str], list[Scene]]:
    rows = json.loads((HERE / "heldOutPrompts.json").read_text())[name]
    return [row["prompt"] for row in rows], [Scene(**row["scene"]) for row in rows]


def load_decoder(vae: dict) -> Decoder:
    decoder = Decoder()
    decoder.load_state_dict(vae["decoder"])
    return decoder.eval()


def load_networks(checkpoint: dict) -> tuple[TextEncoder, UNet]:
    """Text encoder and U-Net with the averaged weights."""
    text, unet = TextEncoder(len(IDS)), UNet()
    weights = [w for w in [*text.parameters(), *unet.parameters()] if w.requires_grad]
    for weight, mean in zip(weights, checkpoint["average"]):
        weight.data.copy_(mean)
    return text.eval(), unet.eval()


@torch.no_grad()
def draw(networks: tuple, prompts: list[str], seed: int, steps: int, guidance: float) -> Tensor:
    """Latents after DDIM steps at the times diffusers spaces as "leading", with an offset of 1."""
    text, unet = networks
    shares = signal_shares()
    states = torch.cat([text(encode([""])).expand(len(prompts), -1, -1), text(encode(prompts))])
    latents = torch.randn((len(prompts), 4, 8, 8), generator=torch.Generator().manual_seed(seed))
    stride = STEPS // steps
    for at in range((steps - 1) * stride + 1, 0, -stride):
        free, told = unet(torch.cat([latents, latents]), torch.tensor([at]), states).chunk(2)
        noise = free + guidance * (told - free)
        share, after = shares[at], shares[max(0, at - stride)]
        clean = (latents - (1 - share).sqrt() * noise) / share.sqrt()
        latents = after.sqrt() * clean + (1 - after).sqrt() * noise
    return latents


def judge(scenes: list[Scene], pictures: np.ndarray, folder: Path) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scenes.json").write_text(json.dumps([scene.__dict__ for scene in scenes]))
    (folder / "pictures.rgb").write_bytes(pictures.tobytes())
    told = subprocess.run(["npx", "node", str(HERE / "judgePictures.ts"), str(folder.resolve())], capture_output=True, check=True, cwd=HERE)
    return json.loads(told.stdout)


def report(name: str, result: dict) -> None:
    print(f"{name}: {result['right']} of {result['pictures']} right; pictures of other scenes: {result['othersRight']} of {result['others']}")
    for fault in result["faults"][:8]:
        print("   ", fault["i"], "; ".join(fault["reasons"]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["truth", "vae", "model"])
    parser.add_argument("folder", type=Path, nargs="?", default=HERE / "runs")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    vae = torch.load(options.folder / "vae.pt") if options.what != "truth" else {}
    decoder = load_decoder(vae) if vae else None
    networks = None
    if options.what == "model":
        checkpoint = torch.load(options.folder / "checkpoint.pt")
        networks = load_networks(checkpoint)
        print(f"step {checkpoint['step']}, {checkpoint['seconds']:.0f} s")
    for name in ("heldOut", "unseenPairs"):
        prompts, scenes = load_prompts(name)
        for seed in range(options.seeds):
            rng = random.Random(seed)
            pictures = np.stack([picture_of(scene, rng) for scene in scenes])
            with torch.no_grad():
                if options.what == "vae":
                    encoder = Encoder()
                    encoder.load_state_dict(vae["encoder"])
                    pictures = to_bytes(decoder(encoder(to_tensor(pictures))[0] - decoder.mean))
                elif networks:
                    latents = draw(networks, prompts, seed, options.steps, options.guidance)
                    pictures = to_bytes(decoder(latents / vae["scale"]))
            report(f"{name}, seed {seed}", judge(scenes, pictures, options.folder / f"judged-{name}-{seed}"))
