"""The facts of published config.json files that the tests read: sizes and switches only."""

LAYER = "num_hidden_layers"
HEADS, KV = "num_attention_heads", "num_key_value_heads"


def config(kind, layers, hidden, heads, kv, inner, vocab, **more):
    """The keys that most files share."""
    return {
        **{"model_type": kind, LAYER: layers, "hidden_size": hidden, HEADS: heads, KV: kv},
        **{"intermediate_size": inner, "vocab_size": vocab, "torch_dtype": "bfloat16"},
        **more,
    }


def every(kinds, layers):
    """Kinds of layers that repeat, over all layers."""
    return (kinds * layers)[:layers]


MLA = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}
FP8 = {"quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}}
HYBRID_9B = "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-"
HYBRID_12B = "M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M*-M-M-M-M-"
MAMBA = {"mamba_num_heads": 128, "mamba_head_dim": 80, "n_groups": 8, "ssm_state_size": 128}
LLAMA4 = {"head_dim": 128, "attention_chunk_size": 8192, "num_experts_per_tok": 1, "intermediate_size_mlp": 16384}
FIVE_OF_SIX = ["sliding_attention"] * 5 + ["full_attention"]

CONFIGS = {
    "llama-2-7b": config("llama", 32, 4096, 32, 32, 11008, 32000),
    "llama-3.1-8b": config("llama", 32, 4096, 32, 8, 14336, 128256),
    "llama-3.1-70b": config("llama", 80, 8192, 64, 8, 28672, 128256),
    "llama-3.1-405b": config("llama", 126, 16384, 128, 8, 53248, 128256),
    "llama-3.2-1b": config("llama", 16, 2048, 32, 8, 8192, 128256, head_dim=64, tie_word_embeddings=True),
    "llama-3.2-3b": config("llama", 28, 3072, 24, 8, 8192, 128256, head_dim=128, tie_word_embeddings=True),
    "llama-4-scout": {
        "model_type": "llama4",
        "torch_dtype": "bfloat16",
        "text_config": config("llama4_text", 48, 5120, 40, 8, 8192, 202048, num_local_experts=16, **LLAMA4),
        "vision_config": {"hidden_size": 1408, LAYER: 34},
    },
    "llama-4-maverick": {
        "model_type": "llama4",
        "text_config": config(
            *("llama4_text", 48, 5120, 40, 8, 8192, 202048),
            **{"num_local_experts": 128, "interleave_moe_layer_step": 2, **LLAMA4},
        ),
    },
    "mistral-7b": config("mistral", 32, 4096, 32, 8, 14336, 32768, sliding_window=None),
    "mistral-7b-v0.1": config("mistral", 32, 4096, 32, 8, 14336, 32000, sliding_window=4096),
    "mistral-nemo-12b": config("mistral", 40, 5120, 32, 8, 14336, 131072, head_dim=128),
    "mistral-small-24b": {
        "model_type": "mistral3",
        "text_config": config("mistral", 40, 5120, 32, 8, 32768, 131072, head_dim=128),
    },
    "mistral-large-2": config("mistral", 88, 12288, 96, 8, 28672, 32768),
    "mixtral-8x7b": config(
        "mixtral", 32, 4096, 32, 8, 14336, 32000, num_local_experts=8, num_experts_per_tok=2
    ),
    "mixtral-8x22b": config(
        "mixtral", 56, 6144, 48, 8, 16384, 32768, num_local_experts=8, num_experts_per_tok=2
    ),
    "qwen2.5-0.5b": config("qwen2", 24, 896, 14, 2, 4864, 151936, tie_word_embeddings=True),
    "qwen2.5-7b": config(
        "qwen2", 28, 3584, 28, 4, 18944, 152064, sliding_window=131072, use_sliding_window=False
    ),
    "qwen2.5-14b": config("qwen2", 48, 5120, 40, 8, 13824, 152064),
    "qwen2.5-32b": config("qwen2", 64, 5120, 40, 8, 27648, 152064),
    "qwen2.5-72b": config("qwen2", 80, 8192, 64, 8, 29568, 152064),
    "qwen3-0.6b": config(
        "qwen3", 28, 1024, 16, 8, 3072, 151936, head_dim=128, tie_word_embeddings=True
    ),
    "qwen3-4b": config("qwen3", 36, 2560, 32, 8, 9728, 151936, head_dim=128, tie_word_embeddings=True),
    "qwen3-8b": config("qwen3", 36, 4096, 32, 8, 12288, 151936, head_dim=128),
    "qwen3-14b": config("qwen3", 40, 5120, 40, 8, 17408, 151936, head_dim=128),
    "qwen3-32b": config("qwen3", 64, 5120, 64, 8, 25600, 151936, head_dim=128),
    "qwen3-30b-a3b": config(
        *("qwen3_moe", 48, 2048, 32, 4, 6144, 151936),
        **{"head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768},
        **{"decoder_sparse_step": 1, "mlp_only_layers": []},
    ),
    "qwen3-235b-a22b": config(
        *("qwen3_moe", 94, 4096, 64, 4, 12288, 151936),
        **{"head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 1536},
    ),
    "qwen3-coder-480b-a35b": config(
        *("qwen3_moe", 62, 6144, 96, 8, 8192, 151936),
        **{"head_dim": 128, "num_experts": 160, "num_experts_per_tok": 8, "moe_intermediate_size": 2560},
    ),
    "qwen3-omni-30b-a3b": {
        "model_type": "qwen3_omni_moe",
        "thinker_config": {
            "model_type": "qwen3_omni_moe_thinker",
            "text_config": config(
                *("qwen3_omni_moe_text", 48, 2048, 32, 4, 768, 152064),
                **{"head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8},
                **{"moe_intermediate_size": 768},
            ),
        },
        "talker_config": {"text_config": {"hidden_size": 1024}},
    },
    "gemma-2-9b": config("gemma2", 42, 3584, 16, 8, 14336, 256000, head_dim=256, sliding_window=4096),
    "gemma-2-27b": config("gemma2", 46, 4608, 32, 16, 36864, 256000, head_dim=128, sliding_window=4096),
    "gemma-3-1b": config(
        *("gemma3_text", 26, 1152, 4, 1, 6912, 262144),
        **{"head_dim": 256, "sliding_window": 512, "sliding_window_pattern": 6},
    ),
    "gemma-3-4b": {  # leaves out what the library has as default
        "model_type": "gemma3",
        "torch_dtype": "bfloat16",
        "text_config": {
            **{"model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240},
            **{LAYER: 34, "sliding_window": 1024},
        },
    },
    "gemma-3-27b": {
        "model_type": "gemma3",
        "text_config": {
            **{"model_type": "gemma3_text", "hidden_size": 5376, "intermediate_size": 21504, LAYER: 62},
            **{HEADS: 32, KV: 16, "head_dim": 128, "sliding_window": 1024},
            "layer_types": every(FIVE_OF_SIX, 62),
        },
    },
    "phi-3-mini": config("phi3", 32, 3072, 32, 32, 8192, 32064),
    "phi-4": config("phi3", 40, 5120, 40, 10, 17920, 100352),
    "deepseek-v2-lite": config(
        *("deepseek_v2", 27, 2048, 16, 16, 10944, 102400),
        **{"q_lora_rank": None, "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6},
        **{"moe_intermediate_size": 1408, "first_k_dense_replace": 1, **MLA},
    ),
    "deepseek-v3": config(
        *("deepseek_v3", 61, 7168, 128, 128, 18432, 129280),
        **{"q_lora_rank": 1536, "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8},
        **{"moe_intermediate_size": 2048, "first_k_dense_replace": 3, **MLA, **FP8},
    ),
    "kimi-k2": config(
        *("kimi_k2", 61, 7168, 64, 64, 18432, 163840),
        **{"q_lora_rank": 1536, "n_routed_experts": 384, "n_shared_experts": 1, "num_experts_per_tok": 8},
        **{"moe_intermediate_size": 2048, "first_k_dense_replace": 1, **MLA, **FP8},
    ),
    "gpt-oss-20b": config(
        *("gpt_oss", 24, 2880, 64, 8, 2880, 201088),
        **{"head_dim": 64, "num_local_experts": 32, "experts_per_token": 4, "sliding_window": 128},
        **{"layer_types": every(["sliding_attention", "full_attention"], 24)},
        **{"quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}},
    ),
    "gpt-oss-120b": config(
        *("gpt_oss", 36, 2880, 64, 8, 2880, 201088),
        **{"head_dim": 64, "num_local_experts": 128, "num_experts_per_tok": 4, "sliding_window": 128},
        **{"quantization_config": {"quant_method": "mxfp4"}},
    ),
    "nemotron-nano-9b-v2": config(
        *("nemotron_h", 56, 4480, 40, 8, 15680, 131072),
        **{"head_dim": 128, "hybrid_override_pattern": HYBRID_9B, **MAMBA},
    ),
    "nemotron-nano-12b-v2": config(
        *("nemotron_h", 62, 5120, 40, 8, 20480, 131072),
        **{"head_dim": 128, "hybrid_override_pattern": HYBRID_12B, **MAMBA},
    ),
    "glm-4.5-air": config(
        *("glm4_moe", 46, 4096, 96, 8, 10944, 151552),
        **{"head_dim": 128, "n_routed_experts": 128, "n_shared_experts": 1, "num_experts_per_tok": 8},
        **{"moe_intermediate_size": 1408, "first_k_dense_replace": 1, "num_nextn_predict_layers": 1},
    ),
    "glm-4.5": config(
        *("glm4_moe", 92, 5120, 96, 8, 12288, 151552),
        **{"head_dim": 128, "n_routed_experts": 160, "n_shared_experts": 1, "num_experts_per_tok": 8},
        **{"moe_intermediate_size": 1536, "first_k_dense_replace": 3},
    ),
    "olmo-2-7b": config("olmo2", 32, 4096, 32, 32, 11008, 100352),
    "olmo-2-13b": config("olmo2", 40, 5120, 40, 40, 13824, 100352),
    "olmo-2-32b": config("olmo2", 64, 5120, 40, 8, 27648, 100352),
    "olmoe-1b-7b": config(
        "olmoe", 16, 2048, 16, 16, 1024, 50304, num_experts=64, num_experts_per_tok=8
    ),
    "smollm3-3b": config("smollm3", 36, 2048, 16, 4, 11008, 128256, tie_word_embeddings=True),
    "command-r-plus": config("cohere", 64, 12288, 96, 8, 33792, 256000),
    "granite-3.3-8b": config("granite", 40, 4096, 32, 8, 12800, 49159, tie_word_embeddings=True),
    "yi-34b": config("llama", 60, 7168, 56, 8, 20480, 64000),
    "falcon-7b": {
        **{"model_type": "falcon", LAYER: 32, "hidden_size": 4544, HEADS: 71, "vocab_size": 65024},
        **{"multi_query": True, "new_decoder_architecture": False, "torch_dtype": "bfloat16"},
    },
    "falcon-40b": {
        **{"model_type": "falcon", LAYER: 60, "hidden_size": 8192, HEADS: 128, "num_kv_heads": 8},
        **{"vocab_size": 65024, "new_decoder_architecture": True},
    },
    "bloom-176b": {
        **{"model_type": "bloom", "n_layer": 70, "hidden_size": 14336, "n_head": 112, "vocab_size": 250880},
    },
    "gpt-2": {
        **{"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50257},
        **{"n_positions": 1024, "n_inner": None},
    },
    "pythia-6.9b": config("gpt_neox", 32, 4096, 32, 32, 16384, 50432, torch_dtype="float16"),
    "gpt-neox-20b": config("gpt_neox", 44, 6144, 64, 64, 24576, 50432),
    "starcoder": {
        **{"model_type": "gpt_bigcode", "n_layer": 40, "n_embd": 6144, "n_head": 48, "n_inner": 24576},
        **{"multi_query": True, "n_positions": 8192, "vocab_size": 49152},
    },
    "starcoder2-15b": config(
        *("starcoder2", 40, 6144, 48, 4, 24576, 49152), sliding_window=4096, tie_word_embeddings=False
    ),
}
