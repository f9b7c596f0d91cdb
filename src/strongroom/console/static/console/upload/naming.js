// Which names a data set cannot hold, and what a chosen file is called there. The same rules as the command line's.
export const LONGEST_KEY_BYTES = 1024;
export const LARGEST_BYTES = 5 * 1024 ** 4;

// The first that fits is said. What the policy of a data set refuses is not even tried.
const REFUSALS = [
  [/[\ud800-\udfff]/u, gettext("its name is not UTF-8, and the names of objects are")],
  [/[\r\n]/, gettext("its name holds a line break: nobody could read the object")],
  [/[\x00-\x1f\x7f-\x9f\ufffe\uffff]/, gettext("its name holds a control character, which a listing of S3 cannot hold")],
  [/\\/, gettext("its name holds a backslash, which the store takes for a slash")],
  [/^\/|\/\/|\/$|^$/, gettext("its name begins or ends with a slash, or holds an empty folder")],
  [/(?:^|\/)\.{1,2}(?:\/|$)/, gettext("`.` and `..` are no names of objects")],
  [/^_attachments(?:\/|$)/, gettext("`_attachments` is where Strongroom keeps agreements")],
  [/(?:^|\/)\.uploads\/|^\.uploads$/, gettext("the store keeps its own things in folders called `.uploads`")],
  [/\.versions\//, gettext("the store keeps its own things in folders whose name ends in `.versions`")],
];

// Why the data set cannot hold an object of this name; empty where it can.
export function refusal(key) {
  const found = REFUSALS.find(([pattern]) => pattern.test(key));
  if (found) return found[1];
  const bytes = new TextEncoder().encode(key).length;
  if (bytes <= LONGEST_KEY_BYTES) return "";
  const told = gettext("its name with its folders is %(bytes)s bytes long, and S3 holds %(most)s");
  return interpolate(told, { bytes, most: LONGEST_KEY_BYTES }, true);
}

// Where a file goes: below `folder`, with or without the name of the folder that was chosen.
export function keyOf(path, folder, isWithoutTop) {
  const parts = path.split("/");
  const below = isWithoutTop && parts.length > 1 ? parts.slice(1) : parts;
  const above = folder.split("/").filter((each) => each);
  return [...above, ...below].join("/");
}

// What will be sent, and what cannot be and why: `{items, problems}`. Of two files with one key neither is sent.
export function plan(chosen, folder, isWithoutTop) {
  const items = new Map();
  const problems = [];
  const twice = new Set();
  for (const { path, file } of chosen) {
    const key = keyOf(path, folder, isWithoutTop);
    const reason = refusal(key) || (file.size > LARGEST_BYTES ? gettext("it is larger than the 5 TiB that S3 holds") : "");
    if (reason) problems.push({ key, reason });
    else if (items.has(key)) twice.add(key);
    else items.set(key, { key, file, size: file.size });
  }
  for (const key of twice) {
    items.delete(key);
    problems.push({ key, reason: gettext("two of the chosen files would have this name") });
  }
  return { items: [...items.values()].sort((a, b) => (a.key < b.key ? -1 : 1)), problems };
}
