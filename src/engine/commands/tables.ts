// tables.

import type { Row } from "../row.ts";

export const TABLE_ROWS: readonly Row[] = [];
