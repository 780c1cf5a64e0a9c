// Transport and Receiver: the seam between net/, which has the sockets, and doors/, which have the wires.
//
//   socket ──bytes──▶ receiver.receive()          door ──▶ transport.write() ──bytes──▶ socket
//
// A transport carries one connection. It hands every byte to the receiver it has at that moment: the
// sniffer first, then a door. Both ends are synchronous, and neither knows what the other is made of:
// a test drives a door with a scripted transport, and TLS is a transport on top of another.

/** Why a connection ended. `end`: the peer closed in order. `closed`: we did. `error`: it broke. */
export type EndCause = { kind: "end" | "closed" | "error"; message: string };

/** Texts up to here leave with writeLatin1(): no buffer object, and libuv writes from its stack, which has this many bytes for it. */
export const LATIN1_BYTES_MAX: number = 16 * 1024;

/** One connection's way out. After end() or destroy() writes are ignored. */
export interface Transport {
  /** The remote end as "127.0.0.1:50123", or a unix socket's path with ":0". */
  readonly address: string;
  /** Our end in the same form. */
  readonly localAddress: string;
  /** Whether nobody on the way can read along. */
  readonly encrypted: boolean;
  /** Bytes written and not yet taken over by the kernel: what the peer does not read. */
  readonly pendingBytes: number;
  /** Who gets what arrives. Set by whoever takes the connection over. */
  receiver: Receiver;

  /**
   * Writes bytes 0 to `length` of `buffer`. Returns whether they are out: then the caller may use the
   * buffer again. Otherwise the transport keeps it, and the caller must not touch it any more.
   */
  write(buffer: Uint8Array, length: number): boolean;
  /**
   * Writes one byte per character. Quicker than write() for short texts.
   * @param soon It may wait for the end of this turn of the loop, and then leaves with those of other transports; what is written
   * later stays behind it.
   */
  writeLatin1(text: string, soon?: boolean): void;
  /** Asks for one drained() when all that is written so far is out. */
  awaitDrained(): void;
  /** Stops reading, so that the peer has to wait; a peer that goes away is then not noticed. */
  pause(): void;
  resume(): void;
  /** Writes what is pending, then closes. */
  end(): void;
  /** Closes at once. What is pending is lost. */
  destroy(): void;
}

/** One connection's way in. Nothing is called after closed(). */
export interface Receiver {
  /**
   * Bytes `start` to `end` of `buffer` arrived. They are the receiver's until it returns, and not after.
   * From a transport of Node it is a Buffer, and a receiver that only runs there may say so.
   */
  receive(buffer: Uint8Array, start: number, end: number): void;
  /** All that was written before awaitDrained() is out. */
  drained(): void;
  /** The peer sends no more, but may still read: what it asked is answered, then the receiver calls end(). */
  finished(): void;
  /** The connection is gone. Exactly once, and last. */
  closed(cause: EndCause): void;
}
