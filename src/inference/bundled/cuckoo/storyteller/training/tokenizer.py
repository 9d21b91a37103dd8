"""Byte-level BPE: learns merges from generated documents and writes tokenizer.json.

Run `python3 tokenizer.py` to write ../tokenizer.json.
"""

import json
import random
import re
from collections import Counter
from pathlib import Path

MODEL_FOLDER = Path(__file__).resolve().parent.parent
SPECIAL_TOKENS = ["<|pad|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]
PAD_ID, END_ID, ASSISTANT_ID = 0, 4, 2
VOCABULARY_SIZE = 1024
# One word with its leading space, one digit, a run of other characters, or a run of blanks.
WORD_PATTERN = r"'(?:s|t|m|re|ll|ve)| ?[A-Za-z]+| ?[0-9]| ?[^A-Za-z0-9 \n]+|[ \n]+"
_WORD = re.compile(WORD_PATTERN)
_SPECIAL = re.compile("(" + "|".join(map(re.escape, SPECIAL_TOKENS)) + ")")


def byte_characters() -> list[str]:
    """The printable character that stands for each byte in byte-level BPE."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters, shifted = [""] * 256, 256
    for byte in range(256):
        if byte in printable:
            characters[byte] = chr(byte)
        else:
            characters[byte] = chr(shifted)
            shifted += 1
    return characters


BYTE_CHARACTERS = byte_characters()


def split_words(text: str) -> list[str]:
    """Special tokens and pre-tokens, in order; joined they are the text."""
    return [word for piece in _SPECIAL.split(text)
            for word in ([piece] if piece in SPECIAL_TOKENS else _WORD.findall(piece))]


class Tokenizer:
    """Encodes and decodes with the vocabulary and merges of a tokenizer.json."""

    def __init__(self, path: Path = MODEL_FOLDER / "tokenizer.json"):
        model = json.loads(path.read_text())
        self.vocabulary = {t["content"]: t["id"] for t in model["added_tokens"]}
        self.vocabulary.update(model["model"]["vocab"])
        self.tokens = {i: t for t, i in self.vocabulary.items()}
        self.ranks = {tuple(m.split(" ")): r for r, m in enumerate(model["model"]["merges"])}
        self.cache: dict[str, list[int]] = {}

    def encode_word(self, word: str) -> list[int]:
        """Ids of one pre-token: the lowest-ranked merge first, until none applies."""
        if word not in self.cache:
            parts = [BYTE_CHARACTERS[b] for b in word.encode()]
            while len(parts) > 1:
                ranked = [(self.ranks.get(p, 1 << 30), i) for i, p in enumerate(zip(parts, parts[1:]))]
                rank, at = min(ranked)
                if rank == 1 << 30:
                    break
                parts[at : at + 2] = [parts[at] + parts[at + 1]]
            self.cache[word] = [self.vocabulary[p] for p in parts]
        return self.cache[word]

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for word in split_words(text):
            ids.extend([self.vocabulary[word]] if word in SPECIAL_TOKENS else self.encode_word(word))
        return ids

    def decode(self, ids: list[int]) -> str:
        byte_of = {c: b for b, c in enumerate(BYTE_CHARACTERS)}
        out = bytearray()
        for i in ids:
            token = self.tokens[i]
            out += token.encode() if token in SPECIAL_TOKENS else bytes(byte_of[c] for c in token)
        return out.decode(errors="replace")


def learn_merges(texts: list[str], count: int) -> list[tuple[str, str]]:
    """The most frequent neighbouring pairs, merged one after the other."""
    frequency = Counter(w for t in texts for w in split_words(t) if w not in SPECIAL_TOKENS)
    words = [([BYTE_CHARACTERS[b] for b in w.encode()], n) for w, n in frequency.items() if n > 1]
    merges = []
    for _ in range(count):
        pairs: Counter = Counter()
        for parts, n in words:
            for pair in zip(parts, parts[1:]):
                pairs[pair] += n
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        for parts, _n in words:
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == best:
                    parts[at : at + 2] = ["".join(best)]
                at += 1
    return merges


def write_tokenizer(path: Path, merges: list[tuple[str, str]]) -> None:
    """Writes the vocabulary in the JSON format of the `tokenizers` library."""
    base = len(SPECIAL_TOKENS)
    symbols = sorted(BYTE_CHARACTERS) + ["".join(m) for m in merges]
    vocabulary = {**{t: i for i, t in enumerate(SPECIAL_TOKENS)},
                  **{s: base + i for i, s in enumerate(symbols)}}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": WORD_PATTERN}, "behavior": "Isolated", "invert": False}
    path.write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": t, **flags} for i, t in enumerate(SPECIAL_TOKENS)],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": False, "vocab": vocabulary, "merges": [" ".join(m) for m in merges]},
    }, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    from dialogues import draw_document

    draws = random.Random(11)
    documents = [draw_document(draws) for _ in range(12000)]
    merge_count = VOCABULARY_SIZE - len(SPECIAL_TOKENS) - 256
    write_tokenizer(MODEL_FOLDER / "tokenizer.json", learn_merges(documents, merge_count))
    tokenizer = Tokenizer()
    sizes = sorted(len(tokenizer.encode(d)) for d in documents)
    print(f"tokens per document: mean {sum(sizes) / len(sizes):.0f}, longest {sizes[-1]}")
    assert all(tokenizer.decode(tokenizer.encode(d)) == d for d in documents[:500])
