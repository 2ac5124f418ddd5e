"""The autoregressive voice: a WaveNet (van den Oord et al. 2016) that sings the notes it is told, sample by sample.

Section by section of the paper: 2.1, dilated causal convolutions; 2.2, a softmax over mu-law levels; 2.3, gated
activation units; 2.4, residual and skip connections; 2.5, local conditioning, here by a small network that reads
the notes frame by frame (the context stack of 2.6 in its simplest form).

Beyond the paper, if its config says so, it hears the harmonic source of `models/source.py` as further local
conditioning, and the softmax is over what that source leaves of the sound, as LPCNet (Valin and Skoglund 2019)
codes what linear prediction leaves.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.piano_ar_config import QUIETEST, TAIL, PianoArConfig, values_of

State = tuple[Tensor, ...]
"""The past of each convolution, context network first."""


class PianoArNet(nn.Module):
    """Its own past, source and notes in; logits of the next level out."""

    source_scale: Tensor

    def __init__(self, config: PianoArConfig) -> None:
        super().__init__()
        self.config = c = config
        layers = len(c.dilations)
        self.read = nn.Conv1d(c.told, c.context, 1)
        self.context = nn.ModuleList(nn.Conv1d(c.context, c.context, c.kernel) for _ in c.context_dilations)
        self.condition = nn.Conv1d(c.context, layers * 2 * c.residual, 1)
        self.entry = nn.Conv1d(c.inputs, c.residual, 1)
        self.dilated = nn.ModuleList(
            nn.Conv1d(c.residual, 2 * c.residual, c.kernel, bias=False) for _ in c.dilations
        )
        self.residual = nn.ModuleList(nn.Conv1d(c.residual, c.residual, 1) for _ in c.dilations)
        self.skip = nn.ModuleList(nn.Conv1d(c.residual, c.skip, 1) for _ in c.dilations)
        self.head = nn.Conv1d(c.skip, c.skip, 1)
        self.output = nn.Conv1d(c.skip, c.levels, 1)
        self.register_buffer("source_scale", torch.ones(3))

    def silent_state(self, batch: int = 1) -> State:
        """The state before any sound."""
        c = self.config
        lengths = [(c.context, d) for d in c.context_dilations] + [(c.residual, d) for d in c.dilations]
        return tuple(self.entry.weight.new_zeros(batch, channels, d) for channels, d in lengths)

    def forward(self, past: Tensor, source: Tensor, features: Tensor) -> Tensor:
        """The whole signal at once, the teacher's past given.

        past: (B, 1, T) companded, in [-1, 1], the sample before each; source: (B, GROUPS, T); features:
        (B, FEATURES, T / hop) -> logits (B, levels, T).
        """
        return self.step(past, source, features, self.silent_state(len(past)))[0]

    def step(self, past: Tensor, source: Tensor, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The next frames; shapes as in `forward`, any number of whole frames."""
        contexts = len(self.config.context_dilations)
        told, reading = self.tell(source, features, state[:contexts])
        told = told.repeat_interleave(self.config.hop_length, dim=2)
        logits, singing = self.say(self.heard(past, source), told, state[contexts:])
        return logits, (*reading, *singing)

    def tell(self, source: Tensor, features: Tensor, state: State) -> tuple[Tensor, State]:
        """Local conditioning (section 2.5): (B, layers * 2 * residual, frames), what each layer is told."""
        if self.config.hears_source:
            power = source.unflatten(2, (-1, self.config.hop_length)).square().mean(dim=3)
            features = torch.cat([features, 0.1 * torch.log(power + QUIETEST) + 1], dim=1)
        code = functional.relu(self.read(features))
        pasts = []
        for conv, dilation, past in zip(self.context, self.config.context_dilations, state, strict=True):
            heard, kept = _causal(conv, dilation, code, past)
            code = code + functional.relu(heard)
            pasts.append(kept)
        return self.condition(code), tuple(pasts)

    def heard(self, past: Tensor, source: Tensor) -> Tensor:
        """What comes in at each sample: (B, inputs, T)."""
        if not self.config.hears_source:
            return past
        return torch.cat([past, source * self.source_scale[:, None], bend(source.sum(1, True))], dim=1)

    def say(self, heard: Tensor, told: Tensor, state: State) -> tuple[Tensor, State]:
        """The stack (sections 2.1, 2.3 and 2.4): heard and told at each sample to logits, any number of them."""
        c = self.config
        x, skips, pasts = self.entry(heard), heard.new_zeros(()), []
        layers = zip(
            self.dilated, c.dilations, self.residual, self.skip, told.chunk(len(c.dilations), 1), state,
            strict=True,
        )  # fmt: skip
        for conv, dilation, residual, skip, condition, past in layers:
            gates, kept = _causal(conv, dilation, x, past)
            filtered, gate = (gates + condition).chunk(2, dim=1)
            z = torch.tanh(filtered) * torch.sigmoid(gate)
            skips = skips + skip(z)
            x = x + residual(z)
            pasts.append(kept)
        return self.output(functional.relu(self.head(functional.relu(skips)))), tuple(pasts)


def _causal(conv: nn.Module, dilation: int, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
    """A dilated causal convolution whose past is handed over."""
    whole = torch.cat([past, x], dim=2)
    return functional.conv1d(whole, conv.weight, conv.bias, dilation=dilation), whole[:, :, x.shape[2] :]


def bend(sound: Tensor, levels: int = 256) -> Tensor:
    """The mu-law of `piano_ar_config.compand`."""
    return sound.sign() * torch.log1p((levels - 1) * sound.abs().clamp(max=1)) / math.log(levels)


def weigh(logits: Tensor, temperature: float) -> Tensor:
    """Odds of each level against the likeliest, 0 under the tail's: (B, levels)."""
    odds = torch.exp((logits - logits.amax(1, keepdim=True)) / temperature)
    return torch.where(odds < TAIL, 0, odds)


def choose(logits: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    """Draw levels: the first whose summed probability passes `uniform`. (B, levels), (B,) -> (B,) int64."""
    summed = weigh(logits, temperature).cumsum(1)
    return (summed <= uniform[:, None] * summed[:, -1:]).sum(1).clamp(max=logits.shape[1] - 1)


def expect(logits: Tensor, values: Tensor, temperature: float) -> Tensor:
    """The mean of what the levels stand for. (B, levels), (levels,) -> (B,)."""
    odds = weigh(logits, temperature)
    return odds @ values / odds.sum(1)


@torch.no_grad()
def generate(
    net: PianoArNet, source: Tensor, features: Tensor, uniforms: Tensor, temperature: float = 1.0
) -> Tensor:
    """Sing free-running from silence, one step of the network a sample; what the source is to be added to.

    source: (B, GROUPS, T), features: (B, FEATURES, T / hop), uniforms: (B, T) in [0, 1) -> (B, T), full scale 1.
    """
    c = net.config
    state = net.silent_state(len(features))
    contexts = len(c.context_dilations)
    told, _ = net.tell(source, features, state[:contexts])
    singing = state[contexts:]
    past = uniforms.new_zeros(len(features), 1, 1)
    values = torch.from_numpy(values_of(c.levels)).to(uniforms)
    sound = []
    for sample in range(uniforms.shape[1]):
        heard = net.heard(past, source[:, :, sample : sample + 1])
        frame = sample // c.hop_length
        logits, singing = net.say(heard, told[:, :, frame : frame + 1], singing)
        drawn = values[choose(logits[:, :, 0], uniforms[:, sample], temperature)]
        said = drawn + (1 - c.spread) * (expect(logits[:, :, 0], values, temperature) - drawn)
        sound.append(said * c.reach)
        past = c.memory * bend(said, c.levels)[:, None, None]
    return torch.stack(sound, dim=1)
