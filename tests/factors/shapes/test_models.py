"""Shapes of language models: by any of their names, and none that cannot be."""

import json

import pytest

from wattermark.errors import UsageError
from wattermark.factors.shapes.model_config import read_config
from wattermark.factors.shapes.models import architecture_named
from wattermark.factors.table import table

LLAMA_8B = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "torch_dtype": "bfloat16",
    "tie_word_embeddings": False,
}  # fmt: skip
QWEN3_30B = {
    "model_type": "qwen3_moe", "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 48,
    "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8, "head_dim": 128,
    "num_attention_heads": 32, "num_key_value_heads": 4, "vocab_size": 151936, "torch_dtype": "bfloat16",
    "tie_word_embeddings": False, "decoder_sparse_step": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("llama-3.1-8b", 8.03e9),
        ("meta-llama/Llama-3.1-8B-Instruct", 8.03e9),
        ("Llama 3.1 70B", 70.6e9),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", 30.5e9),
        ("openai/gpt-oss-20b", 20.9e9),
    ],
)
def test_a_model_is_known_by_each_of_its_names(name, params):
    assert architecture_named(name).params == pytest.approx(params, rel=0.01)


def test_no_row_is_absurd():
    for row in table("models"):
        one = architecture_named(row["id"])
        assert 0 < one.active_params <= one.params < 3e12
        assert 1 <= one.experts_per_token <= one.experts
        assert one.layers > 0 and one.attention_width >= 0
        assert one.kv_values + one.kv_window_values >= 0


@pytest.mark.parametrize(
    ("config", "params", "active"),
    [
        pytest.param(LLAMA_8B, 8.03e9, 8.03e9, id="dense"),
        pytest.param(QWEN3_30B, 30.5e9, 3.3e9, id="a mixture of experts"),
    ],
)
def test_parameters_are_counted_from_the_shape(tmp_path, config, params, active):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    found = read_config(path)
    assert found.params == pytest.approx(params, rel=0.02)
    assert found.active_params == pytest.approx(active, rel=0.03)
    named = architecture_named("llama-3.1-8b" if config is LLAMA_8B else "qwen3-30b-a3b")
    assert (found.kv_values, found.attention_width) == (named.kv_values, named.attention_width)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="half"),
        pytest.param("[]", id="a list"),
        pytest.param("{}", id="empty"),
        *(
            pytest.param(json.dumps({k: v for k, v in LLAMA_8B.items() if k != key}), id=f"no {key}")
            for key in ("hidden_size", "num_hidden_layers", "vocab_size")
        ),
        *(
            pytest.param(json.dumps({**LLAMA_8B, "hidden_size": value}), id=f"hidden {value!r}")
            for value in (0, -1, "many", True, 1e30)
        ),
    ],
)
def test_a_config_that_cannot_be_meant_is_told(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(UsageError):
        read_config(path)
