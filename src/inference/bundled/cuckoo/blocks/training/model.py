"""The three networks: text encoder, U-Net over 4 x 8 x 8 latents, and the autoencoder of the pictures."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TOKENS = 16
TEXT_WIDTH = 128
LATENT = 4
GRID = 8


class GroupNorm(nn.Module):
    """Group normalisation; exported as plain means and products."""

    def __init__(self, channels: int, groups: int = 8):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        if not torch.onnx.is_in_onnx_export():
            return F.group_norm(x, self.groups, self.weight, self.bias)
        channels, height, width = (int(n) for n in x.shape[1:])
        flat = x.reshape(-1, self.groups, channels // self.groups * height * width)
        flat = flat - flat.mean(2, keepdim=True)
        flat = flat / torch.sqrt((flat * flat).mean(2, keepdim=True) + 1e-5)
        x = flat.reshape(-1, channels, height, width)
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class Attention(nn.Module):
    """Multi-head attention of x (batch, n, width) over context (batch, m, context width)."""

    def __init__(self, width: int, context: int, heads: int = 4):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(context, width, bias=False)
        self.value = nn.Linear(context, width, bias=False)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        return x.reshape(-1, int(x.shape[1]), self.heads, self.size).permute(0, 2, 1, 3)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        query, key, value = self.split(self.query(x)), self.split(self.key(context)), self.split(self.value(context))
        scores = (query * self.size**-0.5) @ key.transpose(2, 3)
        mixed = scores.softmax(-1) @ value
        return self.out(mixed.permute(0, 2, 1, 3).reshape(-1, int(x.shape[1]), self.heads * self.size))


def feed_forward(width: int, factor: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, factor * width), nn.SiLU(), nn.Linear(factor * width, width))


class TextLayer(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.norm_attention, self.norm_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention, self.mlp = Attention(width, width), feed_forward(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm_attention(x)
        x = x + self.attention(normed, normed)
        return x + self.mlp(self.norm_mlp(x))


class TextEncoder(nn.Module):
    """Token ids (batch, 16) -> hidden states (batch, 16, 128)."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.words = nn.Parameter(torch.randn(vocabulary, TEXT_WIDTH) * 0.5)
        self.positions = nn.Parameter(torch.randn(TOKENS, TEXT_WIDTH) * 0.2)
        self.layers = nn.ModuleList(TextLayer(TEXT_WIDTH) for _ in range(2))
        self.norm = nn.LayerNorm(TEXT_WIDTH)

    def forward(self, ids: Tensor) -> Tensor:
        x = F.embedding(ids, self.words) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Residual(nn.Module):
    """Two 3 x 3 convolutions, the second scaled and shifted by the condition where there is one."""

    def __init__(self, source: int, target: int, condition: int = 0):
        super().__init__()
        self.norm_in, self.norm_out = GroupNorm(source), GroupNorm(target)
        self.conv_in = nn.Conv2d(source, target, 3, padding=1)
        self.conv_out = nn.Conv2d(target, target, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        self.skip = nn.Conv2d(source, target, 1) if source != target else nn.Identity()
        self.modulate = nn.Linear(condition, 2 * target) if condition else None

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        h = self.norm_out(self.conv_in(F.silu(self.norm_in(x))))
        if self.modulate is not None:
            change = self.modulate(condition)[:, :, None, None]
            channels = int(h.shape[1])
            h = h * (1 + change[:, :channels]) + change[:, channels:]
        return self.skip(x) + self.conv_out(F.silu(h))


class AttentionBlock(nn.Module):
    """Self-attention, cross-attention to the text and a feed-forward layer, at every place of the grid."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm_self, self.norm_text, self.norm_mlp = (nn.LayerNorm(channels) for _ in range(3))
        self.own = Attention(channels, channels)
        self.text = Attention(channels, TEXT_WIDTH)
        self.mlp = feed_forward(channels, 2)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        channels, height, width = (int(n) for n in x.shape[1:])
        h = x.reshape(-1, channels, height * width).permute(0, 2, 1)
        normed = self.norm_self(h)
        h = h + self.own(normed, normed)
        h = h + self.text(self.norm_text(h), text)
        h = h + self.mlp(self.norm_mlp(h))
        return h.permute(0, 2, 1).reshape(-1, channels, height, width)


class UNet(nn.Module):
    """Noise in a latent (batch, 4, 8, 8) at a time step (batch or 1), given the text's hidden states."""

    def __init__(self, wide: int = 96, deep: int = 160, condition: int = 256):
        super().__init__()
        self.frequencies = nn.Parameter(torch.exp(-math.log(10000) * torch.arange(64) / 64), requires_grad=False)
        self.time = nn.Sequential(nn.Linear(128, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.summary = nn.Linear(TEXT_WIDTH, condition)
        self.conv_in = nn.Conv2d(LATENT, wide, 3, padding=1)
        self.where = nn.Parameter(torch.randn(1, wide, GRID, GRID) * 0.1)  # "left" is learned last without it
        self.where_deep = nn.Parameter(torch.randn(1, deep, GRID // 2, GRID // 2) * 0.1)
        self.down_wide, self.down_wide_attention = Residual(wide, wide, condition), AttentionBlock(wide)
        self.down = nn.Conv2d(wide, deep, 3, stride=2, padding=1)
        self.down_deep, self.down_deep_attention = Residual(deep, deep, condition), AttentionBlock(deep)
        self.up_deep, self.up_deep_attention = Residual(2 * deep, deep, condition), AttentionBlock(deep)
        self.up = nn.Conv2d(deep, wide, 3, padding=1)
        self.up_wide, self.up_wide_attention = Residual(2 * wide, wide, condition), AttentionBlock(wide)
        self.last_wide = Residual(2 * wide, wide, condition)
        self.norm_out, self.conv_out = GroupNorm(wide), nn.Conv2d(wide, LATENT, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)

    def forward(self, sample: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        angles = timestep.to(torch.float32).reshape(-1, 1) * self.frequencies
        condition = self.time(torch.cat([angles.sin(), angles.cos()], 1)) + self.summary(text.mean(1))
        condition = F.silu(condition)
        first = self.conv_in(sample) + self.where
        wide = self.down_wide_attention(self.down_wide(first, condition), text)
        entry = self.down(wide) + self.where_deep
        deep = self.down_deep_attention(self.down_deep(entry, condition), text)
        deep = self.up_deep_attention(self.up_deep(torch.cat([deep, entry], 1), condition), text)
        h = self.up(F.interpolate(deep, scale_factor=2.0, mode="nearest"))
        h = self.up_wide_attention(self.up_wide(torch.cat([h, wide], 1), condition), text)
        h = self.last_wide(torch.cat([h, first], 1), condition)
        return self.conv_out(F.silu(self.norm_out(h)))


class Encoder(nn.Module):
    """Picture (batch, 3, 64, 64) in -1..1 -> mean and log variance of its latent."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 64, 4, stride=4)
        self.fine = nn.Sequential(Residual(64, 64), Residual(64, 64))
        self.down = nn.Conv2d(64, 128, 3, stride=2, padding=1)
        self.coarse = Residual(128, 128)
        self.norm, self.out = GroupNorm(128), nn.Conv2d(128, 2 * LATENT, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        h = self.coarse(self.down(self.fine(self.patches(picture))))
        mean, variance = self.out(F.silu(self.norm(h))).chunk(2, 1)
        return mean, variance.clamp(-12, 4)


class Decoder(nn.Module):
    """Latent (batch, 4, 8, 8), its mean taken off -> picture (batch, 3, 64, 64) in -1..1."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(1, LATENT, 1, 1), requires_grad=False)
        self.enter = nn.Conv2d(LATENT, 112, 3, padding=1)
        self.at_8 = Residual(112, 112)
        self.to_16 = nn.Conv2d(112, 80, 3, padding=1)
        self.at_16 = nn.Sequential(Residual(80, 80), Residual(80, 80))
        self.to_32 = nn.Conv2d(80, 40, 3, padding=1)
        self.at_32 = Residual(40, 40)
        self.norm, self.to_64 = GroupNorm(40), nn.Conv2d(40, 24, 3, padding=1)
        self.out = nn.Conv2d(24, 3, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        def twice(x: Tensor) -> Tensor:
            return F.interpolate(x, scale_factor=2.0, mode="nearest")

        h = self.at_8(self.enter(latent + self.mean))
        h = self.at_16(self.to_16(twice(h)))
        h = self.at_32(self.to_32(twice(h)))
        h = F.silu(self.to_64(twice(F.silu(self.norm(h)))))
        return self.out(h)
