from shared.messages import common_pb2 as _common_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Enrolment(_message.Message):
    __slots__ = ("gallery", "number", "sighting_id", "viewpoint", "crop", "embedding", "mask", "epoch", "keypoints")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    VIEWPOINT_FIELD_NUMBER: _ClassVar[int]
    CROP_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    gallery: str
    number: int
    sighting_id: str
    viewpoint: _common_pb2.Viewpoint
    crop: _common_pb2.BlobReference
    embedding: _common_pb2.Embedding
    mask: _common_pb2.Mask
    epoch: str
    keypoints: _common_pb2.ModelReference
    def __init__(self, gallery: _Optional[str] = ..., number: _Optional[int] = ..., sighting_id: _Optional[str] = ..., viewpoint: _Optional[_Union[_common_pb2.Viewpoint, str]] = ..., crop: _Optional[_Union[_common_pb2.BlobReference, _Mapping]] = ..., embedding: _Optional[_Union[_common_pb2.Embedding, _Mapping]] = ..., mask: _Optional[_Union[_common_pb2.Mask, _Mapping]] = ..., epoch: _Optional[str] = ..., keypoints: _Optional[_Union[_common_pb2.ModelReference, _Mapping]] = ...) -> None: ...
