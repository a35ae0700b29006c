"""Estimate requests to a model that somebody else runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wattermark.factors.api import api_factors
from wattermark.science.serving import uncached_tokens
from wattermark.science.sketch_serving import api
from wattermark.values.estimate import Estimate
from wattermark.values.factors import Factor
from wattermark.values.jobs import ApiCalls, Site
from wattermark.verbs.estimates.draft import Draft, asked, many, placed
from wattermark.verbs.estimates.ground import defaults

TYPICAL_ACCELERATOR = "h100-sxm"


def estimate_api(job: ApiCalls, site: Site | None = None) -> Estimate:
    """What requests to a closed model cost: a line through what was published, and a wide band.

    Parameters
    ----------
    job : ApiCalls
        The model and the tokens of a request.
    site : Site, optional
        Where it is served, if that is known.

    Raises
    ------
    UsageError
        If nothing was published of that model, or the place is not known.

    Examples
    --------
    >>> import wattermark as wm
    >>> job = wm.ApiCalls(model="gpt-4o", input_tokens=100, output_tokens=300)
    >>> energy_j = wm.estimate_api(job).amounts["energy_per_request_j"]
    >>> energy_j.high > 5 * energy_j.low
    True
    """
    asked(job, ApiCalls)
    return estimate_by_line(job, api_factors(job.model, job.provider), site)


def estimate_by_line(job: ApiCalls, line: Sequence[Factor], site: Site | None = None) -> Estimate:
    """The same by a line that is known.

    Parameters
    ----------
    job, site
        As of ``estimate_api``.
    line : sequence of Factor
        As ``api_factors`` or ``typical_api_factors`` has it.
    """
    (anchor_pue,) = defaults(("api_anchor_pue",))
    usual_pue = replace(anchor_pue, name="pue", key="as of its anchors", least=1.0)
    sketch = api(
        input_tokens=uncached_tokens(job.input_tokens, job.cached),
        output_tokens=job.output_tokens,
        requests=job.requests,
    )
    tokens = {"input": job.input_tokens, "output": job.output_tokens}
    told = f"{job.input_tokens:,.10g} + {job.output_tokens:,.10g} tokens"
    draft = Draft(
        kind="api",
        subject=f"{many(job.requests, 'request')} to {line[0].key}, {told}",
        accelerator=TYPICAL_ACCELERATOR,
        hardware=f"undisclosed hardware, taken for {TYPICAL_ACCELERATOR}",
        sketch=sketch,
        factors=(*line, *defaults(("api_power_per_accelerator_w",)), anchor_pue, usual_pue),
        assumptions=(
            "a closed model: a line through published figures of its facility, not a measurement",
            line[0].note,
            f"its making, and how long it is held, as of {TYPICAL_ACCELERATOR}",
            *(f"no {word} tokens are counted (--{word}-tokens)" for word, many in tokens.items() if not many),
        ),
        units={"request": job.requests},
    )
    return placed(draft, job, site)
