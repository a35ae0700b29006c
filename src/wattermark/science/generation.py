"""Images and videos before they are made: the energy of diffusion transformers by what they compute.

A model of that kind turns latent tokens of noise into an image or a video in some steps. Each pass
multiplies every token with the weights that it goes through, lets all tokens attend to each other,
and moves activations through every layer; at the end a decoder makes the pixels. Three coefficients
turn FLOPs, activations and pixels into joules. GPUs that share one pass wait for each other: part of
that grows with the work, part with the steps alone. All coefficients are fitted to measurements
(``factors/tables/generation_fit.csv``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wattermark.science.lazily import total
from wattermark.science.uncertainty import Values
from wattermark.values.boundary import Number

FLOPS_PER_PARAM: Final = 2.0
FLOPS_PER_PAIR: Final = 4.0
"""Of attention, for two tokens and a unit of width: half to compare them, half to mix them."""
ALONE: Final = ("denoising", "decoding")
PARTS: Final = (*ALONE, "exchange", "waiting in a pass")
"""What the energy is for; the last two only where several GPUs share a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What is asked of a model. Numbers, or arrays of one shape: rows of what-if.

    ``batch`` items are made at a time by ``gpus`` that share each pass; ``ring`` is the part of that
    sharing done as ring attention (1: all of it as Ulysses). An image is a video of one frame.
    """

    height_px: Number
    width_px: Number
    steps: Number
    frames: Number = 1.0
    batch: Number = 1.0
    gpus: Number = 1.0
    ring: Number = 1.0


def latent_tokens(values: Values, asked: Generation) -> Number:
    """Tokens that a pass works on.

    Parameters
    ----------
    values : mapping
        By name: ``generation_pixels_per_token`` [px], ``generation_frames_per_latent``,
        ``generation_latents_per_token``, ``generation_text_tokens`` [1]; floats or ndarrays.
    asked : Generation
        Its size and frames.

    Returns
    -------
    tokens : float or ndarray
        The first frame is a latent of its own; text counts where it is attended with the image. [1]

    References
    ----------
    .. [1] Peebles, Xie: Scalable Diffusion Models with Transformers. arXiv:2212.09748.
    """
    latents = 1 + (asked.frames - 1) / values["generation_frames_per_latent"]
    # an image is a token deep, however many latents a token of the video takes
    depth = 1 + (latents - 1) / values["generation_latents_per_token"]
    patches = asked.height_px * asked.width_px / values["generation_pixels_per_token"]
    return patches * depth + values["generation_text_tokens"]


def denoise_flops(values: Values, asked: Generation) -> Number:
    """Floating-point operations of all passes of one item.

    Parameters
    ----------
    values : mapping
        As of ``latent_tokens``, and ``generation_token_params`` (weights that a token goes through),
        ``generation_attention_width`` (width summed over layers that attend; 0 where attention is
        linear), ``generation_passes`` (of a step: 2 with classifier-free guidance) [1].
    asked : Generation
        One item of it.

    Returns
    -------
    flops : float or ndarray
        [FLOP]
    """
    tokens = latent_tokens(values, asked)
    weights = FLOPS_PER_PARAM * values["generation_token_params"] * tokens
    pairs = FLOPS_PER_PAIR * values["generation_attention_width"] * tokens**2
    return values["generation_passes"] * asked.steps * (weights + pairs)


def activations(values: Values, asked: Generation) -> Number:
    """Activations that all passes of one item move: a token's width in each layer.

    Parameters
    ----------
    values : mapping
        As of ``latent_tokens``, and ``generation_layers_width`` (width summed over layers),
        ``generation_passes`` [1].
    asked : Generation
        One item of it.

    Returns
    -------
    activations : float or ndarray
        [1]
    """
    moved = values["generation_layers_width"] * latent_tokens(values, asked)
    return values["generation_passes"] * asked.steps * moved


def waits(values: Values, asked: Generation) -> Number:
    """Times that GPUs wait for each other in a layer, over the items of a batch.

    Parameters
    ----------
    values : mapping
        ``generation_layers`` [1].
    asked : Generation
        Its steps, GPUs and batch.

    Returns
    -------
    waits : float or ndarray
        None on one GPU. [1]
    """
    return (asked.gpus - 1) * asked.steps * values["generation_layers"] / asked.batch


def gpu_energy_parts_j(values: Values, asked: Generation) -> dict[str, Number]:
    """The energy of one image or video on all its GPUs, by what it is for.

    Parameters
    ----------
    values : mapping
        As of ``denoise_flops``, ``activations`` and ``waits``, and ``generation_flop_j`` [J/FLOP],
        ``generation_activation_j`` [J], ``generation_pixel_j`` [J/px], ``generation_stall_j`` [J],
        ``generation_gpu_exponent``, ``generation_ring_exponent``, ``generation_scale`` (measured over
        predicted work of this model), ``generation_transfer`` (energy per FLOP of this GPU over that
        of the measured one) and ``generation_error`` [1]; floats or ndarrays.
    asked : Generation
        Floats or ndarrays of one shape.

    Returns
    -------
    dict
        By ``PARTS``: all passes; pixels from latents, and all else that is done once; what several GPUs
        tell each other; and their waiting for each other. [J]

    References
    ----------
    .. [1] Chung et al.: The ML.ENERGY Benchmark. arXiv:2505.06371 (the measurements).
    .. [2] Fang, Zhao: USP, a unified sequence parallelism. arXiv:2405.07719 (Ulysses and ring).
    """
    whole = values["generation_error"] * values["generation_transfer"]
    scale = whole * values["generation_scale"]
    pixels = asked.height_px * asked.width_px * asked.frames
    computed_j = denoise_flops(values, asked) * values["generation_flop_j"]
    moved_j = activations(values, asked) * values["generation_activation_j"]
    denoise_j = scale * (computed_j + moved_j)
    decode_j = scale * pixels * values["generation_pixel_j"]
    shared = sharing(values, asked)
    exchange_j = (denoise_j + decode_j) * (shared - 1)
    stall_j = whole * waits(values, asked) * values["generation_stall_j"]
    return dict(zip(PARTS, (denoise_j, decode_j, exchange_j, stall_j), strict=True))


def sharing(values: Values, asked: Generation) -> Number:
    """How many times the energy of the same work is on several GPUs.

    Parameters
    ----------
    values : mapping
        ``generation_gpu_exponent``, ``generation_ring_exponent`` [1].
    asked : Generation
        Its GPUs and ring.

    Returns
    -------
    times : float or ndarray
        1 on one GPU. [1]
    """
    by_gpus: Number = asked.gpus ** values["generation_gpu_exponent"]
    by_ring: Number = asked.ring ** values["generation_ring_exponent"]
    return by_gpus * by_ring


def gpu_energy_j(values: Values, asked: Generation) -> Number:
    """The energy of one image or video on all its GPUs.

    Parameters
    ----------
    values, asked
        As of ``gpu_energy_parts_j``.

    Returns
    -------
    energy : float or ndarray
        The sum of the parts: GPUs only, no host, no cooling. [J]
    """
    return total(gpu_energy_parts_j(values, asked).values())


def gpu_seconds(values: Values, asked: Generation) -> Number:
    """GPU time of one image or video: seconds times GPUs.

    Parameters
    ----------
    values : mapping
        As of ``gpu_energy_j``, and ``generation_busy_w`` (power of a GPU that computes) [W],
        ``generation_stall_s`` [s], ``generation_time_error`` [1].
    asked : Generation
        As of ``gpu_energy_j``.

    Returns
    -------
    time : float or ndarray
        Divide it by the GPUs for what an item adds to the clock; times the batch, its latency. [s]
    """
    busy_s = gpu_energy_j(values, asked) / values["generation_busy_w"]
    waiting_s = waits(values, asked) * values["generation_stall_s"]
    return values["generation_time_error"] * (busy_s + waiting_s)
