// server.

import type { Row } from "../row.ts";

export const SERVER_ROWS: readonly Row[] = [];
