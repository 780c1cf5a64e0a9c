// memhive-server/structures: structures that are ready to be registered.
//
//   import { Fifo, Suggest } from "memhive-server/structures";        or by name: structures: ["fifo", "suggest"]

export { Fifo } from "./fifo.ts";
export { Suggest } from "./suggest.ts";
