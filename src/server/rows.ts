// Rows: every command that a hive has, for whoever looks at all of them: pages, tests.

import { rowsOfDevices } from "../devices/rows.ts";
import { ROWS } from "../engine/commands/table.ts";
import type { Row } from "../engine/row.ts";

export const HIVE_ROWS: readonly Row[] = [...ROWS, ...rowsOfDevices()];
