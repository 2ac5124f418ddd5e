"""The ensemble's network: the piano's, and an embedding that tells it which instrument it is to be."""

from torch import Tensor, nn

from models.ensemble_config import TOLD, EnsembleConfig
from models.piano_voice import PianoVoiceNet


class EnsembleNet(nn.Module):
    """Source, noise, notes and a mixture of voices in; sub-bands out."""

    def __init__(self, config: EnsembleConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = PianoVoiceNet(config.trunk)
        self.embedding = nn.Embedding(len(config.voices), config.embedding)
        shapes = config.trunk.shapes()
        self.told = nn.ModuleDict(
            {name: nn.Linear(config.embedding, shapes[f"{name}.bias"][0], bias=False) for name in TOLD}
        )
        for projection in self.told.values():
            nn.init.zeros_(projection.weight)  # at first all voices are one

    def forward(self, source: Tensor, noise: Tensor, features: Tensor, shares: Tensor) -> Tensor:
        """The whole signal at once. shares: (B, voices), the rest as in `PianoVoiceNet.forward`."""
        mixed = shares @ self.embedding.weight
        voice = {name: projection(mixed)[:, :, None] for name, projection in self.told.items()}
        return self.trunk(source, noise, features, voice)
