"""The INDI protocol without I/O: bytes to messages and messages to bytes.

    scanner     bytes of a stream -> elements, whatever they hold and however they are cut
    fastpath    whole plain elements -> messages, by a shortcut; elements helps it
    limits      how much of anything there may be
    reader      one element -> one message
    messages    what can be said, as immutable values
    writer      messages -> bytes
    numbers     reading and formatting of INDI numbers, sexagesimal included
    timestamps  the wire's times
    blobs       base64 as it arrives, inflating
    text        characters, entities

No sockets, clocks, threads or state; nothing here raises for what a server sent.
"""

from .limits import Limits
from .messages import (
    BLOBProgress,
    DefMember,
    DefVector,
    DelProperty,
    DeviceMessage,
    EnableBLOB,
    GetProperties,
    Kind,
    Malformed,
    Message,
    NewVector,
    OneBLOB,
    OneMember,
    PingReply,
    PingRequest,
    SetVector,
)
from .scanner import Scanner
from .writer import encode, encode_pieces

__all__ = [
    "BLOBProgress",
    "DefMember",
    "DefVector",
    "DelProperty",
    "DeviceMessage",
    "EnableBLOB",
    "GetProperties",
    "Kind",
    "Limits",
    "Malformed",
    "Message",
    "NewVector",
    "OneBLOB",
    "OneMember",
    "PingReply",
    "PingRequest",
    "Scanner",
    "SetVector",
    "encode",
    "encode_pieces",
]
