// A unix socket's path: claimed before listening, removed afterwards.
//
//   claim(path) ──▶ listen on claim.listenPath ──▶ claim.publish() ──▶ … ──▶ claim.release()
//
// Who may connect is decided by the mode of the socket's file, and between bind and chmod it would be
// that of the umask. So the socket is bound in a folder of mode 0700 of its own, made 0600 there and
// renamed to its place: nobody ever sees it with another mode, and no process-wide umask is changed.
//
// A file that is there already belongs to a hive that lives, then it is refused, or to one that died,
// then it is replaced. What is no socket is never touched.

import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { HiveError } from "../base/errors.ts";

const SOCKET_MODE = 0o600;
/** What a claim adds to the path of the socket's folder while it binds. */
const CLAIM_BYTES = "/.hive-XXXXXX/s".length;
/** sun_path of Linux with its NUL is 108 bytes; macOS has 104. */
const PATH_BYTES_MAX = process.platform === "linux" ? 107 : 103;

export type UnixClaim = {
  /** Where to bind. */
  listenPath: string;
  /** Puts the bound socket in its place. */
  publish(): void;
  /** Removes what is left of it, where it is still ours. */
  release(): void;
};

/** @throws {HiveError} ADDRESS_IN_USE where a process listens there, CANNOT_LISTEN where it cannot be done. */
export async function claimUnixPath(path: string): Promise<UnixClaim> {
  const there = tryStat(path);
  if (there !== undefined) {
    if (!there.isSocket()) throw cannot(path, "there is a file of that name which is no socket");
    if (await answers(path)) {
      throw new HiveError("ADDRESS_IN_USE", `${path} is in use by a running process: stop it, or choose another path`);
    }
  }
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw cannot(path, `a socket's path of ${Buffer.byteLength(path)} bytes exceeds the system's ${PATH_BYTES_MAX}`);
  }
  const folderBytes = Buffer.byteLength(dirname(path));
  if (folderBytes > PATH_BYTES_MAX - CLAIM_BYTES) {
    const most = PATH_BYTES_MAX - CLAIM_BYTES;
    throw cannot(path, `a socket's folder has a path of ${most} bytes at the most, and this one's has ${folderBytes}`);
  }
  let folder: string;
  try {
    folder = mkdtempSync(join(dirname(path), ".hive-"));
  } catch (error) {
    throw cannot(path, error instanceof Error ? error.message : String(error));
  }
  const listenPath = join(folder, "s");
  let ours: Stats | undefined;
  return {
    listenPath,
    publish() {
      chmodSync(listenPath, SOCKET_MODE);
      ours = lstatSync(listenPath);
      renameSync(listenPath, path);
      rmSync(folder, { recursive: true, force: true });
    },
    release() {
      rmSync(folder, { recursive: true, force: true });
      const now = tryStat(path);
      if (ours !== undefined && now?.ino === ours.ino && now.dev === ours.dev) rmSync(path, { force: true });
    },
  };
}

function tryStat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Whether a process listens there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    // Refused: nobody listens any more. Anything else, such as a full queue or no permission: somebody does.
    probe.on("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}

function cannot(path: string, reason: string): HiveError {
  return new HiveError("CANNOT_LISTEN", `cannot listen on ${path}: ${reason}`);
}
