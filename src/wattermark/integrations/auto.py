"""Lightning's entry points: with ``WATTERMARK_AUTO=1`` each Trainer is measured, without a line of code.

Installing a package must not change trainings that nobody asked it to measure, so nothing happens without the
variable; and a fault of ours must not stop a Trainer from being made.

References
----------
.. [1] Lightning 2.2 to 2.6, ``fabric/utilities/registry.py`` (``_load_external_callbacks``) and
   ``CallbackConnector._configure_external_callbacks``: groups ``lightning.pytorch.callbacks_factory`` and
   ``pytorch_lightning.callbacks_factory``, each entry a function that returns a list of callbacks.
"""

from __future__ import annotations

import os
from typing import Any

VARIABLE = "WATTERMARK_AUTO"
YES = ("1", "true", "yes", "on")


def lightning_callbacks() -> list[Any]:
    """One callback if the user asked for it by the environment, else none."""
    if os.environ.get(VARIABLE, "").lower() not in YES:
        return []
    from wattermark.errors import FOREIGN, WattermarkError

    try:
        from wattermark.integrations.lightning import WattermarkCallback

        return [WattermarkCallback()]
    except (*FOREIGN, WattermarkError) as error:
        from wattermark.verbs.tell import tell

        tell("%s is set, but this Trainer is not measured (%s: %s)", VARIABLE, type(error).__name__, error)
        return []
