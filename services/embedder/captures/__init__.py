"""Records of the captures topic, validated."""
