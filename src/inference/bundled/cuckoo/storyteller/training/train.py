"""Trains the model on freshly generated documents with two single-thread processes.

Both processes work on their own batches and share gradients through memory at the beginning of
each update, so that they always hold the same weights. Muon updates the matrices of the layers,
AdamW the rest. The learning rate is constant and falls linearly to zero over the last steps.
A folder that holds a checkpoint is resumed.

    OPENBLAS_NUM_THREADS=1 python3 train.py --steps 5400 --decay 1800 --out runs/first
"""

import argparse
import json
import random
import re
import time
from pathlib import Path

import torch
from torch import Tensor, multiprocessing as mp
from torch.nn import functional as F

from consistency import draw_probes, faults
from dialogues import ASKS, ASSISTANT, END, MORE, USER, draw_document
from model import LlamaModel, ModelConfig, generate
from tokenizer import END_ID, PAD_ID, Tokenizer, split_words

MUON_RATE, ADAM_RATE, ADAM_BETAS, WEIGHT_DECAY = 0.02, 3e-3, (0.9, 0.98), 0.01
NAMED_WEIGHT = 4.0
COMMON_WORDS = set(re.findall(r"[a-z]+", " ".join(ASKS + MORE).lower()))
COMMON_WORDS |= set("the and who called named with please his her friend for has was not".split())


def named_words(request: str) -> set[str]:
    """The words of a request that a story should keep."""
    words = re.findall(r"[a-z]{3,}", request.lower())
    return {word for word in words if word not in COMMON_WORDS}


def encode_document(tokenizer: Tokenizer, document: str) -> tuple[list[int], list[float]]:
    """Ids and their weights in the loss.

    The user's words and the role marks weigh nothing; in an answer, words that the request named
    weigh more than the rest.
    """
    ids: list[int] = []
    weights: list[float] = []
    named: set[str] = set()
    in_request = False
    for word in split_words(document):
        if word in (USER, ASSISTANT):
            in_request, weight = word == USER, 0.0
        elif in_request:
            named, weight = named | named_words(word), 0.0
        else:
            weight = NAMED_WEIGHT if word.strip().lower() in named else 1.0
        encoded = tokenizer.encode(word)
        ids.extend(encoded)
        weights.extend([weight] * len(encoded))
    return ids, weights


class BatchSource:
    """Batches of documents of similar length, generated without end."""

    def __init__(self, seed: int, tokens_per_batch: int, held_out: bool = False):
        self.rng = random.Random(seed)
        self.tokenizer = Tokenizer()
        self.budget = tokens_per_batch
        self.held_out = held_out
        self.ready: list[list] = []

    def refill(self) -> None:
        documents = [encode_document(self.tokenizer, draw_document(self.rng, self.held_out))
                     for _ in range(600)]
        documents.sort(key=lambda d: len(d[0]) + self.rng.random() * 12)
        batch: list = []
        for document in documents:
            if batch and (len(batch) + 1) * len(document[0]) > self.budget:
                self.ready.append(batch)
                batch = []
            batch.append(document)
        self.ready.append(batch)
        self.rng.shuffle(self.ready)

    def next(self) -> tuple[Tensor, Tensor, Tensor]:
        """Input ids, targets and the targets' weights; 0 where nothing is learned."""
        if not self.ready:
            self.refill()
        batch = self.ready.pop()
        longest = max(len(ids) for ids, _ in batch)
        inputs = torch.full((len(batch), longest - 1), PAD_ID)
        targets = inputs.clone()
        weights = torch.zeros(inputs.shape)
        for row, (ids, weight) in enumerate(batch):
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            targets[row, : len(ids) - 1] = torch.tensor(ids[1:])
            weights[row, : len(ids) - 1] = torch.tensor(weight[1:])
        return inputs, targets, weights


def token_losses(model: LlamaModel, inputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy in nats of each learned token, and the weights of these tokens."""
    keep = weights > 0
    logits = model.hidden(inputs)[keep] @ model.embed_tokens.t()
    return F.cross_entropy(logits, targets[keep], reduction="none"), weights[keep]


def mean_loss(model: LlamaModel, batches: list) -> tuple[float, int]:
    """Unweighted loss per learned token, and the number of tokens."""
    losses = torch.cat([token_losses(model, *batch)[0] for batch in batches])
    return float(losses.mean()), losses.numel()


def orthogonalise(update: Tensor) -> Tensor:
    """Newton-Schulz iteration towards the nearest orthogonal matrix."""
    x = update / (update.norm() + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.t() if tall else x
    for _ in range(5):
        a = x @ x.t()
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    return x.t() if tall else x


class Muon:
    """Momentum whose update is orthogonalised, for weight matrices."""

    def __init__(self, weights: list, momentum: float = 0.95):
        self.weights, self.momentum = weights, momentum
        self.buffers = [torch.zeros_like(w) for w in weights]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for weight, buffer in zip(self.weights, self.buffers):
            buffer.mul_(self.momentum).add_(weight.grad)
            direction = orthogonalise(weight.grad + self.momentum * buffer)
            scale = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
            weight.mul_(1 - rate * WEIGHT_DECAY).add_(direction, alpha=-rate * scale)


@torch.no_grad()
def measure(model: LlamaModel, batches: list, count: int) -> dict:
    """Held-out loss and the share of sampled stories without fault."""
    tokenizer = Tokenizer()
    probes = draw_probes(count, seed=99)
    prompts = [tokenizer.encode(f"{USER}{p.prompt}{END}{ASSISTANT}") for p in probes]
    draws = torch.Generator().manual_seed(1)
    answers = generate(model, prompts, END_ID, 180, 0.8, draws)
    stories = [tokenizer.decode([i for i in a if i != END_ID]) for a in answers]
    good = sum(not faults(p, s) for p, s in zip(probes, stories))
    return {"loss": mean_loss(model, batches)[0],
            "consistent": good / count, "sample": probes[0].prompt + " => " + stories[0]}


def work(rank: int, options: argparse.Namespace, shared: Tensor, barrier) -> None:
    """One training process."""
    torch.set_num_threads(1)
    torch.manual_seed(7)
    model = LlamaModel(ModelConfig())
    matrices = [w for n, w in model.named_parameters() if w.dim() == 2 and n != "embed_tokens"]
    others = [w for n, w in model.named_parameters() if w.dim() == 1 or n == "embed_tokens"]
    muon = Muon(matrices)
    adam = torch.optim.AdamW(others, lr=ADAM_RATE, betas=ADAM_BETAS, weight_decay=0.0)
    step, seconds = 0, 0.0
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        muon.buffers = state["muon"]
        adam.load_state_dict(state["adam"])
        step, seconds = state["step"], state["seconds"]
    source = BatchSource(1000 * rank + step, options.tokens)
    held_out = BatchSource(424242, 4096, held_out=True)
    held_out_batches = [held_out.next() for _ in range(4)] if rank == 0 else []
    weights = list(model.parameters())
    started, running, log = time.time() - seconds, 0.0, options.out / "log.jsonl"
    barrier.wait()
    while step < options.steps:
        losses, loss_weights = token_losses(model, *source.next())
        ((losses * loss_weights).sum() / loss_weights.sum()).backward()
        shared[rank] = torch.cat([w.grad.flatten() for w in weights])
        barrier.wait()
        mean = shared.mean(0)
        barrier.wait()
        offset = 0
        for weight in weights:
            weight.grad.copy_(mean[offset : offset + weight.numel()].view_as(weight))
            offset += weight.numel()
        warm = min(1.0, (step + 1) / 100)
        factor = warm * min(1.0, (options.steps - step) / options.decay)
        adam.param_groups[0]["lr"] = ADAM_RATE * factor
        muon.step(MUON_RATE * factor)
        adam.step()
        for weight in weights:
            weight.grad.zero_()
        step += 1
        running += float(losses.detach().mean())
        if rank == 0 and step % 50 == 0:
            print(f"step {step} loss {running / 50:.4f} {time.time() - started:.0f} s", flush=True)
            running = 0.0
        if rank == 0 and (step % options.every == 0 or step == options.steps):
            report = {"step": step, "seconds": round(time.time() - started)}
            torch.save({"model": model.state_dict(), "muon": muon.buffers, "adam": adam.state_dict(),
                        **report}, checkpoint)
            report |= measure(model, held_out_batches, 100 if step == options.steps else 40)
            with log.open("a") as out:
                out.write(json.dumps(report) + "\n")
            print(report, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and log")
    parser.add_argument("--steps", type=int, default=5400)
    parser.add_argument("--decay", type=int, default=1800, help="last steps, over which the rate falls to 0")
    parser.add_argument("--tokens", type=int, default=2304, help="tokens per batch of one process")
    parser.add_argument("--every", type=int, default=300, help="steps between measurements")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    size = sum(w.numel() for w in LlamaModel(ModelConfig()).parameters())
    print(f"{size} parameters")
    buffer = torch.zeros(arguments.processes, size).share_memory_()
    gate = mp.get_context("fork").Barrier(arguments.processes)
    mp.start_processes(work, (arguments, buffer, gate), arguments.processes, start_method="fork")
