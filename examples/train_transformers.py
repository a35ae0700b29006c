"""Train a language model of 0.1 million parameters with Hugging Face's Trainer: some seconds, no download.

Run it with ``pip install 'wattermark[transformers]'``; it learns to count, and tells joules per token::

    python examples/train_transformers.py
"""

import sys
import tempfile

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from wattermark.integrations.transformers import watch

WORDS, LENGTH, ROWS, EPOCHS = 64, 32, 1000, 2


def counting(rows: int) -> list[dict[str, torch.Tensor]]:
    """Rows that count upwards from a random word."""
    starts = torch.randint(0, WORDS, (rows, 1), generator=torch.Generator().manual_seed(0))
    words = (starts + torch.arange(LENGTH)) % WORDS
    return [{"input_ids": row, "labels": row} for row in words]


def main() -> int:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # so small a model is faster on one
    small = {"vocab_size": WORDS, "n_positions": LENGTH, "n_embd": 64, "n_layer": 2, "n_head": 2}
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=16,
            learning_rate=1e-3,
            logging_steps=25,
            include_num_input_tokens_seen="all",
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
        )
        model = GPT2LMHeadModel(GPT2Config(**small, bos_token_id=0, eos_token_id=0))
        trainer = Trainer(model=model, args=arguments, train_dataset=counting(ROWS))
        measured = watch(trainer, name="counting", tags={"example": "transformers"})
        trainer.train()
    print(f"energy {measured.run.footprint().it_energy_j}")
    print(f"energy per token {measured.per['token']}")
    print(f"energy per floating-point operation, as the trainer counts them {measured.per['flop']}")
    last = [logs["loss"] for logs in trainer.state.log_history if "loss" in logs][-1]
    return 0 if last < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
