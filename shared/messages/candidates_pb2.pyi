from shared.messages import matches_pb2 as _matches_pb2
from shared.messages import sighting_pb2 as _sighting_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CandidateList(_message.Message):
    __slots__ = ("query", "watermark", "pass_number", "candidates", "earlier", "epoch", "earlier_votes")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    WATERMARK_FIELD_NUMBER: _ClassVar[int]
    PASS_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    EARLIER_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EARLIER_VOTES_FIELD_NUMBER: _ClassVar[int]
    query: _sighting_pb2.Sighting
    watermark: int
    pass_number: int
    candidates: _containers.RepeatedCompositeFieldContainer[_matches_pb2.Candidate]
    earlier: _containers.RepeatedCompositeFieldContainer[_matches_pb2.Evidence]
    epoch: str
    earlier_votes: _matches_pb2.Votes
    def __init__(self, query: _Optional[_Union[_sighting_pb2.Sighting, _Mapping]] = ..., watermark: _Optional[int] = ..., pass_number: _Optional[int] = ..., candidates: _Optional[_Iterable[_Union[_matches_pb2.Candidate, _Mapping]]] = ..., earlier: _Optional[_Iterable[_Union[_matches_pb2.Evidence, _Mapping]]] = ..., epoch: _Optional[str] = ..., earlier_votes: _Optional[_Union[_matches_pb2.Votes, _Mapping]] = ...) -> None: ...
