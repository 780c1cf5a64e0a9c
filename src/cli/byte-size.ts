// Bytes for people: "13.8 MB".

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** @param step Of one unit in the next smaller one: 1024 as memory is counted, 1000 as disks are. */
export function byteSize(bytes: number, step: 1000 | 1024): string {
  let value = bytes;
  let unit = 0;
  for (; value >= step && unit < UNITS.length - 1; unit++) value /= step;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
