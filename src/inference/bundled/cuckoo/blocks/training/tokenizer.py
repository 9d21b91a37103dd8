"""The words the model knows, and the tokenizer's files: `python3 tokenizer.py`."""

import json
import random
import re
from pathlib import Path

import torch
from torch import Tensor

from model import TOKENS
from world import caption_of, draw_scene

PAD, UNKNOWN, START, END = range(4)
SPECIAL = ["[PAD]", "[UNK]", "[BOS]", "[EOS]"]


def split_words(text: str) -> list[str]:
    return re.sub(r"[^a-z]+", " ", text.lower()).split()


def find_words() -> list[str]:
    """Every word of the captions, in alphabetical order."""
    rng = random.Random(0)
    return sorted({word for _ in range(30000) for word in split_words(caption_of(draw_scene(rng), rng))})


WORDS = find_words()
IDS = {word: number for number, word in enumerate(SPECIAL + WORDS)}


def encode(texts: list[str]) -> Tensor:
    """Token ids (texts, 16): start, words, end, padding."""
    ids = torch.full((len(texts), TOKENS), PAD)
    for row, text in enumerate(texts):
        known = [START] + [IDS.get(w, UNKNOWN) for w in split_words(text)][: TOKENS - 2] + [END]
        ids[row, : len(known)] = torch.tensor(known)
    return ids


def write_files(folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json: whole words as WordPiece without pieces."""
    special = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i, token in enumerate(SPECIAL)]
    around = [{"SpecialToken": {"id": "[BOS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "[EOS]", "type_id": 0}}]
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Lowercase"}, {"type": "Replace", "pattern": {"Regex": "[^a-z]+"}, "content": " "}]},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing", "single": around, "pair": around,
            "special_tokens": {t: {"id": t, "ids": [SPECIAL.index(t)], "tokens": [t]} for t in ("[BOS]", "[EOS]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": IDS},
    }
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": TOKENS, "padding_side": "right",
        "truncation_side": "right", "clean_up_tokenization_spaces": False,
        "bos_token": "[BOS]", "eos_token": "[EOS]", "unk_token": "[UNK]", "pad_token": "[PAD]",
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, indent=1) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    write_files(Path(__file__).parents[1] / "tokenizer")
    print(len(WORDS), "words:", " ".join(WORDS))
