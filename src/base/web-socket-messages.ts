// WebSocket messages of the native protocol: pieces of one stream of bytes, none larger than this.
//
// Where a message ends means nothing, so a client cuts what it sends; a hive then needs no memory for a message
// of somebody whom it does not know yet.

/** Bytes of one message to a hive. Those from a hive may have any size. */
export const WEB_SOCKET_MESSAGE_BYTES_MAX: number = 16 * 1024;
