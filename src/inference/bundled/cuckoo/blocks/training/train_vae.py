"""Trains the autoencoder: `python3 train_vae.py --out runs/first --minutes 7`."""

import argparse
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model import Decoder, Encoder
from parallel import Team, settle_threads
from world import draw_training_scene, picture_of

BATCH = 8  # pictures per process
KL = 1e-4
FRESH = 3  # pictures drawn anew per step


def to_tensor(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def draw_pictures(rng: random.Random, count: int) -> np.ndarray:
    return np.stack([picture_of(draw_training_scene(rng), rng) for _ in range(count)])


def measure(encoder: Encoder, decoder: Decoder, pictures: Tensor) -> dict:
    """Error of reconstructions, and mean and spread of the latents."""
    with torch.no_grad():
        latents = torch.cat([encoder(part)[0] for part in pictures.split(64)])
        errors = [F.mse_loss(decoder(z - decoder.mean), x) for z, x in zip(latents.split(64), pictures.split(64))]
    return {"mse": float(torch.stack(errors).mean()), "mean": latents.mean((0, 2, 3)), "std": float(latents.std())}


def work(rank: int, team: Team, options: argparse.Namespace) -> None:
    settle_threads()
    torch.manual_seed(7)
    encoder, decoder = Encoder(), Decoder()
    weights = [w for w in [*encoder.parameters(), *decoder.parameters()] if w.requires_grad]
    adam = torch.optim.AdamW(weights, lr=options.rate, betas=(0.9, 0.99), weight_decay=1e-3)
    earlier = 0
    if options.resume:
        state = torch.load(options.out / "vae.pt")
        encoder.load_state_dict(state["encoder"])
        decoder.load_state_dict(state["decoder"])
        decoder.mean.data.zero_()
        earlier = state["steps"]
    torch.manual_seed(rank + earlier)
    rng = random.Random(rank + earlier)
    pool = draw_pictures(rng, 1500)
    started, step, running = time.time(), 0, 0.0
    while (seconds := team.tick(rank, started)) < 60 * options.minutes:
        done = seconds / (60 * options.minutes)
        adam.param_groups[0]["lr"] = options.rate * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6
        slots = [(step * FRESH + i) % len(pool) for i in range(FRESH)]
        pool[slots] = draw_pictures(rng, FRESH)
        pictures = to_tensor(pool[torch.randint(len(pool), (BATCH,)).numpy()])
        mean, variance = encoder(pictures)
        drawn = decoder(mean + torch.randn_like(mean) * (0.5 * variance).exp())
        divergence = 0.5 * (mean**2 + variance.exp() - 1 - variance).mean()
        loss = F.mse_loss(drawn, pictures) + 0.5 * F.l1_loss(drawn, pictures) + KL * divergence
        adam.zero_grad(set_to_none=True)
        loss.backward()
        team.average(rank, weights)
        adam.step()
        step += 1
        running += float(loss)
        if rank == 0 and step % 50 == 0:
            print(f"step {step} loss {running / 50:.4f} kl {float(divergence):.2f} {seconds:.0f} s", flush=True)
            running = 0.0
    if rank == 0:
        held_out = to_tensor(draw_pictures(random.Random(99), 512))
        report = measure(encoder, decoder, held_out)
        decoder.mean.data.copy_(report["mean"].view(1, -1, 1, 1))
        print(f"{step} steps, held-out mse {report['mse']:.5f}, latent mean {report['mean'].tolist()}, std {report['std']:.3f}")
        torch.save({"encoder": encoder.state_dict(), "decoder": decoder.state_dict(), "scale": 1 / report["std"],
                    "mse": report["mse"], "steps": earlier + step}, options.out / "vae.pt")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for vae.pt")
    parser.add_argument("--minutes", type=float, default=7)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--resume", action="store_true", help="go on from vae.pt")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    size = sum(w.numel() for m in (Encoder(), Decoder()) for w in m.parameters() if w.requires_grad)
    print(f"{size} parameters, {sum(w.numel() for w in Decoder().parameters())} in the decoder")
    Team(arguments.processes, size).run(work, arguments)
