"""Train a small network with PyTorch Lightning: some seconds on two cores, random data, no download.

After ``pip install 'wattermark[lightning]'``; then ``wattermark show last`` tells it epoch by epoch::

    python examples/train_lightning.py

Without the callback, ``WATTERMARK_AUTO=1 python train.py`` measures any script that uses Lightning.
"""

import sys

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from wattermark.integrations.lightning import WattermarkCallback

EPOCHS, ROWS, FEATURES = 4, 8_000, 64


class Regression(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(FEATURES, 256), torch.nn.ReLU(), torch.nn.Linear(256, 1)
        )

    def training_step(self, batch, _):
        return self._loss(batch, "loss")

    def validation_step(self, batch, _):
        self._loss(batch, "validation_loss")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def _loss(self, batch, name):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layers(x), y)
        self.log(name, loss)
        return loss


def data(seed: int, rows: int, **options) -> DataLoader:
    """Rows whose target is the mean square of their features."""
    x = torch.randn(rows, FEATURES, generator=torch.Generator().manual_seed(seed))
    return DataLoader(TensorDataset(x, x.pow(2).mean(1, keepdim=True)), batch_size=64, **options)


def main() -> int:
    lightning.seed_everything(0)
    torch.set_num_threads(1)  # so small a model is faster on one
    callback = WattermarkCallback(name="regression", tags={"example": "lightning"})
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[callback]
    )
    trainer.fit(Regression(), data(0, ROWS, shuffle=True), data(1, ROWS // 10))
    for name, value in sorted(trainer.callback_metrics.items()):
        print(f"{name:34} {float(value):.4g}")
    print(f"energy with its 90 % interval: {callback.run.footprint().it_energy_j}")
    return 0 if trainer.callback_metrics["validation_loss"] < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
