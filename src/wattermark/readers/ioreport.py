"""The calls to IOReport and Core Foundation that tell an Apple chip's energy; nothing is decided here.

IOReport has no header. What a ``Create`` or ``Copy`` gives is ours to release, what a ``Get`` gives is
not. The dictionary that ``IOReportCreateSubscription`` hands out besides is left alone: nobody says whose
it is, and a release too many would end the program.

References: macmon, zeus-apple-silicon and all-smi, three programs that call it; Apple's IOReportTypes.h
in xnu (an invalid number is the lowest of 64 bits); Core Foundation's ownership rules.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from wattermark.readers.library import loaded

GROUP, CHANNELS = b"Energy Model", b"IOReportChannels"
FIX = "Nothing to do: this macOS keeps its energy to itself"
UTF8 = 0x08000100
MOST_LETTERS = 128
_P, _U64, _LONG = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_long
_REPORT: Mapping[str, tuple[Any, ...]] = {
    "IOReportCopyChannelsInGroup": (_P, _P, _P, _U64, _U64, _U64),
    "IOReportCreateSubscription": (_P, _P, _P, _P, _U64, _P),
    "IOReportCreateSamples": (_P, _P, _P, _P),
    "IOReportChannelGetChannelName": (_P, _P),
    "IOReportChannelGetUnitLabel": (_P, _P),
    "IOReportSimpleGetIntegerValue": (ctypes.c_int64, _P, _P),
}
_CORE: Mapping[str, tuple[Any, ...]] = {
    "CFStringCreateWithCString": (_P, _P, ctypes.c_char_p, ctypes.c_uint32),
    "CFStringGetCString": (ctypes.c_ubyte, _P, ctypes.c_char_p, _LONG, ctypes.c_uint32),
    "CFDictionaryGetValue": (_P, _P, _P),
    "CFDictionaryCreateMutableCopy": (_P, _P, _LONG, _P),
    "CFDictionarySetValue": (None, _P, _P, _P),
    "CFArrayGetCount": (_LONG, _P),
    "CFArrayGetValueAtIndex": (_P, _P, _LONG),
    "CFArrayCreateMutable": (_P, _P, _LONG, _P),
    "CFArrayAppendValue": (None, _P, _P),
    "CFRelease": (None, _P),
}
"""What each call gives, and what it takes."""


class EnergyModel:
    """The channels of IOReport's group "Energy Model", and what those that were asked for show.

    Parameters
    ----------
    libraries : tuple of str
        IOReport, and Core Foundation.

    Raises
    ------
    ReaderUnavailable
        If one of them cannot be loaded, or lacks a call.
    """

    def __init__(self, libraries: tuple[str, str]) -> None:
        self._report, self._core = (
            loaded(place, calls, fix=FIX) for place, calls in zip(libraries, (_REPORT, _CORE), strict=True)
        )
        self._text = ctypes.create_string_buffer(MOST_LETTERS)
        self._key = self._core.CFStringCreateWithCString(None, CHANNELS, UTF8)
        self._wanted: int | None = None
        self._subscription: int | None = None

    def subscribe(self, choose: Callable[[Mapping[str, str]], Collection[str]]) -> Mapping[str, str]:
        """Ask for some channels of the group; answers the unit of each by its name, none if it is refused.

        Parameters
        ----------
        choose : callable
            From the units of all channels, by name, to the names of those that are wanted.
        """
        group = self._core.CFStringCreateWithCString(None, GROUP, UTF8)
        everything = self._report.IOReportCopyChannelsInGroup(group, None, 0, 0, 0)
        units = {self._name(item): self._unit(item) for item in self._items(everything)}
        names = choose(units)
        if names:
            self._wanted = self._only(everything, names)
            handed_out = ctypes.c_void_p()
            self._subscription = self._report.IOReportCreateSubscription(
                None, self._wanted, ctypes.byref(handed_out), 0, None
            )
        self._release(group, everything)
        return {name: units[name] for name in names} if self._subscription else {}

    def values(self) -> Mapping[str, int]:
        """What each counter shows, by its channel's name; nothing where there is no answer."""
        if not self._subscription:
            return {}
        sample = self._report.IOReportCreateSamples(self._subscription, self._wanted, None)
        whole = self._report.IOReportSimpleGetIntegerValue
        try:
            return {self._name(item): whole(item, None) for item in self._items(sample)}
        finally:
            self._release(sample)

    def close(self) -> None:
        """Release what is ours; twice is no harm."""
        self._release(self._subscription, self._wanted, self._key)
        self._subscription = self._wanted = self._key = None

    def _only(self, everything: int, names: Collection[str]) -> int:
        """The same dictionary with these channels alone: a group has hundreds, and each costs a look."""
        callbacks = ctypes.c_char.in_dll(self._core, "kCFTypeArrayCallBacks")
        chosen = self._core.CFArrayCreateMutable(None, 0, ctypes.byref(callbacks))
        for item in self._items(everything):
            if self._name(item) in names:
                self._core.CFArrayAppendValue(chosen, item)
        wanted: int = self._core.CFDictionaryCreateMutableCopy(None, 0, everything)
        self._core.CFDictionarySetValue(wanted, self._key, chosen)
        self._release(chosen)
        return wanted

    def _items(self, dictionary: int | None) -> Iterator[int]:
        array = self._core.CFDictionaryGetValue(dictionary, self._key) if dictionary else None
        for i in range(self._core.CFArrayGetCount(array) if array else 0):
            yield self._core.CFArrayGetValueAtIndex(array, i)

    def _name(self, item: int) -> str:
        return self._said(self._report.IOReportChannelGetChannelName(item))

    def _unit(self, item: int) -> str:
        return self._said(self._report.IOReportChannelGetUnitLabel(item)).replace("µ", "u")

    def _said(self, string: int | None) -> str:
        told = bool(string) and self._core.CFStringGetCString(string, self._text, MOST_LETTERS, UTF8)
        return self._text.value.decode(errors="replace").strip() if told else ""

    def _release(self, *objects: int | None) -> None:
        for one in filter(None, objects):
            self._core.CFRelease(one)
