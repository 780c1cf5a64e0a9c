// keys.

import type { Row } from "../row.ts";

export const KEY_ROWS: readonly Row[] = [];
