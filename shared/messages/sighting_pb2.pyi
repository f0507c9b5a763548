import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from shared.messages import common_pb2 as _common_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Sighting(_message.Message):
    __slots__ = ("sighting_id", "capture_id", "image_sha256", "gallery", "species", "deployment", "sequence", "captured_at", "published_at", "box", "viewpoint", "crop", "embedding", "incomparable", "truncated", "mask", "alone", "identity", "identified_by", "question", "keypoints")
    SIGHTING_ID_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SHA256_FIELD_NUMBER: _ClassVar[int]
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    SPECIES_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    VIEWPOINT_FIELD_NUMBER: _ClassVar[int]
    CROP_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    INCOMPARABLE_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    ALONE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIED_BY_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    sighting_id: str
    capture_id: str
    image_sha256: str
    gallery: str
    species: str
    deployment: str
    sequence: str
    captured_at: _timestamp_pb2.Timestamp
    published_at: _timestamp_pb2.Timestamp
    box: _common_pb2.Box
    viewpoint: _common_pb2.Viewpoint
    crop: _common_pb2.BlobReference
    embedding: _common_pb2.Embedding
    incomparable: str
    truncated: bool
    mask: _common_pb2.Mask
    alone: bool
    identity: str
    identified_by: str
    question: str
    keypoints: _common_pb2.ModelReference
    def __init__(self, sighting_id: _Optional[str] = ..., capture_id: _Optional[str] = ..., image_sha256: _Optional[str] = ..., gallery: _Optional[str] = ..., species: _Optional[str] = ..., deployment: _Optional[str] = ..., sequence: _Optional[str] = ..., captured_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., box: _Optional[_Union[_common_pb2.Box, _Mapping]] = ..., viewpoint: _Optional[_Union[_common_pb2.Viewpoint, str]] = ..., crop: _Optional[_Union[_common_pb2.BlobReference, _Mapping]] = ..., embedding: _Optional[_Union[_common_pb2.Embedding, _Mapping]] = ..., incomparable: _Optional[str] = ..., truncated: _Optional[bool] = ..., mask: _Optional[_Union[_common_pb2.Mask, _Mapping]] = ..., alone: _Optional[bool] = ..., identity: _Optional[str] = ..., identified_by: _Optional[str] = ..., question: _Optional[str] = ..., keypoints: _Optional[_Union[_common_pb2.ModelReference, _Mapping]] = ...) -> None: ...
