// connection.

import type { Row } from "../row.ts";

export const CONNECTION_ROWS: readonly Row[] = [];
