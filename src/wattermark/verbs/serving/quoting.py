"""What a request took, said at its end: by the last minute's joules, else by the estimator."""

from __future__ import annotations

from wattermark.errors import FOREIGN
from wattermark.science.sharing.live import or_none, scaled, weight_j
from wattermark.values.ports import Quoter
from wattermark.values.served import Quote, Served
from wattermark.verbs.serving.live import Live, part_of

PROVISIONAL, ESTIMATED = "measured-provisional", "estimated"


def quoter(live: Live) -> Quoter:
    """Who quotes by what is known live: dynamic and active idle energy, and what that stands for."""
    return _Quoter(live)


class _Quoter:
    def __init__(self, live: Live) -> None:
        self._live = live

    def quote(self, served: Served) -> Quote | None:
        if not served.worked:
            return None
        try:
            return self._measured(served) or self._estimated(served)
        except FOREIGN as error:
            self._live.warn("quote", f"a request cannot be quoted ({type(error).__name__}: {error})")
            return None

    def _measured(self, served: Served) -> Quote | None:
        lately, cost = self._live.lately, self._live.cost(served.model)
        if lately is None or cost is None or not (served.usage.is_known or served.chunks):
            return None
        energy_j = scaled(weight_j(cost, lately.running, part_of(served)), lately.energy_per_weight)
        return Quote(
            energy_j=energy_j,
            carbon_g=scaled(energy_j, lately.carbon_g_per_j),
            water_l=scaled(energy_j, lately.water_l_per_j),
            quality=PROVISIONAL if self._live.quality == "measured" else ESTIMATED,
        )

    def _estimated(self, served: Served) -> Quote | None:
        rates = self._live.rates(served.model)
        if rates is None or not served.usage.is_known:
            return None
        part = part_of(served)
        energy_j, carbon_g, water_l = rates.of(or_none(part.read), or_none(part.written))
        return Quote(energy_j=energy_j, carbon_g=carbon_g, water_l=water_l, quality=ESTIMATED)
