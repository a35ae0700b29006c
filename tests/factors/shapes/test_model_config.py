"""A model from its config.json: as the makers write them, and as nobody should."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.errors import UsageError
from wattermark.factors.shapes.model_config import read_config


def llama(*shape, **more):
    hidden, inner, layers, heads, kv_heads, vocab = shape
    return {
        "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "vocab_size": vocab,
        "torch_dtype": "bfloat16", "tie_word_embeddings": False, "rope_theta": 500000.0, **more,
    }  # fmt: skip


LLAMA_8B = llama(4096, 14336, 32, 32, 8, 128256)
QWEN3_30B = llama(
    2048, 6144, 48, 32, 4, 151936, model_type="qwen3_moe", head_dim=128, moe_intermediate_size=768,
    num_experts=128, num_experts_per_tok=8, decoder_sparse_step=1, mlp_only_layers=[], norm_topk_prob=True,
    use_sliding_window=False, sliding_window=None, max_window_layers=48,
)  # fmt: skip
DEEPSEEK_V3 = llama(
    7168, 18432, 61, 128, 128, 129280, model_type="deepseek_v3", moe_intermediate_size=2048,
    n_routed_experts=256, n_shared_experts=1, num_experts_per_tok=8, first_k_dense_replace=3,
    moe_layer_freq=1, kv_lora_rank=512, q_lora_rank=1536, qk_nope_head_dim=128, qk_rope_head_dim=64,
    v_head_dim=128, num_nextn_predict_layers=1, n_group=8, topk_group=4,
    quantization_config={"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]},
)  # fmt: skip
DEEPSEEK_V2_LITE = llama(
    2048, 10944, 27, 16, 16, 102400, model_type="deepseek_v2", moe_intermediate_size=1408,
    n_routed_experts=64, n_shared_experts=2, num_experts_per_tok=6, first_k_dense_replace=1,
    kv_lora_rank=512, q_lora_rank=None, qk_nope_head_dim=128, qk_rope_head_dim=64, v_head_dim=128,
)  # fmt: skip
GEMMA_3_27B = {
    "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "mm_tokens_per_image": 256,
    "text_config": {
        "model_type": "gemma3_text", "hidden_size": 5376, "intermediate_size": 21504,
        "num_hidden_layers": 62, "num_attention_heads": 32, "num_key_value_heads": 16, "head_dim": 128,
        "sliding_window": 1024, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
    },
    "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27, "model_type": "siglip_vision_model"},
    "torch_dtype": "bfloat16",
}  # fmt: skip
GEMMA_3_4B = {
    "model_type": "gemma3", "torch_dtype": "bfloat16",
    "text_config": {
        "model_type": "gemma3_text", "hidden_size": 2560, "intermediate_size": 10240,
        "num_hidden_layers": 34, "sliding_window": 1024,
    },
}  # fmt: skip
GPT_OSS_20B = llama(
    2880, 2880, 24, 64, 8, 201088, model_type="gpt_oss", head_dim=64, num_local_experts=32,
    num_experts_per_tok=4, experts_per_token=4, sliding_window=128,
    layer_types=["sliding_attention", "full_attention"] * 12,
    quantization_config={"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]},
)  # fmt: skip
GPT_OSS_120B = {**GPT_OSS_20B, "num_hidden_layers": 36, "num_local_experts": 128,
                "layer_types": ["sliding_attention", "full_attention"] * 18}  # fmt: skip
LLAMA_4_SCOUT = {
    "model_type": "llama4", "torch_dtype": "bfloat16", "vision_config": {"hidden_size": 1408},
    "text_config": llama(
        5120, 8192, 48, 40, 8, 202048, model_type="llama4_text", head_dim=128, intermediate_size_mlp=16384,
        num_local_experts=16, num_experts_per_tok=1, interleave_moe_layer_step=1, attention_chunk_size=8192,
        no_rope_layers=[1, 1, 1, 0] * 12,
    ),
}  # fmt: skip
GPT_2 = {"model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_ctx": 1024,
         "n_positions": 1024, "vocab_size": 50257, "activation_function": "gelu_new"}  # fmt: skip
FALCON_7B = {"model_type": "falcon", "hidden_size": 4544, "num_attention_heads": 71, "num_hidden_layers": 32,
             "multi_query": True, "new_decoder_architecture": False, "parallel_attn": True, "alibi": False,
             "vocab_size": 65024, "torch_dtype": "bfloat16"}  # fmt: skip
FALCON_40B = {**FALCON_7B, "hidden_size": 8192, "num_attention_heads": 128, "num_hidden_layers": 60,
              "num_kv_heads": 8, "new_decoder_architecture": True}  # fmt: skip
BLOOM = {"model_type": "bloom", "n_embed": 14336, "n_layer": 70, "num_attention_heads": 112,
         "vocab_size": 250880, "seq_length": 2048, "attention_softmax_in_fp32": True}  # fmt: skip
NEMOTRON_H_8B = {
    "model_type": "nemotron_h", "hidden_size": 4096, "intermediate_size": 21504, "num_hidden_layers": 52,
    "num_attention_heads": 32, "num_key_value_heads": 8, "attention_head_dim": 128, "vocab_size": 131072,
    "hybrid_override_pattern": "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
    "mamba_num_heads": 128, "mamba_head_dim": 64, "n_groups": 8, "ssm_state_size": 128, "conv_kernel": 4,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
NEMOTRON_NANO_9B = {
    **NEMOTRON_H_8B, "hidden_size": 4480, "intermediate_size": 15680, "num_hidden_layers": 56,
    "num_attention_heads": 40, "mamba_head_dim": 80,
    "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-",
}  # fmt: skip
BERT = {"model_type": "bert", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "max_position_embeddings": 512, "type_vocab_size": 2,
        "vocab_size": 30522, "hidden_act": "gelu", "position_embedding_type": "absolute"}  # fmt: skip
BGE_M3 = {**BERT, "model_type": "xlm-roberta", "hidden_size": 1024, "num_hidden_layers": 24,
          "num_attention_heads": 16, "intermediate_size": 4096, "max_position_embeddings": 8194,
          "vocab_size": 250002, "type_vocab_size": 1, "torch_dtype": "float32"}  # fmt: skip
MISTRAL = llama(4096, 14336, 32, 32, 8, 32000, model_type="mistral", sliding_window=4096)
MIXTRAL = llama(
    4096, 14336, 32, 32, 8, 32000, model_type="mixtral", sliding_window=None, num_local_experts=8,
    num_experts_per_tok=2,
)  # fmt: skip
PHI_3 = llama(3072, 8192, 32, 32, 32, 32064, model_type="phi3", sliding_window=2047)
PHI_MOE = llama(
    4096, 6400, 32, 32, 8, 32064, model_type="phimoe", num_local_experts=16, num_experts_per_tok=2,
    sliding_window=131072,
)  # fmt: skip
QWEN_7B = llama(
    3584, 18944, 28, 28, 4, 152064, model_type="qwen2", sliding_window=131072, use_sliding_window=False,
    max_window_layers=28,
)  # fmt: skip
GEMMA_2_9B = llama(
    3584, 14336, 42, 16, 8, 256000, model_type="gemma2", head_dim=256, sliding_window=4096,
    tie_word_embeddings=True,
)  # fmt: skip
KIMI_K2 = {**DEEPSEEK_V3, "model_type": "kimi_k2", "num_attention_heads": 64, "num_key_value_heads": 64,
           "n_routed_experts": 384, "first_k_dense_replace": 1, "vocab_size": 163840}  # fmt: skip
QWEN3_EMBEDDING = llama(1024, 3072, 28, 16, 8, 151669, model_type="qwen3", head_dim=128,
                        tie_word_embeddings=True)  # fmt: skip


def read(tmp_path, document):
    path = tmp_path / "config.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_config(path)


@pytest.mark.parametrize(
    ("config", "params", "active"),
    [
        pytest.param(LLAMA_8B, 8.03e9, 8.03e9, id="Llama 3.1 8B"),
        pytest.param(llama(8192, 28672, 80, 64, 8, 128256), 70.55e9, 70.55e9, id="Llama 3.1 70B"),
        pytest.param(llama(16384, 53248, 126, 128, 8, 128256), 405.85e9, 405.85e9, id="Llama 3.1 405B"),
        pytest.param(LLAMA_4_SCOUT, 108e9, 17.2e9, id="Llama 4 Scout: its language model"),
        pytest.param(QWEN_7B, 7.616e9, 7.616e9, id="Qwen 2.5 7B"),
        pytest.param(QWEN3_30B, 30.53e9, 3.35e9, id="Qwen3 30B A3B"),
        pytest.param(QWEN3_EMBEDDING, 0.596e9, 0.596e9, id="Qwen3 Embedding"),
        pytest.param(DEEPSEEK_V3, 671e9, 37.5e9, id="DeepSeek-V3: latent attention, a shared expert"),
        pytest.param(DEEPSEEK_V2_LITE, 15.7e9, 2.66e9, id="DeepSeek-V2-Lite: queries without a rank"),
        pytest.param(KIMI_K2, 1.026e12, 32.9e9, id="Kimi K2"),
        pytest.param(GEMMA_3_27B, 27.01e9, 27.01e9, id="Gemma 3 27B: inside of a model that sees"),
        pytest.param(GEMMA_3_4B, 3.88e9, 3.88e9, id="Gemma 3 4B: what the file leaves to the library"),
        pytest.param(GEMMA_2_9B, 9.24e9, 9.24e9, id="Gemma 2 9B"),
        pytest.param(GPT_OSS_20B, 20.91e9, 3.61e9, id="gpt-oss-20b"),
        pytest.param(GPT_OSS_120B, 116.8e9, 5.13e9, id="gpt-oss-120b"),
        pytest.param(MIXTRAL, 46.7e9, 12.88e9, id="Mixtral 8x7B"),
        pytest.param(PHI_MOE, 41.87e9, 6.64e9, id="Phi-3.5 MoE"),
        pytest.param(MISTRAL, 7.24e9, 7.24e9, id="Mistral 7B"),
        pytest.param(PHI_3, 3.82e9, 3.82e9, id="Phi-3 mini"),
        pytest.param(GPT_2, 124.4e6, 124.4e6, id="GPT-2: the oldest names of keys"),
        pytest.param(FALCON_7B, 6.92e9, 6.92e9, id="Falcon 7B: one head of keys"),
        pytest.param(FALCON_40B, 41.3e9, 41.3e9, id="Falcon 40B"),
        pytest.param(BLOOM, 176.25e9, 176.25e9, id="BLOOM"),
        pytest.param(NEMOTRON_H_8B, 8.1e9, 8.1e9, id="Nemotron-H 8B: Mamba"),
        pytest.param(NEMOTRON_NANO_9B, 8.89e9, 8.89e9, id="Nemotron Nano 9B: heads wider than their share"),
        pytest.param(BERT, 109.5e6, 109.5e6, id="BERT"),
        pytest.param(BGE_M3, 568e6, 568e6, id="BGE-M3: an embedding"),
    ],
)
def test_parameters_are_those_that_were_published(tmp_path, config, params, active):
    found = read(tmp_path, config)
    assert found.params == pytest.approx(params, rel=0.01)
    assert found.active_params == pytest.approx(active, rel=0.02)


@pytest.mark.parametrize(
    ("config", "whole", "window", "tokens"),
    [
        pytest.param(LLAMA_8B, 2 * 8 * 128 * 32, 0, 0, id="Llama 3.1 8B: groups of heads"),
        pytest.param(llama(16384, 53248, 126, 128, 8, 128256), 2 * 8 * 128 * 126, 0, 0, id="Llama 3.1 405B"),
        pytest.param(LLAMA_4_SCOUT, 2 * 8 * 128 * 12, 2 * 8 * 128 * 36, 8192, id="Llama 4 Scout: chunks"),
        pytest.param(QWEN_7B, 2 * 4 * 128 * 28, 0, 0, id="Qwen 2.5: a window that is off"),
        pytest.param(QWEN3_30B, 2 * 4 * 128 * 48, 0, 0, id="Qwen3 30B A3B"),
        pytest.param(DEEPSEEK_V3, (512 + 64) * 61, 0, 0, id="DeepSeek-V3: a latent, no heads"),
        pytest.param(GEMMA_3_27B, 2 * 16 * 128 * 10, 2 * 16 * 128 * 52, 1024, id="Gemma 3: one in six"),
        pytest.param(GEMMA_3_4B, 2 * 4 * 256 * 5, 2 * 4 * 256 * 29, 1024, id="Gemma 3 4B"),
        pytest.param(GEMMA_2_9B, 2 * 8 * 256 * 21, 2 * 8 * 256 * 21, 4096, id="Gemma 2: every second"),
        pytest.param(GPT_OSS_20B, 2 * 8 * 64 * 12, 2 * 8 * 64 * 12, 128, id="gpt-oss: as its layers say"),
        pytest.param(MIXTRAL, 2 * 8 * 128 * 32, 0, 0, id="Mixtral: a window of null"),
        pytest.param(MISTRAL, 0, 2 * 8 * 128 * 32, 4096, id="Mistral: every layer has one"),
        pytest.param(PHI_3, 0, 2 * 32 * 96 * 32, 2047, id="Phi-3 mini"),
        pytest.param(GPT_2, 2 * 12 * 64 * 12, 0, 0, id="GPT-2"),
        pytest.param(FALCON_7B, 2 * 64 * 32, 0, 0, id="Falcon 7B: one head for all"),
        pytest.param(FALCON_40B, 2 * 8 * 64 * 60, 0, 0, id="Falcon 40B"),
        pytest.param(NEMOTRON_H_8B, 2 * 8 * 128 * 4, 0, 0, id="Nemotron-H: four layers attend"),
        pytest.param(NEMOTRON_NANO_9B, 2 * 8 * 128 * 4, 0, 0, id="Nemotron Nano"),
    ],
)
def test_what_attention_keeps_for_a_token(tmp_path, config, whole, window, tokens):
    found = read(tmp_path, config)
    assert (found.kv_values, found.kv_window_values, found.window_tokens) == (whole, window, tokens)


@pytest.mark.parametrize(
    ("more", "precision"),
    [
        pytest.param({}, "bf16", id="bfloat16"),
        pytest.param({"torch_dtype": None, "dtype": "float16"}, "fp16", id="the new name of the key"),
        pytest.param({"torch_dtype": "torch.float32"}, "fp32", id="as Python says it"),
        pytest.param({"torch_dtype": None}, "bf16", id="nothing said"),
        pytest.param({"quantization_config": {"quant_method": "fp8"}}, "fp8", id="fp8"),
        pytest.param({"quantization_config": {"quant_method": "mxfp4"}}, "mxfp4", id="mxfp4"),
        pytest.param({"quantization_config": {"quant_method": "awq", "bits": 4}}, "int4", id="AWQ"),
        pytest.param({"quantization_config": {"quant_method": "gptq", "bits": 8}}, "int8", id="GPTQ"),
        pytest.param(
            {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "int4", id="bnb"
        ),
        pytest.param(
            {"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {
                "group_0": {"weights": {"num_bits": 8, "type": "float"}}}}},
            "fp8", id="compressed tensors",
        ),
    ],
)  # fmt: skip
def test_the_precision_is_that_of_the_weights(tmp_path, more, precision):
    assert read(tmp_path, {**LLAMA_8B, **more}).precision == precision


def test_a_folder_with_a_config_is_as_good_as_the_file(tmp_path):
    (tmp_path / "my-model").mkdir()
    found = read(tmp_path / "my-model", LLAMA_8B)
    assert read_config(tmp_path / "my-model") == found
    assert found.name == "my-model"


def less(config, key):
    return {name: value for name, value in config.items() if name != key}


def deep(levels):
    return '{"text_config": ' * levels + "{}" + "}" * levels


@pytest.mark.parametrize(
    ("document", "says"),
    [
        *(
            pytest.param(less(LLAMA_8B, key), f"'{key}'", id=f"no {key}")
            for key in (
                *("model_type", "hidden_size", "num_hidden_layers"),
                *("num_attention_heads", "vocab_size", "intermediate_size"),
            )
        ),
        pytest.param(less(DEEPSEEK_V3, "v_head_dim"), "'v_head_dim'", id="half of a latent attention"),
        pytest.param(less(MIXTRAL, "num_experts_per_tok"), "'num_experts_per_tok'", id="half of a mixture"),
        pytest.param(
            less(NEMOTRON_H_8B, "hybrid_override_pattern"), "hybrid_override", id="half of a hybrid"
        ),
        pytest.param(
            {**NEMOTRON_H_8B, "hybrid_override_pattern": "M*"}, "of 52 layers", id="two layers of 52"
        ),
        pytest.param("", "not JSON", id="an empty file"),
        pytest.param("{", "not JSON", id="half a document"),
        pytest.param("\x00\x01\x02", "not JSON", id="bytes"),
        pytest.param("[]", "no JSON object", id="a list"),
        pytest.param("null", "no JSON object", id="null"),
        pytest.param('"llama"', "no JSON object", id="a word"),
        pytest.param("{}", "model_type", id="an empty object"),
        pytest.param("[" * 100_000, "not JSON", id="lists too deep"),
        pytest.param(deep(200), "model_type", id="models inside of models"),
        pytest.param(deep(900), "", id="models inside of models inside of models"),
        pytest.param(deep(100_000), "not JSON", id="models too deep"),
        pytest.param({**LLAMA_8B, "model_type": "t5"}, "'t5'", id="a type that we cannot count"),
        pytest.param({**LLAMA_8B, "model_type": ["llama"]}, "model_type", id="a type that is a list"),
        *(
            pytest.param({**LLAMA_8B, "hidden_size": value}, "hidden_size", id=f"hidden {value!r}")
            for value in (0, -4096, 1e30, 10**30, "4096", True, 4096.5, [4096], {}, float("nan"))
        ),
        pytest.param({**LLAMA_8B, "num_attention_heads": 0}, "num_attention_heads", id="zero heads"),
        pytest.param({**LLAMA_8B, "num_key_value_heads": 0}, "num_key_value_heads", id="zero heads of keys"),
        pytest.param({**LLAMA_8B, "num_key_value_heads": 5}, "5 of keys", id="heads that do not divide"),
        pytest.param({**LLAMA_8B, "num_attention_heads": 24}, "head_dim", id="a width that is none"),
        pytest.param(
            {**MIXTRAL, "num_experts_per_tok": 9}, "9 of 8 experts", id="more experts than there are"
        ),
        pytest.param(
            {**DEEPSEEK_V3, "first_k_dense_replace": 62}, "62 of them", id="more layers than there are"
        ),
        pytest.param({**GPT_OSS_20B, "layer_types": ["full_attention"]}, "layer_types", id="one layer named"),
        pytest.param({**GPT_OSS_20B, "layer_types": 24}, "layer_types", id="layers that are a number"),
        pytest.param({**LLAMA_8B, "torch_dtype": "float7"}, "float7", id="a format of weights"),
        pytest.param({**LLAMA_8B, "tie_word_embeddings": "no"}, "tie_word", id="a flag that is a word"),
        pytest.param(
            {**LLAMA_8B, "quantization_config": {"quant_method": "magic", "bits": 3}},
            "magic",
            id="a quantizer",
        ),
        pytest.param(
            {**LLAMA_8B, "quantization_config": {"quant_method": "a\nb" * 999}},
            "width",
            id="a quantizer's novel",
        ),
        pytest.param({"_name_or_path": "a\nb" * 999}, "'model_type'", id="a name of many lines"),
        pytest.param({**LLAMA_8B, "quantization_config": {"bits": [4]}}, "width", id="bits that are a list"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(tmp_path, document, says):
    with pytest.raises(UsageError) as told:
        read(tmp_path, document)
    assert says in str(told.value)
    assert len(str(told.value).splitlines()) == 1 and len(str(told.value)) < 400


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
WHOLE = {
    "MoE": DEEPSEEK_V3,
    "window": GPT_OSS_20B,
    "hybrid": NEMOTRON_H_8B,
    "inner": GEMMA_3_4B,
    "old": GPT_2,
}


@pytest.mark.parametrize("config", WHOLE.values(), ids=WHOLE)
@given(data=st.data())
def test_whatever_stands_at_a_key_is_counted_or_told(tmp_path_factory, config, data):
    changed = {**config, data.draw(st.sampled_from(sorted(config))): data.draw(ANYTHING)}
    folder = tmp_path_factory.getbasetemp() / "anything"
    folder.mkdir(exist_ok=True)
    try:
        found = read(folder, changed)
    except UsageError as told:
        assert len(str(told).splitlines()) == 1
    else:
        assert 0 < found.active_params <= found.params and found.kv_values >= 0


@pytest.mark.parametrize("name", ["folder", "nowhere/config.json"])
def test_a_file_that_is_not_there(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read_config(tmp_path / name)


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "config.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(UsageError, match="not JSON"):
        read_config(tmp_path)


def test_a_file_that_is_far_too_large(tmp_path):
    (tmp_path / "config.json").write_bytes(b" " * 4_000_001)
    with pytest.raises(UsageError, match="larger than"):
        read_config(tmp_path)
