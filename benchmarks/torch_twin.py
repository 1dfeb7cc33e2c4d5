"""The same GPT in torch: eager, with its own fused attention and AdamW, under the same names."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as TF


@dataclass
class Sizes:
    vocab_size: int = 65
    n_embd: int = 32
    n_layer: int = 3
    n_head: int = 4
    block_size: int = 16
    bias: bool = True
    dropout: float = 0.0


class TorchBlock(nn.Module):
    def __init__(self, c: Sizes):
        super().__init__()
        self.n_head, self.dropout = c.n_head, nn.Dropout(c.dropout)
        self.ln_1 = nn.LayerNorm(c.n_embd, bias=c.bias)
        self.attn = nn.ModuleDict(
            {
                "c_attn": nn.Linear(c.n_embd, 3 * c.n_embd, bias=c.bias),
                "c_proj": nn.Linear(c.n_embd, c.n_embd, bias=c.bias),
            }
        )
        self.ln_2 = nn.LayerNorm(c.n_embd, bias=c.bias)
        self.mlp = nn.ModuleDict(
            {
                "c_fc": nn.Linear(c.n_embd, 4 * c.n_embd, bias=c.bias),
                "c_proj": nn.Linear(4 * c.n_embd, c.n_embd, bias=c.bias),
            }
        )

    def forward(self, x):
        B, T, C = x.shape
        heads = lambda t: t.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q, k, v = (heads(t) for t in self.attn["c_attn"](self.ln_1(x)).split(C, dim=2))
        p = self.dropout.p if self.training else 0.0
        y = TF.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=p)
        x = x + self.dropout(self.attn["c_proj"](y.transpose(1, 2).reshape(B, T, C)))
        h = TF.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh")
        return x + self.dropout(self.mlp["c_proj"](h))


class TorchGPT(nn.Module):
    def __init__(self, c: Sizes):
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(c.vocab_size, c.n_embd),
                "wpe": nn.Embedding(c.block_size, c.n_embd),
                "drop": nn.Dropout(c.dropout),
                "h": nn.ModuleList(TorchBlock(c) for _ in range(c.n_layer)),
                "ln_f": nn.LayerNorm(c.n_embd, bias=c.bias),
            }
        )
        self.lm_head = nn.Linear(c.n_embd, c.vocab_size, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight

    def forward(self, idx, targets):
        t = self.transformer
        x = t["drop"](t["wte"](idx) + t["wpe"](torch.arange(idx.shape[1])))
        for block in t["h"]:
            x = block(x)
        logits = self.lm_head(t["ln_f"](x))
        return logits, TF.cross_entropy(logits.flatten(0, 1), targets.flatten())


def adamw(twin: nn.Module, lr: float, weight_decay: float = 0.1, betas=(0.9, 0.99)):
    """torch's AdamW with nanoGPT's two groups: matrices decay, the rest does not."""
    params = list(twin.parameters())
    groups = [
        {"params": [p for p in params if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in params if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=lr, betas=betas)


def train_step(twin: nn.Module, optimizer, idx, targets, grad_clip: float) -> float:
    """What minigrad.train.train_step does."""
    optimizer.zero_grad()
    _, loss = twin(idx, targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(twin.parameters(), grad_clip)
    optimizer.step()
    return loss.item()


def twin_of(model) -> TorchGPT:
    """A twin with the same sizes and weights as a minigrad GPT."""
    names = Sizes.__dataclass_fields__
    twin = TorchGPT(Sizes(**{name: model.config[name] for name in names}))
    state = {name: torch.tensor(array) for name, array in model.collect_state_dict().items()}
    twin.load_state_dict(state)  # strict: the names are the same
    return twin
