from shared.messages import decision_pb2 as _decision_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Answer(_message.Message):
    __slots__ = ("question", "sighting_id", "gallery", "outcome", "individual", "probability", "ranked", "incomparable")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    INDIVIDUAL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    RANKED_FIELD_NUMBER: _ClassVar[int]
    INCOMPARABLE_FIELD_NUMBER: _ClassVar[int]
    question: str
    sighting_id: str
    gallery: str
    outcome: _decision_pb2.Outcome
    individual: str
    probability: float
    ranked: _containers.RepeatedCompositeFieldContainer[_decision_pb2.RankedIndividual]
    incomparable: str
    def __init__(self, question: _Optional[str] = ..., sighting_id: _Optional[str] = ..., gallery: _Optional[str] = ..., outcome: _Optional[_Union[_decision_pb2.Outcome, str]] = ..., individual: _Optional[str] = ..., probability: _Optional[float] = ..., ranked: _Optional[_Iterable[_Union[_decision_pb2.RankedIndividual, _Mapping]]] = ..., incomparable: _Optional[str] = ...) -> None: ...
