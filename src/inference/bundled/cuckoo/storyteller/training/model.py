"""A decoder-only language model in the Llama layout, in PyTorch."""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass
class ModelConfig:
    """Sizes of the model; names as in config.json."""

    vocab_size: int = 1024
    hidden_size: int = 160
    intermediate_size: int = 400
    num_hidden_layers: int = 5
    num_attention_heads: int = 5
    max_position_embeddings: int = 384
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    def as_json(self) -> dict:
        """The content of config.json."""
        from tokenizer import END_ID, PAD_ID

        return {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", **asdict(self),
            "num_key_value_heads": self.num_attention_heads, "head_dim": self.head_dim,
            "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
            "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": END_ID,
            "pad_token_id": PAD_ID, "torch_dtype": "float32", "use_cache": True,
        }


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        size = config.hidden_size
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (
            nn.Linear(size, size, bias=False) for _ in range(4)
        )

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        batch, length, size = x.shape
        heads, dim = self.config.num_attention_heads, self.config.head_dim

        def split(y: Tensor) -> Tensor:
            return y.view(batch, length, heads, dim).transpose(1, 2)

        def rotate(y: Tensor) -> Tensor:
            half = torch.cat((-y[..., dim // 2 :], y[..., : dim // 2]), -1)
            return y * cos + half * sin

        q, k, v = rotate(split(self.q_proj(x))), rotate(split(self.k_proj(x))), split(self.v_proj(x))
        scores = q @ k.transpose(2, 3) / math.sqrt(dim) + mask
        mixed = scores.softmax(-1) @ v
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, size))


class Layer(nn.Module):
    """Attention and a SwiGLU feed-forward block, each behind an RMS norm."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.eps = config.rms_norm_eps
        self.input_layernorm = nn.Parameter(torch.ones(config.hidden_size))
        self.post_attention_layernorm = nn.Parameter(torch.ones(config.hidden_size))
        self.attention = Attention(config)
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attention(rms_norm(x, self.input_layernorm, self.eps), cos, sin, mask)
        y = rms_norm(x, self.post_attention_layernorm, self.eps)
        return x + self.down_proj(F.silu(self.gate_proj(y)) * self.up_proj(y))


class LlamaModel(nn.Module):
    """Token ids to logits; the output matrix is the embedding matrix."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Parameter(torch.randn(config.vocab_size, config.hidden_size) * 0.02)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.Parameter(torch.ones(config.hidden_size))
        for name, weight in self.named_parameters():
            if weight.dim() == 2 and name != "embed_tokens":
                nn.init.normal_(weight, std=0.5 / math.sqrt(weight.shape[1]))
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    nn.init.zeros_(weight)

    def rotary(self, length: int) -> tuple[Tensor, Tensor]:
        dim = self.config.head_dim
        frequencies = self.config.rope_theta ** (-torch.arange(0, dim, 2) / dim)
        angles = torch.arange(length)[:, None] * frequencies
        angles = torch.cat((angles, angles), -1)
        return angles.cos(), angles.sin()

    def hidden(self, ids: Tensor) -> Tensor:
        """The last hidden states, behind the final norm."""
        length = ids.shape[1]
        cos, sin = self.rotary(length)
        mask = torch.full((length, length), float("-inf")).triu(1)
        x = self.embed_tokens[ids]
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return rms_norm(x, self.norm, self.config.rms_norm_eps)

    def forward(self, ids: Tensor) -> Tensor:
        return self.hidden(ids) @ self.embed_tokens.t()


@torch.no_grad()
def generate(model: LlamaModel, prompts: list[list[int]], end_id: int, limit: int,
             temperature: float, generator: torch.Generator | None = None) -> list[list[int]]:
    """Continues each prompt until the end token; temperature 0 is greedy. Without a cache."""
    sequences = [list(p) for p in prompts]
    running = set(range(len(prompts)))
    for _ in range(limit):
        if not running:
            break
        rows = sorted(running)
        longest = max(len(sequences[r]) for r in rows)
        ids = torch.tensor([sequences[r] + [0] * (longest - len(sequences[r])) for r in rows])
        last = torch.tensor([len(sequences[r]) - 1 for r in rows])
        hidden = model.hidden(ids)[torch.arange(len(rows)), last]
        logits = hidden @ model.embed_tokens.t()
        if temperature > 0:
            probabilities = (logits / temperature).softmax(-1)
            chosen = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
        else:
            chosen = logits.argmax(-1)
        for row, token in zip(rows, chosen.tolist()):
            sequences[row].append(token)
            if token == end_id or len(sequences[row]) >= model.config.max_position_embeddings:
                running.discard(row)
    return [s[len(p):] for s, p in zip(sequences, prompts)]
