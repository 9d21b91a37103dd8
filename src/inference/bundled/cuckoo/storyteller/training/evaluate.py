"""Figures of a trained model: held-out loss with baselines, references for ONNX, and consistency.

    python3 evaluate.py loss CHECKPOINT              held-out loss, unigram and bigram baselines
    python3 evaluate.py reference CHECKPOINT FOLDER  writes reference.json for check_model.ts
    python3 evaluate.py judge FOLDER                 judges the stories check_model.ts wrote
"""

import json
import math
import random
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import torch

from consistency import Probe, draw_probes, faults
from dialogues import ASSISTANT, END, USER, draw_document
from model import LlamaModel, ModelConfig
from tokenizer import Tokenizer
from train import BatchSource, encode_document, mean_loss

HELD_OUT_SEED, TRAINING_SEED = 777, 778
STRINGS = ["?", "Café — naïve “quotes”…", "日本語 and emoji 🦊🪁", "Zürich, Łódź; Ωmega", "tabs\tand\nlines\n\n",
           "don't we'll they're it's I've I'm", "12345 67.89", "  two  spaces  ", "<|user|>Hi<|end|><|assistant|>",
           "a<b && c>d {x: [1, 2]}", "ALL CAPS, camelCase and snake_case", "Привет, мир!", "\u0000\u007f\ufeff"]


def load(path: str) -> LlamaModel:
    model = LlamaModel(ModelConfig())
    model.load_state_dict(torch.load(path)["model"])
    return model.eval()


def held_out_documents(count: int) -> list[tuple[list[int], list[float]]]:
    """Documents whose scenarios are all held out, and the weights of their tokens in training."""
    tokenizer, rng = Tokenizer(), random.Random(HELD_OUT_SEED)
    return [encode_document(tokenizer, draw_document(rng, held_out=True)) for _ in range(count)]


def baselines(documents: list, training_documents: int = 20000) -> tuple[float, float]:
    """Loss per learned token of add-0.1-smoothed unigram and bigram counts."""
    tokenizer, rng = Tokenizer(), random.Random(TRAINING_SEED)
    single: Counter = Counter()
    pairs: Counter = Counter()
    before: Counter = Counter()
    for _ in range(training_documents):
        ids, weights = encode_document(tokenizer, draw_document(rng))
        for previous, token, weight in zip(ids, ids[1:], weights[1:]):
            if weight > 0:
                single[token] += 1
                pairs[previous, token] += 1
                before[previous] += 1
    size, total = ModelConfig().vocab_size, sum(single.values())
    unigram = bigram = count = 0
    for ids, weights in documents:
        for previous, token, weight in zip(ids, ids[1:], weights[1:]):
            if weight > 0:
                unigram -= math.log((single[token] + 0.1) / (total + 0.1 * size))
                bigram -= math.log((pairs[previous, token] + 0.1) / (before[previous] + 0.1 * size))
                count += 1
    return unigram / count, bigram / count


@torch.no_grad()
def report_loss(checkpoint: str) -> None:
    model = load(checkpoint)
    source = BatchSource(HELD_OUT_SEED, 4096, held_out=True)
    source.refill()
    loss, tokens = mean_loss(model, [source.next() for _ in range(len(source.ready))])
    print(f"held-out loss {loss:.4f} nats/token over {tokens} tokens")
    unigram, bigram = baselines(held_out_documents(600))
    print(f"unigram {unigram:.4f}, bigram {bigram:.4f} nats/token")


@torch.no_grad()
def write_reference(checkpoint: str, folder: Path) -> None:
    """Token ids of 200 strings, logits of 20 sequences, 200 held-out documents, 100 prompts."""
    model, tokenizer, rng = load(checkpoint), Tokenizer(), random.Random(3)
    strings = STRINGS + [draw_document(rng) for _ in range(200 - len(STRINGS))]
    sequences = [encode_document(tokenizer, draw_document(rng))[0][:192] for _ in range(20)]
    documents = held_out_documents(200)
    probes = draw_probes(100)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reference.json").write_text(json.dumps({
        "strings": [{"text": s, "ids": tokenizer.encode(s)} for s in strings],
        "sequences": [{"ids": s, "logits": model(torch.tensor([s]))[0].tolist()} for s in sequences],
        "documents": [{"ids": ids, "learned": [w > 0 for w in weights]} for ids, weights in documents],
        "probes": [{**asdict(p), "ids": tokenizer.encode(f"{USER}{p.prompt}{END}{ASSISTANT}")}
                   for p in probes],
    }))


def judge(folder: Path) -> None:
    """Counts the stories without fault, for each way of generating."""
    for way, stories in json.loads((folder / "stories.json").read_text()).items():
        wrong = [(p.prompt, s, f) for p, s in zip(draw_probes(100), stories) if (f := faults(p, s))]
        print(f"{way}: {100 - len(wrong)} of 100 consistent")
        for prompt, story, found in wrong:
            print(f"  {found}\n    {prompt}\n    {story}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["loss", checkpoint]:
            report_loss(checkpoint)
        case ["reference", checkpoint, folder]:
            write_reference(checkpoint, Path(folder))
        case ["judge", folder]:
            judge(Path(folder))
        case _:
            sys.exit(__doc__)
