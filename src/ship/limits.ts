// How much code one value may hold, for whoever ships it and whoever revives it.

/** Functions and classes together, those that others need included. */
export const CODES_MAX = 256;
/** UTF-16 units of all their sources: parsing takes some 50 ms a MiB, and blocks. */
export const CODE_UNITS_MAX = 1_048_576;
/** Classes above each other, functions bound to functions. Each takes two levels of the value (valueDepthMax). */
export const CODE_DEPTH_MAX = 24;
