// FEED over an engine that answers at once, and over one where every call waits.

import { systemClock } from "../../src/base/clock.ts";
import { DelayedEngine } from "../../src/engine/delayed-engine.ts";
import { LocalEngine } from "../../src/engine/local-engine.ts";
import { Store } from "../../src/store/store.ts";
import { describeNativeFeed } from "./native-feed.ts";

function localEngine(): LocalEngine {
  return new LocalEngine({ store: new Store({ nowMs: Date.now() }), clock: systemClock });
}

describeNativeFeed("LocalEngine", localEngine);
describeNativeFeed("DelayedEngine", () => new DelayedEngine(localEngine()));
