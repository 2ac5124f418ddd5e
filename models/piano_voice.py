"""The piano voice: a parallel WaveNet that turns a harmonic source and noise into an instrument.

The stack is that of van den Oord et al. 2016 (dilated causal convolutions, gated activation units, residual
and skip connections, local conditioning), but it is fed no past of its own output: it hears the source of
`models/source.py` and noise in sub-bands, and is told the notes (`models/voice_features.py`). It says, step
by step, how loud each band of the source and of the noise is to be, and what is to be added.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.piano_voice_config import GAIN_RANGE, NOISE_FLOOR, QUIETEST, PianoVoiceConfig
from models.source import CHANNELS, GROUPS


class CausalConv(nn.Conv1d):
    """A dilated causal convolution whose past is handed over."""

    def past_length(self) -> int:
        """Steps of input that have to be kept."""
        return (self.kernel_size[0] - 1) * self.dilation[0]

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, in, T), past: (B, in, past_length) -> (B, out, T), the next past."""
        whole = torch.cat([past, x], dim=2)
        return functional.conv1d(whole, self.weight, self.bias, dilation=self.dilation), whole[
            :, :, whole.shape[2] - self.past_length() :
        ]


State = tuple[Tensor, ...]
"""The past of each convolution, context network first."""


class PianoVoiceNet(nn.Module):
    """Source, noise and notes in; sub-bands out."""

    source_scale: Tensor
    output_scale: Tensor

    def __init__(self, config: PianoVoiceConfig) -> None:
        super().__init__()
        self.config = c = config
        self.read = nn.Conv1d(c.told, c.context, 1)
        self.context = nn.ModuleList(
            CausalConv(c.context, c.context, c.kernel, dilation=d) for d in c.context_dilations
        )
        layers = len(c.dilations)
        self.condition = nn.Conv1d(c.context, layers * 2 * c.residual, 1)
        self.entry = nn.Conv1d(c.inputs, c.residual, 1)
        self.dilated = nn.ModuleList(
            CausalConv(c.residual, 2 * c.residual, c.kernel, dilation=d, bias=False) for d in c.dilations
        )
        self.residual = nn.ModuleList(nn.Conv1d(c.residual, c.residual, 1) for _ in c.dilations)
        self.skip = nn.ModuleList(nn.Conv1d(c.residual, c.skip, 1) for _ in c.dilations)
        self.head = nn.Conv1d(c.skip, c.skip, 1)
        self.output = nn.Conv1d(c.skip, c.outputs, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("source_scale", torch.ones(GROUPS * c.rows))
        self.register_buffer("output_scale", torch.full((c.rows,), 0.01))

    def silent_state(self, batch: int = 1) -> State:
        """The state before any sound."""
        convs = [*self.context, *self.dilated]
        return tuple(
            self.entry.weight.new_zeros(batch, conv.in_channels, conv.past_length()) for conv in convs
        )

    def forward(
        self, source: Tensor, noise: Tensor, features: Tensor, voice: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """The whole signal at once.

        source: (B, GROUPS * rows, J * steps), noise: (B, rows, J * steps) of unit variance,
        features: (B, FEATURES, J) -> sub-bands (B, rows, J * steps).  voice: global conditioning, what is added to
        what `read`, `condition` and `output` say, (B, their outputs, 1).
        """
        return self.step(source, noise, features, self.silent_state(len(source)), voice)[0]

    def step(
        self,
        source: Tensor,
        noise: Tensor,
        features: Tensor,
        state: State,
        voice: Mapping[str, Tensor] | None = None,
    ) -> tuple[Tensor, State]:
        """The next frames; shapes as in `forward`, any J."""
        c = self.config
        pasts = iter(state)
        nexts: list[Tensor] = []
        read = self.read(torch.cat([features, self._loudness(source)], dim=1))
        code = functional.relu(read if voice is None else read + voice["read"])
        for conv in self.context:
            heard, past = conv.step(code, next(pasts))
            nexts.append(past)
            code = code + functional.relu(heard)
        conditions = self.condition(code) if voice is None else self.condition(code) + voice["condition"]
        told = conditions.repeat_interleave(c.steps, dim=2).chunk(len(c.dilations), dim=1)
        x = self.entry(torch.cat([source * self.source_scale[:, None], noise], dim=1))
        skips = torch.zeros_like(x[:, :1])
        for conv, residual, skip, condition in zip(self.dilated, self.residual, self.skip, told, strict=True):
            heard, past = conv.step(x, next(pasts))
            nexts.append(past)
            filtered, gate = (heard + condition).chunk(2, dim=1)
            z = torch.tanh(filtered) * torch.sigmoid(gate)
            skips = skips + skip(z)
            x = x + residual(z)
        said = self.output(functional.relu(self.head(functional.relu(skips))))
        said = said if voice is None else said + voice["output"]
        return self._mix(source, noise, said), tuple(nexts)

    def _loudness(self, source: Tensor) -> Tensor:
        """The logarithm of each row's power in each frame, about -1..1: (B, rows, T) -> (B, rows, J)."""
        power = source.unflatten(2, (-1, self.config.steps)).square().mean(dim=3)
        return 0.1 * torch.log(power + QUIETEST) + 1

    def _mix(self, source: Tensor, noise: Tensor, said: Tensor) -> Tensor:
        """What the network says, done: (B, outputs, T) -> (B, rows, T)."""
        rows = self.config.rows
        added, gains, level = said.float().split([rows, GROUPS * rows, rows], dim=1)
        turned = source * torch.exp(GAIN_RANGE * torch.tanh(gains / GAIN_RANGE))
        sounding = turned.unflatten(1, (GROUPS, rows)).sum(dim=1)
        hiss = noise * torch.exp(torch.clamp(level, -6.0, 6.0) + NOISE_FLOOR)
        return sounding + hiss + added * self.output_scale[:, None]


class Joiner(nn.Module):
    """Sub-bands to sound, by the filter bank's synthesis."""

    filters: Tensor

    def __init__(self, config: PianoVoiceConfig) -> None:
        super().__init__()
        self.bands = config.bands
        filters = torch.from_numpy(config.bank().synthesis).float()
        self.register_buffer("filters", filters[:, None, :], persistent=False)

    def forward(self, subbands: Tensor) -> Tensor:
        """(B, CHANNELS * bands, T) -> (B, CHANNELS, T * bands), lagging as `delay` has it."""
        batch, _, steps = subbands.shape
        each = subbands.reshape(batch * CHANNELS, self.bands, steps)
        sound = functional.conv_transpose1d(each, self.filters, stride=self.bands)[..., : steps * self.bands]
        return sound.reshape(batch, CHANNELS, steps * self.bands)
