// transactions.

import type { Row } from "../row.ts";

export const TRANSACTION_ROWS: readonly Row[] = [];
