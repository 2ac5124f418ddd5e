"""The partner `lstm`: an LSTM over note and chord symbols.

After the "classical piano composer" of many tutorials (Skúli 2017) and Jordan Bird's extension of it: notes
and chords are symbols of one vocabulary, a stack of LSTM layers with dropout between them reads them, a
softmax says the next; waits and lengths are outputs beside it. Different here: velocities are said too; each
key of a chord has its own touch; a chord symbol is its lowest key and its shape, so that training transposes;
two layers of 256 rather than three of 512, to learn in minutes on a CPU.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from models.chord_net import State


@dataclass(frozen=True, slots=True)
class LstmConfig:
    """Sizes."""

    width: int = 256
    layers: int = 2
    dropout: float = 0.1


class LstmTrunk(nn.Module):
    """Reads symbols with an LSTM, whose state is its memory of the whole conversation."""

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            config.width, config.width, config.layers, batch_first=True, dropout=config.dropout
        )

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """(B, T, width) and the state before -> the same and the state after."""
        result: tuple[Tensor, State] = self.lstm(x, state)
        return result
