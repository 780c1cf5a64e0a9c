// The command table: every family's rows, and a HELP for every command that has subcommands.

import type { Row } from "../row.ts";
import { CONNECTION_ROWS } from "./connection.ts";
import { FEED_ROWS } from "./feed.ts";
import { withHelp } from "./help.ts";
import { KEY_ROWS } from "./keys.ts";
import { LIST_ROWS } from "./lists.ts";
import { MESSAGE_ROWS } from "./messages.ts";
import { NEAR_ROWS } from "./near.ts";
import { SERVER_ROWS } from "./server.ts";
import { SET_ROWS } from "./sets.ts";
import { SNAPSHOT_ROWS } from "./snapshots.ts";
import { SORTED_ROWS } from "./sorted.ts";
import { STRING_ROWS } from "./strings.ts";
import { STRUCTURE_ROWS } from "./structures.ts";
import { TABLE_ROWS } from "./tables.ts";
import { TRANSACTION_ROWS } from "./transactions.ts";

export const ROWS: readonly Row[] = [
  ...KEY_ROWS,
  ...STRING_ROWS,
  ...TABLE_ROWS,
  ...SET_ROWS,
  ...SORTED_ROWS,
  ...LIST_ROWS,
  ...TRANSACTION_ROWS,
  ...MESSAGE_ROWS,
  ...FEED_ROWS,
  ...NEAR_ROWS,
  ...CONNECTION_ROWS,
  ...SERVER_ROWS,
  ...SNAPSHOT_ROWS,
  ...STRUCTURE_ROWS,
].map(withHelp);
