// Layout: every byte of the store, drawn once. A second process reads this memory, so nothing else
// may define an offset, and a change here raises LAYOUT_VERSION.
//
// Address. A ref is 32 bits and counts units of 8 bytes: 32 GiB a hive. It is kept as a signed
// integer, so that it is always a small integer to the JavaScript engine; 0 is "none".
//
//   ref = | segment (11 bits) | unit in the segment (21 bits) |        segment: 16 MiB, page: 64 KiB
//
// Segments of 16 MiB instead of one large buffer: they can be given back one by one. A block larger
// than a segment has a segment of its own size and takes the numbers behind it too.
//
// Page. 64 KiB, blocks of one size class, no header inside: what is known of a page stands in
// arrays beside (pages.ts). A free block has word 0 = 0 and word 1 = the next free block.
//
// Entry: one key with its value, one field with its value, or one member. Little endian words.
//
//   word 0   type 4 | key kind 2 | value kind 2 | TTL 1 | OWNED 1 | ROOT 1 | SCRUB 1 | key bytes 20
//   word 1   value bytes
//   word 2   version, low 32 bits        one counter for the whole hive, 48 bits
//   word 3   version, high 16 bits | access clock 16 bits (seconds; LFU: 8 bits minutes, 8 bits counter)
//   TTL      deadline low | deadline high | next | previous | container id | wheel slot     (24 bytes)
//   OWNED    owner id | payer id 31, of a session 1                                           (8 bytes)
//   ROOT     root ref | container id                                                          (8 bytes)
//   key bytes, then value bytes, each unpadded; the entry is rounded up to 8 bytes
//
// Only its index slot and its neighbours in the wheel refer to an entry, so it can be moved.
//
// Root of a container (the keyspace, a table, a set): 64 bytes.
//
//   0 flags            4 directory ref        8 bytes of entries, low     12 account (accounting.ts)
//   1 count            5 directory capacity   9 bytes of entries, high    13 overflow nodes
//   2 level            6 container id        10 entries with a TTL        14 its key
//   3 split            7 sequence            11 entries with a typed key  15 bytes of index
//
// Index: linear hashing. Bucket b of a hash h is h & (2^(level+1) - 1) where that is below
// 2^level + split, else h & (2^level - 1). Buckets lie in blocks that the directory lists:
// block 0 = bucket 0, block i (1..10) = buckets 2^(i-1) to 2^i - 1, block 10 + n = 1024 buckets each.
//
//   bucket (64 bytes)    sequence | overflow ref | 7 × (hash, ref)      slots are filled from the front
//   overflow (32 bytes)  next ref | 0            | 3 × (hash, ref)
//
// The sequence is odd while the bucket, its chain or an entry in it is being written; that of a root, while
// its level, split or directory or a place in the directory is.
//
// Packed container: ≤ 64 records and ≤ 4 KiB as the value of the key's own entry, no root.
//
//   count u16, then per record: kinds u8 (key 2 | value 2) | key bytes u16 | value bytes u16 | key | value
//
// Shared readers. A process that may read this memory, and not write to it, finds a key without a lock:
//
//   busy is 0 and the beat no older than a second, else ask the socket; note how often segments changed
//   root:   its sequence, even ──▶ level, split, directory ──▶ block ──▶ bucket
//   bucket: its sequence, even ──▶ chain ──▶ slot with this hash ──▶ entry with this key ──▶ copy
//   busy is 0, segments did not change, both sequences are what they were: the copy is good, as is that there is none
//
// For a field the key's entry names the root, in whose index it is looked for; of the four sequences none may
// have changed. The writer's part: an entry is whole before a slot refers to it; what a sequence guards
// changes only while it is odd; a sequence never goes back while something leads to it; a block is freed
// after the sequence that led to it changed. So until the sequences have agreed a number may be
// anything, and every place is checked before it is read; then all that was read was there at one moment.
//
// No sequence guards, so readers leave alone: the links of the wheel (next, previous, slot); the access clock,
// with which the version's bits beside it stay what they are; of a root the flags, counts, bytes, account
// and key; the version of a key that has a root. A new table may be seen before it has its first field.
// A processor that may exchange stores (ARM) needs fences beside (sequence.ts).
//
// A segment is a file whose name has its number and its generation: another one each time it is opened. The
// header lists the generations, and counts before a ref can lead to a new file. A file grows ahead of its
// first use, its pages taken from the system, and never shrinks: what is mapped can always be read.
//
// List: packed as the value of the key's own entry while that has ≤ 4 KiB, else chunks in the index of a
// container, by number. Its root has 36 bytes more:
//
//  16 first chunk   18 next number       20 elements, high   22 pairs there is room for   24 pairs
//  17 last chunk    19 elements, low     21 skips ref        23 the first pair
//
//   skips    for each chunk in order (number, elements): a block of its own, or none
//   packed   count u16 | data … | codes, the last element's first               (list-elements.ts)
//   chunk    an entry whose name is its number, u32, and whose value is ≤ 4,076 bytes, or as large as one element:
//            previous u32 | next u32 | count u16 | data start u16 | data end u16 | codes start u16 | data … codes
//
// Places in a chunk count from the start of the value; in one of more than 64 KiB data end and codes start are 0,
// and mean the last byte. A reader may look at a chunk under its bucket's sequence, as at every entry; what
// two chunks say together, and what the root says of a list, is true where the root's sequence is even and the same
// before and after. It is odd while a chunk comes or goes, and while one of these words changes.
//
// Sorted set: a container whose entries are fields (type 7) with the score as value, a float64, and a B+
// tree over them, by score and then by name. The tree is derived: a snapshot has the entries only. The
// root, of 80 bytes, goes on with
//
//   16 tree           17 height (1: a leaf)   18 nodes            19 unused
//
//   leaf  (764 bytes)    count | 0 | 63 × score f64 | 63 × ref of the entry
//   inner (768 bytes)    count | 0 | 38 × score f64 | 38 × ref | 38 × node | 38 × entries below it
//
// Score and ref in an inner node are those of the first entry below. All leafs have the same depth. The tree
// changes only while the root's sequence is odd, and so may only be read under it.
//
// Packed sorted set: ≤ 128 records and ≤ 8,000 bytes, in order, as the value of the key's own entry.
//
//   count u16, then per record: name kind 2 | score code 3 | LONG 1 | name bytes u8, where LONG u16 | score | name
//   score code: 0 i8, 1 i16, 2 i32, 3 f64, 4 i16 hundredths, 5 i32 hundredths, 6 f32
//
// Page 0 of segment 0 is the header (header.ts) with the keyspace's root in it.

export const LAYOUT_VERSION = 3;
export const LAYOUT_MAGIC = 0x65766968; // "hive"

export const UNIT_SHIFT = 3;
export const SEGMENT_SHIFT = 21;
export const SEGMENT_MASK: number = (1 << SEGMENT_SHIFT) - 1;
export const SEGMENT_BYTES: number = 1 << (SEGMENT_SHIFT + UNIT_SHIFT);
export const SEGMENTS_MAX: number = 1 << (32 - SEGMENT_SHIFT);
export const PAGE_SHIFT = 13;
export const PAGE_BYTES: number = 1 << (PAGE_SHIFT + UNIT_SHIFT);
export const PAGES_PER_SEGMENT: number = 1 << (SEGMENT_SHIFT - PAGE_SHIFT);

// Word 0 of an entry.
export const TYPE_MASK = 0xf;
export const TYPE_FREE = 0;
export const TYPE_STRING = 1;
export const TYPE_TABLE = 2;
export const TYPE_SET = 3;
export const TYPE_LIST = 4;
export const TYPE_SORTED = 5;
export const TYPE_STRUCTURE = 6;
export const TYPE_FIELD = 7;
export const TYPE_MEMBER = 8;
/** A part of a list. */
export const TYPE_CHUNK = 9;

/** Raw bytes whose sender could not say what they are (RESP). */
export const KIND_RAW = 0;
/** Raw bytes that are a string's UTF-8. */
export const KIND_TEXT = 1;
/** Raw bytes that are a Uint8Array's. */
export const KIND_BYTES = 2;
/** One canonically encoded value. */
export const KIND_VALUE = 3;
export const KEY_KIND_SHIFT = 4;
export const KEY_KIND_MASK: number = 3 << KEY_KIND_SHIFT;
export const VALUE_KIND_SHIFT = 6;
export const VALUE_KIND_MASK: number = 3 << VALUE_KIND_SHIFT;

export const FLAG_TTL: number = 1 << 8;
export const FLAG_OWNED: number = 1 << 9;
export const FLAG_ROOT: number = 1 << 10;
export const FLAG_SCRUB: number = 1 << 11;
export const KEY_LENGTH_SHIFT = 12;
export const KEY_LENGTH_MAX: number = (1 << 20) - 1;

export const HEADER_BYTES = 16;
export const TTL_BYTES = 24;
/** Bytes before the key, by (flags TTL, OWNED, ROOT) of word 0 as one number, in bytes. */
export const KEY_OFFSET: Uint8Array = new Uint8Array([16, 40, 24, 48, 24, 48, 32, 56]);

// Word numbers of the parts behind the header.
export const TTL_LOW = 4;
export const TTL_HIGH = 5;
export const TTL_NEXT = 6;
export const TTL_PREVIOUS = 7;
export const TTL_CONTAINER = 8;
export const TTL_SLOT = 9;

// Words of a root.
export const ROOT_BYTES = 64;
export const ROOT_FLAGS = 0;
export const ROOT_COUNT = 1;
export const ROOT_LEVEL = 2;
export const ROOT_SPLIT = 3;
export const ROOT_DIRECTORY = 4;
export const ROOT_CAPACITY = 5;
export const ROOT_ID = 6;
export const ROOT_SEQUENCE = 7;
export const ROOT_BYTES_LOW = 8;
export const ROOT_BYTES_HIGH = 9;
export const ROOT_TTLS = 10;
export const ROOT_TYPED = 11;
export const ROOT_ACCOUNT = 12;
export const ROOT_OVERFLOWS = 13;
export const ROOT_KEY = 14;
export const ROOT_INDEX_BYTES = 15;
// Those of a sorted set go on.
export const SORTED_ROOT_BYTES = 80;
export const ROOT_TREE = 16;
export const ROOT_TREE_HEIGHT = 17;
export const ROOT_TREE_NODES = 18;

// ROOT_FLAGS.
/** The container was deleted and waits for the reaper. */
export const ROOT_DETACHED = 1;
/** It was the keyspace. */
export const ROOT_FLUSHED = 2;
/** It is a sorted set's: it has a tree. */
export const ROOT_SORTED = 4;
/** Its key is a secret (FLAG_SCRUB): set when it is detached. */
export const ROOT_SECRET = 8;

// Words of a list's root beside.
export const LIST_ROOT_BYTES = 104;
export const LIST_FIRST = 16;
export const LIST_LAST = 17;
export const LIST_NEXT_ID = 18;
export const LIST_COUNT_LOW = 19;
export const LIST_COUNT_HIGH = 20;
export const LIST_SKIPS = 21;
export const LIST_SKIPS_CAPACITY = 22;
export const LIST_SKIPS_START = 23;
export const LIST_SKIPS_COUNT = 24;

export const CHUNK_NAME_BYTES = 4;
/** Bytes of a chunk's value before its elements. */
export const CHUNK_HEADER = 16;
/** Bytes of the elements of a full chunk: with header, name and entry's header it takes a block of 4 KiB. */
export const CHUNK_ROOM: number = 4096 - 16 - CHUNK_NAME_BYTES - CHUNK_HEADER;

export const BUCKET_BYTES = 64;
export const BUCKET_SLOTS = 7;
export const OVERFLOW_BYTES = 32;
export const OVERFLOW_SLOTS = 3;

export const PACKED_RECORDS_MAX = 64;
export const PACKED_BYTES_MAX = 4096;
export const PACKED_HEADER = 2;
export const RECORD_HEADER = 5;
export const SORTED_RECORDS_MAX = 128;
/** Below the first ref, so that a place in it and a ref are never the same number. */
export const SORTED_BYTES_MAX = 8000;

/** The container id of the keyspace. */
export const KEYSPACE_ID = 0;

// Words of the header page. The keyspace's root stands at unit ROOT_AT of page 0.
export const HEADER_MAGIC = 0;
export const HEADER_VERSION = 1;
export const HEADER_RUN_ID = 2; // 4 words
export const HEADER_BEAT_LOW = 6;
export const HEADER_BEAT_HIGH = 7;
/** Not 0: readers ask the socket (a transaction or a structure's command is under way). */
export const HEADER_BUSY = 8;
export const HEADER_SEGMENTS = 9;
export const HEADER_KEY0 = 10;
export const HEADER_KEY1 = 11;
/** Odd while a segment is opened or closed, and another number afterwards. */
export const HEADER_CHANGES = 12;
/** 1: an eviction policy wants to know what is read; 0: none does. */
export const HEADER_SAMPLED = 13;
/** From this word on, by segment: the generation of the file that it is now; 0 when it is not open. */
export const HEADER_GENERATIONS = 1024;
export const KEYSPACE_ROOT: number = 64 >> UNIT_SHIFT;
