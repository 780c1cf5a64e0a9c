// The native door over an engine that answers at once, and over one where every call waits.

import { systemClock } from "../../src/base/clock.ts";
import { DelayedEngine } from "../../src/engine/delayed-engine.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import { Store } from "../../src/store/store.ts";
import { WAITING_ROWS } from "../kit/native-hive.ts";
import { describeNativeDoor } from "./native-door.ts";

function localEngine(): LocalEngine {
  return new LocalEngine({ store: new Store({ nowMs: Date.now() }), clock: systemClock, rows: WAITING_ROWS });
}

describeNativeDoor("LocalEngine", localEngine);
describeNativeDoor("DelayedEngine", () => new DelayedEngine(localEngine()));
