// How counts, sizes, rates and times are said.
const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"];
const WINDOW_MS = 8000;
const LANGUAGE = document.documentElement.lang;

// A text with values in it: `%(name)s` stands for one of them.
export const filled = (text, values) => interpolate(text, values, true);
const counted = (text, count) => filled(text, { count: count.toLocaleString(LANGUAGE) });

// Decimal units, as on every page: 1500 is `1.5 kB`.
export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) { value /= 1000; unit += 1; }
  if (unit === 0) return counted(ngettext("%(count)s byte", "%(count)s bytes", bytes), bytes);
  return `${value.toFixed(1)} ${UNITS[unit]}`;
}

export const files = (count) => counted(ngettext("%(count)s file", "%(count)s files", count), count);

export function time(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  const days = Math.round(seconds / 86_400);
  return counted(ngettext("%(count)s day", "%(count)s days", days), days);
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
