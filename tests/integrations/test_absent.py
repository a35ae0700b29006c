"""Where a framework is not installed, one error says what to install; and nothing else needs one."""

import pytest


@pytest.mark.parametrize(
    ("packages", "code", "name", "extra"),
    [
        (("lightning", "pytorch_lightning"), "lightning", "WattermarkCallback", "lightning"),
        (("transformers",), "transformers", "WattermarkCallback", "transformers"),
        (("vllm",), "vllm", "FootprintStatLogger", "vllm"),
        (("vllm",), "vllm", "InstalledStatLogger", "vllm"),
        (("litellm",), "litellm", "FootprintLogger", "litellm"),
        (("litellm",), "litellm", "logger", "litellm"),
    ],
)
def test_a_missing_framework_is_named(program, packages, code, name, extra):
    absent = "\n".join(f"sys.modules[{package!r}] = None" for package in packages)
    done = program(f"import sys\n{absent}\nfrom wattermark.integrations.{code} import {name}")
    assert done.returncode == 1
    assert f"Install it: pip install 'wattermark[{extra}]'" in done.stderr.splitlines()[-1]


def test_our_modules_are_imported_without_any(program):
    done = program(
        "import sys, wattermark.integrations.lightning, wattermark.integrations.transformers\n"
        "import wattermark.integrations.jupyter, wattermark.integrations.auto\n"
        "import wattermark.integrations.vllm, wattermark.integrations.generate\n"
        "import wattermark.integrations.asgi, wattermark.integrations.litellm\n"
        "import wattermark.integrations.http_client\n"
        "names = {'torch', 'lightning', 'pytorch_lightning', 'transformers', 'IPython', 'litellm', 'httpx',\n"
        "         'httpx2', 'starlette', 'fastapi', 'aiohttp', 'vllm'}\n"
        "print(sorted(names & set(sys.modules)))"
    )
    assert done.stdout == "[]\n", done.stderr


def test_hooks_of_requests_need_nothing_installed(program):
    done = program(
        "import sys, wattermark.integrations.http_client, wattermark.integrations.asgi\n"
        "print('numpy' in sys.modules)"
    )
    assert done.stdout == "False\n", done.stderr
