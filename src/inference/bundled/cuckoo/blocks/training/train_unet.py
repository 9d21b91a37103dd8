"""Trains text encoder and U-Net on the latents of vae.pt: `python3 train_unet.py --out runs/first --minutes 55`.

A run that is started again goes on from its checkpoint.
"""

import argparse
import math
import random
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from model import Encoder, TextEncoder, UNet
from parallel import Team, settle_threads
from tokenizer import END, IDS, UNKNOWN, encode
from train_vae import to_tensor
from world import caption_of, draw_training_scene, picture_of

BATCH = 32  # pictures per process
STEPS = 1000  # of noise
BETAS = (0.00085, 0.012)
DROPPED = 0.1  # share of captions left out, for guidance
POOL = 6000  # latents per process
FRESH = 6  # latents drawn anew per step
EMA = 0.999


def signal_shares() -> Tensor:
    """Share of the signal's variance left after each of the 1,000 noise steps (scaled-linear betas)."""
    betas = torch.linspace(BETAS[0] ** 0.5, BETAS[1] ** 0.5, STEPS, dtype=torch.float64) ** 2
    return (1 - betas).cumprod(0).float()


class LatentSource:
    """A pool of scenes with their latents, renewed bit by bit."""

    def __init__(self, seed: int, vae: dict):
        self.rng = random.Random(seed)
        self.scale = vae["scale"]
        self.mean = vae["decoder"]["mean"]
        self.encoder = Encoder()
        self.encoder.load_state_dict(vae["encoder"])
        self.scenes, self.latents, self.oldest = [], torch.empty(0), 0
        parts = [self.draw(60) for _ in range(POOL // 60)]
        self.scenes = [scene for scenes, _ in parts for scene in scenes]
        self.latents = torch.cat([latents for _, latents in parts])

    @torch.no_grad()
    def draw(self, count: int) -> tuple[list, Tensor]:
        scenes = [draw_training_scene(self.rng) for _ in range(count)]
        pictures = torch.cat([to_tensor(picture_of(scene, self.rng)[None]) for scene in scenes])
        return scenes, (self.encoder(pictures)[0] - self.mean) * self.scale

    def next(self) -> tuple[Tensor, Tensor]:
        """Token ids and latents of a batch; a tenth of the captions is empty."""
        scenes, latents = self.draw(FRESH)
        for scene, latent in zip(scenes, latents):
            self.scenes[self.oldest], self.latents[self.oldest] = scene, latent
            self.oldest = (self.oldest + 1) % len(self.scenes)
        chosen = [self.rng.randrange(len(self.scenes)) for _ in range(BATCH)]
        captions = [caption_of(self.scenes[i], self.rng) for i in chosen]
        ids = encode(["" if self.rng.random() < DROPPED else caption for caption in captions])
        for row in ids:  # a word the model does not know changes nothing
            if self.rng.random() < 0.03 and int(row[-1]) == 0 and int(row[1]) != END:
                row[2:] = row[1:-1].clone()
                row[1] = UNKNOWN
        return ids, self.latents[chosen]


def noise_loss(text: TextEncoder, unet: UNet, ids: Tensor, latents: Tensor, shares: Tensor) -> Tensor:
    """Squared error of the predicted noise, weighted by min(SNR, 5) / SNR."""
    count = len(latents)
    spread = (torch.arange(count) + torch.rand(count)) / count  # every part of the schedule in every batch
    steps = (spread**0.6 * STEPS).long().clamp(max=STEPS - 1)  # more of the noisy end, where it is decided what stands where
    share = shares[steps].view(-1, 1, 1, 1)
    noise = torch.randn_like(latents)
    noisy = share.sqrt() * latents + (1 - share).sqrt() * noise
    errors = ((unet(noisy, steps, text(ids)) - noise) ** 2).mean((1, 2, 3))
    ratio = shares[steps] / (1 - shares[steps])
    return (errors * ratio.clamp(max=5) / ratio).mean()


def work(rank: int, team: Team, options: argparse.Namespace) -> None:
    settle_threads()
    torch.manual_seed(7)
    model = nn.ModuleDict({"text": TextEncoder(len(IDS)), "unet": UNet()})
    weights = [w for w in model.parameters() if w.requires_grad]
    adam = torch.optim.AdamW(weights, lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01)
    average = [w.detach().clone() for w in weights]
    step, seconds, checkpoint = 0, 0.0, options.out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        average = state["average"]
        step, seconds = state["step"], state["seconds"]
    torch.manual_seed(1000 * rank + step)
    source = LatentSource(1000 * rank + step, torch.load(options.out / "vae.pt"))
    shares, began = signal_shares(), seconds
    started, saved, running = time.time() - seconds, seconds, 0.0

    def save() -> None:
        if rank == 0:
            state = {"model": model.state_dict(), "adam": adam.state_dict(), "average": average, "step": step,
                     "seconds": seconds}
            torch.save(state, options.out / "checkpoint.tmp")
            (options.out / "checkpoint.tmp").rename(checkpoint)

    while (seconds := team.tick(rank, started)) < 60 * options.minutes:
        done = (seconds - began) / (60 * options.minutes - began) if options.restart else seconds / (60 * options.minutes)
        rate = options.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * done)) + 2e-6
        adam.param_groups[0]["lr"] = rate
        loss = noise_loss(model["text"], model["unet"], *source.next(), shares)
        adam.zero_grad(set_to_none=False)
        loss.backward()
        team.average(rank, weights)
        nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()
        step += 1
        keep = min(EMA, (1 + step) / (10 + step))
        torch._foreach_mul_(average, keep)
        torch._foreach_add_(average, [w.detach() for w in weights], alpha=1 - keep)
        running += float(loss)
        if rank == 0 and step % 100 == 0:
            print(f"step {step} loss {running / 100:.4f} rate {rate:.1e} {seconds:.0f} s", flush=True)
            running = 0.0
        if seconds - saved > 180:
            saved = seconds
            save()
    save()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder with vae.pt, for checkpoint.pt")
    parser.add_argument("--minutes", type=float, default=55, help="in all, earlier runs counted in; the rate falls to 0")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--restart", action="store_true", help="let the rate fall anew from --rate")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    size = sum(w.numel() for m in (TextEncoder(len(IDS)), UNet()) for w in m.parameters() if w.requires_grad)
    print(f"{size} parameters, {len(IDS)} tokens")
    Team(arguments.processes, size).run(work, arguments)
