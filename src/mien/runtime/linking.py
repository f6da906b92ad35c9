"""Lays object files out as one image of memory, ready to be placed anywhere.

LLVM's own linker does the same, but to have it costs 40 ms and 45 MB in every process. Kernels are compiled
for the large code model, in which every address is a whole word: placing an image means adding its address
to some words, and putting the addresses of foreign symbols into others. Knows ELF with 64-bit words and the
few kinds of relocation that occur; whatever else there may be is left to LLVM.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

_ALIGN = 64
_WRITABLE, _ALLOCATED = 0x1, 0x2
_NO_BITS, _SYMBOLS, _RELOCATIONS = 8, 2, 4
"""Flags and types of sections."""
_UNDEFINED, _ABSOLUTE, _COMMON = 0, 0xFFF1, 0xFFF2
"""Special numbers of sections."""
_LOCAL = 0
_WORD_RELOCATION = {62: 1, 183: 257}
"""R_X86_64_64 and R_AARCH64_ABS64, by the number of the machine."""
_RELATIVE_RELOCATION = {62: (2, 4), 183: ()}
"""R_X86_64_PC32 and R_X86_64_PLT32: four bytes, relative to where they are."""
_IGNORED = (".eh_frame", ".rela.eh_frame", ".note", ".comment")


class NotPlainError(Exception):
    """An object file has something that is not known here."""


@dataclass(slots=True)
class Image:
    """Code and data in one piece.

    Attributes
    ----------
    data
        The bytes, as if placed at the address 0.
    entry
        Where the entry point is in them.
    own
        Where words are to which the address of the image has to be added.
    foreign
        By the name of a symbol, where words are to which its address has to be added.
    """

    data: bytearray
    entry: int = 0
    own: list[int] = field(default_factory=list)
    foreign: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str
    binding: int
    section: int
    value: int
    size: int


def link(objects: Iterable[bytes], entry: str) -> Image:
    """Lay out object files one after the other and join their symbols.

    Parameters
    ----------
    objects
        Object files as LLVM writes them.
    entry
        Symbol of the entry point.

    Raises
    ------
    NotPlainError
        They hold something that is not known here, or have no such symbol.
    """
    image, defined = Image(bytearray()), dict[str, int]()
    files = [_ObjectFile(data) for data in objects]
    for file in files:
        file.place(image, defined)
    for file in files:
        file.relocate(image, defined)
    if entry not in defined:
        raise NotPlainError(f"no symbol {entry}")
    image.entry = defined[entry]
    return image


class _ObjectFile:
    """One ELF file of 64-bit words, little end first."""

    def __init__(self, data: bytes) -> None:
        if data[:6] != b"\x7fELF\x02\x01":
            raise NotPlainError("not ELF")
        self._data = data
        (self._machine,) = struct.unpack_from("<H", data, 18)
        if self._machine not in _WORD_RELOCATION:
            raise NotPlainError(f"machine {self._machine}")
        (at,) = struct.unpack_from("<Q", data, 40)
        size, count, names = struct.unpack_from("<HHH", data, 58)
        raw = [struct.unpack_from("<IIQQQQIIQQ", data, at + size * index) for index in range(count)]
        text = raw[names][4]
        self._sections = [
            _Section(self._text(text + name), kind, flags, offset, length, link, info, align)
            for name, kind, flags, _, offset, length, link, info, align, _ in raw
        ]
        self._symbols = self._read_symbols()
        self._places: dict[int, int] = {}

    def _text(self, at: int) -> str:
        return self._data[at : self._data.index(b"\0", at)].decode()

    def _read_symbols(self) -> list[_Symbol]:
        table = next((section for section in self._sections if section.kind == _SYMBOLS), None)
        if table is None:
            raise NotPlainError("no symbols")
        text, symbols = self._sections[table.link].offset, []
        for at in range(table.offset, table.offset + table.size, 24):
            name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", self._data, at)
            symbols.append(_Symbol(self._text(text + name), info >> 4, section, value, size))
        return symbols

    def place(self, image: Image, defined: dict[str, int]) -> None:
        """Copy the sections that belong into memory, and tell where global symbols are."""
        for index, section in enumerate(self._sections):
            if section.flags & _ALLOCATED and not section.name.startswith(_IGNORED):
                if section.flags & _WRITABLE and section.size and ".rel.ro" not in section.name:
                    raise NotPlainError(f"variables in {section.name}")
                self._places[index] = _extend(image, section.size, section.align)
                if section.kind != _NO_BITS:
                    begin = self._places[index]
                    content = self._data[section.offset : section.offset + section.size]
                    image.data[begin : begin + section.size] = content
        for symbol in self._symbols:
            if symbol.section == _COMMON:  # its value is its alignment
                defined.setdefault(symbol.name, _extend(image, symbol.size, symbol.value))
            elif symbol.binding != _LOCAL and symbol.section in self._places:
                defined.setdefault(symbol.name, self._places[symbol.section] + symbol.value)

    def relocate(self, image: Image, defined: dict[str, int]) -> None:
        """Enter addresses, as far as they are known before the image has its place."""
        for section in self._sections:
            if section.kind != _RELOCATIONS or section.info not in self._places:
                continue
            for at in range(section.offset, section.offset + section.size, 24):
                offset, info, addend = struct.unpack_from("<QQq", self._data, at)
                where = self._places[section.info] + offset
                self._enter(image, defined, where, info & 0xFFFFFFFF, self._symbols[info >> 32], addend)

    def _enter(
        self, image: Image, defined: dict[str, int], where: int, kind: int, symbol: _Symbol, addend: int
    ) -> None:
        target = self._find(symbol, defined)
        if kind == _WORD_RELOCATION[self._machine]:
            value = addend if target is None else target + addend
            struct.pack_into("<q", image.data, where, value)
            (image.foreign.setdefault(symbol.name, []) if target is None else image.own).append(where)
        elif kind in _RELATIVE_RELOCATION[self._machine] and target is not None:
            struct.pack_into("<i", image.data, where, target + addend - where)
        else:
            raise NotPlainError(f"relocation {kind} of {symbol.name}")

    def _find(self, symbol: _Symbol, defined: dict[str, int]) -> int | None:
        """Place of a symbol in the image; None for a foreign one."""
        if symbol.section in self._places and symbol.binding == _LOCAL:
            return self._places[symbol.section] + symbol.value
        if symbol.name in defined:
            return defined[symbol.name]
        if symbol.section in (_UNDEFINED, _COMMON) and symbol.name:
            return None
        raise NotPlainError(f"symbol {symbol.name} in section {symbol.section}")


def _extend(image: Image, size: int, align: int) -> int:
    """Add room to an image and tell where it begins."""
    align = max(_ALIGN, align)
    begin = -(-len(image.data) // align) * align
    image.data.extend(bytes(begin + size - len(image.data)))
    return begin
