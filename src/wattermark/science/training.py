"""Training before it runs: from parameters and tokens to work, time and power."""

from __future__ import annotations

from typing import Final

import numpy as np

from wattermark.values.boundary import Number
from wattermark.values.units import S_PER_HOUR

FORWARD: Final = 2.0
"""FLOPs of one parameter for one token, forward: a multiplication and an addition."""

METHOD_FLOPS: Final = {
    "full": 3 * FORWARD,  # forward, and twice as much backward: for the activations and for the weights
    "lora": 2 * FORWARD,  # frozen weights need no gradient of their own
    "qlora": 2 * FORWARD,
    "dpo": 4 * FORWARD,  # and the reference model's forward pass
    "rl": 4 * FORWARD,  # likewise; the tokens that were generated for it come on top, as serving
}
"""FLOPs for each parameter and each token that is trained on, by method."""

ATTENTION_FLOPS: Final = {name: max(flops, 3 * FORWARD) for name, flops in METHOD_FLOPS.items()}
"""Of attention, for two tokens and a unit of width: it has no weights, so its backward pass is whole."""


def training_flops(
    active_params: Number,
    tokens: Number,
    *,
    method: str = "full",
    attention_width: Number = 0.0,
    sequence_tokens: Number = 0.0,
) -> Number:
    """The work of a training: ``6 N D``, and what attention takes over long sequences.

    Parameters
    ----------
    active_params : float or ndarray
        Parameters that a token passes through; all of them in a dense model. [1]
    tokens : float or ndarray
        Tokens trained on, over all epochs. [1]
    method : str
        One of ``METHOD_FLOPS``: full (also pre-training), lora, qlora, dpo, rl.
    attention_width : float or ndarray
        Heads x head width, summed over layers. [1]
    sequence_tokens : float or ndarray
        Length of a sequence; causal attention looks at half of it on average. 0 leaves it out. [1]

    Returns
    -------
    flops : float or ndarray
        Model FLOPs: what is computed again to save memory does not count. [FLOP]

    References
    ----------
    .. [1] J. Kaplan et al., "Scaling Laws for Neural Language Models", arXiv:2001.08361.
    .. [2] A. Chowdhery et al., "PaLM", arXiv:2204.02311, appendix B: the attention term.
    .. [3] E. J. Hu et al., "LoRA", arXiv:2106.09685; R. Rafailov et al., "DPO", arXiv:2305.18290.
    """
    per_param = METHOD_FLOPS[method]
    attention = ATTENTION_FLOPS[method] * attention_width * sequence_tokens
    return (per_param * active_params + attention) * tokens


def accelerator_time_s(flops: Number, *, peak_flops: Number, mfu: Number) -> Number:
    """Accelerator time that a work takes.

    Parameters
    ----------
    flops : float or ndarray
        [FLOP]
    peak_flops : float or ndarray
        Of one accelerator, dense, at the precision of the work. [FLOP/s]
    mfu : float or ndarray
        Model FLOPs utilisation from end to end: restarts, checkpoints and evaluations included. [1]

    Returns
    -------
    time_s : float or ndarray
        Seconds times accelerators. [s]

    References
    ----------
    .. [1] A. Chowdhery et al., "PaLM", arXiv:2204.02311: the definition of MFU.
    """
    return flops / (peak_flops * mfu)


def implied_mfu(flops: Number, *, peak_flops: Number, accelerator_hours: Number) -> Number:
    """The utilisation that a finished run had.

    Parameters
    ----------
    flops, peak_flops : float or ndarray
        As of ``accelerator_time_s``.
    accelerator_hours : float or ndarray
        Hours times accelerators. [h]
    """
    return flops / (peak_flops * accelerator_hours * S_PER_HOUR)


def mfu_by_share(
    params: Number,
    active_params: Number,
    *,
    dense: float,
    mixture: float,
    shares: tuple[float, float],
) -> Number:
    """The utilisation to expect of each model, by the share of parameters that a token passes through. [1]

    Between the two shares it goes by a power of them, so that more active parameters never cost less.

    Parameters
    ----------
    params, active_params : float or ndarray
        All, and those that a token passes through: fewer in a mixture of experts. [1]
    dense, mixture : float
        Of models of either kind. [1]
    shares : pair of float
        Up to the one a model is a mixture, from the other on it is dense. [1]
    """
    least, most = shares
    share = np.maximum(np.divide(active_params, params), least)
    between = mixture * (share / least) ** (np.log(dense / mixture) / np.log(most / least))
    return np.where(np.greater_equal(share, most), dense, between)


def held_energy_j(time_s: Number, power_w: Number) -> Number:
    """Energy of devices that were held.

    Parameters
    ----------
    time_s : float or ndarray
        Seconds times devices. [s]
    power_w : float or ndarray
        Mean power of one. [W]
    """
    return time_s * power_w


def hours_to_s(hours: Number) -> Number:
    """Seconds of hours.

    Parameters
    ----------
    hours : float or ndarray
        [h]
    """
    return hours * S_PER_HOUR


def wall_time_s(time_s: Number, count: Number) -> Number:
    """How long it takes until all is done.

    Parameters
    ----------
    time_s : float or ndarray
        Seconds times accelerators. [s]
    count : float or ndarray
        Accelerators that work at the same time. [1]
    """
    return time_s / count
