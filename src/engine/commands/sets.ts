// sets.

import type { Row } from "../row.ts";

export const SET_ROWS: readonly Row[] = [];
