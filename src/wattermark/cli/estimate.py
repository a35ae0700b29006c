"""``wattermark estimate``: what something would cost, before it runs."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wattermark.cli.options import add_json, amount
from wattermark.errors import UsageError
from wattermark.values.jobs import ARITHMETIC, METHODS, PRECISIONS, ApiCalls, Inference, Media, Site, Training

if TYPE_CHECKING:
    from wattermark.values.estimate import Estimate

EPILOG = """examples:
  wattermark estimate training --params 7e9 --tokens 2e12 --gpu h100-sxm --count 512 \\
      --place gcp:us-central1 --experiments 0.5
  wattermark estimate training --model llama-3.1-8b --method lora --tokens 50e6 --gpu a100
  wattermark estimate inference --model llama-3.1-70b --gpu h100-sxm --count 4 --batch 64 \\
      --input-tokens 1500 --output-tokens 400 --cached 0.3 --requests-per-day 1e6
  wattermark estimate embedding --model bge-large --gpu l4 --batch 64 --input-tokens 512 --requests 1M
  wattermark estimate image --model flux.1-dev --gpu h100 --items 1000 --place deu
  wattermark estimate video --model wan2.1-t2v-14b --gpu h100 --count 8 --frames 81
  wattermark estimate api --provider openai --model gpt-4o --input-tokens 1000 --output-tokens 500
  wattermark estimate training --params 7e9 --tokens 2e12 --gpu h100 \\
      --compare gpu=h100,b200,a100 --compare place=swe,deu,aws:us-west-2 --sort water

Numbers may end in k, M, B or T: --params 7B --tokens 2T.
"""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a job: how it is read, and what it means."""

    name: str
    read: Callable[[str], Any]
    help: str
    needed: bool = False
    choices: tuple[str, ...] | None = None
    also: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        names = (self.name, self.also) if self.also else (self.name,)
        return tuple(f"--{name.replace('_', '-')}" for name in names)

    @property
    def metavar(self) -> str | None:
        if self.choices:
            return None
        return self.name.upper() if self.read is str else "N"


MODEL = (
    Option("model", str, "llama-3.1-8b, qwen3-30b-a3b ... (see: wattermark models)"),
    Option("config", str, "a Hugging Face config.json on disk"),
    Option("params", amount, "all parameters"),
    Option("active_params", amount, "those that one token passes through (mixture of experts)"),
)
GPU = Option("gpu", str, "h100-sxm, a100-sxm-80, tpu-v5e ... (see: wattermark accelerators)", needed=True)
REPLICA = (
    GPU,
    Option("count", int, "accelerators that share one copy of the model"),
    Option("batch", amount, "requests that run at the same time, on average (1)"),
    Option("quantisation", str, "of the weights, if not as shipped", choices=PRECISIONS, also="quantization"),
    Option("utilisation", amount, "share of its time in which a replica works", also="utilization"),
    Option("requests", amount, "how many (1)"),
    Option("requests_per_day", amount, "the footprint of a day instead"),
    Option("replicas", int, "copies that are held for them"),
    Option("fit", str, "a file of wattermark calibrate --json"),
)
SITE = (
    Option("place", str, "deu, US-CAMX, aws:eu-west-1 ... (see: wattermark places)"),
    Option("pue", amount, "facility energy per IT energy, at least 1"),
    Option("wue", amount, "on-site water per IT energy [L/kWh]"),
    Option("intensity", amount, "of the grid [g CO2e/kWh]"),
    Option("market_intensity", amount, "of the contracted supply [g CO2e/kWh]"),
    Option("grid_water", amount, "consumed by the power plants [L/kWh]"),
)
MEDIA = (
    Option("model", str, "flux.1-dev, wan2.1-t2v-14b ... (see: wattermark models)"),
    Option("params", amount, "of the part that denoises, for a model that is not known"),
    GPU,
    Option("count", int, "accelerators that share each pass (1)"),
    Option("ring", int, "of them as ring attention; the rest by heads (1)"),
    Option("batch", amount, "made at the same time (1)"),
    Option("items", amount, "how many (1)"),
    Option("steps", amount, "of denoising"),
    Option("height", amount, "[px]"),
    Option("width", amount, "[px]"),
    Option("utilisation", amount, "share of its time in which the hardware works", also="utilization"),
)
KINDS = {
    "training": "a pre-training or a fine-tuning",
    "inference": "a language model that answers requests",
    "embedding": "a language model that turns texts into vectors",
    "image": "images from text",
    "video": "videos from text",
    "api": "requests to a closed model that somebody else runs",
}
JOBS: Mapping[str, tuple[Option, ...]] = {
    "training": (
        *MODEL,
        Option("tokens", amount, "trained on, over all epochs"),
        Option("flops", amount, "the work, instead of a model and tokens"),
        Option("gpu_hours", amount, "the time, instead of the work"),
        GPU,
        Option("count", amount, "accelerators (1)"),
        Option("method", str, "full (also pre-training), lora, qlora, dpo, rl", choices=METHODS),
        Option("precision", str, "of the arithmetic (bf16)", choices=ARITHMETIC),
        Option("mfu", amount, "model FLOPs utilisation from end to end"),
        Option("power_w", amount, "mean power of an accelerator and its part of the host [W]"),
        Option("sequence", amount, "tokens of a sequence: attention is counted, too"),
        Option("generated_tokens", amount, "sampled for reinforcement learning"),
        Option("experiments", amount, "trials and failed runs, over the final one: 0.5 adds half"),
    ),
    "inference": (
        *MODEL,
        *REPLICA,
        Option("input_tokens", amount, "of a request", needed=True),
        Option("output_tokens", amount, "of a request", needed=True),
        Option("reasoning_tokens", amount, "generated before the answer"),
        Option("cached", amount, "share of the input that was read before"),
    ),
    "embedding": (*MODEL, *REPLICA, Option("input_tokens", amount, "of a text", needed=True)),
    "image": MEDIA,
    "video": (*MEDIA, Option("frames", amount, "of a video, seconds x frames a second")),
    "api": (
        Option("provider", str, "openai, anthropic ..."),
        Option("model", str, "gpt-4o, claude-3.7-sonnet ... (see: wattermark models api)", needed=True),
        Option("input_tokens", amount, "of a request"),
        Option("output_tokens", amount, "of a request, reasoning included"),
        Option("cached", amount, "share of the input that was read before"),
        Option("requests", amount, "how many (1)"),
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(metavar="WHAT", title="what", dest="kind", required=True)
    for kind, options in JOBS.items():
        sub = kinds.add_parser(
            kind, help=KINDS[kind], description=f"Estimate {KINDS[kind]}.", epilog=_examples(kind),
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
        )  # fmt: skip
        for option in (*options, *SITE):
            sub.add_argument(
                *option.flags, type=option.read, dest=option.name, choices=option.choices,
                help=option.help + (" (needed)" if option.needed else ""), metavar=option.metavar,
            )  # fmt: skip
        sub.add_argument(
            "--compare", action="append", default=[], metavar="NAME=A,B",
            help="the same with other values of an option; may be given again",
        )  # fmt: skip
        sub.add_argument(
            "--sort", choices=("carbon", "water", "energy"),
            help="what the rows of --compare are sorted by (carbon)",
        )  # fmt: skip
        add_json(sub)


def _examples(kind: str) -> str:
    """The examples of one kind."""
    told = EPILOG.replace("\\\n      ", "").splitlines()
    mine = [line for line in told if f" estimate {kind} " in line]
    return "\n".join(("examples:", *mine, "", told[-1]))


def main(args: argparse.Namespace) -> int:
    given = {name: value for name, value in vars(args).items() if value is not None}
    if args.compare:
        return _compare(args, given)
    if args.sort:
        raise UsageError("--sort has nothing to sort", fix="Give --compare NAME=A,B as well")
    one = _estimate(args.kind, given)
    if args.json:
        from wattermark.cli.paint import print_json
        from wattermark.report.document import estimate_document

        print_json(estimate_document(one))
        return 0
    from wattermark.cli.paint import paint
    from wattermark.report.estimated import estimate_title, estimated

    paint(estimated(one), title=estimate_title(one))
    return 0


def _compare(args: argparse.Namespace, given: Mapping[str, Any]) -> int:
    from wattermark.cli.paint import paint, print_json, table
    from wattermark.report.document import estimate_document
    from wattermark.report.estimated import compared, notes_of, refusals, sorted_by

    every, refused = [], {}
    for name, changed in _variants(args):
        try:
            every.append((name, _estimate(args.kind, {**given, **changed})))
        except UsageError as error:
            refused[name] = error
    if not every:
        raise next(iter(refused.values()))
    rows = sorted_by(args.sort or "carbon", every)
    if args.json:
        answered = [{"what_if": name, **estimate_document(one)} for name, one in rows]
        gaps = [{"what_if": name, "error": str(error)} for name, error in refused.items()]
        print_json({"schema": 1, "rows": answered, "refused": gaps})
        return 0
    headings, cells = compared(rows)
    table(headings, cells, right=range(1, len(headings)))
    paint([notes_of(rows), *refusals(refused)])
    return 0


def _estimate(kind: str, given: Mapping[str, Any]) -> Estimate:
    """Each kind by its own verb, and only that one imported."""
    job = {option.name: given[option.name] for option in JOBS[kind] if option.name in given}
    missing = [option.flags[0] for option in JOBS[kind] if option.needed and option.name not in job]
    if missing:
        raise UsageError(
            f"{' and '.join(missing)} must be given", fix=f"See: wattermark estimate {kind} --help"
        )
    site = _site(given)
    if kind == "training":
        from wattermark.verbs.estimates.training import estimate_training

        return estimate_training(Training(**job), site)
    if kind == "api":
        from wattermark.verbs.estimates.api import estimate_api

        return estimate_api(ApiCalls(**job), site)
    if kind in ("image", "video"):
        from wattermark.verbs.estimates.media import estimate_media

        return estimate_media(Media(**job, kind=kind), site)
    from wattermark.verbs.estimates.inference import estimate_inference

    return estimate_inference(Inference(**job, kind=kind), site)


def _site(given: Mapping[str, Any]) -> Site:
    """Where: options first, then settings, as for runs."""
    from wattermark.wiring.config import load_config

    kept = load_config({})
    named = {option.name: given[option.name] for option in SITE if option.name in given}
    # a place that was named has numbers of its own
    settings = () if "place" in named else ("place", "pue", "wue", "market_intensity")
    known = {name: value for name in settings if (value := getattr(kept, name)) is not None}
    return Site(**{**known, **named})


def _variants(args: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every combination of what is compared."""
    known = {option.name: option for option in (*JOBS[args.kind], *SITE)}
    columns = [_column(text, known) for text in args.compare]
    names = [column[0][0] for column in columns]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(
            f"--compare has {twice[0]} twice", fix=f"Put all of its values together: {twice[0]}=A,B,C"
        )
    for chosen in itertools.product(*columns):
        told = (f"{name.replace('_', '-')}={text}" for name, _, text in chosen)
        yield ", ".join(told), {name: value for name, value, _ in chosen}


def _column(text: str, known: Mapping[str, Option]) -> list[tuple[str, Any, str]]:
    word, equals, values = text.partition("=")
    option = known.get(word.strip().replace("-", "_"))
    if not equals or option is None:
        raise UsageError(
            f"--compare {text!r} cannot be meant",
            fix=f"Write NAME=A,B with one of: {', '.join(name.replace('_', '-') for name in known)}",
        )
    return [(option.name, _value(option, one.strip()), one.strip()) for one in values.split(",")]


def _value(option: Option, text: str) -> Any:
    try:
        return option.read(text)
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise UsageError(f"{option.name} is {text!r}", fix="Give a number, as in 7e9 or 7B") from error
