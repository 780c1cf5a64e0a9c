// Values: MessagePack in canonical form, with extensions for what JavaScript has beside it.
//
//   JavaScript ──▶ encodeInto ──▶ bytes ──▶ walk ──▶ stored, sent, stored again, unchanged
//                                   └─────▶ decode ──▶ JavaScript      valueToText ──▶ RESP, people
//
// A codec of our own because no library is all of this at once: equal values are equal bytes, a value
// is decoded without looking at any other, Map, Set, Date, bigint, typed arrays and cycles survive, and
// nothing that was sent is compiled. docs/decisions/0002-values.md has the choices and their prices.
//
// This page is all that the rest of the program imports. Read on in this order:
//
//   value-format       tags, extensions, numbers of objects: the format in one page
//   value-scratch      a growing buffer and the shortest form of each atom
//   value-encode       by type; objects met twice
//   value-extensions   bigint, Date, typed arrays
//   value-instances    instances of classes that are named; code as inert text
//   value-reading      where a decoder is
//   value-decode       by tag; keys from value-key-cache
//   value-walk         what is refused at the door
//   value-json         JSON, in one text that grows
//   value-text         decimal text, and that JSON
//
// Strings and bytes on their own never come here: they are stored raw (DESIGN: two kinds of bytes).

export { type DecodeOptions, decode } from "./value-decode.ts";
export { type EncodeOptions, encode, encodeInteger, encodeInto, encodeScalar } from "./value-encode.ts";
export { DEPTH_CEILING, DEPTH_DEFAULT, Double, type Scalar } from "./value-format.ts";
export {
  type CodeKind,
  Instance,
  isNative,
  ShippedCode,
  type TypeClass,
  Types,
} from "./value-instances.ts";
export { JsonText } from "./value-json.ts";
export { Scratch } from "./value-scratch.ts";
export { integerOf, valueToText } from "./value-text.ts";
export { walk, walkScalar } from "./value-walk.ts";
