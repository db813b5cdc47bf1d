"""Unpack gzip within a limit."""

import zlib

#: Members of one document; a real one has one for each piece that was packed alone.
MAX_MEMBERS = 1000

_PIECE = 64 * 1024


class Damaged(ValueError):
    """Cut, damaged, or no gzip."""


class TooBig(ValueError):
    """More than the limit when unpacked."""


def unpack(packed, limit):
    """Return what gzip packed, of which there may be several members (RFC 1952).

    Takes no more memory than `limit`, whatever the document says of its size.

    :param bytes packed: one level of gzip; what is packed inside stays packed
    :param int limit: bytes
    :rtype: bytes
    :raises Damaged: no gzip, cut, damaged, or in more than `MAX_MEMBERS` pieces
    :raises TooBig: more than `limit`
    """
    plain, view = bytearray(), memoryview(packed)
    position, members = 0, 0
    while position < len(view):
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        members += 1
        if members > MAX_MEMBERS:
            raise Damaged
        while not member.eof:
            piece = view[position : position + _PIECE]
            if not piece:
                raise Damaged
            try:
                plain += member.decompress(piece, limit + 1 - len(plain))
            except zlib.error:
                raise Damaged from None
            if len(plain) > limit:
                raise TooBig
            position += len(piece) - len(member.unused_data)
    return bytes(plain)
