// How counts, sizes, rates and times are said.
const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"];
const WINDOW_MS = 8000;

// Decimal units, as on every page: 1500 is `1.5 kB`.
export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) { value /= 1000; unit += 1; }
  if (unit === 0) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  return `${value.toFixed(1)} ${UNITS[unit]}`;
}

export const files = (count) => `${count.toLocaleString("en")} file${count === 1 ? "" : "s"}`;

export function time(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

// Bytes per second over the last few seconds.
export class Rate {
  constructor() {
    this.seen = [];
  }

  at(moment, bytes) {
    this.seen.push({ moment, bytes });
    while (this.seen.length > 2 && moment - this.seen[0].moment > WINDOW_MS) this.seen.shift();
    const [first] = this.seen;
    return moment > first.moment ? ((bytes - first.bytes) * 1000) / (moment - first.moment) : 0;
  }
}
