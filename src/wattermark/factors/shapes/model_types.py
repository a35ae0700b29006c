"""Types of language models (``model_type`` of a config.json): what the type alone tells of their shape."""

from __future__ import annotations

ENCODERS = frozenset({"bert", "roberta", "xlm-roberta", "camembert"})
"""Models that read and do not write: embeddings, no head, and rows for kinds of tokens."""
PLAIN_MLP = ENCODERS | frozenset(
    [
        "gpt2",
        "gpt_neox",
        "gptj",
        "bloom",
        "falcon",
        "opt",
        "phi",
        "starcoder2",
        "gpt_bigcode",
        "nemotron",
        "nemotron_h",
    ]
)
"""Two matrices in an MLP; all others have a gate, thus three."""
TIED = ENCODERS | frozenset(
    [
        "gpt2",
        "bloom",
        "falcon",
        "opt",
        "gpt_bigcode",
        "starcoder2",
        "cohere",
        "cohere2",
        "gemma",
        "gemma2",
        "gemma3",
        "gemma3_text",
    ]
)
"""Embedding and head are one matrix unless the file says otherwise."""
LEARNED_POSITIONS = ENCODERS | {"gpt2", "opt", "gpt_bigcode"}
NOT_LOOKED_UP = frozenset({"gpt_oss"})
"""Their makers leave the embedding out of what is active: a token looks one row of it up."""
GATED_MLP = frozenset(
    [
        "llama",
        "mistral",
        "ministral",
        "mixtral",
        "qwen2",
        "qwen2_moe",
        "qwen3",
        "qwen3_moe",
        "qwen2_vl_text",
        "qwen2_5_vl_text",
        "qwen3_vl_text",
        "qwen3_vl_moe_text",
        "qwen3_omni_moe_text",
        "gemma",
        "gemma2",
        "gemma3",
        "gemma3_text",
        "phi3",
        "phimoe",
        "deepseek_v2",
        "deepseek_v3",
        "kimi_k2",
        "gpt_oss",
        "olmo",
        "olmo2",
        "olmo3",
        "olmoe",
        "llama4",
        "llama4_text",
        "glm",
        "glm4",
        "glm4_moe",
        "cohere",
        "cohere2",
        "smollm3",
        "granite",
        "qwen2_vl",
        "qwen2_5_vl",
    ]
)
KNOWN = PLAIN_MLP | GATED_MLP
